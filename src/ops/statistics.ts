/** Reductions of floats made of sums: variances, norms, log-sum-exp, and those that pass over NaN. */

import { isFloat } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp1 } from "../graph/op.ts";
import { numel, resolveDims, ShapeError } from "../graph/shape.ts";
import { eq, isNaN, logicalNot, ne, where } from "./compare.ts";
import { abs, div, exp, mul, pow, sign, sqrt, sub } from "./elementwise.ts";
import { cast } from "./elementwise-rules.ts";
import { emitMath } from "./emit-math.ts";
import { full } from "./leaf.ts";
import { amax, amin, mean } from "./reduce.ts";
import { dropped, kept, reduceNode, restore, sum, type ReduceAttrs } from "./sum.ts";

type Dims = number | readonly number[];

function needFloat(op: string, x: Value): void {
  if (!isFloat(x.dtype))
    throw new ShapeError(`${op}: needs a floating dtype, got ${x.dtype}; cast it first`);
}

// ---- variance --------------------------------------------------------------------------------------------------

interface VarianceAttrs extends ReduceAttrs {
  readonly correction: number;
}

/** What the sum of squares is divided by; infinities and NaN come of 0. */
const freedom = (x: Value, { dims, correction }: VarianceAttrs): number =>
  Math.max(0, dims.reduce((n, dim) => n * x.shape[dim]!, 1) - correction);

const varianceOp = defineOp1<VarianceAttrs>({
  name: "var",
  infer: ([x], { dims }) => ({ dtype: x!.dtype, shape: dropped(x!.shape, dims) }),
  // 2 (x − mean) / (n − correction)
  vjp: ({ inputs: [x], attrs, grads: [g] }) => {
    const scale = restore(mul(g!, 2 / freedom(x!, attrs)), x!, attrs.dims);
    return [mul(sub(x!, restore(mean(x!, attrs.dims), x!, attrs.dims)), scale)];
  },
  lower: ({ inputs: [x], types: [type], attrs, emit }) => {
    const { dims } = attrs;
    const { sub, mul, div } = emitMath(emit, type!.dtype);
    const average = reduceNode("ReduceMean", emit, x!, dims);
    const centred = sub(x!, emit.node("Reshape", [average, emit.ints(kept(type!.shape, dims))]));
    const total = reduceNode("ReduceSum", emit, mul(centred, centred), dims);
    return div(total, freedom(type as Value, attrs));
  },
});

/** Variance over `dims` (all unless given) with `correction` (1: Bessel's) taken from the count. */
export function variance(x: Value, dims?: Dims, correction = 1, op = "var"): Value {
  needFloat(op, x);
  return varianceOp([x], { dims: resolveDims(op, dims, x.shape.length), correction });
}

/** √x where the gradient at 0 is 0, as PyTorch has it for deviations, norms and distances. */
export function rootWithZeroSlope(x: Value): Value {
  const zero = eq(x, 0);
  return where(zero, 0, sqrt(where(zero, 1, x)));
}

// ---- norms -----------------------------------------------------------------------------------------------------

interface NormAttrs extends ReduceAttrs {
  readonly p: number;
}

const normOp = defineOp1<NormAttrs>({
  name: "norm",
  infer: ([x], { dims }) => ({ dtype: x!.dtype, shape: dropped(x!.shape, dims) }),
  // sign(x) (|x| / norm)ᵖ⁻¹, and 0 where the norm is 0.
  vjp: ({ inputs: [x], outputs: [y], attrs: { dims, p }, grads: [g] }) => {
    const slope = restore(g!, x!, dims);
    if (p === 1) return [mul(sign(x!), slope)];
    const length = restore(where(eq(y!, 0), 1, y!), x!, dims);
    if (p === 2) return [mul(div(x!, length), slope)];
    const ratio = div(abs(x!), length);
    const power = pow(p < 2 ? where(eq(x!, 0), 1, ratio) : ratio, p - 1);
    return [mul(mul(sign(x!), power), slope)];
  },
  lower: ({ inputs: [x], types: [type], attrs: { dims, p }, emit }) => {
    const { mul, abs, sqrt } = emitMath(emit, type!.dtype);
    const total = (terms: string): string => reduceNode("ReduceSum", emit, terms, dims);
    const power = (of: string, n: number): string =>
      emit.node("Pow", [of, emit.scalar(type!.dtype, n)]);
    if (p === 1) return total(abs(x!));
    return p === 2 ? sqrt(total(mul(x!, x!))) : power(total(power(abs(x!), p)), 1 / p);
  },
});

