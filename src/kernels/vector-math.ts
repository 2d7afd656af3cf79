/**
 * Exponentials, logarithms and their like as steps of a formula, eight floats at a time.
 *
 * Arguments are reduced to a short interval, where a polynomial is as near as floats can tell; its coefficients
 * minimise the largest error relative to the result. NaN passes by the order of operands: `min` and `max`
 * return the second where one is NaN, comparisons are false. Errors are in ulp, units in the last place of the result.
 */

import { bitsOf, SIGN, type Formula, type Term } from "./formula.ts";

/**
 * A number as the sum of two floats: with whole n and a fused step, x − n·high is exact where it is small. Neither is
 * negative, so that the rest of −0 is −0.
 */
function split(x: number): readonly [high: number, low: number] {
  const high = Math.fround(x * (1 - 2 ** -24));
  return [high, x - high];
}

const ln2 = split(Math.LN2);

/** Added to a small number, leaves the nearest whole number in the sum's lowest bits. */
const toWhole = 1.5 * 2 ** 23;

/** `x` between two bounds; NaN stays. */
function clamp(f: Formula, x: Term, low: number, high: number): Term {
  return f.min(f.constant(high), f.max(f.constant(low), x));
}

/** x − n·(high + low). */
function lessMultiple(f: Formula, x: Term, n: Term, [high, low]: readonly [number, number]): Term {
  return f.fnma(n, f.constant(low), f.fnma(n, f.constant(high), x));
}

/** 2ⁿ·scale, the scale 1 or ½, and r of x = n·ln 2 + r with |r| ≤ ½ ln 2; x keeps 2ⁿ·scale from 0 to 2¹²⁷. */
function powerOfTwo(
  f: Formula,
  x: Term,
  scale: 1 | 0.5,
): { readonly power: Term; readonly r: Term } {
  // The lowest bits of the sum are those of a float's exponent.
  const offset = f.constant(toWhole + (scale === 1 ? 127 : 126));
  const sum = f.fma(x, f.constant(Math.LOG2E), offset);
  const r = lessMultiple(f, x, f.sub(sum, offset), ln2);
  return { power: f.shift("vpslld", sum, 23), r };
}

/** eˣ within 1 ulp; 0 where it is below 2^−125.5, never subnormal. */
export function exp(f: Formula, x: Term): Term {
  // Half of 2ⁿ and the double of eʳ: 2ⁿ itself would be infinite before eˣ is.
  const { power, r } = powerOfTwo(f, clamp(f, x, -87.5, 89), 0.5);
  const doubled = [2, 2, 0.9999999, 0.33333045, 0.08333654, 0.01673737, 0.0027640834];
  return f.mul(f.polynomial(r, doubled), power);
}

/** eʳ − 1 for |r| ≤ ½ ln 2, by r and r². */
function expm1Near0(f: Formula, r: Term, square: Term): Term {
  const rest = f.polynomial(r, [0.5, 0.16666548, 0.041666847, 0.0083661275, 0.0013898922]);
  return f.fma(square, rest, r);
}

/** log x within 1 ulp. */
export function log(f: Formula, x: Term): Term {
  const small = f.compare("less", x, f.constant(2 ** -126));
  const normal = f.choose(small, f.mul(x, f.constant(2 ** 32)), x);
  const { n, m } = mantissa(f, normal);
  const exponent = f.add(n, f.and(small, f.constant(-32)));
  return logarithmLimits(f, x, logarithm(f, exponent, f.sub(m, f.constant(1))));
}

/** x = 2ⁿ·m with m from ⅔ to 4⁄3, for normal x. */
function mantissa(f: Formula, x: Term): { readonly n: Term; readonly m: Term } {
  const whole = f.shift("vpsrad", f.three("vpsubd", x, f.bits(bitsOf(2 / 3))), 23);
  const exponent = f.shift("vpslld", whole, 23);
  return { n: f.two("vcvtdq2ps", whole), m: f.three("vpsubd", x, exponent) };
}

/** n·ln 2 + log(1 + r) for |r| ≤ ⅓. */
function logarithm(f: Formula, n: Term, r: Term): Term {
  const rest = f.polynomial(
    r,
    [
      -0.5, 0.33333215, -0.24999812, 0.20010442, -0.16679844, 0.14005414, -0.12192997, 0.13986284,
      -0.12854344,
    ],
  );
  const low = f.fma(f.mul(r, r), rest, f.mul(n, f.constant(ln2[1])));
  return f.fma(n, f.constant(ln2[0]), f.add(r, low));
}

/** `inside` where 0 < x < ∞; log ∞ = ∞, log 0 = −∞, of negative numbers NaN. */
function logarithmLimits(f: Formula, x: Term, inside: Term): Term {
  const zero = f.constant(0);
  const finite = f.choose(f.compare("less", x, f.constant(Infinity)), inside, x);
  const result = f.choose(f.compare("equal", x, zero), f.constant(-Infinity), finite);
  return f.or(result, f.compare("less", x, zero));
}

/** 1 / (1 + e⁻ˣ) within 3 ulp; 0 for x below −88.7, where e⁻ˣ is infinite. */
export function sigmoid(f: Formula, x: Term): Term {
  const one = f.constant(1);
  return f.div(one, f.add(one, exp(f, f.xor(x, f.bits(SIGN)))));
}

/** tanh x = e / (e + 2) with e = e²ˣ − 1, within 3 ulp. */
export function tanh(f: Formula, x: Term): Term {
  const size = f.min(f.constant(9.02), absolute(f, x));
  const { power, r } = powerOfTwo(f, f.add(size, size), 1);
  const inside = expm1Near0(f, r, f.mul(r, r));
  const e = f.fma(power, inside, f.sub(power, f.constant(1)));
  return withSign(f, f.div(e, f.add(e, f.constant(2))), x);
}

/** The error function as 1 − eʰ, h = log erfc |x| by a polynomial; within 4 ulp. */
export function erf(f: Formula, x: Term): Term {
  const size = f.min(f.constant(4), absolute(f, x));
  const ratio = f.polynomial(
    size,
    [
      -1.1283792, -0.63661563, -0.10282137, 0.019343121, -2.3678112e-4, -0.0012289882, 3.7290144e-4,
      -3.9600931e-5,
    ],
  );
  const { power, r } = powerOfTwo(f, f.mul(size, ratio), 1);
  const inside = expm1Near0(f, r, f.mul(r, r));
  return withSign(f, f.fnma(power, inside, f.sub(f.constant(1), power)), x);
}

const absolute = (f: Formula, x: Term): Term => f.andNot(f.bits(SIGN), x);

/** `size`, which is not negative, with the sign of `x`. */
const withSign = (f: Formula, size: Term, x: Term): Term => f.or(size, f.and(x, f.bits(SIGN)));
