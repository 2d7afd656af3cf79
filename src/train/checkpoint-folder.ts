/** Folders `checkpoint-N` that appear whole or not at all, are verified when read, and replace each other safely. */

import { codeOf, nodeFileSystem, writeFile, type FileSystem } from "./file-system.ts";

/** Files of a checkpoint by name. */
export type CheckpointFiles = Readonly<Record<string, Uint8Array | string>>;

/** Under this name a checkpoint has the SHA-256 sums of its other files. */
const CHECKSUMS = "checksums.json";
const NAME = /^checkpoint-(\d+)$/;
/** Of a write that was cut short: `.checkpoint-N.tmp`, and `.checkpoint-N.old` for what it was to replace. */
const LEFT_OVER = /^\.(checkpoint-\d+)\.(tmp|old)$/;

/** Where checkpoints are read and written. */
export interface FolderOptions {
  /** The file system; Node's unless given. */
  readonly fileSystem?: FileSystem;
}

/** A checkpoint that cannot be written or read: which one, which of its files, and what is wrong. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
  readonly folder: string;
  /** The file in it; null where the folder itself is meant. */
  readonly file: string | null;

  constructor(folder: string, file: string | null, problem: string, options?: ErrorOptions) {
    super(`${file === null ? folder : `${folder}/${file}`}: ${problem}`, options);
    this.folder = folder;
    this.file = file;
  }
}

/**
 * Writes `output/checkpoint-<step>` with these files and their checksums: to a folder beside it, all of it flushed to
 * the disk, which is then renamed. One of that name is replaced. Returns the folder.
 * @throws CheckpointError saying what to do when that fails; then nothing of it is left, and older ones are as they were.
 */
export async function writeCheckpoint(
  output: string,
  step: number,
  files: CheckpointFiles,
  { fileSystem: fs = nodeFileSystem }: FolderOptions = {},
): Promise<string> {
  const name = `checkpoint-${step}`;
  const [folder, temporary, old] = [
    `${output}/${name}`,
    `${output}/.${name}.tmp`,
    `${output}/.${name}.old`,
  ];
  const encoder = new TextEncoder();
  const contents = Object.entries(files).map(
    ([file, content]) =>
      [file, typeof content === "string" ? encoder.encode(content) : content] as const,
  );
  const sums: Record<string, string> = {};
  for (const [file, content] of contents) sums[file] = await sha256(content);
  const all = [...contents, [CHECKSUMS, encoder.encode(json({ sha256: sums }))] as const];
  let replaced = false;
  try {
    await fs.makeFolder(output);
    await fs.remove(temporary);
    await fs.makeFolder(temporary);
    for (const [file, content] of all) await writeFile(fs, `${temporary}/${file}`, content);
    await fs.syncFolder(temporary);
    if ((await fs.list(output)).includes(name)) {
      await fs.remove(old);
      await fs.rename(folder, old);
      replaced = true;
    }
    await fs.rename(temporary, folder);
    await fs.syncFolder(output);
  } catch (error) {
    await undo(fs, { folder, temporary, old: replaced ? old : null });
    throw new CheckpointError(folder, null, `cannot be written (${reasonOf(error)})`, {
      cause: error,
    });
  }
  // The new one is in its place; should this fail, the next run removes it.
  if (replaced) await fs.remove(old).catch(() => undefined);
  return folder;
}

/** Puts back what was there before; what cannot be removed now is the next run's to remove. */
async function undo(
  fs: FileSystem,
  { folder, temporary, old }: { folder: string; temporary: string; old: string | null },
): Promise<void> {
  await fs.remove(temporary).catch(() => undefined);
  if (old !== null) await fs.rename(old, folder).catch(() => undefined);
}

/**
 * Reads all files of a checkpoint and compares them with their checksums.
 * @throws CheckpointError naming the file that is missing or damaged.
 */
export async function readCheckpoint(
  folder: string,
  { fileSystem: fs = nodeFileSystem }: FolderOptions = {},
): Promise<Record<string, Uint8Array>> {
  const read = async (file: string): Promise<Uint8Array> => {
    try {
      return await fs.read(`${folder}/${file}`);
    } catch (error) {
      const problem =
        codeOf(error) === "ENOENT" ? "is missing" : `cannot be read (${reasonOf(error)})`;
      throw new CheckpointError(folder, file, problem, { cause: error });
    }
  };
  const sums = checksumsIn(folder, await read(CHECKSUMS));
  const files: Record<string, Uint8Array> = {};
  for (const [file, expected] of Object.entries(sums)) {
    const content = await read(file);
    const got = await sha256(content);
    if (got !== expected)
      throw new CheckpointError(
        folder,
        file,
        `is damaged: its SHA-256 is ${got.slice(0, 12)}…, expected ${expected.slice(0, 12)}…`,
      );
    files[file] = content;
  }
  return files;
}

function checksumsIn(folder: string, content: Uint8Array): Record<string, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(content));
  } catch (error) {
    throw new CheckpointError(folder, CHECKSUMS, "is damaged: it is not JSON", { cause: error });
  }
  const sums = (parsed as { sha256?: unknown } | null)?.sha256;
  const isMap = typeof sums === "object" && sums !== null;
  if (!isMap || !Object.values(sums).every((sum) => typeof sum === "string"))
    throw new CheckpointError(folder, CHECKSUMS, "is damaged: it has no SHA-256 sums");
  return sums as Record<string, string>;
}

