/** Zip archives that lie about themselves: sizes, checksums, overlaps, names. */
import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/hub/index.ts";
import { openZip } from "../../src/hub/zip.ts";
import { fixture } from "./fixtures.ts";

const content = Uint8Array.from({ length: 3000 }, (_, i) => i % 7);
const plain = zipSync({ a: content, b: Uint8Array.of(1, 2, 3) }, { level: 0 });
const packed = zipSync({ a: content }, { level: 9 });

/** All entries, unpacked. */
const unpacked = (bytes: Uint8Array) =>
  Object.fromEntries(
    [...openZip("test", bytes).entries].map(([name, read]) => [name, new Uint8Array(read())]),
  );

/** A copy with fields of the first entry in the directory, or of the end record, set. */
function changed(
  bytes: Uint8Array,
  signature: number,
  fields: readonly (readonly [at: number, width: 2 | 4, value: number])[],
): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  let at = 0;
  while (view.getUint32(at, true) !== signature) at++;
  for (const [offset, width, value] of fields)
    if (width === 2) view.setUint16(at + offset, value, true);
    else view.setUint32(at + offset, value, true);
  return copy;
}
const DIRECTORY = 0x02014b50;
const END = 0x06054b50;

test("reads what is stored and what is packed", () => {
  expect(unpacked(plain)).toEqual({ a: content, b: Uint8Array.of(1, 2, 3) });
  expect(unpacked(packed)).toEqual({ a: content });
  const comment = Uint8Array.of(...changed(plain, END, [[20, 2, 3]]), 1, 2, 3);
  expect(Object.keys(unpacked(comment))).toEqual(["a", "b"]);
});

test("stored entries are views, not copies", () => {
  const [read] = openZip("test", plain).entries.values();
  expect(read?.().buffer).toBe(plain.buffer);
});

test("reads zip64 records, which PyTorch writes", () => {
  const large = changed(fixture("views.pt"), END, [
    [8, 2, 0xffff],
    [10, 2, 0xffff],
    [12, 4, 0xffffffff],
    [16, 4, 0xffffffff],
  ]);
  expect(unpacked(large)).toEqual(unpacked(fixture("views.pt")));
});

describe("what is refused", () => {
  const lostZip64 = changed(changed(fixture("views.pt"), 0x07064b50, [[8, 4, 1]]), END, [
    [10, 2, 0xffff],
  ]);
  test.each<[string, Uint8Array, RegExp]>([
    ["truncation", plain.subarray(0, -1), /no end record/],
    ["nothing", new Uint8Array(0), /no end record/],
    ["a directory elsewhere", changed(plain, END, [[16, 4, 2 ** 31]]), /exceeds the file/],
    ["more entries than there are", changed(plain, END, [[10, 2, 3]]), /entry 3 of 3 is missing/],
    ["a long name", changed(plain, DIRECTORY, [[28, 2, 0xffff]]), /exceeds the directory/],
    ["encryption", changed(plain, DIRECTORY, [[8, 2, 1]]), /entry a is encrypted/],
    ["another method", changed(plain, DIRECTORY, [[10, 2, 14]]), /method 14/],
    ["another checksum", changed(plain, DIRECTORY, [[16, 4, 1]]), /checksum differs/],
    ["another content", changed(plain, 0x04034b50, [[31, 2, 1]]), /checksum differs/],
    ["another name", changed(plain, 0x04034b50, [[30, 2, 1]]), /entry a is damaged/],
    ["another offset", changed(plain, DIRECTORY, [[42, 4, 1]]), /entry a is damaged/],
    [
      "a size beyond the file",
      changed(plain, DIRECTORY, [
        [20, 4, 1e6],
        [24, 4, 1e6],
      ]),
      /is damaged/,
    ],
    ["two sizes of what is stored", changed(plain, DIRECTORY, [[24, 4, 1]]), /is damaged/],
    ["more than it declares", changed(packed, DIRECTORY, [[24, 4, 2999]]), /more than the 2999/],
    ["less than it declares", changed(packed, DIRECTORY, [[24, 4, 3001]]), /declares 3001/],
    [
      "a vast declaration",
      changed(packed, DIRECTORY, [[24, 4, 0xfffffff0]]),
      /raise \{ maxBytes \}/,
    ],
    [
      "an overlap",
      changed(plain, DIRECTORY, [
        [20, 4, 3010],
        [24, 4, 3010],
      ]),
      /overlaps/,
    ],
    ["a zip64 record elsewhere", lostZip64, /zip64 end record is damaged/],
  ])("%s", (_, bytes, message) => {
    expect(() => unpacked(bytes)).toThrow(message);
    expect(() => unpacked(bytes)).toThrow(FormatError);
  });

  test("two entries of one name", () => {
    const twice = zipSync({ a: content, b: content }, { level: 0 });
    // The name stands in the entry and in the directory.
    for (let at = 0; at < twice.length; at++) if (twice[at] === 0x62) twice[at] = 0x61;
    expect(() => unpacked(twice)).toThrow("two entries named a");
  });

  test("a bomb whose directory says that it is small", () => {
    const bomb = zipSync({ a: new Uint8Array(5e7) }, { level: 9 });
    const before = process.memoryUsage().arrayBuffers;
    expect(() => unpacked(changed(bomb, DIRECTORY, [[24, 4, 60_000]]))).toThrow(
      "unpacks to more than the 60000 bytes it declares",
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2e7);
  });
});
