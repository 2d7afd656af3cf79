/** Methods of a tensor that work element by element: arithmetic, functions of a number, comparisons, conversions. */

import type { DType } from "../graph/dtype.ts";
import * as compare from "../ops/compare.ts";
import * as ew from "../ops/elementwise.ts";
import { cast } from "../ops/elementwise-rules.ts";
import type { Tensor } from "../tensor.ts";
import { binary, derive, unary, type TensorLike } from "./derive.ts";

import { TensorCore } from "./core.ts";

export abstract class PointwiseMethods extends TensorCore {
  // ---- arithmetic ------------------------------------------------------------------------------------------------

  add(other: TensorLike): Tensor {
    return binary(this, other, ew.add);
  }

  sub(other: TensorLike): Tensor {
    return binary(this, other, ew.sub);
  }

  mul(other: TensorLike): Tensor {
    return binary(this, other, ew.mul);
  }

  /** True division: integers give float32. */
  div(other: TensorLike): Tensor {
    return binary(this, other, ew.div);
  }

  pow(other: TensorLike): Tensor {
    return binary(this, other, ew.pow);
  }

  /** Remainder with the sign of the divisor, as Python's %. */
  remainder(other: TensorLike): Tensor {
    return binary(this, other, ew.remainder);
  }

  maximum(other: TensorLike): Tensor {
    return binary(this, other, ew.maximum);
  }

  minimum(other: TensorLike): Tensor {
    return binary(this, other, ew.minimum);
  }

  neg(): Tensor {
    return unary(this, ew.neg);
  }

  abs(): Tensor {
    return unary(this, ew.abs);
  }

  sign(): Tensor {
    return unary(this, ew.sign);
  }

  exp(): Tensor {
    return unary(this, ew.exp);
  }

  log(): Tensor {
    return unary(this, ew.log);
  }

  log1p(): Tensor {
    return unary(this, ew.log1p);
  }

  expm1(): Tensor {
    return unary(this, ew.expm1);
  }

  sqrt(): Tensor {
    return unary(this, ew.sqrt);
  }

  reciprocal(): Tensor {
    return unary(this, ew.reciprocal);
  }

  rsqrt(): Tensor {
    return unary(this, (x) => ew.reciprocal(ew.sqrt(x)));
  }

  square(): Tensor {
    return unary(this, (x) => ew.mul(x, x));
  }

  sin(): Tensor {
    return unary(this, ew.sin);
  }

  cos(): Tensor {
    return unary(this, ew.cos);
  }

  tan(): Tensor {
    return unary(this, ew.tan);
  }

  asin(): Tensor {
    return unary(this, ew.asin);
  }

  acos(): Tensor {
    return unary(this, ew.acos);
  }

  atan(): Tensor {
    return unary(this, ew.atan);
  }

  sinh(): Tensor {
    return unary(this, ew.sinh);
  }

  cosh(): Tensor {
    return unary(this, ew.cosh);
  }

  tanh(): Tensor {
    return unary(this, ew.tanh);
  }

  asinh(): Tensor {
    return unary(this, ew.asinh);
  }

  acosh(): Tensor {
    return unary(this, ew.acosh);
  }

  atanh(): Tensor {
    return unary(this, ew.atanh);
  }

  sigmoid(): Tensor {
    return unary(this, ew.sigmoid);
  }

  erf(): Tensor {
    return unary(this, ew.erf);
  }

  relu(): Tensor {
    return unary(this, ew.relu);
  }

  floor(): Tensor {
    return unary(this, ew.floor);
  }

  ceil(): Tensor {
    return unary(this, ew.ceil);
  }

  /** To the nearest integer, halves to even. */
  round(): Tensor {
    return unary(this, ew.round);
  }

  /** Limits elements to `[min, max]`; either may be left out. */
  clamp(min?: number, max?: number): Tensor {
    return unary(this, (x) => compare.clamp(x, min, max));
  }

  // ---- comparison (bool) -----------------------------------------------------------------------------------------

  eq(other: TensorLike): Tensor {
    return binary(this, other, compare.eq);
  }

  ne(other: TensorLike): Tensor {
    return binary(this, other, compare.ne);
  }

  lt(other: TensorLike): Tensor {
    return binary(this, other, compare.lt);
  }

  le(other: TensorLike): Tensor {
    return binary(this, other, compare.le);
  }

  gt(other: TensorLike): Tensor {
    return binary(this, other, compare.gt);
  }

  ge(other: TensorLike): Tensor {
    return binary(this, other, compare.ge);
  }

  logicalAnd(other: TensorLike): Tensor {
    return binary(this, other, compare.logicalAnd);
  }

  logicalOr(other: TensorLike): Tensor {
    return binary(this, other, compare.logicalOr);
  }

  logicalXor(other: TensorLike): Tensor {
    return binary(this, other, compare.logicalXor);
  }

  logicalNot(): Tensor {
    return unary(this, compare.logicalNot);
  }

  isNaN(): Tensor {
    return unary(this, compare.isNaN);
  }

  isInf(): Tensor {
    return unary(this, compare.isInf);
  }

  /** Converts to another dtype; floats to integers round towards zero. */
  cast(dtype: DType): Tensor {
    return unary(this, (x) => cast(x, dtype));
  }

  /** `value` where the mask (bool, broadcast) holds, this tensor elsewhere. */
  maskedFill(mask: Tensor, value: number): Tensor {
    return derive([this, mask], ([x, m]) => compare.where(m!, value, x!));
  }
}
