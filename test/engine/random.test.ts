/** The random generator: bits as plain JavaScript computes them, the same on every executor, and random enough. */

import { describe, expect, test } from "vitest";
import {
  bernoulli,
  compile,
  Generator,
  manualSeed,
  normal,
  rand,
  randint,
  randn,
  setDevice,
  tensor,
  uniform,
  defaultGenerator,
} from "../../src/index.ts";
import { randomBits, randomMask } from "../../src/ops/random.ts";
import { Tensor } from "../../src/tensor.ts";

// ---- the generator in plain JavaScript ---------------------------------------------------------------------------

const KEYS = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];

function round(x: number, key: number): number {
  const product = Math.imul(x, 2 * x + 1);
  return (((product << 16) | (product >>> 16)) + key) >>> 0;
}

const mix = (x: number, seed: number): number =>
  KEYS.reduce((y, key) => round(y, seed + key), x >>> 0);

function referenceBits(seed: number, draw: number, size: number): number[] {
  const stream = mix(Math.imul(draw, 0x9e3779b1) + seed, seed);
  const key = round(stream, seed);
  return Array.from({ length: size }, (_, i) => mix(Math.imul(i, 0x9e3779b1) + stream, key));
}

/** Words' high halves, then their low halves, below p. */
function referenceMask(seed: number, draw: number, size: number, p: number): number[] {
  const words = referenceBits(seed, draw, Math.ceil(size / 2));
  const halves = [...words.map((word) => word >>> 16), ...words.map((word) => word & 0xffff)];
  return halves.slice(0, size).map((half) => (half < p * 65536 ? 1 : 0));
}

const referenceUniform = (seed: number, draw: number, size: number): number[] =>
  referenceBits(seed, draw, size).map((bits) => (bits >>> 8) * 2 ** -24);

const list = async (x: Tensor): Promise<number[]> => Array.from(await x.data(), Number);

const bitsOf = (seed: number, draw: number, size: number): Promise<number[]> =>
  list(new Tensor(randomBits(tensor([seed, draw], { dtype: "uint32" }).value, [size])));

const seeds = [0, 1, 42, 2 ** 32 - 1];

describe.each([
  ["cpu through the C API", "cpu", { ffi: true }],
  ["cpu through the binding", "cpu", { ffi: false }],
  ["wasm", "wasm", {}],
] as const)("%s", (_, device, options) => {
  test("gives the bits of plain JavaScript", async () => {
    await setDevice(device, options);
    try {
      for (const seed of seeds)
        for (const draw of [0, 1, 7, 2 ** 31])
          expect(await bitsOf(seed, draw, 33)).toEqual(referenceBits(seed, draw, 33));
      const generator = new Generator(42);
      expect(await list(rand([5], { generator }))).toEqual(referenceUniform(42, 0, 5));
      expect(await list(rand([2, 2], { generator }))).toEqual(referenceUniform(42, 1, 4));
      const mask = randomMask(tensor([42, 9], { dtype: "uint32" }).value, [3, 7], 0.75);
      expect(await list(new Tensor(mask))).toEqual(referenceMask(42, 9, 21, 0.75));
      const u = referenceUniform(42, 2, 6);
      const radius = [0, 1, 2].map((i) => Math.sqrt(-2 * Math.log(1 - u[i]!)));
      const expected = [
        ...radius.map((r, i) => r * Math.cos(2 * Math.PI * u[3 + i]!)),
        ...radius.map((r, i) => r * Math.sin(2 * Math.PI * u[3 + i]!)),
      ];
      const normals = await list(randn([5], { generator }));
      normals.forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 5));
    } finally {
      await setDevice("cpu");
    }
  });

  test("compiled and uncompiled draws are one stream", async () => {
    await setDevice(device, options);
    try {
      const plain = new Generator(7);
      const compiled = new Generator(7);
      const draw = (generator: Generator): Tensor =>
        rand([3], { generator }).add(randint(0, 5, [3], { generator }));
      const step = compile(() => draw(compiled));
      for (let i = 0; i < 4; i++) {
        expect(await list(await step())).toEqual(await list(draw(plain)));
        expect(await list(draw(compiled))).toEqual(await list(draw(plain)));
      }
      expect(await list(compiled.state)).toEqual([7, 16]);
    } finally {
      await setDevice("cpu");
    }
  });
});

