/** Methods of a tensor for arithmetic, element by element with broadcasting. */

import * as arith from "../ops/arithmetic.ts";
import * as bitwise from "../ops/bitwise.ts";
import * as compare from "../ops/compare.ts";
import * as ew from "../ops/elementwise.ts";
import type { Operand } from "../ops/elementwise-rules.ts";
import * as special from "../ops/special.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "./arguments.ts";
import { binary, derive, mixed, unary, type TensorLike } from "./derive.ts";

import { TensorCore } from "./core.ts";

/** A factor on the other operand. */
export interface AlphaOptions {
  /** Factor on the other operand. */
  readonly alpha?: number;
}

/** How quotients are rounded. */
export interface DivOptions {
  /** Rounds the quotient towards zero or down; the result then has the operands' dtype. */
  readonly roundingMode?: arith.RoundingMode;
}

/** A factor on a product or quotient. */
export interface ValueOptions {
  /** Factor on the product or quotient. */
  readonly value?: number;
}

export abstract class ArithmeticMethods extends TensorCore {
  /** this + alpha · other */
  add(other: TensorLike, options?: AlphaOptions): Tensor {
    if (options === undefined) return binary(this, other, ew.add);
    const { alpha = 1 } = checkOptions("add", options, ["alpha"]);
    return binary(this, other, (a, b) => ew.add(a, scaled(b, alpha)));
  }

  /** this − alpha · other */
  sub(other: TensorLike, options?: AlphaOptions): Tensor {
    if (options === undefined) return binary(this, other, ew.sub);
    const { alpha = 1 } = checkOptions("sub", options, ["alpha"]);
    return binary(this, other, (a, b) => ew.sub(a, scaled(b, alpha)));
  }

  /** this · other */
  mul(other: TensorLike): Tensor {
    return binary(this, other, ew.mul);
  }

  /** True division: integers give float32. With `roundingMode` "trunc" or "floor" the quotient is rounded. */
  div(other: TensorLike, options: DivOptions = {}): Tensor {
    const { roundingMode } = checkOptions("div", options, ["roundingMode"]);
    if (roundingMode === undefined) return binary(this, other, ew.div);
    return binary(this, other, (a, b) => arith.roundedDiv(a, b, roundingMode));
  }

  /** The quotient rounded down, as Python's //. */
  floorDivide(other: TensorLike): Tensor {
    return this.div(other, { roundingMode: "floor" });
  }

  /** Remainder with the sign of the divisor, as Python's %. */
  remainder(other: TensorLike): Tensor {
    return binary(this, other, ew.remainder);
  }

  /** Remainder with the sign of the dividend, as C's fmod. */
  fmod(other: TensorLike): Tensor {
    return binary(this, other, ew.fmod);
  }

  /** this to the power of other. */
  pow(other: TensorLike): Tensor {
    return binary(this, other, ew.pow);
  }

  /** −x. */
  neg(): Tensor {
    return unary(this, ew.neg);
  }

  /** |x|. */
  abs(): Tensor {
    return unary(this, ew.abs);
  }

  /** −1, 0 or 1. */
  sign(): Tensor {
    return unary(this, ew.sign);
  }

  /** As `sign`; the two differ for complex numbers only. */
  sgn(): Tensor {
    return this.sign();
  }

  /** Whether elements have a sign bit: negative ones and −0. */
  signbit(): Tensor {
    return unary(this, arith.signbit);
  }

  /** 1 / x. */
  reciprocal(): Tensor {
    return unary(this, ew.reciprocal);
  }

  /** x². */
  square(): Tensor {
    return unary(this, (x) => ew.mul(x, x));
  }

  /** √x; NaN below 0. */
  sqrt(): Tensor {
    return unary(this, ew.sqrt);
  }

  /** 1 / √x */
  rsqrt(): Tensor {
    return unary(this, (x) => ew.reciprocal(ew.sqrt(x)));
  }

  /** √(this² + other²) without overflow. */
  hypot(other: TensorLike): Tensor {
    return binary(this, other, arith.hypot);
  }

  /** The angle of the point (other, this) in (−π, π]. */
  atan2(other: TensorLike): Tensor {
    return binary(this, other, arith.atan2);
  }

  /** this + value · a · b */
  addcmul(a: Tensor, b: Tensor, options: ValueOptions = {}): Tensor {
    const { value = 1 } = checkOptions("addcmul", options, ["value"]);
    return derive([this, a, b], ([x, y, z]) => ew.add(x!, scaled(ew.mul(y!, z!), value)));
  }

