/** Whether tensors are nearly equal. */

import type { Value } from "../graph/node.ts";
import { isFloat } from "../graph/dtype.ts";
import { ShapeError } from "../graph/shape.ts";
import { eq, isFinite, isNaN, le, logicalAnd, logicalOr } from "./compare.ts";
import { abs, add, mul, sub } from "./elementwise.ts";
import { cast, pair } from "./elementwise-rules.ts";

/** How close elements must be. */
export interface CloseOptions {
  /** Tolerance relative to the other element; 1e-5 unless given. */
  readonly rtol?: number;
  /** Absolute tolerance; 1e-8 unless given. */
  readonly atol?: number;
  /** Whether NaN is close to NaN. */
  readonly equalNan?: boolean;
}

/** |a − b| ≤ atol + rtol · |b|, or equal: torch.isclose. */
export function closeTo(
  a: Value,
  b: Value,
  { rtol = 1e-5, atol = 1e-8, equalNan = false }: CloseOptions,
): Value {
  if (!(rtol >= 0 && atol >= 0))
    throw new ShapeError(
      `isclose: tolerances must not be negative, got rtol ${rtol}, atol ${atol}`,
    );
  const [x, y] = pair("isclose", a, b);
  const same = eq(x, y);
  if (!isFloat(x.dtype) && rtol === 0 && atol === 0) return same;
  const [u, v] = isFloat(x.dtype) ? [x, y] : [cast(x, "float64"), cast(y, "float64")];
  const error = abs(sub(u, v));
  const near = logicalAnd(isFinite(error), le(error, add(mul(abs(v), rtol), atol)));
  const close = logicalOr(same, near);
  return equalNan ? logicalOr(close, logicalAnd(isNaN(x), isNaN(y))) : close;
}
