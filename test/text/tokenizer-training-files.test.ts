/** Text files as trainers read them: lines with their ends, across chunks, compressed, and errors with byte offsets. */
import { join } from "node:path";
import { Readable } from "node:stream";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { DataError } from "../../src/data/errors.ts";
import { textLines, type TextFilesOptions } from "../../src/text/tokenizer/trainer-files.ts";
import { temporaryFolder } from "../data/temp.ts";

const { folder, file } = temporaryFolder();

async function read(files: readonly string[], options?: TextFilesOptions): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of textLines(files, options)) lines.push(line);
  return lines;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("lines keep their ends; files do not run into each other", async () => {
  const first = file("first.txt", "\ufeffone\ntwo\r\n\n three");
  const second = file("second.txt", "four\n");
  const lines = ["one\n", "two\r\n", "\n", " three", "four\n"];
  expect(await read([first, second])).toEqual(lines);
});

test.each([
  ["gz", gzipSync],
  ["br", brotliCompressSync],
])("a file .%s is decompressed", async (end, compress) => {
  const text = "été\n".repeat(100_000);
  const compressed = compress(text);
  let count = 0;
  const path = file(`text.${end}`, compressed);
  const lines = await read([path], { onBytes: (more) => (count += more) });
  expect(lines.join("")).toBe(text);
  expect(count).toBe(compressed.length);

  const cut = file(`cut.${end}`, compressed.subarray(0, compressed.length - 10));
  await expect(read([cut])).rejects.toThrow(`cut.${end}: cannot be decompressed`);
  const plain = file(`plain.${end}`, "no compressed data at all");
  await expect(read([plain])).rejects.toThrow(DataError);
});

test("characters and lines may reach over chunks", async () => {
  const text = "a😀é\nz\n日本\n";
  for (const size of [1, 2, 3, 5]) {
    const all = bytes(text);
    const chunks = Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
      all.subarray(i * size, (i + 1) * size),
    );
    const stdin = Readable.from(chunks);
    expect(await read(["-"], { stdin })).toEqual(["a😀é\n", "z\n", "日本\n"]);
  }
});

test.each([
  ["Latin-1", [...bytes("caf\n\u00e9t"), 0xe9, 0x20], "got byte 0xE9 at byte offset 7"],
  ["half a character at the end", [...bytes("ok\n"), 0xe2, 0x82], "got byte 0xE2 at byte offset 3"],
  ["half a surrogate pair", [0x41, 0xed, 0xa0, 0x80, 0x0a], "got byte 0xED at byte offset 1"],
  ["UTF-16", [0xff, 0xfe, 0x41, 0x01], "got byte 0xFF at byte offset 0"],
  ["NUL", [0x41, 0x0a, 0x00, 0x0a], "got a NUL character at byte offset 2"],
])("%s is an error with its offset", async (_, content, message) => {
  const path = file("bad.txt", Uint8Array.from(content));
  await expect(read([path])).rejects.toThrow(message);
  await expect(read([path])).rejects.toThrow(DataError);
});

test("a line of megabytes is refused before it fills the memory", async () => {
  const stdin = Readable.from(Array.from({ length: 5 }, () => new Uint8Array(2 ** 20).fill(0x61)));
  await expect(read(["-"], { stdin })).rejects.toThrow(
    "stdin: more than 4194304 bytes without a new line; break the text into lines",
  );
});

test("the offset counts from the beginning of the file", async () => {
  const good = bytes("0123456é\n".repeat(60_000)); // more than one chunk
  const path = file("late.txt", Buffer.concat([good, Uint8Array.of(0x61, 0xff)]));
  await expect(read([path])).rejects.toThrow(`got byte 0xFF at byte offset ${good.length + 1}`);
});

test("what cannot be read is named", async () => {
  await expect(read([join(folder, "none.txt")])).rejects.toThrow("none.txt: no such file");
  await expect(read([folder])).rejects.toThrow("expected a file, got a directory");
});

test("reading stops when told to", async () => {
  const path = file("long.txt", "line\n".repeat(200_000));
  const stopping = new AbortController();
  const reason = new Error("enough");
  const onBytes = () => stopping.abort(reason);
  await expect(read([path], { signal: stopping.signal, onBytes })).rejects.toBe(reason);
});
