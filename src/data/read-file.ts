/** Reads a file whole, within a size limit, and decodes it strictly, with errors that say what the file is instead. */
import { open } from "node:fs/promises";
import { DataError } from "./errors.ts";

/** Largest file read unless the caller says otherwise, in bytes (256 MiB). */
export const DEFAULT_MAX_BYTES = 256 * 2 ** 20;

/**
 * The bytes of a regular file.
 * @throws DataError when it is missing, unreadable, a directory or device, empty, or larger than `maxBytes`.
 */
export async function readBytes(file: string, maxBytes = DEFAULT_MAX_BYTES): Promise<Uint8Array> {
  try {
    const handle = await open(file, "r");
    try {
      const stat = await handle.stat();
      if (stat.isDirectory()) {
        throw new DataError({ file }, "expected a file, got a directory; name a file in it");
      }
      if (!stat.isFile()) throw new DataError({ file }, "expected a regular file");
      if (stat.size === 0) throw new DataError({ file }, "the file is empty");
      if (stat.size > maxBytes) {
        throw new DataError(
          { file },
          `the file has ${stat.size} bytes, the limit is ${maxBytes}; split it or raise the limit`,
        );
      }
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError({ file }, reasonOf(error), { cause: error });
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT" || code === "ENOTDIR") return "no such file; check the path";
  if (code === "EACCES" || code === "EPERM") return "no permission to read the file";
  if (code === "EISDIR") return "expected a file, got a directory; name a file in it";
  return `cannot be read (${code || String(error)})`;
}

const SIGNATURES: readonly (readonly [name: string, ...bytes: number[]])[] = [
  ["a PDF document", 0x25, 0x50, 0x44, 0x46],
  ["a zip archive or an Office document", 0x50, 0x4b, 0x03, 0x04],
  ["an old Office document", 0xd0, 0xcf, 0x11, 0xe0],
  ["gzip data", 0x1f, 0x8b],
  ["xz data", 0xfd, 0x37, 0x7a, 0x58],
];

/**
 * Decodes UTF-8 text; a byte order mark is left out.
 * @throws DataError when the bytes are of another encoding or no text at all.
 */
export function decodeUtf8(bytes: Uint8Array, file: string, record?: string): string {
  const where = { file, record };
  for (const [name, ...signature] of SIGNATURES) {
    if (signature.every((byte, i) => bytes[i] === byte)) {
      throw new DataError(where, `expected plain text, got ${name}; extract its text first`);
    }
  }
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new DataError(where, "expected UTF-8, got UTF-16; convert it (iconv -f UTF-16 -t UTF-8)");
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new DataError(
      where,
      "expected UTF-8, got bytes that are not; convert it (iconv -f LATIN1 -t UTF-8, for instance)",
      { cause: error },
    );
  }
  const nul = text.indexOf("\0");
  if (nul >= 0) {
    throw new DataError(
      where,
      `expected text, got a NUL character at offset ${nul}; is it UTF-16 or binary?`,
    );
  }
  return text;
}

/**
 * Reads a UTF-8 text file.
 * @throws DataError as {@link readBytes} and {@link decodeUtf8}, and when there is nothing but white space in it.
 */
export async function readText(file: string, maxBytes = DEFAULT_MAX_BYTES): Promise<string> {
  const text = decodeUtf8(await readBytes(file, maxBytes), file);
  if (text.trim() === "") throw new DataError({ file }, "there is nothing but white space in it");
  return text;
}