describe("streams", () => {
  test("manualSeed starts over", async () => {
    manualSeed(3);
    const first = [await list(rand([4])), await list(randn([4]))];
    manualSeed(3);
    expect([await list(rand([4])), await list(randn([4]))]).toEqual(first);
    manualSeed(4);
    expect(await list(rand([4]))).not.toEqual(first[0]);
  });

  test("do not depend on when values are read", async () => {
    manualSeed(5);
    const [a, b] = [rand([3]), rand([3])];
    const late = [await list(b), await list(a)];
    manualSeed(5);
    const early = [await list(rand([3])), await list(rand([3]))];
    expect(late).toEqual([early[1], early[0]]);
  });

  test("saved and restored state continues exactly", async () => {
    const generator = new Generator(11);
    await rand([10], { generator }).data();
    const saved = await generator.state.data();
    const expected = [await list(randn([5], { generator })), await list(rand([3], { generator }))];
    const restored = new Generator();
    restored.state.assign(tensor(saved, { dtype: "uint32" }));
    expect([
      await list(randn([5], { generator: restored })),
      await list(rand([3], { generator: restored })),
    ]).toEqual(expected);
    expect(await list(restored.state)).toEqual(await list(generator.state));
  });

  test("seeds of 53 bits differ in their high bits too", async () => {
    const streams = await Promise.all(
      [5, 5 + 2 ** 32, 5 + 2 ** 33, 2 ** 53 - 1].map((seed) =>
        list(rand([2], { generator: new Generator(seed) })),
      ),
    );
    expect(new Set(streams.map(String)).size).toBe(4);
    for (const seed of [-1, 0.5, 2 ** 53, NaN])
      expect(() => new Generator(seed)).toThrow(/the seed must be an integer from 0 to/);
  });

  test("drawing leaves tensors that require gradients as leaves", async () => {
    const w = randn([2], { requiresGrad: true });
    expect([w.isLeaf, w.requiresGrad]).toEqual([true, true]);
    const before = await list(w);
    w.square().sum().backward();
    const gradient = await list(w.grad!);
    expect(gradient).toEqual(before.map((x) => 2 * x));
    expect(defaultGenerator.state.requiresGrad).toBe(false);
  });
});

// ---- statistics --------------------------------------------------------------------------------------------------

const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;

function correlation(x: readonly number[], y: readonly number[]): number {
  const [mx, my] = [mean(x), mean(y)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < y.length; i++) {
    const [a, b] = [x[i]! - mx, y[i]! - my];
    xy += a * b;
    xx += a * a;
    yy += b * b;
  }
  return xy / Math.sqrt(xx * yy);
}

