/** Dropout: how many elements it drops, how it scales the others, and when it does nothing. */
import { describe, expect, test } from "vitest";
import { compile, manualSeed, ones, tensor, type Tensor } from "../../src/index.ts";
import * as F from "../../src/nn/functional/index.ts";
import * as nn from "../../src/nn/index.ts";

const N = 40_000;
const values = async (t: Tensor): Promise<Float32Array> => (await t.data()) as Float32Array;

describe.each([0.1, 0.5, 0.9])("with probability %d", (p) => {
  test("drops that share and scales the others; gradients alike", async () => {
    manualSeed(5);
    const x = ones([N], { requiresGrad: true });
    const y = F.dropout(x, p);
    y.sum().backward();
    const out = await values(y);
    const dropped = out.filter((value) => value === 0).length;
    // Five standard deviations of a binomial distribution.
    expect(Math.abs(dropped - N * p)).toBeLessThan(5 * Math.sqrt(N * p * (1 - p)));
    const kept = Math.fround(1 / (1 - p));
    expect(out.every((value) => value === 0 || Math.abs(value - kept) < 1e-6 * kept)).toBe(true);
    expect(await values(x.grad!)).toEqual(out);
  });
});

test("neighbours are dropped independently", async () => {
  manualSeed(6);
  const out = await values(F.dropout(ones([N]), 0.5));
  for (const distance of [1, 2, 16, 200]) {
    let both = 0;
    for (let i = 0; i + distance < N; i++) if (out[i] === 0 && out[i + distance] === 0) both++;
    expect(Math.abs(both - N / 4)).toBeLessThan(5 * Math.sqrt((N * 3) / 16));
  }
});

test("every call and every run of a compiled function draws anew; a seed repeats them", async () => {
  const draw = compile((x: Tensor) => [F.dropout(x), F.dropout(x)]);
  const x = ones([100]);
  const run = async (): Promise<string[]> => {
    manualSeed(8);
    const results = [await draw(x), await draw(x), [F.dropout(x), F.dropout(x)]].flat();
    return Promise.all(results.map(async (t) => String(await values(t))));
  };
  const first = await run();
  expect(new Set(first).size).toBe(6);
  expect(await run()).toEqual(first);
});

test("p = 0 keeps all, p = 1 drops all, evaluation does nothing", async () => {
  const x = tensor([1, -2, 3]);
  expect(F.dropout(x, 0)).toBe(x);
  expect(await F.dropout(x, 1).abs().toArray()).toEqual([0, 0, 0]);
  const layer = new nn.Dropout(0.9).eval();
  expect(layer.forward(x)).toBe(x);
  expect(() => F.dropout(x, 1.5)).toThrow("dropout: the probability must be in [0, 1], got 1.5");
  expect(() => new nn.Dropout(-0.1)).toThrow("the probability must be in [0, 1]");
});

test("in attention and encoder layers it acts in training only", async () => {
  manualSeed(9);
  const layer = new nn.TransformerEncoderLayer({ dModel: 8, nhead: 2, dropout: 0.3 });
  const x = tensor(
    Float32Array.from({ length: 48 }, (_, i) => Math.sin(i)),
    { shape: [2, 3, 8] },
  );
  const out = async (): Promise<string> => String(await values(layer.forward(x)));
  expect(await out()).not.toBe(await out());
  layer.eval();
  expect(await out()).toBe(await out());
});
