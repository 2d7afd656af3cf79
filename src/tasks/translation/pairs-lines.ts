/** The lines of a text file of any size as bytes, unpacked on the way, with errors that say what the file is instead. */

import { createReadStream, type ReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline, Readable, type Duplex } from "node:stream";
import { createBrotliDecompress, createGunzip } from "node:zlib";
import { DataError } from "../../data/errors.ts";

export interface LineLimits {
  readonly maxLineBytes: number;
  /** Of the unpacked text. */
  readonly maxBytes: number;
  /** Told how many bytes of the file were read, and how many it has; null for a pipe. */
  readonly onProgress?: ((bytes: number, total: number | null) => void) | undefined;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** What a file begins with that is no text, and what to do with it. */
const FOREIGN: readonly (readonly [name: string, advice: string, ...bytes: number[]])[] = [
  ["xz data", "decompress it first (xz -d)", 0xfd, 0x37, 0x7a, 0x58, 0x5a],
  ["Zstandard data", "decompress it first (zstd -d)", 0x28, 0xb5, 0x2f, 0xfd],
  ["bzip2 data", "decompress it first (bzip2 -d)", 0x42, 0x5a, 0x68],
  ["a zip archive or an Office document", "extract its text first", 0x50, 0x4b, 0x03, 0x04],
  ["a PDF document", "extract its text first", 0x25, 0x50, 0x44, 0x46],
  ["UTF-16 text", "convert it (iconv -f UTF-16 -t UTF-8)", 0xff, 0xfe],
  ["UTF-16 text", "convert it (iconv -f UTF-16 -t UTF-8)", 0xfe, 0xff],
];
const GZIP = [0x1f, 0x8b];
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const LONGEST_SIGNATURE = Math.max(...FOREIGN.map(([, , ...bytes]) => bytes.length));

/**
 * The lines of a file or pipe without their ends, some at a time; null for one of more than `maxLineBytes`.
 * @throws DataError as {@link readPairs}
 */
export async function* readLines(
  file: string,
  { maxLineBytes, maxBytes, onProgress }: LineLimits,
): AsyncGenerator<readonly (Buffer | null)[], void> {
  let held: Buffer[] = [];
  let length = 0;
  let total = 0;
  const take = (): Buffer | null => {
    const line = length > maxLineBytes ? null : Buffer.concat(held);
    held = [];
    length = 0;
    return line?.at(-1) === RETURN ? line.subarray(0, -1) : line;
  };
  const hold = (piece: Buffer): void => {
    length += piece.length;
    if (length > maxLineBytes) held = [];
    else held.push(piece);
  };
  for await (const chunk of readText(file, onProgress)) {
    total += chunk.length;
    if (total > maxBytes)
      throw new DataError(
        { file },
        `the text has more than ${maxBytes} bytes; split it or raise the limit`,
      );
    const lines: (Buffer | null)[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      hold(chunk.subarray(from, end));
      lines.push(take());
      from = end + 1;
    }
    if (from < chunk.length) hold(chunk.subarray(from));
    yield lines;
  }
  if (length > 0) yield [take()];
}

/** The bytes of a text, unpacked, without a byte order mark. */
async function* readText(
  file: string,
  onProgress: LineLimits["onProgress"],
): AsyncGenerator<Buffer, void> {
  try {
    const { stream, size } = await opened(file);
    const { head, chunks } = await peek(stream as AsyncIterable<Buffer>);
    if (head.length === 0) throw new DataError({ file }, "the file is empty");
    const unpack = unpacker(file, head);
    const plain = await peek(unpack === null ? chunks : piped(chunks, unpack));
    let isFirst = true;
    for await (const chunk of plain.chunks) {
      // Within the loop, which closes the file when it is left.
      if (isFirst) refuseForeign(file, chunk);
      const skip = isFirst && startsWith(chunk, BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
      isFirst = false;
      onProgress?.(stream.bytesRead, size);
      yield chunk.subarray(skip);
    }
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError({ file }, reasonOf(error), { cause: error });
  }
}

async function opened(file: string): Promise<{ stream: ReadStream; size: number | null }> {
  const found = await stat(file);
  if (found.isDirectory())
    throw new DataError({ file }, "expected a file, got a directory; name a file in it");
  if (!found.isFile() && !found.isFIFO())
    throw new DataError({ file }, "expected a regular file or a pipe");
  return { stream: createReadStream(file), size: found.isFile() ? found.size : null };
}

interface Peeked {
  /** The first bytes, enough to tell what they are. */
  readonly head: Buffer;
  /** All bytes, those of the head in one piece. */
  readonly chunks: AsyncIterable<Buffer>;
}

async function peek(source: AsyncIterable<Buffer>): Promise<Peeked> {
  const iterator = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < LONGEST_SIGNATURE) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* chunks(): AsyncGenerator<Buffer, void> {
    try {
      if (head.length > 0) yield head;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
        yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { head, chunks: chunks() };
}

function unpacker(file: string, head: Buffer): Duplex | null {
  if (startsWith(head, GZIP)) return createGunzip();
  return /\.br$/i.test(file) ? createBrotliDecompress() : null;
}

function piped(chunks: AsyncIterable<Buffer>, unpack: Duplex): AsyncIterable<Buffer> {
  // An error destroys the unpacker, so that it reaches whoever reads from it.
  pipeline(Readable.from(chunks), unpack, () => undefined);
  return unpack as AsyncIterable<Buffer>;
}

function refuseForeign(file: string, head: Buffer): void {
  for (const [name, advice, ...bytes] of FOREIGN) {
    if (startsWith(head, bytes))
      throw new DataError({ file }, `expected text in UTF-8, got ${name}; ${advice}`);
  }
}

const startsWith = (bytes: Buffer, signature: readonly number[]): boolean =>
  signature.every((byte, i) => bytes[i] === byte);

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT" || code === "ENOTDIR") return "no such file; check the path";
  if (code === "EACCES" || code === "EPERM") return "no permission to read the file";
  if (code === "Z_BUF_ERROR") return "the packed data ends too soon; fetch the file again";
  if (
    code.startsWith("Z_") ||
    code.startsWith("ERR__ERROR_FORMAT") ||
    code.startsWith("ERR_BROTLI")
  )
    return `the packed data is damaged (${code}); fetch the file again`;
  return `cannot be read (${code || String(error)})`;
}
