/** Running results along a dimension beside the sum: products, extremes and their positions, log-sum-exp, differences. */

import { isFloat } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { resolveDim, ShapeError } from "../graph/shape.ts";
import { eq, isNaN, logicalOr, logicalXor, where } from "./compare.ts";
import { maximum, minimum, mul, sub } from "./elementwise.ts";
import { cast } from "./elementwise-rules.ts";
import { gather } from "./indexing.ts";
import { iota } from "./random.ts";
import { concat, expand, reshape, slice } from "./shape.ts";
import { logaddexp } from "./special.ts";

/** Combines each element with all before it by doubling, in log₂(size) steps (Hillis and Steele, 1986). */
function scan(x: Value, dim: number, combine: (later: Value, earlier: Value) => Value): Value {
  const size = x.shape[dim]!;
  let y = x;
  for (let step = 1; step < size; step *= 2) {
    const later = combine(slice(y, dim, step), slice(y, dim, 0, size - step));
    y = concat([slice(y, dim, 0, step), later], dim);
  }
  return y;
}

/** `record` of a tensor and a dimension it has: 0-d tensors take dimension 0 or −1 as well. */
export function withDim<T>(
  op: string,
  x: Value,
  dim: number,
  record: (x: Value, dim: number, like: (y: Value) => Value) => T,
): T {
  if (x.shape.length > 0) return record(x, resolveDim(op, dim, x.shape.length), (y) => y);
  resolveDim(op, dim, 1);
  return record(reshape(x, [1]), 0, (y) => reshape(y, []));
}

/** Running product; bool is multiplied as int64. */
export const cumprod = (x: Value, dim: number): Value =>
  withDim("cumprod", x, dim, (y, axis, like) =>
    like(scan(y.dtype === "bool" ? cast(y, "int64") : y, axis, mul)),
  );

/** Running log-sum-exp. */
export function logcumsumexp(x: Value, dim: number): Value {
  if (!isFloat(x.dtype))
    throw new ShapeError(`logcumsumexp: needs a floating dtype, got ${x.dtype}; cast it first`);
  return withDim("logcumsumexp", x, dim, (y, axis, like) => like(scan(y, axis, logaddexp)));
}

const runningExtreme =
  (name: string, extreme: (a: Value, b: Value) => Value) =>
  (x: Value, dim: number): readonly [Value, Value] =>
    withDim(name, x, dim, (given, axis, like) => {
      const y = given.dtype === "bool" ? cast(given, "int32") : given;
      const best = scan(y, axis, extreme);
      // The last position so far whose element is the extreme; NaN counts as extreme.
      const hits = isFloat(y.dtype) ? logicalOr(eq(y, best), isNaN(y)) : eq(y, best);
      const size = y.shape[axis]!;
      const row = y.shape.map((_, i) => (i === axis ? size : 1));
      const places = expand(reshape(cast(iota(size), "int32"), row), y.shape);
      const index = scan(where(hits, places, 0), axis, maximum);
      return [like(gather(given, axis, index)), like(index)] as const;
    });

/** Running maximum and the int32 positions of the last largest elements so far. */
export const cummax = runningExtreme("cummax", maximum);
/** Running minimum and the int32 positions of the last smallest elements so far. */
export const cummin = runningExtreme("cummin", minimum);

/** Differences of neighbours along a dimension, `n` times; of bool whether they differ. */
export function diff(x: Value, n: number, dim: number): Value {
  if (x.shape.length === 0) throw new ShapeError("diff: the tensor needs at least one dimension");
  if (!Number.isInteger(n) || n < 0)
    throw new ShapeError(`diff: n must be a non-negative integer, got ${n}`);
  const axis = resolveDim("diff", dim, x.shape.length);
  const step = x.dtype === "bool" ? logicalXor : sub;
  let y = x;
  for (let i = 0; i < n && y.shape[axis]! > 0; i++)
    y = step(slice(y, axis, 1), slice(y, axis, 0, y.shape[axis]! - 1));
  return y;
}
