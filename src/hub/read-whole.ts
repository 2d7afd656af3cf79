/** Reads a file whole, also one beyond the 2 GiB at which Node's own function stops. Node only. */
import { FormatError } from "./format-error.ts";

const PIECE = 2 ** 30;

/** The bytes of a regular file; an array of its own size is all that is allocated. */
export async function readWhole(path: string): Promise<Uint8Array> {
  const { open } = await import("node:fs/promises");
  const { constants } = await import("node:buffer");
  const handle = await open(path, "r");
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new FormatError(`${path}: expected a regular file`);
    if (stat.size > constants.MAX_LENGTH)
      throw new FormatError(
        `${path}: the file has ${stat.size} bytes, at most ${constants.MAX_LENGTH} fit into memory at once; save it in shards`,
      );
    const bytes = new Uint8Array(stat.size);
    for (let at = 0; at < bytes.length;) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(PIECE, bytes.length - at));
      if (bytesRead === 0)
        throw new FormatError(`${path}: the file became shorter while it was read`);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}
