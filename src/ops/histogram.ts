/** Counts of equal elements and of elements in equal intervals. */

import { isFloat } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { checkShape, formatShape, numel, sameShape, ShapeError } from "../graph/shape.ts";
import { eq, ge, le, logicalAnd, where } from "./compare.ts";
import { add, div, floor, minimum, mul, sub } from "./elementwise.ts";
import { cast } from "./elementwise-rules.ts";
import { scatterAdd } from "./indexing.ts";
import { detach, full } from "./leaf.ts";
import { amax, amin } from "./reduce.ts";
import { reshape } from "./shape.ts";

/** How often each integer below `size` occurs, as int64; with weights, the sums of those: torch.bincount. */
export function bincount(x: Value, size: number, weights: Value | null): Value {
  checkShape("bincount", [size]);
  if (x.shape.length !== 1 || isFloat(x.dtype) || x.dtype === "bool")
    throw new ShapeError(
      `bincount: needs a 1-d tensor of integers, got ${x.dtype} ${formatShape(x.shape)}`,
    );
  if (weights !== null && !sameShape(weights.shape, x.shape))
    throw new ShapeError(
      `bincount: weights ${formatShape(weights.shape)} must have the tensor's shape ${formatShape(x.shape)}`,
    );
  const given = weights ?? full(x.shape, 1, "int64");
  const index = cast(x, "int64");
  return scatterAdd(full([size], 0, given.dtype), 0, index, given);
}

/** Counts of elements in `bins` equal intervals from min to max (those of the data where both are 0): torch.histc. */
export function histc(x: Value, bins: number, min: number, max: number): Value {
  if (!isFloat(x.dtype))
    throw new ShapeError(`histc: needs a floating dtype, got ${x.dtype}; cast it first`);
  if (!Number.isInteger(bins) || bins < 1)
    throw new ShapeError(`histc: bins must be a positive integer, got ${bins}`);
  if (!(min <= max) || !Number.isFinite(min) || !Number.isFinite(max))
    throw new ShapeError(
      `histc: max must not be smaller than min, both finite, got ${min} and ${max}`,
    );
  const y = detach(reshape(x, [numel(x.shape)]));
  const counts = full([bins], 0, x.dtype);
  if (numel(x.shape) === 0) return counts;
  const number = (value: number): Value => full([], value, x.dtype);
  let [low, high] = [number(min), number(max)];
  if (min === max) {
    if (min === 0) [low, high] = [amin(y), amax(y)];
    const same = eq(low, high);
    [low, high] = [where(same, sub(low, 1), low), where(same, add(high, 1), high)];
  }
  const inside = logicalAnd(ge(y, low), le(y, high));
  const place = floor(mul(div(sub(y, low), sub(high, low)), bins));
  const index = cast(minimum(where(inside, place, 0), bins - 1), "int32");
  return scatterAdd(counts, 0, index, cast(inside, x.dtype));
}