  /** this + value · a / b */
  addcdiv(a: Tensor, b: Tensor, options: ValueOptions = {}): Tensor {
    const { value = 1 } = checkOptions("addcdiv", options, ["value"]);
    return derive([this, a, b], ([x, y, z]) => ew.add(x!, scaled(ew.div(y!, z!), value)));
  }

  /** this + weight · (end − this) */
  lerp(end: Tensor, weight: TensorLike): Tensor {
    return mixed(this, [end, weight], (x, [e, w]) => arith.lerp(x, e as typeof x, w!));
  }

  /** The larger element; NaN where one is. */
  maximum(other: TensorLike): Tensor {
    return binary(this, other, ew.maximum);
  }

  /** The smaller element; NaN where one is. */
  minimum(other: TensorLike): Tensor {
    return binary(this, other, ew.minimum);
  }

  /** The larger element; the number where one is NaN. */
  fmax(other: TensorLike): Tensor {
    return binary(this, other, arith.fmax);
  }

  /** The smaller element; the number where one is NaN. */
  fmin(other: TensorLike): Tensor {
    return binary(this, other, arith.fmin);
  }

  /** Limits elements to `[min, max]`, numbers or tensors; either may be left out. */
  clamp(min?: TensorLike | null, max?: TensorLike | null): Tensor {
    return mixed(this, [min ?? null, max ?? null], (x, [low, high]) => compare.clamp(x, low, high));
  }

  /** Raises elements to at least `min`. */
  clampMin(min: TensorLike): Tensor {
    return this.clamp(min);
  }

  /** Lowers elements to at most `max`. */
  clampMax(max: TensorLike): Tensor {
    return this.clamp(null, max);
  }

  /** The magnitudes of this tensor with the signs of another; zeros have signs too. */
  copysign(other: TensorLike): Tensor {
    return binary(this, other, arith.copysign);
  }

  /** 0 below zero, 1 above, `values` at zero. */
  heaviside(values: TensorLike): Tensor {
    return binary(this, values, arith.heaviside);
  }

  /** Replaces NaN by 0 and infinities by the dtype's extremes, or by the numbers given. */
  nanToNum(options: arith.NanToNumOptions = {}): Tensor {
    const given = checkOptions("nanToNum", options, ["nan", "posinf", "neginf"]);
    return unary(this, (x) => arith.nanToNum(x, given));
  }

  /** log(exp(this) + exp(other)) */
  logaddexp(other: TensorLike): Tensor {
    return binary(this, other, special.logaddexp);
  }

  /** log₂(2^this + 2^other) */
  logaddexp2(other: TensorLike): Tensor {
    return binary(this, other, special.logaddexp2);
  }

  /** this · log(other), 0 where this is 0. */
  xlogy(other: TensorLike): Tensor {
    return binary(this, other, special.xlogy);
  }

  // ---- bits of integers --------------------------------------------------------------------------------------------

  /** The bits that both integers have; of bool, whether both are true. */
  bitwiseAnd(other: TensorLike): Tensor {
    return binary(this, other, bitwise.bitwiseAnd);
  }

  /** The bits that one of two integers has; of bool, whether one is true. */
  bitwiseOr(other: TensorLike): Tensor {
    return binary(this, other, bitwise.bitwiseOr);
  }

  /** The bits that exactly one of two integers has; of bool, whether they differ. */
  bitwiseXor(other: TensorLike): Tensor {
    return binary(this, other, bitwise.bitwiseXor);
  }

  /** The bits that an integer has not; of bool, the opposite. */
  bitwiseNot(): Tensor {
    return unary(this, bitwise.bitwiseNot);
  }

  /** Bits moved `places` to the left: this · 2^places. */
  bitwiseLeftShift(places: TensorLike): Tensor {
    return binary(this, places, bitwise.bitwiseLeftShift);
  }

  /** Shifts right; negative numbers stay negative. */
  bitwiseRightShift(places: TensorLike): Tensor {
    return binary(this, places, bitwise.bitwiseRightShift);
  }
}

function scaled<T extends Operand>(x: T, factor: number): T {
  if (factor === 1) return x;
  return (typeof x === "number" ? x * factor : ew.mul(x, factor)) as T;
}
