/** Opens zip archives within limits on their content, so that a "zip bomb" is refused before it is unpacked. */
import { unzipSync } from "fflate";
import { DataError } from "./errors.ts";

/** What an archive may hold at most; sizes in bytes, unpacked. */
export interface ZipLimits {
  readonly entries: number;
  readonly entryBytes: number;
  readonly totalBytes: number;
  /** Unpacked size over packed size of one entry, checked from 1 MiB on. */
  readonly ratio: number;
}

export const ZIP_LIMITS: ZipLimits = {
  entries: 10_000,
  entryBytes: 16 * 2 ** 20,
  totalBytes: 256 * 2 ** 20,
  ratio: 200,
};

/** Whether bytes begin like a zip archive. */
export function isZip(bytes: Uint8Array): boolean {
  const [p, k, third, fourth] = bytes;
  const signature = (third === 3 && fourth === 4) || (third === 5 && fourth === 6);
  return p === 0x50 && k === 0x4b && signature;
}

/**
 * The files of an archive (folders left out) in the archive's order. fflate gives an entry no more memory than its
 * directory declares, so checking the declared sizes is enough.
 * @throws DataError when it is no zip archive, damaged, or over a limit.
 */
export function unpackZip(
  bytes: Uint8Array,
  file: string,
  limits: ZipLimits = ZIP_LIMITS,
): Map<string, Uint8Array> {
  if (!isZip(bytes)) throw new DataError({ file }, "expected a zip archive, got something else");
  let entries = 0;
  let total = 0;
  const refuse = (record: string | undefined, what: string, got: number, limit: number): never => {
    throw new DataError(
      { file, record },
      `${what} ${got}, the limit is ${limit}; unpack it yourself`,
    );
  };
  let unpacked: Record<string, Uint8Array>;
  try {
    unpacked = unzipSync(bytes, {
      filter({ name, size, originalSize }) {
        const record = `entry ${name}`;
        entries += 1;
        total += originalSize;
        if (entries > limits.entries) refuse(undefined, "entries:", entries, limits.entries);
        if (originalSize > limits.entryBytes) {
          refuse(record, "unpacked bytes:", originalSize, limits.entryBytes);
        }
        if (total > limits.totalBytes) {
          refuse(undefined, "unpacked bytes in all:", total, limits.totalBytes);
        }
        if (originalSize > 2 ** 20 && originalSize / Math.max(size, 1) > limits.ratio) {
          refuse(record, "compression ratio:", Math.round(originalSize / size), limits.ratio);
        }
        return !name.endsWith("/");
      },
    });
  } catch (error) {
    if (error instanceof DataError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError({ file }, `the zip archive is damaged or truncated (${reason})`, {
      cause: error,
    });
  }
  return new Map(Object.entries(unpacked));
}
