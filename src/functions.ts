/** Tensor methods as functions, `exp(x)` for `x.exp()`, as PyTorch has both; and einsum, which belongs to no one tensor. */

import { einsum as einsumOf } from "./ops/einsum.ts";
import { derive, Tensor } from "./tensor.ts";
import type { KeepdimOptions } from "./tensor/arguments.ts";
import { noTensor } from "./tensor/derive.ts";
import type { ValuesAndIndices } from "./tensor/ordering.ts";

type MethodName = {
  [K in keyof Tensor]: Tensor[K] extends (...args: never[]) => unknown ? K : never;
}[keyof Tensor & string];

type AsFunction<M> = M extends (...args: infer A) => infer R ? (x: Tensor, ...args: A) => R : never;

/** The method of that name as a function of the tensor it belongs to. */
const fn = <K extends MethodName>(name: K): AsFunction<Tensor[K]> =>
  ((x: Tensor, ...args: unknown[]) => {
    if (!(x instanceof Tensor)) throw noTensor(name, x);
    return (x[name] as (...args: unknown[]) => unknown).apply(x, args);
  }) as AsFunction<Tensor[K]>;

export const abs = fn("abs");
export const acos = fn("acos");
export const acosh = fn("acosh");
export const add = fn("add");
export const addcdiv = fn("addcdiv");
export const addcmul = fn("addcmul");
export const addmm = fn("addmm");
export const addmv = fn("addmv");
export const all = fn("all");
export const allclose = fn("allclose");
export const amax = fn("amax");
export const amin = fn("amin");
export const aminmax = fn("aminmax");
export const any = fn("any");
export const argmax = fn("argmax");
export const argmin = fn("argmin");
export const argsort = fn("argsort");
export const asin = fn("asin");
export const asinh = fn("asinh");
export const atan = fn("atan");
export const atan2 = fn("atan2");
export const atanh = fn("atanh");
export const baddbmm = fn("baddbmm");
export const bitwiseAnd = fn("bitwiseAnd");
export const bitwiseLeftShift = fn("bitwiseLeftShift");
export const bitwiseNot = fn("bitwiseNot");
export const bitwiseOr = fn("bitwiseOr");
export const bitwiseRightShift = fn("bitwiseRightShift");
export const bitwiseXor = fn("bitwiseXor");
export const bmm = fn("bmm");
export const bucketize = fn("bucketize");
export const cdist = fn("cdist");
export const ceil = fn("ceil");
export const clamp = fn("clamp");
export const clampMax = fn("clampMax");
export const clampMin = fn("clampMin");
export const copysign = fn("copysign");
export const corrcoef = fn("corrcoef");
export const cos = fn("cos");
export const cosh = fn("cosh");
export const countNonzero = fn("countNonzero");
export const cov = fn("cov");
export const cross = fn("cross");
export const cummax = fn("cummax");
export const cummin = fn("cummin");
export const cumprod = fn("cumprod");
export const cumsum = fn("cumsum");
export const deg2rad = fn("deg2rad");
export const diff = fn("diff");
export const digamma = fn("digamma");
export const div = fn("div");
export const dot = fn("dot");
export const eq = fn("eq");
export const equal = fn("equal");
export const erf = fn("erf");
export const erfc = fn("erfc");
export const erfinv = fn("erfinv");
export const exp = fn("exp");
export const exp2 = fn("exp2");
export const expm1 = fn("expm1");
export const fix = fn("fix");
export const floor = fn("floor");
export const floorDivide = fn("floorDivide");
export const fmax = fn("fmax");
export const fmin = fn("fmin");
export const fmod = fn("fmod");
export const frac = fn("frac");
export const ge = fn("ge");
export const gt = fn("gt");
export const heaviside = fn("heaviside");
export const histc = fn("histc");
export const hypot = fn("hypot");
export const inner = fn("inner");
export const isclose = fn("isclose");
export const isfinite = fn("isfinite");
export const isinf = fn("isinf");
export const isnan = fn("isnan");
export const isneginf = fn("isneginf");
export const isposinf = fn("isposinf");
export const kron = fn("kron");
export const kthvalue = fn("kthvalue");
export const le = fn("le");
export const lerp = fn("lerp");
export const lgamma = fn("lgamma");
export const log = fn("log");
export const log10 = fn("log10");
export const log1p = fn("log1p");
export const log2 = fn("log2");
export const logSoftmax = fn("logSoftmax");
export const logaddexp = fn("logaddexp");
export const logaddexp2 = fn("logaddexp2");
export const logcumsumexp = fn("logcumsumexp");
export const logicalAnd = fn("logicalAnd");
export const logicalNot = fn("logicalNot");
export const logicalOr = fn("logicalOr");
export const logicalXor = fn("logicalXor");
export const logit = fn("logit");
export const logsumexp = fn("logsumexp");
export const lt = fn("lt");
export const matmul = fn("matmul");
export const matrixPower = fn("matrixPower");
export const maximum = fn("maximum");
export const mean = fn("mean");
export const minimum = fn("minimum");
export const mm = fn("mm");
export const msort = fn("msort");
export const mul = fn("mul");
export const mv = fn("mv");
export const nanToNum = fn("nanToNum");
export const nanmean = fn("nanmean");
export const nansum = fn("nansum");
export const ne = fn("ne");
export const neg = fn("neg");
export const norm = fn("norm");
export const outer = fn("outer");
export const pow = fn("pow");
export const prod = fn("prod");
export const quantile = fn("quantile");
export const rad2deg = fn("rad2deg");
export const reciprocal = fn("reciprocal");
export const relu = fn("relu");
export const remainder = fn("remainder");
export const round = fn("round");
export const rsqrt = fn("rsqrt");
export const searchsorted = fn("searchsorted");
export const sgn = fn("sgn");
export const sigmoid = fn("sigmoid");
export const sign = fn("sign");
export const signbit = fn("signbit");
export const sin = fn("sin");
export const sinc = fn("sinc");
export const sinh = fn("sinh");
export const softmax = fn("softmax");
export const sort = fn("sort");
export const sqrt = fn("sqrt");
export const square = fn("square");
export const std = fn("std");
export const stdMean = fn("stdMean");
export const sub = fn("sub");
export const sum = fn("sum");
export const tan = fn("tan");
export const tanh = fn("tanh");
export const tensordot = fn("tensordot");
export const topk = fn("topk");
export const trace = fn("trace");
export const trunc = fn("trunc");
const variance = fn("var");
export { variance as var };
export const varMean = fn("varMean");
export const vdot = fn("vdot");
export const xlogy = fn("xlogy");