/** (Σ |x|ᵖ)^(1/p) over `dims` (all unless given); the largest or smallest |x| for ±Infinity, the count of others than 0 for 0. */
export function norm(x: Value, p: number | "fro" = 2, dims?: Dims): Value {
  needFloat("norm", x);
  const order = p === "fro" ? 2 : p;
  if (typeof order !== "number" || Number.isNaN(order))
    throw new ShapeError(`norm: p must be a number or "fro", got ${String(p)}`);
  if (order === Infinity) return amax(abs(x), dims);
  if (order === -Infinity) return amin(abs(x), dims);
  if (order === 0) return sum(cast(ne(x, 0), x.dtype), dims);
  return normOp([x], { dims: resolveDims("norm", dims, x.shape.length), p: order });
}

// ---- log-sum-exp -----------------------------------------------------------------------------------------------

const logsumexpOp = defineOp1<ReduceAttrs>({
  name: "logsumexp",
  infer: ([x], { dims }) => ({ dtype: x!.dtype, shape: dropped(x!.shape, dims) }),
  vjp: ({ inputs: [x], outputs: [y], attrs: { dims }, grads: [g] }) => [
    mul(exp(sub(x!, restore(y!, x!, dims))), restore(g!, x!, dims)),
  ],
  lower: ({ inputs: [x], types: [type], outputTypes: [out], attrs: { dims }, emit }) => {
    // The logarithm of a sum of nothing.
    if (numel(type!.shape) === 0) return emit.filled(out!.dtype, out!.shape, -Infinity);
    const { add, sub, abs, exp, log, equal, where } = emitMath(emit, type!.dtype);
    const largest = reduceNode("ReduceMax", emit, x!, dims);
    // Infinities must not be subtracted from themselves.
    const shift = where(equal(abs(largest), Infinity), 0, largest);
    const centred = sub(x!, emit.node("Reshape", [shift, emit.ints(kept(type!.shape, dims))]));
    return add(log(reduceNode("ReduceSum", emit, exp(centred), dims)), shift);
  },
});

/** log Σ exp(x) over `dims` (all unless given). */
export function logsumexp(x: Value, dims?: Dims): Value {
  const y = isFloat(x.dtype) ? x : cast(x, "float32");
  const resolved = resolveDims("logsumexp", dims, x.shape.length);
  return resolved.length === 0 ? y : logsumexpOp([y], { dims: resolved });
}

// ---- counts, and what passes over NaN --------------------------------------------------------------------------

/** How many elements are not 0, as int64. */
export const countNonzero = (x: Value, dims?: Dims): Value => sum(cast(x, "bool"), dims);

export const nansum = (x: Value, dims?: Dims): Value =>
  sum(isFloat(x.dtype) ? where(isNaN(x), 0, x) : x, dims);

export function nanmean(x: Value, dims?: Dims): Value {
  needFloat("nanmean", x);
  return div(nansum(x, dims), sum(cast(logicalNot(isNaN(x)), x.dtype), dims));
}

/** Whether all elements over `dims` are true (not 0); of none, they are. */
export const all = (x: Value, dims?: Dims): Value => quantified("all", x, dims, amin, 1);

/** Whether any element over `dims` is true (not 0). */
export const any = (x: Value, dims?: Dims): Value => quantified("any", x, dims, amax, 0);

function quantified(
  op: string,
  x: Value,
  dims: Dims | undefined,
  extreme: (x: Value, dims: readonly number[]) => Value,
  ofNone: number,
): Value {
  const resolved = resolveDims(op, dims, x.shape.length);
  if (resolved.some((dim) => x.shape[dim] === 0))
    return full(dropped(x.shape, resolved), ofNone, "bool");
  return extreme(cast(x, "bool"), resolved);
}
