/** Errors are thrown at the call that caused them, and say operation, what was got and what is needed. */

import { describe, expect, test } from "vitest";
import {
  cat,
  full,
  grad,
  ones,
  randint,
  ShapeError,
  tensor,
  where,
  zeros,
} from "../../src/index.ts";
import { conv2d, convTranspose2d } from "../../src/ops/conv.ts";
import { avgPool2d } from "../../src/ops/avg-pool.ts";
import { maxPool2d } from "../../src/ops/pool.ts";
import { linear } from "../../src/ops/matmul.ts";
import { layerNorm } from "../../src/ops/layer-norm.ts";

const a = zeros([2, 3]);
const b = zeros([4, 5]);
const ids = tensor([0, 1], { dtype: "int32" });
const image = zeros([1, 2, 4, 4]).value;
const kernel = zeros([3, 2, 3, 3]).value;

const cases: readonly (readonly [string, () => unknown, string])[] = [
  [
    "add",
    () => a.add(b),
    "add: shapes [2,3] and [4,5] do not broadcast, sizes 3 and 5 differ at dimension -1 and neither is 1",
  ],
  [
    "add in the middle",
    () =>
      zeros([2, 3, 4])
        .add(zeros([2, 1]))
        .add(zeros([5, 1, 4])),
    "add: shapes [2,3,4] and [2,1] do not broadcast, sizes 3 and 2 differ at dimension -2 and neither is 1",
  ],
  ["matmul", () => a.matmul(b), "matmul: inner dimensions differ, got [2,3] and [4,5]"],
  [
    "matmul of scalars",
    () => full([], 1).matmul(a),
    "matmul: both operands need at least one dimension, got [] and [2,3]",
  ],
  [
    "matmul batch",
    () => zeros([2, 2, 3]).matmul(zeros([3, 3, 1])),
    "matmul: shapes [2] and [3] do not broadcast, sizes 2 and 3 differ at dimension -1 and neither is 1",
  ],
  ["reshape", () => a.reshape([4, -1]), "reshape: [2,3] has 6 elements, which do not fill [4,-1]"],
  [
    "reshape with two unknowns",
    () => a.reshape([-1, -1]),
    "reshape: [2,3] has 6 elements, which do not fill [-1,-1]",
  ],
  ["sum", () => a.sum({ dim: 2 }), "sum: dimension 2 is out of range, expected -2 … 1"],
  ["sum twice", () => a.sum({ dim: [0, -2] }), "sum: dimension 0 appears twice in [0,0]"],
  [
    "dimension of a scalar",
    () => full([], 1).unbind(0),
    "unbind: dimension 0 is out of range, the tensor has none",
  ],
  [
    "transpose",
    () => a.transpose(0, -3),
    "transpose: dimension -3 is out of range, expected -2 … 1",
  ],
  [
    "permute",
    () => a.permute([0, 0]),
    "permute: the order [0,0] must name each of the 2 dimensions of [2,3] once",
  ],
  ["expand", () => a.expand([2, 4]), "expand: [2,3] does not broadcast to [2,4]"],
  [
    "expand to negative",
    () => a.expand([-1, 2, 3]),
    "expand: sizes must be non-negative integers, got [-1,2,3]",
  ],
  ["slice", () => a.slice(0, 0, 1, 0), "slice: the step must be an integer other than 0, got 0"],
  ["select", () => a.select(1, 3), "select: position 3 is out of range for dimension 1 of size 3"],
  ["split", () => a.split([1, 1], 1), "split: sizes [1,1] do not add up to 3, dimension 1"],
  ["cat", () => cat([a, b]), "cat: shapes [2,3] and [4,5] must agree in all dimensions but 0"],
  ["cat of nothing", () => cat([]), "cat: needs at least one tensor"],
  ["gather dtype", () => a.gather(0, a), "gather: the index must be int32 or int64, got float32"],
  [
    "gather",
    () => a.gather(0, ids),
    "gather: the index [2] must have the dimensions of [2,3] and be no larger except along dimension 0",
  ],
  [
    "scatterAdd",
    () => a.scatterAdd(0, zeros([1, 3], { dtype: "int64" }), zeros([1, 2])),
    "scatterAdd: source [1,2] and index [1,3] must have the same shape",
  ],
  ["topk", () => a.topk(4), "topk: k must be 0 … 3 along dimension 1, got 4"],
  ["where", () => where(a, 1, 2), "where: the condition must be bool, got float32"],
  ["mean of integers", () => ids.mean(), "mean: needs a floating dtype, got int32; cast it first"],
  ["amax of nothing", () => zeros([0, 2]).amax(), "amax: no amax of zero elements, shape [0,2]"],
  [
    "softmax of integers",
    () => ids.softmax(0),
    "softmax: needs a floating dtype, got int32; cast it first",
  ],
  [
    "linear",
    () => linear(a.value, b.value, zeros([4]).value),
    "linear: the last dimension of the input [2,3] must equal the weight's input size, weight [4,5]",
  ],
  [
    "layerNorm",
    () => layerNorm(a.value, ones([2]).value, ones([2]).value),
    "layerNorm: weight [2] and bias [2] must equal the last dimensions of the input [2,3]",
  ],
  [
    "conv2d channels",
    () => conv2d(image, zeros([3, 4, 3, 3]).value, null),
    "conv2d: the weight is for 4 input channels, got input [1,2,4,4], weight [3,4,3,3]",
  ],
  [
    "conv2d size",
    () => conv2d(image, zeros([3, 2, 5, 5]).value, null),
    "conv2d: the kernel is larger than the padded input, output would be [1,3,0,0]",
  ],
  [
    "conv2d stride",
    () => conv2d(image, kernel, null, { stride: 0 }),
    "conv2d: stride must be one or two integers of at least 1, got 0",
  ],
  [
    "conv2d bias",
    () => conv2d(image, kernel, zeros([2]).value),
    "conv2d: bias must be [3], got [2]",
  ],
  [
    "conv2d rank",
    () => conv2d(a.value, kernel, null),
    "conv2d: input and weight need 4 dimensions, got input [2,3], weight [3,2,3,3]",
  ],
  [
    "convTranspose2d",
    () => convTranspose2d(image, zeros([2, 3, 3, 3]).value, null, { outputPadding: 1 }),
    "convTranspose2d: outputPadding must be smaller than stride or dilation, got 1,1",
  ],
  [
    "maxPool2d",
    () => maxPool2d(image, 2, { padding: 2 }),
    "maxPool2d: padding must be at most half the kernel, got 2,2 for 2,2",
  ],
  ["avgPool2d", () => avgPool2d(a.value, 2), "avgPool2d: input needs 4 dimensions, got [2,3]"],
  [
    "tensor",
    () => tensor([1, 2, 3], { shape: [2, 2] }),
    "tensor: 3 elements do not fill shape [2,2], which needs 4",
  ],
  [
    "ragged",
    () => tensor([[1, 2], [3]]),
    "tensor: ragged array, data[1] has 1 elements where others have 2",
  ],
  ["deeper", () => tensor([[1], 2]), "tensor: ragged array, data[1] should have 1 more dimensions"],
  [
    "randint",
    () => randint(3, 3, [2]),
    "randint: needs integers with low < high ≤ low + 2²⁴, got 3 and 3",
  ],
  ["negative size", () => zeros([2, -1]), "zeros: sizes must be non-negative integers, got [2,-1]"],
  ["assign", () => zeros([2]).assign(zeros([3])), "assign: expected float32 [2], got float32 [3]"],
  [
    "backward",
    () => ones([2], { requiresGrad: true }).mul(2).backward(),
    "backward: the tensor must have one element, got shape [2]; reduce it or give { gradient }",
  ],
  [
    "grad",
    () => grad(ones([2], { requiresGrad: true }), []),
    "grad: output 0 must have one element, got shape [2]; reduce it or give { gradOutputs }",
  ],
];

