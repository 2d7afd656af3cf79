/** The token classifier: shapes, padding, names, and that it can learn. */
import { expect, test } from "vitest";
import { tensor } from "../../src/creation.ts";
import { compile } from "../../src/compile.ts";
import { TokenClassifier, type TokenClassifierOptions } from "../../src/models/token-classifier.ts";
import { crossEntropy } from "../../src/nn/functional/index.ts";
import { AdamW } from "../../src/optim/adam.ts";
import { manualSeed } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";

const OPTIONS: TokenClassifierOptions = {
  featureSizes: [12, 5],
  featureDims: [8, 4],
  numClasses: 3,
  maxLength: 8,
  dModel: 16,
  nhead: 2,
  dimFeedforward: 32,
  mixerLayers: 2,
  encoderLayers: 1,
  dropout: 0.5,
};

/** Feature ids [B, T, F]. */
const ids = (rows: number[][][]): Tensor => tensor(rows, { dtype: "int32" });

/** Rows of [norm, shape] ids, padded with zeros to `length`. */
const padded = (rows: number[][], length: number): number[][] => [
  ...rows,
  ...Array.from({ length: length - rows.length }, () => [0, 0]),
];

test("logits of tokens do not depend on the padding beside them", async () => {
  manualSeed(1);
  const model = new TokenClassifier(OPTIONS).eval();
  const rows = [
    [3, 1],
    [4, 2],
    [5, 1],
  ];
  const alone = await model.forward(ids([rows])).data();
  const beside = await model.forward(ids([padded(rows, 8), padded(rows, 8)])).data();
  expect(alone).toHaveLength(3 * OPTIONS.numClasses);
  alone.forEach((logit, i) => {
    expect(beside[i]).toBeCloseTo(Number(logit), 5);
    expect(beside[i + 8 * OPTIONS.numClasses]).toBeCloseTo(Number(logit), 5);
  });
  expect([...beside].every((logit) => Number.isFinite(Number(logit)))).toBe(true);
});

test("a token's logits depend on tokens far away, and on the order", async () => {
  manualSeed(2);
  const model = new TokenClassifier(OPTIONS).eval();
  const first = async (norms: number[]) =>
    Number((await model.forward(ids([norms.map((id) => [id, 1])])).data())[0]);
  const known = await first([3, 4, 5, 6, 7, 8, 9, 10]);
  expect(await first([3, 4, 5, 6, 7, 8, 9, 11])).not.toBeCloseTo(known, 6);
  expect(await first([3, 4, 5, 6, 7, 8, 10, 9])).not.toBeCloseTo(known, 6);
});

test("state-dict keys follow PyTorch's names", () => {
  const keys = Object.keys(new TokenClassifier(OPTIONS).stateDict());
  expect(keys).toEqual(
    expect.arrayContaining([
      "embeddings.1.weight",
      "projection.weight",
      "mixers.1.linear.bias",
      "positions",
      "encoder.layers.0.self_attn.in_proj_weight",
      "encoder.norm.weight",
      "classifier.bias",
    ]),
  );
});

test("one width for each feature is needed", () => {
  expect(() => new TokenClassifier({ ...OPTIONS, featureDims: [8] })).toThrow(
    "expected a width for each of 2 features, got 1",
  );
});

test("learns a rule over neighbours: a token's class is its left neighbour's id modulo 3", async () => {
  manualSeed(3);
  const model = new TokenClassifier({ ...OPTIONS, dropout: 0 });
  const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
  const step = compile((features: Tensor, classes: Tensor) => {
    const loss = crossEntropy(model.forward(features).reshape([-1, 3]), classes);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  });
  const norms = Array.from({ length: 16 }, (_, b) =>
    Array.from({ length: 8 }, (_, t) => 2 + ((7 * b + 3 * t + b * t) % 10)),
  );
  const features = ids(norms.map((row) => row.map((id) => [id, 1])));
  const classes = tensor(
    norms.flatMap((row) => row.map((_, t) => (row[t - 1] ?? 0) % 3)),
    { dtype: "int32" },
  );
  let loss = Infinity;
  for (let i = 0; i < 80; i++) loss = await (await step(features, classes)).item();
  expect(loss).toBeLessThan(0.1);
  expect(step.traces).toBe(1);
});
