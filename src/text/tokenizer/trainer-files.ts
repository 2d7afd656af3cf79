/** Reads text files for a trainer, piece by piece: lines with their ends, decompressed and decoded strictly. */
import { createReadStream } from "node:fs";
import { pipeline, Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip } from "node:zlib";
import { DataError } from "../../data/errors.ts";

export interface TextFilesOptions {
  /** Read where a file is called `-`; the standard input of the process unless given. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Told about bytes as they are read, before decompression. */
  readonly onBytes?: (count: number) => void;
  /** Stops the reading; its reason is thrown. */
  readonly signal?: AbortSignal;
}

/** Bytes of the longest line: normalizing a line takes some 250 times as much memory. */
const LONGEST = 2 ** 22;
const NEWLINE = 0x0a;
const STDIN = "-";

/**
 * The lines of text files one after the other, each with its `\n`, as Python `Tokenizer.train` reads them; names that
 * end in `.gz` or `.br` are decompressed. A byte order mark is left out.
 * @throws DataError naming the file, and the byte offset (after decompression) where it is not UTF-8 or has a NUL.
 */
export async function* textLines(
  files: readonly string[],
  options: TextFilesOptions = {},
): AsyncGenerator<string, void> {
  for (const file of files) {
    const name = file === STDIN ? "stdin" : file;
    try {
      for await (const piece of wholeLines(bytesOf(file, options), name))
        yield* piece.split(/(?<=\n)/);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw error instanceof DataError ? error : unreadable(name, error);
    }
  }
}

function bytesOf(
  file: string,
  { stdin = process.stdin, onBytes, signal }: TextFilesOptions,
): AsyncIterable<Uint8Array> {
  const source = file === STDIN ? stdin : createReadStream(file, { highWaterMark: 2 ** 18 });
  async function* counted(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      signal?.throwIfAborted();
      onBytes?.(chunk.length);
      yield chunk;
    }
  }
  const unzip = decompressor(file);
  if (unzip === null) return counted();
  // Errors of the source end the decompressor, whose iteration throws them.
  pipeline(Readable.from(counted()), unzip, () => undefined);
  return unzip;
}

function decompressor(file: string): Transform | null {
  if (file.endsWith(".gz")) return createGunzip();
  if (file.endsWith(".br")) return createBrotliDecompress();
  return null;
}

/** Text in pieces that end where lines end, except the last. */
async function* wholeLines(
  bytes: AsyncIterable<Uint8Array>,
  file: string,
): AsyncGenerator<string, void> {
  /** Of a line whose end has not come yet. */
  let begun: Uint8Array[] = [];
  let length = 0;
  let offset = 0;
  const decode = (): string => {
    const text = decodeStrictly(Buffer.concat(begun), offset, file);
    const isMarked = offset === 0 && text.startsWith("\ufeff");
    offset += length;
    return isMarked ? text.slice(1) : text;
  };
  for await (const chunk of bytes) {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    begun.push(chunk.subarray(0, end || chunk.length));
    length += begun.at(-1)!.length;
    if (length > LONGEST)
      throw new DataError(
        { file },
        `more than ${LONGEST} bytes without a new line; break the text into lines (fold -s, for instance)`,
      );
    if (end === 0) continue;
    yield decode();
    begun = [chunk.subarray(end)];
    length = chunk.length - end;
  }
  if (length > 0) yield decode();
}

function decodeStrictly(bytes: Uint8Array, offset: number, file: string): string {
  const nul = bytes.indexOf(0);
  if (nul >= 0)
    throw new DataError(
      { file },
      `expected text, got a NUL character at byte offset ${offset + nul}; is it UTF-16 or binary?`,
    );
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    const at = validBytes(bytes);
    const hex = bytes[at]!.toString(16).toUpperCase().padStart(2, "0");
    throw new DataError(
      { file },
      `expected UTF-8, got byte 0x${hex} at byte offset ${offset + at}; convert it (iconv -f LATIN1 -t UTF-8, for instance) or decompress it`,
      { cause: error },
    );
  }
}

/** How many bytes at the front are characters, of bytes that are not all. */
function validBytes(bytes: Uint8Array): number {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let valid = 0;
  try {
    for (let at = 0; at < bytes.length; at++)
      if (decoder.decode(bytes.subarray(at, at + 1), { stream: true }) !== "") valid = at + 1;
  } catch {
    // The character that began at `valid` is none.
  }
  return valid;
}

function unreadable(file: string, error: unknown): DataError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reason =
    code === "ENOENT" || code === "ENOTDIR"
      ? "no such file; check the path"
      : code === "EISDIR"
        ? "expected a file, got a directory; name files in it"
        : /^(Z|ERR)_/.test(code)
          ? `cannot be decompressed (${code}); is it complete, and does its name end in what it is?`
          : `cannot be read (${code || String(error)})`;
  return new DataError({ file }, reason, { cause: error });
}
