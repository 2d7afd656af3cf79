/** Methods of a tensor that are functions of one number, element by element: exponential, trigonometric, special, rounding. */

import * as arith from "../ops/arithmetic.ts";
import { clamp } from "../ops/compare.ts";
import * as ew from "../ops/elementwise.ts";
import * as gamma from "../ops/gamma.ts";
import * as special from "../ops/special.ts";
import * as trig from "../ops/trigonometric.ts";
import type { Tensor } from "../tensor.ts";
import { unary } from "./derive.ts";

import { ArithmeticMethods } from "./arithmetic.ts";

export abstract class FunctionMethods extends ArithmeticMethods {
  /** eˣ. */
  exp(): Tensor {
    return unary(this, ew.exp);
  }

  /** 2ˣ. */
  exp2(): Tensor {
    return unary(this, special.exp2);
  }

  /** exp(x) − 1, accurate near 0. */
  expm1(): Tensor {
    return unary(this, ew.expm1);
  }

  /** The natural logarithm. */
  log(): Tensor {
    return unary(this, ew.log);
  }

  /** The logarithm to base 2. */
  log2(): Tensor {
    return unary(this, special.log2);
  }

  /** The logarithm to base 10. */
  log10(): Tensor {
    return unary(this, special.log10);
  }

  /** log(1 + x), accurate near 0. */
  log1p(): Tensor {
    return unary(this, ew.log1p);
  }

  /** The sine of radians. */
  sin(): Tensor {
    return unary(this, ew.sin);
  }

  /** The cosine of radians. */
  cos(): Tensor {
    return unary(this, ew.cos);
  }

  /** The tangent of radians. */
  tan(): Tensor {
    return unary(this, trig.tan);
  }

  /** The angle in [−π/2, π/2] that has this sine; NaN outside of [−1, 1]. */
  asin(): Tensor {
    return unary(this, trig.asin);
  }

  /** The angle in [0, π] that has this cosine; NaN outside of [−1, 1]. */
  acos(): Tensor {
    return unary(this, trig.acos);
  }

  /** The angle in (−π/2, π/2) that has this tangent. */
  atan(): Tensor {
    return unary(this, trig.atan);
  }

  /** (eˣ − e⁻ˣ) / 2. */
  sinh(): Tensor {
    return unary(this, trig.sinh);
  }

  /** (eˣ + e⁻ˣ) / 2. */
  cosh(): Tensor {
    return unary(this, trig.cosh);
  }

  /** The hyperbolic tangent, in (−1, 1). */
  tanh(): Tensor {
    return unary(this, ew.tanh);
  }

  /** The inverse of sinh. */
  asinh(): Tensor {
    return unary(this, trig.asinh);
  }

  /** The inverse of cosh; NaN below 1. */
  acosh(): Tensor {
    return unary(this, trig.acosh);
  }

  /** The inverse of tanh; NaN outside of [−1, 1]. */
  atanh(): Tensor {
    return unary(this, trig.atanh);
  }

  /** sin(πx) / (πx), 1 at 0. */
  sinc(): Tensor {
    return unary(this, special.sinc);
  }

  /** 1 / (1 + exp(−x)). */
  sigmoid(): Tensor {
    return unary(this, ew.sigmoid);
  }

  /** log(x / (1 − x)); with `eps`, of x limited to [eps, 1 − eps]. */
  logit(eps?: number): Tensor {
    return unary(this, (x) => special.logit(eps === undefined ? x : clamp(x, eps, 1 - eps)));
  }

  /** max(x, 0). */
  relu(): Tensor {
    return unary(this, ew.relu);
  }

  /** 2/√π ∫₀ˣ exp(−t²) dt. */
  erf(): Tensor {
    return unary(this, special.erf);
  }

  /** 1 − erf(x), accurate where it is tiny. */
  erfc(): Tensor {
    return unary(this, special.erfc);
  }

  /** The inverse of erf; infinite at ±1. */
  erfinv(): Tensor {
    return unary(this, special.erfinv);
  }

  /** log |Γ(x)|. */
  lgamma(): Tensor {
    return unary(this, gamma.lgamma);
  }

  /** The derivative of lgamma. */
  digamma(): Tensor {
    return unary(this, gamma.digamma);
  }

  /** The n-th derivative of digamma; of positive numbers for n > 1. */
  polygamma(n: number): Tensor {
    return unary(this, (x) => gamma.polygamma(n, x));
  }

  /** The next integer below; integers stay. */
  floor(): Tensor {
    return unary(this, ew.floor);
  }

  /** The next integer above; integers stay. */
  ceil(): Tensor {
    return unary(this, ew.ceil);
  }

  /** The integer part. */
  trunc(): Tensor {
    return unary(this, ew.trunc);
  }

  /** As `trunc`. */
  fix(): Tensor {
    return this.trunc();
  }

  /** x − trunc(x). */
  frac(): Tensor {
    return unary(this, arith.frac);
  }

  /** To the nearest integer, or to `decimals` places after the point; halves to even. */
  round(decimals = 0): Tensor {
    return unary(this, (x) => arith.roundTo(x, decimals));
  }

  /** Degrees as radians. */
  deg2rad(): Tensor {
    return unary(this, (x) => ew.mul(x, Math.PI / 180));
  }

  /** Radians as degrees. */
  rad2deg(): Tensor {
    return unary(this, (x) => ew.mul(x, 180 / Math.PI));
  }
}
