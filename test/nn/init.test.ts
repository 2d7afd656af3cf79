/** Initial values against the distributions of PyTorch's: extremes, means and deviations over many elements. */
import { describe, expect, test } from "vitest";
import { manualSeed, type Tensor } from "../../src/index.ts";
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

async function statistics(t: Tensor): Promise<Statistics> {
  const data = (await t.data()) as Float32Array;
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
  const variance = data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (data.length - 1);
  const [min, max] = [Math.min(...data), Math.max(...data)];
  return [min, max, mean, Math.sqrt(variance)];
}

describe("initial values", () => {
  test.each(readFixture<Initial>("nn/initial"))(
    "$name $key $shape",
    async ({ name, key, shape, statistics: [min, max, mean, deviation] }) => {
      manualSeed(11);
      const t = key === undefined ? functions[name]!(shape) : layers[name]!().stateDict()[key]!;
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
    },
  );

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

  test("fans need two dimensions", () => {
    expect(() => init.xavierUniform([3])).toThrow("fans need a weight of at least 2 dimensions");
  });
});
