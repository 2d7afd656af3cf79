/** Keeps a command from writing over the file that it is to read. */
import { stat } from "node:fs/promises";
import { DataError } from "../data/errors.ts";

/** @throws DataError when both paths lead to one plain file. */
export async function ensureOtherFile(written: string, read: string): Promise<void> {
  const [one, two] = await Promise.all(
    [written, read].map((file) => stat(file, { bigint: true }).catch(() => undefined)),
  );
  if (!one?.isFile() || one.ino !== two?.ino || one.dev !== two.dev) return;
  throw new DataError({ file: written }, "is the file that is read; write into another one");
}
