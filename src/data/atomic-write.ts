/** Writes files so that after a crash or a full disk either the old or the whole new content is there, never a half. */
import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { DataError } from "./errors.ts";

/** Replaces `file` by `content`: written to a temporary file beside it, flushed to the disk, then renamed. */
export async function writeFileAtomic(file: string, content: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${randomUUID()}.tmp`);
  try {
    const handle = await open(temporary, "wx");
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new DataError({ file }, `cannot be written (${reasonOf(error)})`, { cause: error });
  }
}

/**
 * Makes sure that files can be written into a folder, creating it where needed, so that a long job fails at once and
 * not at its end.
 * @throws DataError when the folder cannot be made or written to.
 */
export async function ensureWritableFolder(folder: string): Promise<void> {
  const probe = join(folder, `.${randomUUID()}.tmp`);
  try {
    await makeFolders(resolve(folder));
    await writeFile(probe, "", { flag: "wx" });
    await rm(probe);
  } catch (error) {
    const code = reasonOf(error);
    const reason = code === "EEXIST" || code === "ENOTDIR" ? "it is, or lies below, a file" : code;
    throw new DataError(
      { file: folder },
      `the output folder is not writable (${reason}); name another one`,
      { cause: error },
    );
  }
}

/** As `mkdir -p`; Node's own recursive form never returns for a folder in /proc, where making one fails with ENOENT. */
async function makeFolders(folder: string): Promise<void> {
  const parent = dirname(folder);
  const stats = await stat(folder).catch(() => undefined);
  if (stats?.isDirectory()) return;
  if (parent !== folder) await makeFolders(parent);
  await mkdir(folder);
}

function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
