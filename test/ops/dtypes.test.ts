/** Every operation on every dtype either computes or refuses where it is called: nothing fails only when it runs. */

import { describe, expect, test } from "vitest";
import { cat, ShapeError, tensor, where, type DType, type Tensor } from "../../src/index.ts";

const dtypes: readonly DType[] = ["float32", "float64", "int32", "int64", "uint32", "bool"];

const made = (dtype: DType): Tensor =>
  dtype === "bool"
    ? tensor([true, false, true, true, false, true], { shape: [2, 3] })
    : tensor([1, 2, 3, 4, 5, 6], { dtype, shape: [2, 3] });

const index = tensor([0, 1, 0, 1, 0, 1], { dtype: "int64", shape: [2, 3] });
const one = tensor([1], { dtype: "int32" });

const operations: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  neg: (x) => x.neg(),
  abs: (x) => x.abs(),
  sign: (x) => x.sign(),
  exp: (x) => x.exp(),
  log1p: (x) => x.log1p(),
  expm1: (x) => x.expm1(),
  reciprocal: (x) => x.reciprocal(),
  sin: (x) => x.sin(),
  acosh: (x) => x.acosh(),
  erf: (x) => x.erf(),
  relu: (x) => x.relu(),
  floor: (x) => x.floor(),
  round: (x) => x.round(),
  isNaN: (x) => x.isNaN(),
  isInf: (x) => x.isInf(),
  logicalNot: (x) => x.logicalNot(),
  add: (x) => x.add(x),
  "add a number": (x) => x.add(1),
  sub: (x) => x.sub(x),
  mul: (x) => x.mul(x),
  div: (x) => x.div(x),
  pow: (x) => x.pow(x),
  remainder: (x) => x.remainder(x),
  maximum: (x) => x.maximum(x),
  minimum: (x) => x.minimum(x),
  eq: (x) => x.eq(x),
  lt: (x) => x.lt(x),
  ge: (x) => x.ge(x),
  logicalAnd: (x) => x.logicalAnd(x),
  clamp: (x) => x.clamp(2, 3),
  where: (x) => where(tensor([true]), x, x),
  maskedFill: (x) => x.maskedFill(tensor([true]), 1),
  matmul: (x) => x.matmul(x.T),
  "matmul, transposed": (x) => x.matmul(x, { transB: true }),
  "matmul, batched": (x) => x.unsqueeze(0).matmul(x.unsqueeze(0), { transB: true, alpha: 2 }),
  sum: (x) => x.sum(),
  mean: (x) => x.mean(),
  var: (x) => x.var(),
  prod: (x) => x.prod(1),
  amax: (x) => x.amax(),
  amin: (x) => x.amin({ dim: 0 }),
  all: (x) => x.all(),
  any: (x) => x.any(),
  argmax: (x) => x.argmax(1),
  argmin: (x) => x.argmin(),
  cumsum: (x) => x.cumsum(0),
  topk: (x) => x.topk(2).values,
  softmax: (x) => x.softmax(1),
  logSoftmax: (x) => x.logSoftmax(1),
  reshape: (x) => x.reshape([3, 2]),
  transpose: (x) => x.T,
  expand: (x) => x.expand([2, 2, 3]),
  slice: (x) => x.slice(1, 0, 2),
  flip: (x) => x.flip([0]),
  pad: (x) => x.pad([1, 0], [0, 1]),
  cat: (x) => cat([x, x]),
  split: (x) => x.split([1, 2], 1)[0]!,
  gather: (x) => x.gather(0, index),
  scatterAdd: (x) => x.scatterAdd(0, index, x),
  indexSelect: (x) => x.indexSelect(0, one),
  at: (x) => x.at([0, 1], "::-1"),
  "at, several tensors": (x) => x.at([0, 1], [2, 0]),
  setAt: (x) => x.setAt([0, "1:"], x.at(1, 0)),
  "setAt by tensors": (x) => x.setAt([one, [0]], 1),
  "setAt, adding": (x) => x.setAt([one], x.at(0), { accumulate: true }),
  "setAt by a mask": (x) => x.setAt([x.ne(x)], 1),
  take: (x) => x.take(index),
  takeAlongDim: (x) => x.takeAlongDim(one.reshape([1, 1]), 1),
  maskedScatter: (x) => x.maskedScatter(x.ne(x), x),
  scatter: (x) => x.scatter(0, index, x),
  "scatter of a number": (x) => x.scatter(0, index, 1),
  "scatterReduce by sum": (x) => x.scatterReduce(0, index, x, "sum"),
  "scatterReduce by prod": (x) => x.scatterReduce(0, index, x, "prod", { includeSelf: false }),
  "scatterReduce by amax": (x) => x.scatterReduce(0, index, x, "amax", { includeSelf: false }),
  "scatterReduce by amin": (x) => x.scatterReduce(0, index, x, "amin", { includeSelf: false }),
  "scatterReduce by mean": (x) => x.scatterReduce(0, index, x, "mean"),
  indexAdd: (x) => x.indexAdd(1, one, x.slice(1, 0, 1)),
  indexCopy: (x) => x.indexCopy(1, one, x.slice(1, 0, 1)),
  indexFill: (x) => x.indexFill(1, one, 1),
  roll: (x) => x.roll(1),
  rot90: (x) => x.rot90(),
  repeat: (x) => x.repeat(2, 1),
  repeatInterleave: (x) => x.repeatInterleave(2, 0),
  "repeatInterleave by counts": (x) => x.repeatInterleave([0, 2], 0),
  unfold: (x) => x.unfold(1, 2, 1),
  tril: (x) => x.tril(),
  diagonal: (x) => x.diagonal(),
  diagEmbed: (x) => x.diagEmbed(),
};

const FLOATS_ONLY = ["int32", "int64", "uint32", "bool"];
/** What refuses, as PyTorch does; everything else computes. */
const refused: Readonly<Record<string, readonly string[]>> = {
  neg: ["bool"],
  abs: ["bool"],
  sign: ["bool"],
  relu: ["bool"],
  sub: ["bool"],
  pow: ["bool"],
  remainder: ["bool"],
  matmul: ["bool"],
  "matmul, transposed": ["bool"],
  "matmul, batched": ["bool"],
  topk: ["bool"],
  "scatterReduce by sum": ["bool"],
  "scatterReduce by prod": ["bool"],
  "scatterReduce by amax": ["bool"],
  "scatterReduce by amin": ["bool"],
  "scatterReduce by mean": FLOATS_ONLY,
  mean: FLOATS_ONLY,
  var: FLOATS_ONLY,
  softmax: FLOATS_ONLY,
  logSoftmax: FLOATS_ONLY,
};

describe.each(Object.keys(operations))("%s", (name) => {
  test.each(dtypes)("%s", async (dtype) => {
    const record = (): Tensor => operations[name]!(made(dtype));
    if (refused[name]?.includes(dtype)) expect(record).toThrow(ShapeError);
    else expect(await record().data()).toBeDefined();
  });
});
