/** What losses refuse and how they say it, and what of them no table of values shows: state, compiling, targets at run time. */
import { describe, expect, test } from "vitest";
import { compile, grad, randn, tensor, zeros, type Tensor } from "../../src/index.ts";
import * as F from "../../src/nn/functional/index.ts";
import * as nn from "../../src/nn/index.ts";

const ids = (data: number[], shape: readonly number[] = [data.length]): Tensor =>
  tensor(data, { dtype: "int32", shape });
const ints = (shape: readonly number[]): Tensor => zeros(shape, { dtype: "int32" });

describe("errors", () => {
  const [a, b] = [zeros([2, 3]), zeros([3, 2])];
  const same = (op: string): string =>
    `${op}: input [2,3] and target [3,2] must have the same shape`;
  test.each<[string, () => unknown]>([
    [same("mseLoss"), () => F.mseLoss(a, b)],
    [same("l1Loss"), () => new nn.L1Loss().forward(a, b)],
    [same("binaryCrossEntropy"), () => F.binaryCrossEntropy(a, b)],
    [same("klDiv"), () => F.klDiv(a, b)],
    [
      'mseLoss: reduction must be "mean", "sum", "none", got "avg"',
      () => F.mseLoss(a, a, { reduction: "avg" as never }),
    ],
    [
      'crossEntropy: reduction must be "mean", "sum", "none", got "batchmean"',
      () => F.crossEntropy(a, ints([2]), { reduction: "batchmean" as never }),
    ],
    [
      'klDiv: reduction must be "mean", "batchmean"',
      () => F.klDiv(a, a, { reduction: "x" as never }),
    ],
    ["mseLoss: target must be float32, got int32; cast it first", () => F.mseLoss(a, ints([2, 3]))],
    [
      "mseLoss: target must be float32, got float64",
      () => F.mseLoss(a, zeros([2, 3], { dtype: "float64" })),
    ],
    [
      "crossEntropy: logits must be float32, got int32",
      () => F.crossEntropy(ints([2, 3]), ints([2])),
    ],
    ["smoothL1Loss: beta must be 0 or more, got -1", () => F.smoothL1Loss(a, a, { beta: -1 })],
    ["huberLoss: delta must be above 0, got 0", () => F.huberLoss(a, a, { delta: 0 })],
    [
      "gaussianNllLoss: the variance must not be negative, got -1",
      () => F.gaussianNllLoss(a, a, -1),
    ],
    [
      "gaussianNllLoss: the variance must have the input's shape [2,3]",
      () => F.gaussianNllLoss(a, a, zeros([3])),
    ],
    [
      "binaryCrossEntropyWithLogits: posWeight [4,2,3] must broadcast to the input's shape [2,3]",
      () => F.binaryCrossEntropyWithLogits(a, a, { posWeight: zeros([4, 2, 3]) }),
    ],
    [
      "crossEntropy: weight must have one element a class, [3], got [2]",
      () => F.crossEntropy(a, ints([2]), { weight: zeros([2]) }),
    ],
    [
      "crossEntropy: labelSmoothing must be in [0, 1], got 2",
      () => F.crossEntropy(a, ints([2]), { labelSmoothing: 2 }),
    ],
    [
      "nllLoss: log-probabilities [2,3] need targets of shape [2], got [3]",
      () => F.nllLoss(a, ints([3])),
    ],
    [
      "nllLoss: the log-probabilities need a dimension of classes",
      () => F.nllLoss(zeros([]), ints([])),
    ],
    [
      "multiMarginLoss: scores [2,3] need targets of shape [2], got [3]",
      () => F.multiMarginLoss(a, ints([3])),
    ],
    [
      "multiMarginLoss: p must be 1 or 2, got 3",
      () => F.multiMarginLoss(a, ints([2]), { p: 3 as never }),
    ],
    [
      "tripletMarginLoss: the margin must be above 0, got 0",
      () => F.tripletMarginLoss(a, a, a, { margin: 0 }),
    ],
    [
      "cosineEmbeddingLoss: needs inputs [N, D] with targets [N]",
      () => F.cosineEmbeddingLoss(a, a, ints([3])),
    ],
    ["pdist: needs a matrix [N, D], got [3]", () => F.pdist(zeros([3]))],
    [
      "cosineSimilarity: dimension 1 is out of range",
      () => F.cosineSimilarity(zeros([3]), zeros([3])),
    ],
  ])("%s", (message, call) => expect(call).toThrow(message));

  const scores = zeros([4, 2, 3]);
  test.each<[string, () => unknown]>([
    [
      "ctcLoss: blank must be a class, 0 … 2, got 3",
      () => F.ctcLoss(scores, ints([2, 1]), [4, 4], [1, 1], { blank: 3 }),
    ],
    [
      "ctcLoss: inputLengths must be integers 0 … 4, got 5",
      () => F.ctcLoss(scores, ints([2, 1]), [4, 5], [1, 1]),
    ],
    [
      "ctcLoss: targetLengths must be integers 0 … 1, got 2",
      () => F.ctcLoss(scores, ints([2, 1]), [4, 4], [1, 2]),
    ],
    [
      "ctcLoss: targetLengths must have one element a sequence, 2, got 1",
      () => F.ctcLoss(scores, ints([2, 1]), [4, 4], [1]),
    ],
    [
      "ctcLoss: targetLengths add up to 3, but there are 4 targets",
      () => F.ctcLoss(scores, ints([4]), [4, 4], [1, 2]),
    ],
    [
      "ctcLoss: targets in one dimension need targetLengths as an array of numbers",
      () => F.ctcLoss(scores, ints([4]), [4, 4], ids([2, 2])),
    ],
    ["ctcLoss: needs targets [2, S]", () => F.ctcLoss(scores, ints([3, 1]), [4, 4], [1, 1])],
    [
      "ctcLoss: needs log-probabilities [T, N, C] or [T, C]",
      () => F.ctcLoss(zeros([3]), ints([1]), 3, 1),
    ],
    [
      "ctcLoss: targets must be int32 or int64, got float32",
      () => F.ctcLoss(scores, zeros([2, 1]), [4, 4], [1, 1]),
    ],
  ])("%s", (message, call) => expect(call).toThrow(message));
});

