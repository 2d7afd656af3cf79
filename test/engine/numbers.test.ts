/** Numbers at the edges of dtypes: half precision, ranges, exact remainders, and dtypes that do not go together. */

import { describe, expect, test } from "vitest";
import { full, ones, randint, ShapeError, tensor, zeros } from "../../src/index.ts";
import { functional as F } from "../../src/nn/index.ts";
import { halfBits, halfValue } from "../../src/graph/half.ts";

describe("half precision", () => {
  test.each([
    [1, 0x3c00],
    [-2, 0xc000],
    [0.1, 0x2e66],
    [-0, 0x8000],
    [65504, 0x7bff],
    [65519.9, 0x7bff],
    [65520, 0x7c00],
    [-Infinity, 0xfc00],
    [2 ** -14, 0x0400],
    [2 ** -24, 1],
    [2 ** -25, 0],
    [1.5 * 2 ** -24, 2],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 - 2 ** -12, 0x4000],
  ])("the bits of %d", (value, bits) => expect(halfBits(value)).toBe(bits));

  test("all bits but those of NaN stand for the number they are made from", () => {
    for (let bits = 0; bits < 65536; bits++)
      if (!Number.isNaN(halfValue(bits))) expect(halfBits(halfValue(bits))).toBe(bits);
    expect(halfValue(halfBits(NaN))).toBeNaN();
  });

  test("equals ONNX Runtime's conversion", async () => {
    const values = Float32Array.from(
      { length: 2000 },
      (_, i) => Math.sin(i) * 10 ** ((i % 13) - 7),
    );
    const bits = await tensor(values).cast("float16").data();
    expect(Array.from(values, halfBits)).toEqual(Array.from(bits, Number));
  });

  test("numbers beside float16 tensors, and their elements, are numbers", async () => {
    expect(await ones([2], { dtype: "float16" }).toArray()).toEqual([1, 1]);
    expect(await tensor([1, 2.5], { dtype: "float16" }).add(1).toArray()).toEqual([2, 3.5]);
    expect(await full([], 1.5, { dtype: "float16" }).item()).toBe(1.5);
    expect(await tensor(Uint16Array.of(0x3c00), { dtype: "float32" }).toArray()).toEqual([1]);
    expect(await tensor([0.5], { dtype: "float16" }).format()).toContain("[0.5000]");
  });
});

describe("ranges", () => {
  test.each([
    ["tensor", () => tensor([3e9], { dtype: "int32" })],
    ["tensor", () => tensor([NaN], { dtype: "int32" })],
    ["full", () => full([2], -1, { dtype: "uint32" })],
    ["add", () => tensor([1], { dtype: "int32" }).add(2 ** 31)],
    ["lt", () => tensor([1], { dtype: "uint32" }).lt(-1)],
  ])("%s refuses what the dtype cannot hold", (op, make) => {
    expect(make).toThrow(RangeError);
    expect(make).toThrow(new RegExp(`^${op}: .* is out of range for u?int32, expected`));
  });

  test("integers lose fractions; every number but 0 is true", async () => {
    expect(await tensor([1.5, -1.5], { dtype: "int64" }).toArray()).toEqual([1, -1]);
    expect(await full([2], 1.5, { dtype: "int64" }).toArray()).toEqual([1, 1]);
    expect(await full([], 2, { dtype: "bool" }).cast("int32").item()).toBe(1);
    expect(Array.from(await full([1], 2, { dtype: "bool" }).data(), Number)).toEqual([1]);
  });

  test("random integers far from 0 stay between their bounds", async () => {
    const far = await randint(1e8, 1e8 + 14, [2000]).data();
    expect(new Set(Array.from(far, Number)).size).toBe(14);
    expect(Math.min(...Array.from(far, Number))).toBe(1e8);
    expect(Math.max(...Array.from(far, Number))).toBe(1e8 + 13);
    expect(await randint(2 ** 33, 2 ** 33 + 1, [1]).toArray()).toEqual([2 ** 33]);
  });

  test("remainders of large floats are exact", async () => {
    const x = tensor([1e8, -1e8, 7.5, -7.5]);
    expect(await x.remainder(tensor([3, 3, -2, 2])).toArray()).toEqual([1, 2, -0.5, 0.5]);
  });
});

describe("refused where they are recorded", () => {
  const double = { dtype: "float64" } as const;
  test.each([
    ["linear", () => F.linear(ones([1, 2], { dtype: "int32" }), ones([3, 2]), ones([3]))],
    ["linear", () => F.linear(ones([1, 2]), ones([3, 2], double))],
    ["conv2d", () => F.conv2d(ones([1, 1, 3, 3]), ones([1, 1, 2, 2], double))],
    ["layerNorm", () => F.layerNorm(ones([2, 3], double), [3], { weight: ones([3]) })],
    ["slice", () => ones([3]).slice(0, 0.5)],
    [
      "matmul",
      () => ones([2, 2], { dtype: "int32" }).matmul(ones([2, 2]).cast("int32"), { alpha: 0.5 }),
    ],
  ])("%s", (op, make) => {
    expect(make).toThrow(ShapeError);
    expect(make).toThrow(new RegExp(`^${op}: `));
  });
});

test("prints tensors of many dimensions", async () => {
  const text = await zeros([7, 7, 7, 7, 7, 7, 7]).format();
  expect(text.endsWith("shape=[7,7,7,7,7,7,7])")).toBe(true);
});
