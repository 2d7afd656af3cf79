/** Keeps two trainings from writing into one folder at the same time. */
import { open, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { DataError } from "../data/errors.ts";

const LOCK = ".training.lock";

/**
 * Makes the folder this process's until `release` is called, or the process is gone.
 * @throws DataError where another process has it.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK);
  const own = `${process.pid} ${hostname()}\n`;
  for (;;) {
    try {
      const file = await open(path, "wx");
      try {
        await file.writeFile(own);
      } finally {
        await file.close();
      }
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const [pid, host] = (await readFile(path, "utf8").catch(() => "")).trim().split(" ");
    if (host !== hostname() || isAlive(Number(pid)))
      throw new DataError(
        { file: folder },
        `a training writes there (process ${pid} on ${host}); wait for it, name another folder, or remove ${LOCK} if there is none`,
      );
    // Left by a process that was killed.
    await rm(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