test("targets that are no class fail where the loss is read", async () => {
  const logits = randn([2, 3]);
  for (const bad of [3, -1]) {
    for (const loss of [F.crossEntropy, F.nllLoss, F.multiMarginLoss])
      await expect(loss(logits, ids([0, bad])).item()).rejects.toThrow(
        /[Oo]ut of (range|data bounds)|bounds/,
      );
    await expect(F.ctcLoss(randn([4, 1, 3]), ids([bad], [1, 1]), [4], [1]).item()).rejects.toThrow(
      /[Oo]ut of (range|data bounds)|bounds/,
    );
  }
});

test("weights are buffers with PyTorch's keys, loaded in place", async () => {
  const loss = new nn.BCEWithLogitsLoss({ weight: tensor([1, 1]), posWeight: tensor([1, 1]) });
  expect(Object.keys(loss.stateDict())).toEqual(["weight", "pos_weight"]);
  expect(Object.keys(new nn.CrossEntropyLoss().stateDict())).toEqual([]);
  loss.loadStateDict({ weight: tensor([2, 2]), pos_weight: tensor([1, 1]) });
  const [x, t] = [tensor([[0.5, -1]]), tensor([[1, 0]])];
  const plain = F.binaryCrossEntropyWithLogits(x, t);
  expect(await loss.forward(x, t).item()).toBeCloseTo(2 * (await plain.item()), 5);
});

test("ctcLoss compiles, with lengths as tensors, and refuses second derivatives", async () => {
  const scores = randn([5, 2, 4]).requiresGrad_();
  const loss = (targets: Tensor, inputs: F.Lengths, lengths: F.Lengths): Tensor =>
    F.ctcLoss(scores.logSoftmax(2), targets, inputs, lengths);
  const step = compile((targets: Tensor, inputs: Tensor, lengths: Tensor) => {
    const value = loss(targets, inputs, lengths);
    return [value, grad(value, [scores])[0]!];
  });
  for (const [targets, inputs, lengths] of [
    [
      [1, 2, 3, 3],
      [5, 4],
      [2, 2],
    ],
    [
      [2, 2, 1, 0],
      [5, 3],
      [2, 1],
    ],
  ] as const) {
    const labels = ids([...targets], [2, 2]);
    const [value, slope] = await step(labels, ids([...inputs]), ids([...lengths]));
    const eager = loss(labels, inputs, lengths);
    expect(await value!.item()).toBeCloseTo(await eager.item(), 5);
    expect(await slope!.data()).toEqual(await grad(eager, [scores])[0]!.data());
  }
  const slope = grad(loss(ids([1, 2, 3, 3], [2, 2]), [5, 4], [2, 2]), [scores], {
    createGraph: true,
  })[0]!;
  expect(() => slope.sum().backward()).toThrow("ctcLoss: second derivatives are not supported");
});
