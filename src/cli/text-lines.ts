/** Lines of text as they arrive from a file or a pipe, a group at a time, so that each is answered soon. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { DataError } from "../data/errors.ts";

/** Bytes as they arrive; `destroy` ends the wait for more. */
export type ByteStream = AsyncIterable<Uint8Array> & { destroy?(): unknown };

/** More bytes than this are no line of text. */
const LONGEST = 2 ** 20;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * The bytes of a file.
 * @throws DataError when it is missing, unreadable or a folder.
 */
export async function openText(file: string): Promise<ByteStream> {
  const wrong = (error: unknown): DataError => {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const reason = code === "ENOENT" || code === "ENOTDIR" ? "no such file; check the path" : code;
    return new DataError({ file }, `cannot be read: ${reason}`, { cause: error });
  };
  const found = await stat(file).catch((error: unknown) => {
    throw wrong(error);
  });
  if (found.isDirectory())
    throw new DataError({ file }, "expected a file, got a directory; name a file in it");
  const stream = createReadStream(file);
  async function* bytes(): AsyncGenerator<Uint8Array, void> {
    try {
      for await (const chunk of stream) yield chunk as Uint8Array;
    } catch (error) {
      throw wrong(error);
    }
  }
  return Object.assign(bytes(), { destroy: () => stream.destroy() });
}

/**
 * The lines without their ends (`\n` or `\r\n`), at most `limit` at a time; a byte order mark is left out. Lines before
 * one that is wrong are given first.
 * @throws DataError naming the line that is not UTF-8, has a NUL character or is longer than 1 MiB.
 */
export async function* lineGroups(
  bytes: AsyncIterable<Uint8Array>,
  { name, limit }: { readonly name: string; readonly limit: number },
): AsyncGenerator<readonly string[], void> {
  // A byte order mark is cut off below, from the first line only.
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let number = 0;
  let rest = new Uint8Array(0);
  const decode = (line: Uint8Array): string => {
    number += 1;
    const wrong = (problem: string, cause?: unknown) =>
      new DataError({ file: name, record: `line ${number}` }, problem, { cause });
    if (line.length > LONGEST) throw wrong(`longer than ${LONGEST} bytes; is it text?`);
    let text: string;
    try {
      text = decoder.decode(line.at(-1) === RETURN ? line.subarray(0, -1) : line);
    } catch (error) {
      throw wrong(
        "expected UTF-8, got bytes that are not; convert it (iconv -f LATIN1 -t UTF-8, for instance)",
        error,
      );
    }
    if (text.includes("\0")) throw wrong("expected text, got a NUL character; is it UTF-16?");
    return number === 1 && text.startsWith("\uFEFF") ? text.slice(1) : text;
  };
  for await (const chunk of bytes) {
    let [lines, from]: [string[], number] = [[], 0];
    try {
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
        const piece = chunk.subarray(from, end);
        from = end + 1;
        lines.push(decode(rest.length === 0 ? piece : Buffer.concat([rest, piece])));
        rest = new Uint8Array(0);
        if (lines.length < limit) continue;
        yield lines;
        lines = [];
      }
      if (from < chunk.length) rest = Buffer.concat([rest, chunk.subarray(from)]);
      if (rest.length > LONGEST) decode(rest);
    } catch (error) {
      if (lines.length > 0) yield lines;
      throw error;
    }
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) yield [decode(rest)];
}

/** How many lines a file has; for a pipe null. */
export async function countLines(file: string): Promise<number | null> {
  if (!(await stat(file)).isFile()) return null;
  let count = 0;
  let last = NEWLINE;
  for await (const chunk of createReadStream(file) as AsyncIterable<Uint8Array>) {
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) count += 1;
    last = chunk.at(-1) ?? last;
  }
  return last === NEWLINE ? count : count + 1;
}
