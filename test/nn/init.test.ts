/** Initial values against the distributions of PyTorch's: extremes, means and deviations over many elements. */
import { describe, expect, test } from "vitest";
import { eye, manualSeed, zeros, type Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { readFixture } from "./parity.ts";

type Statistics = readonly [min: number, max: number, mean: number, deviation: number];

interface Initial {
  readonly name: string;
  /** State-dict key for layers. */
  readonly key?: string;
  readonly shape: readonly number[];
  readonly statistics: Statistics;
}

const { init } = nn;
const layers: Record<string, () => nn.Module> = {
  Linear: () => new nn.Linear(300, 200),
  Embedding: () => new nn.Embedding(200, 150, { paddingIdx: 7 }),
  LayerNorm: () => new nn.LayerNorm(50),
  MultiheadAttention: () => new nn.MultiheadAttention(96, 4),
  TransformerEncoderLayer: () =>
    new nn.TransformerEncoderLayer({ dModel: 96, nhead: 4, dimFeedforward: 160 }),
};
const functions: Record<string, (shape: readonly number[]) => Tensor> = {
  xavierUniform: (shape) => init.xavierUniform(shape),
  "xavierUniform gain": (shape) => init.xavierUniform(shape, 2),
  xavierNormal: (shape) => init.xavierNormal(shape),
  "xavierNormal gain": (shape) => init.xavierNormal(shape, 2),
  kaimingUniform: (shape) => init.kaimingUniform(shape),
  "kaimingUniform leaky": (shape) => init.kaimingUniform(shape, 0.5),
  kaimingNormal: (shape) => init.kaimingNormal(shape),
  "kaimingNormal leaky": (shape) => init.kaimingNormal(shape, 0.5),
};

const inPlace: Record<string, (t: Tensor) => Tensor> = {
  uniform_: (t) => init.uniform_(t, -1, 3),
  normal_: (t) => init.normal_(t, 2, 0.5),
  constant_: (t) => init.constant_(t, 0.5),
  xavierUniform_: (t) => init.xavierUniform_(t, 2),
  xavierNormal_: (t) => init.xavierNormal_(t),
  kaimingUniform_: (t) => init.kaimingUniform_(t),
  "kaimingUniform_ fan_out, a": (t) => init.kaimingUniform_(t, { a: 5 ** 0.5, mode: "fan_out" }),
  "kaimingNormal_ relu": (t) => init.kaimingNormal_(t, { nonlinearity: "relu" }),
  truncNormal_: (t) => init.truncNormal_(t, { std: 0.02 }),
  "truncNormal_ one-sided": (t) => init.truncNormal_(t, { mean: 0.5, a: 0, b: 1.5 }),
  orthogonal_: (t) => init.orthogonal_(t, 1.5),
  sparse_: (t) => init.sparse_(t, 0.25, 0.1),
};

async function statistics(t: Tensor): Promise<Statistics> {
  const data = (await t.data()) as Float32Array;
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
  const variance = data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (data.length - 1);
  const [min, max] = [Math.min(...data), Math.max(...data)];
  return [min, max, mean, Math.sqrt(variance)];
}

describe("initial values", () => {
  test.each([
    ...readFixture<Initial>("nn/initial"),
    ...readFixture<Initial>("nn/initial-in-place"),
  ])("$name $key $shape", async ({ name, key, shape, statistics: [min, max, mean, deviation] }) => {
    manualSeed(11);
    const made = inPlace[name]?.(new nn.Parameter(zeros(shape))) ?? functions[name]?.(shape);
    const t = made ?? layers[name]!().stateDict()[key!]!;
    expect(t.shape).toEqual(shape);
    const ours = await statistics(t);
    if (deviation === 0) return expect(ours).toEqual([min, max, mean, 0]);
    // Both are samples: their means lie √(2/n) deviations apart, their deviations about as much.
    const slack = 5 * deviation * Math.sqrt(2 / t.size);
    expect(Math.abs(ours[2] - mean)).toBeLessThan(slack);
    expect(Math.abs(ours[3] - deviation)).toBeLessThan(slack);
    // A uniform distribution ends at √3 deviations; extremes of a normal one lie further out, and differ.
    const uniform = max / deviation < 2;
    const edge = uniform ? slack + (20 * (max - min)) / t.size : deviation;
    expect(Math.abs(ours[0] - min)).toBeLessThan(edge);
    expect(Math.abs(ours[1] - max)).toBeLessThan(edge);
  });

  test("an embedding's padding row is zero", async () => {
    const rows = (await new nn.Embedding(5, 3, { paddingIdx: 2 }).weight.toArray()) as number[][];
    expect(rows[2]).toEqual([0, 0, 0]);
    expect(rows[1]).not.toContain(0);
    expect(() => new nn.Embedding(5, 3, { paddingIdx: 5 })).toThrow("paddingIdx must be 0 … 4");
  });

  test("the same seed gives the same model", async () => {
    const weights = async (seed: number): Promise<string> => {
      manualSeed(seed);
      const layer = new nn.TransformerEncoderLayer({ dModel: 8, nhead: 2, dimFeedforward: 8 });
      return String(await Promise.all(layer.parameters().map((p) => p.toArray())));
    };
    expect(await weights(1)).toBe(await weights(1));
    expect(await weights(1)).not.toBe(await weights(2));
  });

  test.each([
    [40, 40],
    [7, 300],
    [300, 7],
    [1, 1],
  ])("orthogonal_ %i × %i is orthogonal", async (rows, columns) => {
    manualSeed(3);
    const t = init.orthogonal_(zeros([rows, columns]), 2).div(2);
    const gram = rows < columns ? t.matmul(t.T) : t.T.matmul(t);
    const off = gram
      .sub(eye(Math.min(rows, columns)))
      .abs()
      .amax();
    expect(await off.item()).toBeLessThan(1e-5);
  });

  test("truncNormal_ stays within its bounds", async () => {
    const t = init.truncNormal_(zeros([2000]), { mean: 1, a: 0.5, b: 1.2 });
    expect(await t.amin().item()).toBeGreaterThanOrEqual(0.5);
    expect(await t.amax().item()).toBeLessThanOrEqual(1.2000001);
  });

  test("eye_ and dirac_ pass on what they are given", async () => {
    expect(await init.eye_(zeros([2, 3])).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    // torch.nn.init.dirac_(torch.empty(4, 1, 3), 2)
    expect(await init.dirac_(zeros([4, 1, 3]), 2).toArray()).toEqual([
      [[0, 1, 0]],
      [[0, 0, 0]],
      [[0, 1, 0]],
      [[0, 0, 0]],
    ]);
  });

  test("gains are PyTorch's", () => {
    expect(init.calculateGain("tanh")).toBe(5 / 3);
    expect(init.calculateGain("conv_transpose2d")).toBe(1);
    expect(init.calculateGain("leaky_relu", 0.2)).toBeCloseTo(1.386750490563073, 12);
    expect(() => init.calculateGain("softmax" as never)).toThrow('unknown nonlinearity "softmax"');
    expect(() => init.ones_(zeros([2], { dtype: "int32" }))).toThrow("needs a floating tensor");
  });

  test("fans need two dimensions", () => {
    expect(() => init.xavierUniform([3])).toThrow("fans need a weight of at least 2 dimensions");
  });
});