/** χ² of counts against equal expectations, in standard deviations from its mean. */
function chiSquare(counts: readonly number[]): number {
  const expected = mean(counts);
  const sum = counts.reduce((total, n) => total + (n - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  return (sum - freedom) / Math.sqrt(2 * freedom);
}

const N = 1 << 17;

describe("statistics", () => {
  test.each(seeds)("bytes, bits and neighbours of seed %d", (seed) => {
    const bits = referenceBits(seed, 3, N);
    for (const shift of [0, 8, 16, 24]) {
      const counts = new Array<number>(256).fill(0);
      for (const word of bits) counts[(word >>> shift) & 255]!++;
      expect(Math.abs(chiSquare(counts)), `byte at bit ${shift}`).toBeLessThan(4.5);
    }
    for (let bit = 0; bit < 32; bit++) {
      const ones = bits.reduce((n, word) => n + ((word >>> bit) & 1), 0);
      expect(Math.abs(ones - N / 2) / Math.sqrt(N / 4), `bit ${bit}`).toBeLessThan(4.5);
    }
    // Pairs of neighbours, four bits of each.
    const pairs = new Array<number>(256).fill(0);
    for (let i = 0; i + 1 < N; i += 2) pairs[((bits[i]! >>> 28) << 4) | (bits[i + 1]! >>> 28)]!++;
    expect(Math.abs(chiSquare(pairs))).toBeLessThan(4.5);
    expect(new Set(bits).size).toBe(N);
    const u = bits.map((word) => (word >>> 8) * 2 ** -24);
    for (const lag of [1, 2, 3, 64, 1024])
      expect(Math.abs(correlation(u, u.slice(lag))), `lag ${lag}`).toBeLessThan(4.5 / Math.sqrt(N));
  });

  test("different draws and seeds are unrelated", () => {
    const streams = [
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
      [2, 0],
      [1, 1],
      [0x80000000, 0],
      [0x9e3779b1, 0],
    ].map(([seed, draw]) => referenceUniform(seed!, draw!, 1 << 15));
    for (const [i, a] of streams.entries())
      for (const b of streams.slice(i + 1)) {
        expect(Math.abs(correlation(a, b))).toBeLessThan(5 / Math.sqrt(1 << 15));
        // Nor is one the other moved along.
        for (const lag of [1, 2, 7])
          expect(Math.abs(correlation(a, b.slice(lag)))).toBeLessThan(5 / Math.sqrt(1 << 15));
      }
  });

  test("the first number of successive draws is uniform and without trend", () => {
    const firsts = Array.from({ length: 1 << 14 }, (_, draw) => referenceUniform(9, draw, 1)[0]!);
    const counts = new Array<number>(64).fill(0);
    for (const u of firsts) counts[Math.floor(u * 64)]!++;
    expect(Math.abs(chiSquare(counts))).toBeLessThan(4.5);
    expect(Math.abs(correlation(firsts, firsts.slice(1)))).toBeLessThan(5 / 128);
  });

  test("rand, uniform and randint fill their ranges", async () => {
    const generator = new Generator(1);
    const u = await list(rand([N], { generator }));
    expect(Math.min(...u.slice(0, 1000))).toBeGreaterThanOrEqual(0);
    expect(u.every((x) => x >= 0 && x < 1)).toBe(true);
    expect(Math.abs(mean(u) - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / N));
    expect(Math.abs(mean(u.map((x) => (x - 0.5) ** 2)) - 1 / 12)).toBeLessThan(1e-3);
    const v = await list(uniform([N], -3, 5, { generator }));
    expect(v.every((x) => x >= -3 && x < 5)).toBe(true);
    expect(Math.abs(mean(v) - 1)).toBeLessThan(5 * 8 * Math.sqrt(1 / 12 / N));
    const drawn = randint(-2, 5, [N], { generator });
    expect(drawn.dtype).toBe("int32");
    const counts = new Array<number>(7).fill(0);
    for (const k of await list(drawn)) counts[k + 2]!++;
    expect(Math.abs(chiSquare(counts))).toBeLessThan(4.5);
    expect(randint(0, 3, [2], { generator, dtype: "int64" }).dtype).toBe("int64");
  });

  test("randn and normal have the moments of a normal distribution", async () => {
    const generator = new Generator(2);
    const z = await list(randn([N + 1], { generator }));
    expect(z).toHaveLength(N + 1);
    expect(z.every(Number.isFinite)).toBe(true);
    const moment = (k: number): number => mean(z.map((x) => x ** k));
    expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(N));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / N));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / N));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / N));
    // Both numbers of a Box–Muller pair, and neighbours.
    const half = Math.ceil((N + 1) / 2);
    expect(Math.abs(correlation(z, z.slice(half)))).toBeLessThan(5 / Math.sqrt(half));
    expect(Math.abs(correlation(z, z.slice(1)))).toBeLessThan(5 / Math.sqrt(N));
    // Deciles of the normal distribution.
    const bounds = [-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816];
    const counts = new Array<number>(10).fill(0);
    for (const x of z) counts[bounds.filter((bound) => x > bound).length]!++;
    expect(Math.abs(chiSquare(counts))).toBeLessThan(4.5);
    const shifted = await list(normal(10, 0.5, [N], { generator }));
    expect(Math.abs(mean(shifted) - 10)).toBeLessThan((5 * 0.5) / Math.sqrt(N));
  });

  test("bernoulli", async () => {
    const generator = new Generator(3);
    const drawn = bernoulli([N], 0.3, { generator });
    expect(drawn.dtype).toBe("bool");
    expect(Math.abs(mean(await list(drawn)) - 0.3)).toBeLessThan(5 * Math.sqrt(0.21 / N));
    expect(await list(bernoulli([3], 0, { generator }))).toEqual([0, 0, 0]);
    expect(await list(bernoulli([3], 1, { generator, dtype: "float32" }))).toEqual([1, 1, 1]);
    expect(() => bernoulli([1], 1.5)).toThrow(
      "bernoulli: the probability must be in [0, 1], got 1.5",
    );
  });
});
