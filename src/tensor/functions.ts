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

  log(): Tensor {
    return unary(this, ew.log);
  }

  log2(): Tensor {
    return unary(this, special.log2);
  }

  log10(): Tensor {
    return unary(this, special.log10);
  }

  /** log(1 + x), accurate near 0. */
  log1p(): Tensor {
    return unary(this, ew.log1p);
  }

  sin(): Tensor {
    return unary(this, ew.sin);
  }

  cos(): Tensor {
    return unary(this, ew.cos);
  }

  tan(): Tensor {
    return unary(this, trig.tan);
  }

  asin(): Tensor {
    return unary(this, trig.asin);
  }

  acos(): Tensor {
    return unary(this, trig.acos);
  }

  atan(): Tensor {
    return unary(this, trig.atan);
  }

  sinh(): Tensor {
    return unary(this, trig.sinh);
  }

  cosh(): Tensor {
    return unary(this, trig.cosh);
  }

  tanh(): Tensor {
    return unary(this, ew.tanh);
  }

  asinh(): Tensor {
    return unary(this, trig.asinh);
  }

  acosh(): Tensor {
    return unary(this, trig.acosh);
  }

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

  relu(): Tensor {
    return unary(this, ew.relu);
  }

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

  deg2rad(): Tensor {
    return unary(this, (x) => ew.mul(x, Math.PI / 180));
  }

  rad2deg(): Tensor {
    return unary(this, (x) => ew.mul(x, 180 / Math.PI));
  }
}
