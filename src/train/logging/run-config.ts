/** `config.json` of a run folder: what is needed to repeat a run. */

/** What a program tells of a run; all of it plain JSON. */
export interface RunDescription {
  /** How to call it; the folder's name unless given. */
  readonly name?: string;
  /** Program and arguments; those of this process unless given. */
  readonly command?: readonly string[];
  /** All options, defaults included. */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly seed?: number;
  /** Where it computes, e.g. "cpu". */
  readonly device?: string;
  /** Which data, e.g. what {@link describeFile} tells. */
  readonly data?: unknown;
}

/** A session of a run that went on from a checkpoint. */
export interface RunSession {
  /** Step that it went on from. */
  readonly step: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly command: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly device: string | null;
  readonly versions: Readonly<Record<string, string>>;
}

/** What `config.json` of a run says: everything needed to repeat it. */
export interface RunConfig {
  readonly format: typeof RUN_FORMAT;
  readonly name: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly command: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly seed: number | null;
  readonly device: string | null;
  readonly data: unknown;
  /** Of Node, this package, ONNX Runtime and the platform. */
  readonly versions: Readonly<Record<string, string>>;
  /** When and how it went on, in order. */
  readonly resumed: readonly RunSession[];
}

/** By this the file is told from a model's `config.json`. */
export const RUN_FORMAT = "learning-loop-run/1";

/** The configuration of a run that begins now. Node only. */
export async function runConfig(folder: string, described: RunDescription): Promise<RunConfig> {
  const paths = await import("node:path");
  const { name, command = process.argv, options = {}, seed, device, data } = described;
  return {
    format: RUN_FORMAT,
    name: name ?? paths.basename(paths.resolve(folder)),
    startedAt: new Date().toISOString(),
    command,
    options,
    seed: seed ?? null,
    device: device ?? null,
    data: data ?? null,
    versions: await versions(),
    resumed: [],
  };
}

/** The configuration of a run that goes on now. */
export function resumedConfig(before: RunConfig, now: RunConfig, step: number): RunConfig {
  const { startedAt, command, options, device, versions } = now;
  const session = { step, startedAt, command, options, device, versions };
  return { ...before, resumed: [...before.resumed, session] };
}

async function versions(): Promise<Record<string, string>> {
  const { readFile } = await import("node:fs/promises");
  const { release } = await import("node:os");
  // Three folders above this file in sources and builds alike. Dependencies are pinned there.
  const file = new URL("../../../package.json", import.meta.url);
  const { version, dependencies } = JSON.parse(await readFile(file, "utf8")) as {
    version: string;
    dependencies: Record<string, string>;
  };
  return {
    "learning-loop": version,
    node: process.version.slice(1),
    "onnxruntime-node": dependencies["onnxruntime-node"] ?? "unknown",
    "onnxruntime-web": dependencies["onnxruntime-web"] ?? "unknown",
    platform: `${process.platform} ${release()} ${process.arch}`,
  };
}

/** A file that a run reads, for its configuration: path, bytes, and the SHA-256 by which it is known again. Node only. */
export async function describeFile(
  path: string,
): Promise<{ readonly path: string; readonly bytes: number; readonly sha256: string }> {
  const { createReadStream } = await import("node:fs");
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { path, bytes, sha256: hash.digest("hex") };
}
