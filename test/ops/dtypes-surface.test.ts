/** Every method of arithmetic, functions, reductions, order and products on every dtype computes or refuses where it is called. */

import { describe, expect, test } from "vitest";
import { einsum, ShapeError, tensor, type DType, type Tensor } from "../../src/index.ts";

const dtypes: readonly DType[] = ["float32", "float64", "int32", "int64", "uint32", "bool"];

const made = (dtype: DType): Tensor =>
  dtype === "bool"
    ? tensor([true, false, true, true, false, true], { shape: [2, 3] })
    : tensor([1, 2, 3, 4, 5, 6], { dtype, shape: [2, 3] });

const operations: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  "add alpha": (x) => x.add(x, { alpha: 2 }),
  "div trunc": (x) => x.div(x, { roundingMode: "trunc" }),
  floorDivide: (x) => x.floorDivide(x),
  fmod: (x) => x.fmod(x),
  "pow of a number": (x) => x.pow(2),
  signbit: (x) => x.signbit(),
  rsqrt: (x) => x.rsqrt(),
  hypot: (x) => x.hypot(x),
  atan2: (x) => x.atan2(x),
  addcmul: (x) => x.addcmul(x, x),
  addcdiv: (x) => x.addcdiv(x, x),
  lerp: (x) => x.lerp(x, 0.5),
  fmax: (x) => x.fmax(x),
  fmin: (x) => x.fmin(x),
  "clamp to tensors": (x) => x.clamp(x, x),
  clampMin: (x) => x.clampMin(2),
  copysign: (x) => x.copysign(x),
  heaviside: (x) => x.heaviside(x),
  nanToNum: (x) => x.nanToNum(),
  logaddexp: (x) => x.logaddexp(x),
  logaddexp2: (x) => x.logaddexp2(x),
  xlogy: (x) => x.xlogy(x),
  bitwiseAnd: (x) => x.bitwiseAnd(x),
  bitwiseOr: (x) => x.bitwiseOr(x),
  bitwiseXor: (x) => x.bitwiseXor(x),
  bitwiseNot: (x) => x.bitwiseNot(),
  bitwiseLeftShift: (x) => x.bitwiseLeftShift(x),
  bitwiseRightShift: (x) => x.bitwiseRightShift(x),
  exp2: (x) => x.exp2(),
  log2: (x) => x.log2(),
  log10: (x) => x.log10(),
  tan: (x) => x.tan(),
  atan: (x) => x.atan(),
  asinh: (x) => x.asinh(),
  sinc: (x) => x.sinc(),
  erfc: (x) => x.erfc(),
  erfinv: (x) => x.erfinv(),
  lgamma: (x) => x.lgamma(),
  digamma: (x) => x.digamma(),
  logit: (x) => x.logit(0.1),
  trunc: (x) => x.trunc(),
  frac: (x) => x.frac(),
  "round to decimals": (x) => x.round(1),
  deg2rad: (x) => x.deg2rad(),
  isfinite: (x) => x.isfinite(),
  isposinf: (x) => x.isposinf(),
  isclose: (x) => x.isclose(x),
  max: (x) => x.max(),
  "max of a dimension": (x) => x.max(1).values,
  min: (x) => x.min(),
  sort: (x) => x.sort().values,
  argsort: (x) => x.argsort(0, { descending: true }),
  kthvalue: (x) => x.kthvalue(2).values,
  median: (x) => x.median(),
  nanmedian: (x) => x.nanmedian(1).values,
  quantile: (x) => x.quantile(0.5),
  searchsorted: (x) => x.searchsorted(x),
  bincount: (x) => x.flatten().bincount(8),
  histc: (x) => x.histc(3),
  std: (x) => x.std(),
  norm: (x) => x.norm(),
  logsumexp: (x) => x.logsumexp(),
  countNonzero: (x) => x.countNonzero(),
  nansum: (x) => x.nansum(),
  nanmean: (x) => x.nanmean(),
  "prod, kept": (x) => x.prod(1, { keepdim: true }),
  cumprod: (x) => x.cumprod(1),
  cummax: (x) => x.cummax(1).values,
  cummin: (x) => x.cummin(0).indices,
  logcumsumexp: (x) => x.logcumsumexp(1),
  diff: (x) => x.diff(),
  einsum: (x) => einsum("ij,kj->ik", x, x),
  "einsum of one": (x) => einsum("ij->j", x),
  inner: (x) => x.inner(x),
  outer: (x) => x.flatten().outer(x.flatten()),
  dot: (x) => x.flatten().dot(x.flatten()),
  mm: (x) => x.mm(x.T),
  addmm: (x) => x.mm(x.T).addmm(x, x.T),
  tensordot: (x) => x.tensordot(x),
  kron: (x) => x.kron(x),
  cross: (x) => x.cross(x),
  trace: (x) => x.trace(),
  matrixPower: (x) => x.slice(1, 0, 2).matrixPower(2),
  cdist: (x) => x.cdist(x),
  cov: (x) => x.cov(),
};

const FLOATS_ONLY = ["int32", "int64", "uint32", "bool"];
const INTEGERS_OR_BOOL = ["float32", "float64"];
const BOOL = ["bool"];
/** What refuses; everything else computes. */
const refused: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    "div trunc,floorDivide,fmod,lerp,einsum,inner,dot,mm,addmm,tensordot,cross,matrixPower"
      .split(",")
      .map((name) => [name, BOOL]),
  ),
  ...Object.fromEntries(
    "quantile,histc,std,norm,nanmean,logcumsumexp,cdist,cov"
      .split(",")
      .map((name) => [name, FLOATS_ONLY]),
  ),
  bitwiseAnd: INTEGERS_OR_BOOL,
  bitwiseOr: INTEGERS_OR_BOOL,
  bitwiseXor: INTEGERS_OR_BOOL,
  bitwiseNot: INTEGERS_OR_BOOL,
  bitwiseLeftShift: [...INTEGERS_OR_BOOL, "bool"],
  bitwiseRightShift: [...INTEGERS_OR_BOOL, "bool"],
  bincount: [...INTEGERS_OR_BOOL, "bool"],
};

describe.each(Object.keys(operations))("%s", (name) => {
  test.each(dtypes)("%s", async (dtype) => {
    const record = (): Tensor => operations[name]!(made(dtype));
    if (refused[name]?.includes(dtype)) expect(record).toThrow(ShapeError);
    else expect(await record().data()).toBeDefined();
  });
});