/** A checkpoint that has been found and read. */
export interface FoundCheckpoint {
  readonly folder: string;
  readonly step: number;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** The newest checkpoint that is whole, and those that are not. */
export interface LatestCheckpoint {
  /** The newest one that is whole; null where there is none. */
  readonly checkpoint: FoundCheckpoint | null;
  /** Newer ones that are damaged. */
  readonly damaged: readonly CheckpointError[];
}

/** Reads the newest whole checkpoint in a folder; damaged ones are passed over and named. */
export async function latestCheckpoint(
  output: string,
  options: FolderOptions = {},
): Promise<LatestCheckpoint> {
  const damaged: CheckpointError[] = [];
  for (const { folder, step } of (await listCheckpoints(output, options)).reverse()) {
    try {
      const files = await readCheckpoint(folder, options);
      return { checkpoint: { folder, step, files }, damaged };
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      damaged.push(error);
    }
  }
  return { checkpoint: null, damaged };
}

/** The checkpoints in a folder, oldest first, without looking into them. */
export async function listCheckpoints(
  output: string,
  { fileSystem: fs = nodeFileSystem }: FolderOptions = {},
): Promise<{ readonly folder: string; readonly step: number }[]> {
  const names = await fs.list(output);
  return names
    .flatMap((name) => {
      const step = NAME.exec(name)?.[1];
      return step === undefined ? [] : [{ folder: `${output}/${name}`, step: Number(step) }];
    })
    .sort((a, b) => a.step - b.step);
}

/** Which checkpoints are kept. */
export interface PruneOptions extends FolderOptions {
  /** How many to keep, the newest ones. */
  readonly keep: number;
  /** Folders to keep besides, e.g. the best one's. */
  readonly protect?: readonly string[];
  /** The step where the run stands: later checkpoints, damaged ones it went back behind, neither count nor are removed. */
  readonly upTo?: number;
  /** The first step whose checkpoint counts; earlier ones stay. */
  readonly from?: number;
}

/** Removes old checkpoints and returns their folders. */
export async function pruneCheckpoints(
  output: string,
  { keep, protect = [], from = 0, upTo = Infinity, ...options }: PruneOptions,
): Promise<string[]> {
  if (!(Number.isInteger(keep) && keep >= 0))
    throw new Error(`pruneCheckpoints: keep must be an integer of at least 0, got ${String(keep)}`);
  const fs = options.fileSystem ?? nodeFileSystem;
  const all = (await listCheckpoints(output, options)).filter(
    ({ step }) => step >= from && step <= upTo,
  );
  const old = all.slice(0, Math.max(0, all.length - keep));
  const removed = old.map(({ folder }) => folder).filter((folder) => !protect.includes(folder));
  for (const folder of removed) {
    // Under its name there is never a half of it.
    const away = `${output}/.${folder.slice(output.length + 1)}.tmp`;
    await fs.remove(away);
    await fs.rename(folder, away);
    await fs.remove(away);
  }
  return removed;
}

/** Removes what writes that were cut short have left, and puts back what they were about to replace. */
export async function cleanCheckpoints(
  output: string,
  { fileSystem: fs = nodeFileSystem }: FolderOptions = {},
): Promise<void> {
  const names = await fs.list(output);
  for (const name of names) {
    const [, of = "", kind] = LEFT_OVER.exec(name) ?? [];
    if (kind === undefined) continue;
    if (kind === "old" && !names.includes(of))
      await fs.rename(`${output}/${name}`, `${output}/${of}`);
    else await fs.remove(`${output}/${name}`);
  }
}

/** Fails at once, and not at the first checkpoint, where a folder cannot be written to; makes it where it is missing. */
export async function ensureWritable(
  output: string,
  { fileSystem: fs = nodeFileSystem }: FolderOptions = {},
): Promise<void> {
  const probe = `${output}/.checkpoint-0.tmp`;
  try {
    await fs.makeFolder(output);
    await fs.remove(probe);
    await fs.makeFolder(probe);
    await fs.remove(probe);
  } catch (error) {
    throw new CheckpointError(output, null, `cannot be written to (${reasonOf(error)})`, {
      cause: error,
    });
  }
}

/** JSON as Hugging Face writes it. */
export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

async function sha256(content: Uint8Array): Promise<string> {
  const bytes = new Uint8Array(
    await globalThis.crypto.subtle.digest("SHA-256", content as Uint8Array<ArrayBuffer>),
  );
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "ENOSPC: the disk is full; free some space, or keep fewer checkpoints",
  EDQUOT: "EDQUOT: the disk quota is used up; free some space, or keep fewer checkpoints",
  EROFS: "EROFS: the file system is read-only; name another folder",
  EACCES: "EACCES: permission denied; name another folder",
  EPERM: "EPERM: permission denied; name another folder",
  ENOTDIR: "ENOTDIR: a part of the path is a file; name another folder",
  EIO: "EIO: the disk failed; check it, or name a folder on another one",
};

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code !== undefined) return REASONS[code] ?? code;
  return error instanceof Error ? error.message : String(error);
}