describe("shape errors", () => {
  test.each(cases)("%s", (_, call, message) => {
    expect(call).toThrow(new ShapeError(message));
  });
});

const others: readonly (readonly [string, () => unknown, string])[] = [
  [
    "mixed kinds",
    () => tensor([1, true]),
    "tensor: elements must be of one kind, got number and boolean",
  ],
  [
    "integers have no gradient",
    () => tensor([1], { dtype: "int32", requiresGrad: true }),
    "requiresGrad: only floating tensors have gradients, got int32",
  ],
  [
    "nothing to differentiate",
    () => ones([1]).backward(),
    "backward: the tensor requires no gradient; nothing it was computed from does",
  ],
  [
    "no influence",
    () => grad(ones([1], { requiresGrad: true }).mul(2), [ones([2], { requiresGrad: true })]),
    "grad: no output depends on input 0; give { allowUnused: true } for zeros",
  ],
  [
    "assign to a result",
    () =>
      ones([1], { requiresGrad: true })
        .mul(2)
        .assign(ones([1])),
    "assign: the tensor is the result of an operation; detach() it first",
  ],
];

test.each(others)("%s", (_, call, message) => {
  expect(call).toThrow(new Error(message));
});

test("item of several elements", async () => {
  await expect(zeros([2]).item()).rejects.toThrow(
    new ShapeError("item: the tensor must have one element, got shape [2]"),
  );
});
