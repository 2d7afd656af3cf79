/** torch.nn.functional's twins against PyTorch: activations at their special points, convolutions, pooling, losses. */
import { describe, expect, test } from "vitest";
import { tensor, zeros, type Tensor } from "../../src/index.ts";
import * as F from "../../src/nn/functional/index.ts";
import { suite, type Case } from "./parity.ts";

const unary = (call: (x: Tensor) => Tensor): Case => ({ call: ([x]) => call(x!) });
const binary = (call: (a: Tensor, b: Tensor) => Tensor): Case => ({
  call: ([a, b]) => call(a!, b!),
});
const ternary = (call: (a: Tensor, b: Tensor, c: Tensor) => Tensor): Case => ({
  call: ([a, b, c]) => call(a!, b!, c!),
});

const mse = (reduction: F.Reduction) => binary((x, y) => F.mseLoss(x, y, { reduction }));
const crossEntropy = (options: F.CrossEntropyOptions = {}) =>
  binary((x, target) => F.crossEntropy(x, target, options));

describe("functional", () => {
  suite("functions", {
    relu: unary(F.relu),
    sigmoid: unary(F.sigmoid),
    tanh: unary(F.tanh),
    gelu: unary(F.gelu),
    "gelu tanh": unary((x) => F.gelu(x, { approximate: "tanh" })),
    silu: unary(F.silu),
    leakyRelu: unary((x) => F.leakyRelu(x)),
    "leakyRelu 0.2": unary((x) => F.leakyRelu(x, 0.2)),
    softplus: unary(F.softplus),
    softmax: unary((x) => F.softmax(x, 0)),
    logSoftmax: unary((x) => F.logSoftmax(x, 0)),
    linear: ternary(F.linear),
    embedding: binary(F.embedding),
    layerNorm: unary((x) => F.layerNorm(x, [5])),
    conv2d: ternary((x, w, b) =>
      F.conv2d(x, w, b, { stride: [2, 1], padding: [1, 2], dilation: 1, groups: 2 }),
    ),
    "conv2d dilated": binary((x, w) => F.conv2d(x, w, null, { dilation: 2 })),
    convTranspose2d: ternary((x, w, b) =>
      F.convTranspose2d(x, w, b, { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
    ),
    maxPool2d: unary((x) => F.maxPool2d(x, 3, { stride: 2, padding: 1 })),
    avgPool2d: unary((x) => F.avgPool2d(x, [2, 3], { stride: [2, 1] })),
    "mseLoss mean": mse("mean"),
    "mseLoss sum": mse("sum"),
    "mseLoss none": mse("none"),
    "crossEntropy mean": crossEntropy(),
    "crossEntropy sum": crossEntropy({ reduction: "sum" }),
    "crossEntropy none": crossEntropy({ reduction: "none" }),
    "crossEntropy ignoreIndex": crossEntropy({ ignoreIndex: 1 }),
    "crossEntropy of one sample": crossEntropy(),
    "crossEntropy with extra dimensions, mean": crossEntropy({ ignoreIndex: 0 }),
    "crossEntropy with extra dimensions, none": crossEntropy({ ignoreIndex: 0, reduction: "none" }),
    "crossEntropy of steep logits": crossEntropy(),
    "crossEntropy of nothing": crossEntropy(),
  });

  test("losses say which shapes they need", () => {
    expect(() => F.mseLoss(zeros([2, 3]), zeros([3, 2]))).toThrow(
      "mseLoss: input [2,3] and target [3,2] must have the same shape",
    );
    expect(() => F.crossEntropy(zeros([4, 3]), zeros([3], { dtype: "int32" }))).toThrow(
      "crossEntropy: logits [4,3] need targets of shape [4], got [3]",
    );
  });

  test("crossEntropy takes int64 targets", async () => {
    const logits = tensor([[0, 0]]);
    const loss = F.crossEntropy(logits, tensor([1], { dtype: "int64" }));
    expect(await loss.item()).toBeCloseTo(Math.LN2, 6);
  });
});
