/** Unpacking deflated data: what zlib packs in all its ways, and no byte more than was asked for. */
import { deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { Rng } from "../../src/data/rng.ts";
import { inflate } from "../../src/hub/inflate.ts";

/** Bytes that repeat in part, up to `range` different ones. */
function content(length: number, range: number, repeats: number, rng: Rng): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++)
    out[i] =
      i > 0 && rng.chance(repeats) ? out[Math.max(0, i - rng.int(1, 40_000))]! : rng.int(0, range);
  return out;
}

test("unpacks what zlib packs, with every level and strategy", () => {
  const rng = new Rng("inflate");
  for (let i = 0; i < 120; i++) {
    const bytes = content(
      rng.pick([0, 1, 300, 5000, 90_000]),
      rng.pick([0, 1, 20, 255]),
      rng.float(),
      rng,
    );
    const packed = deflateRawSync(bytes, { level: i % 10, strategy: i % 5 });
    expect(Buffer.compare(inflate(packed, bytes.length), bytes), `${i}`).toBe(0);
  }
  const zeros = new Uint8Array(1_000_000);
  expect(Buffer.compare(inflate(deflateRawSync(zeros), zeros.length), zeros)).toBe(0);
});

test("refuses another size, and data that are no deflated ones", () => {
  const bytes = content(5000, 20, 0.5, new Rng("sizes"));
  for (const level of [0, 1, 9]) {
    const packed = deflateRawSync(bytes, { level });
    expect(() => inflate(packed, 4999)).toThrow("unpacks to more than the 4999 bytes it declares");
    expect(() => inflate(packed, 0)).toThrow("unpacks to more than the 0 bytes it declares");
    expect(() => inflate(packed, 5001)).toThrow("unpacks to 5000 bytes, it declares 5001");
    for (const length of [0, 1, 2, 50, packed.length - 1])
      expect(() => inflate(packed.subarray(0, length), 5000)).toThrow(/^is (truncated|damaged)$/);
  }
  // The fourth kind of block; a stored block whose length is not confirmed; a copy from before the beginning.
  for (const packed of [[7], [1, 1, 0, 1, 0, 9], [3, 2, 0, 0]])
    expect(() => inflate(Uint8Array.from(packed), 9)).toThrow(/^is (truncated|damaged)$/);
});
