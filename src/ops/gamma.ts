/** The logarithm of the gamma function and its derivatives, the polygamma functions. */

import { isFloat, type DType } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp1, type Emitter } from "../graph/op.ts";
import { ShapeError } from "../graph/shape.ts";
import { mul } from "./elementwise.ts";
import { cast, castTo } from "./elementwise-rules.ts";
import { emitMath } from "./emit-math.ts";

/** Bernoulli's numbers B₂, B₄, … */
const BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510];
/** Arguments below are moved above it by the functions' recurrences, where the asymptotic series are exact. */
const SHIFT = 10;

const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));

/** Computes in float64 where the device has it: the series' terms cancel. */
function exactly(
  emit: Emitter,
  x: string,
  dtype: DType,
  formula: (x: string, inner: DType) => string,
): string {
  const inner = emit.target.gpu ? dtype : "float64";
  return castTo(emit, formula(castTo(emit, x, dtype, inner), inner), inner, dtype);
}

/** x's distance from the nearest integer times π, whose sine and tangent are those of πx but for the sign. */
function emitPhase(emit: Emitter, x: string, dtype: DType): string {
  const { add, sub, mul, floor } = emitMath(emit, dtype);
  return mul(sub(x, floor(add(x, 0.5))), Math.PI);
}

/** log Γ(x) for x ≥ ½: Stirling's series of x, or of x + 10 less log(x (x + 1) … (x + 9)). */
function emitLogGammaRight(emit: Emitter, x: string, dtype: DType): string {
  const { add, sub, mul, div, log, less, where, min, polynomial } = emitMath(emit, dtype);
  const small = less(x, emit.scalar(dtype, SHIFT));
  const z = where(small, add(x, SHIFT), x);
  const inverse = div(1, z);
  // Σ B₂ⱼ / (2j (2j − 1) z²ʲ⁻¹)
  const series = polynomial(
    mul(inverse, inverse),
    BERNOULLI.map((b, i) => b / ((2 * i + 2) * (2 * i + 1))),
  );
  const stirling = add(
    sub(mul(sub(z, 0.5), log(z)), z),
    add(mul(series, inverse), 0.5 * Math.log(2 * Math.PI)),
  );
  const low = min(x, SHIFT);
  let product = low;
  for (let k = 1; k < SHIFT; k++) product = mul(product, add(low, k));
  return where(small, sub(stirling, log(product)), stirling);
}

const lgammaOp = defineOp1({
  name: "lgamma",
  elementwise: true,
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  vjp: ({ inputs: [x], grads: [g] }) => [mul(g!, polygamma(0, x!))],
  lower: ({ inputs: [x], types: [type], emit }) =>
    exactly(emit, x!, type!.dtype, (y, dtype) => {
      const { sub, div, abs, sin, log, less, equal, where } = emitMath(emit, dtype);
      const left = less(y, 0.5);
      const right = emitLogGammaRight(emit, where(left, sub(1, y), y), dtype);
      // Γ(x) Γ(1 − x) = π / sin πx
      const reflected = sub(log(div(Math.PI, abs(sin(emitPhase(emit, y, dtype))))), right);
      return where(equal(abs(y), Infinity), Infinity, where(left, reflected, right));
    }),
});

/** log |Γ(x)| */
export const lgamma = (x: Value): Value => lgammaOp([isFloat(x.dtype) ? x : cast(x, "float32")]);

/** ψ⁽ⁿ⁾(x) for x > 0: (−1)ⁿ⁺¹ n! Σₖ (x + k)⁻ⁿ⁻¹, ten terms and Euler–Maclaurin's series of the others. */
function emitPolygammaRight(emit: Emitter, n: number, x: string, dtype: DType): string {
  const { add, sub, mul, div, log, less, where, min, polynomial } = emitMath(emit, dtype);
  const power = (base: string, exponent: number): string =>
    Array.from({ length: exponent - 1 }).reduce<string>((p) => mul(p, base), base);
  const sign = n % 2 === 0 ? -1 : 1;
  const small = less(x, emit.scalar(dtype, SHIFT));
  const low = min(x, SHIFT);
  const z = where(small, add(low, SHIFT), x);
  const inverse = div(1, z);
  const squared = mul(inverse, inverse);
  // ψ(z) ~ log z − 1/2z − Σ B₂ⱼ / (2j z²ʲ), and its derivatives.
  const coefficients = BERNOULLI.map(
    (b, i) => (b * factorial(2 * i + 1 + n)) / factorial(2 * i + 2),
  );
  const tail = mul(polynomial(squared, coefficients), power(inverse, n + 2));
  const half = mul(power(inverse, n + 1), factorial(n) / 2);
  const rest =
    n === 0
      ? sub(log(z), add(half, tail))
      : mul(add(mul(power(inverse, n), factorial(n - 1)), add(half, tail)), sign);
  let sum = power(div(1, low), n + 1);
  for (let k = 1; k < SHIFT; k++) sum = add(sum, power(div(1, add(low, k)), n + 1));
  return where(small, add(rest, mul(sum, sign * factorial(n))), rest);
}

const polygammaOp = defineOp1<{ n: number }>({
  name: "polygamma",
  elementwise: true,
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  vjp: ({ inputs: [x], attrs: { n }, grads: [g] }) => [mul(g!, polygamma(n + 1, x!))],
  lower: ({ inputs: [x], types: [type], attrs: { n }, emit }) =>
    exactly(emit, x!, type!.dtype, (y, dtype) => {
      if (n > 1) return emitPolygammaRight(emit, n, y, dtype);
      const { sub, mul, div, sin, cos, floor, less, equal, where } = emitMath(emit, dtype);
      const left = less(y, 0);
      const right = emitPolygammaRight(emit, n, where(left, sub(1, y), y), dtype);
      const phase = emitPhase(emit, y, dtype);
      const s = sin(phase);
      // ψ(1 − x) − ψ(x) = π cot πx; ψ′(1 − x) + ψ′(x) = (π / sin πx)².
      const cosecant = div(Math.PI, s);
      const reflected =
        n === 0 ? sub(right, mul(cosecant, cos(phase))) : sub(mul(cosecant, cosecant), right);
      const pole = equal(y, floor(y));
      return where(left, where(pole, n === 0 ? NaN : Infinity, reflected), right);
    }),
});

/** The n-th derivative of digamma; for n > 1 of positive numbers. */
export function polygamma(n: number, x: Value): Value {
  if (!Number.isInteger(n) || n < 0)
    throw new ShapeError(`polygamma: the order must be a non-negative integer, got ${n}`);
  return polygammaOp([isFloat(x.dtype) ? x : cast(x, "float32")], { n });
}

/** d/dx log Γ(x) */
export const digamma = (x: Value): Value => polygamma(0, x);