// Methods that take and return one thing or another.

export const max = fn("max") as {
  (x: Tensor): Tensor;
  (x: Tensor, other: Tensor): Tensor;
  (x: Tensor, dim: number, options?: KeepdimOptions): ValuesAndIndices;
};
export const min = fn("min") as {
  (x: Tensor): Tensor;
  (x: Tensor, other: Tensor): Tensor;
  (x: Tensor, dim: number, options?: KeepdimOptions): ValuesAndIndices;
};

export const median = fn("median") as {
  (x: Tensor): Tensor;
  (x: Tensor, dim: number, options?: KeepdimOptions): ValuesAndIndices;
};
export const nanmedian = fn("nanmedian") as {
  (x: Tensor): Tensor;
  (x: Tensor, dim: number, options?: KeepdimOptions): ValuesAndIndices;
};

export const bincount = fn("bincount") as {
  (x: Tensor, length: number, options?: { readonly weights?: Tensor }): Tensor;
  (
    x: Tensor,
    options?: { readonly weights?: Tensor; readonly minlength?: number },
  ): Promise<Tensor>;
};

/** The n-th derivative of digamma; of positive numbers for n > 1. */
export const polygamma = (n: number, x: Tensor): Tensor => x.polygamma(n);

/**
 * The sum of products that `equation` says, e.g. `einsum("bij,bjk->bik", a, b)`: torch.einsum, with any number of operands,
 * repeated letters for diagonals, "..." for dimensions without a name, and results left out. Throws a ShapeError for
 * letters that do not fit the operands.
 */
export function einsum(equation: string, ...operands: Tensor[] | [readonly Tensor[]]): Tensor {
  const list = (Array.isArray(operands[0]) ? operands[0] : operands) as readonly Tensor[];
  return derive(list, (values) => einsumOf(equation, values));
}
