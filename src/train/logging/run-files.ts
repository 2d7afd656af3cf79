/** The files of a run folder: their names, how they are replaced, and where an earlier session's lines end. */

import { codeOf, nodeFileSystem, writeFile } from "../file-system.ts";

/** What a run is made of; see run-config.ts. */
export const CONFIG = "config.json";
/** Events, one JSON object a line. */
export const METRICS = "metrics.jsonl";
/** Whether it runs, and what came of it. */
export const SUMMARY = "summary.json";

/** How a run stands: `interrupted` where its process is gone without a word. */
export type RunStatus = "running" | "finished" | "stopped" | "aborted" | "failed" | "interrupted";

/** `summary.json`. */
export interface RunSummary {
  readonly status: Exclude<RunStatus, "interrupted">;
  /** Why it ended, e.g. "earlyStopping". */
  readonly reason: string | null;
  /** What went wrong, where it failed. */
  readonly error: string | null;
  /** Process and computer that wrote this last. */
  readonly pid: number;
  readonly host: string;
  /** ISO 8601. */
  readonly updatedAt: string;
  readonly step: number;
  /** Last value of each curve. */
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly bestMetric: number | null;
  readonly bestCheckpoint: string | null;
  readonly lastCheckpoint: string | null;
}

/** The bytes of a file; null where there is none. */
export async function readIfThere(path: string): Promise<Uint8Array | null> {
  try {
    return await nodeFileSystem.read(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** Replaces a file: after a crash either the old content is there or the new one. */
export async function replaceFile(path: string, content: string): Promise<void> {
  const paths = await import("node:path");
  const temporary = paths.join(paths.dirname(path), `.${paths.basename(path)}.tmp`);
  await nodeFileSystem.remove(temporary);
  try {
    await writeFile(nodeFileSystem, temporary, new TextEncoder().encode(content));
    await nodeFileSystem.rename(temporary, path);
  } catch (error) {
    // What is left of it is in nobody's way, and the next replacement removes it.
    await nodeFileSystem.remove(temporary).catch(() => undefined);
    throw error;
  }
}

/**
 * Removes the lines of `metrics.jsonl` that are of steps after `step`, and a last line that was cut short, so that a run
 * that goes on from there has each step once. Lines that cannot be read stay for the reader to tell.
 */
export async function cutMetrics(path: string, step: number): Promise<void> {
  const bytes = await readIfThere(path);
  if (bytes === null) return;
  const text = new TextDecoder().decode(bytes);
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const kept = whole
    .split("\n")
    .slice(0, -1)
    .filter((line) => !(stepOf(line) > step))
    .map((line) => `${line}\n`)
    .join("");
  if (kept.length !== text.length) await replaceFile(path, kept);
}

/** NaN where the line tells none. */
function stepOf(line: string): number {
  try {
    return Number((JSON.parse(line) as { step?: unknown } | null)?.step);
  } catch {
    return NaN;
  }
}
