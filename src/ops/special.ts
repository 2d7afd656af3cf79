/** Error functions and their inverse, logarithms and powers beyond the elementary ones. */

import type { DType } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import type { Emitter } from "../graph/op.ts";
import { eq, le, logicalAnd, logicalOr, where } from "./compare.ts";
import { div, exp, log, mul, neg, sigmoid, sin, sub } from "./elementwise.ts";
import { binary, pair, unary, type Operand } from "./elementwise-rules.ts";
import { emitLog1p, emitMath } from "./emit-math.ts";

// ---- error functions -------------------------------------------------------------------------------------------

/** Chebyshev coefficients of log(erfc(z) eᶻ² / t) over u = 2t − 1, where t = 2 / (2 + z) and z ≥ 0. */
const ERFC = [
  -0.6513268598908547, 0.6419697923564902, 0.019476473204185836, -0.009561514786808632,
  -0.0009465953444820369, 0.00036683949785276145, 4.252332480690777e-5, -2.0278578112534242e-5,
  -1.6242900046470254e-6, 1.3036558355805232e-6, 1.5626441722066142e-8, -8.523809591492654e-8,
  6.5290544390988515e-9, 5.059343495551469e-9, -9.91364156493033e-10, -2.273651222931836e-10,
  9.646791102015527e-11, 2.3940380830391146e-12, -6.886027526497553e-12, 8.944879273090725e-13,
  3.130921399342958e-13, -1.1270822361367252e-13, 3.810905255189232e-16, 7.106097613609237e-15,
  -1.5230282014571043e-15, -9.457494571291233e-17, 1.210237189224279e-16, -2.816663087747177e-17,
];

/** erfc(|x|) with full relative accuracy. */
function emitErfcOfSize(emit: Emitter, x: string, dtype: DType): string {
  const { add, sub, mul, div, abs, exp, neg } = emitMath(emit, dtype);
  const z = abs(x);
  const t = div(2, add(z, 2));
  const twice = sub(mul(t, 4), 2);
  // Clenshaw's recurrence.
  const count = dtype === "float64" ? ERFC.length : 12;
  let [b1, b2]: [string | number, string | number] = [ERFC[count - 1]!, 0];
  for (let k = count - 2; k > 0; k--) [b1, b2] = [add(sub(mul(twice, b1), b2), ERFC[k]!), b1];
  const series = add(sub(mul(mul(twice, 0.5), b1), b2), ERFC[0]!);
  return mul(t, exp(add(neg(mul(z, z)), series)));
}

/** erf(x) = 2/√π Σ (−1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1)) for |x| < 1, and ±(1 − erfc |x|) beyond. */
function emitErf64(emit: Emitter, x: string): string {
  const { sub, mul, abs, less, where, polynomial } = emitMath(emit, "float64");
  const coefficients: number[] = [];
  for (let n = 0, factorial = 1; n < 19; factorial *= ++n)
    coefficients.push(((n % 2 === 0 ? 1 : -1) * 2) / Math.sqrt(Math.PI) / factorial / (2 * n + 1));
  const small = mul(x, polynomial(mul(x, x), coefficients));
  const large = mul(emit.node("Sign", [x]), sub(1, emitErfcOfSize(emit, x, "float64")));
  return where(less(abs(x), 1), small, large);
}

const erfSlope = (x: Value): Value => mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI));

export const erf = unary("erf", {
  onnx: ({ inputs: [x], types: [type], emit }) =>
    type!.dtype === "float64" ? emitErf64(emit, x!) : emit.node("Erf", [x!]),
  // d/dx erf = 2/√π · exp(−x²)
  grad: (x, _y, g) => mul(g, erfSlope(x)),
});

/** 1 − erf(x), accurate where it is tiny. */
export const erfc = unary("erfc", {
  onnx: ({ inputs: [x], types: [type], emit }) => {
    const { sub, less, where } = emitMath(emit, type!.dtype);
    const tail = emitErfcOfSize(emit, x!, type!.dtype);
    return where(less(x!, 0), sub(2, tail), tail);
  },
  grad: (x, _y, g) => neg(mul(g, erfSlope(x))),
});

/** Giles (2010), Approximating the erfinv function, table 5: polynomials in w = −log(1 − x²), low orders first. */
const CENTRE = [
  1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.00021858087, -4.39150654e-6,
  -3.5233877e-6, 3.43273939e-7, 2.81022636e-8,
];
const TAILS = [
  2.83297682, 1.00167406, 0.00943887047, -0.0076224613, 0.00573950773, -0.00367342844,
  0.00134934322, 0.000100950558, -0.000200214257,
];

export const erfinv = unary("erfinv", {
  onnx: ({ inputs: [x], types: [type], emit }) => {
    const { dtype } = type!;
    const { add, sub, mul, div, abs, log, neg, sqrt, exp, less, equal, where, polynomial } =
      emitMath(emit, dtype);
    const w = neg(log(mul(sub(1, x!), add(x!, 1))));
    const centre = polynomial(sub(w, 2.5), CENTRE);
    const tails = polynomial(sub(sqrt(w), 3), TAILS);
    let y = mul(x!, where(less(w, 5), centre, tails));
    // float64: Newton's steps on erfc(|y|) = 1 − |x|, whose tail does not cancel.
    if (dtype === "float64")
      for (let step = 0; step < 2; step++) {
        const z = abs(y);
        const excess = sub(emitErfcOfSize(emit, z, dtype), sub(1, abs(x!)));
        const slope = mul(exp(neg(mul(z, z))), 2 / Math.sqrt(Math.PI));
        y = mul(emit.node("Sign", [x!]), add(z, div(excess, slope)));
      }
    const ends = mul(x!, Infinity);
    return where(equal(abs(x!), 1), ends, y);
  },
  // √π/2 · exp(y²)
  grad: (_x, y, g) => mul(g, mul(exp(mul(y, y)), Math.sqrt(Math.PI) / 2)),
});

// ---- logarithms and powers -------------------------------------------------------------------------------------

/** 2ˣ */
export const exp2 = unary("exp2", {
  onnx: ({ inputs: [x], types: [type], emit }) =>
    emit.node("Pow", [emit.scalar(type!.dtype, 2), x!]),
  grad: (_x, y, g) => mul(g, mul(y, Math.LN2)),
});

const logarithm = (name: string, base: number): ((x: Value) => Value) =>
  unary(name, {
    onnx: ({ inputs: [x], types: [type], emit }) => {
      const { div, log } = emitMath(emit, type!.dtype);
      return div(log(x!), Math.log(base));
    },
    grad: (x, _y, g) => div(g, mul(x, Math.log(base))),
  });
export const log2 = logarithm("log2", 2);
export const log10 = logarithm("log10", 10);

/** log(eᵃ + eᵇ) */
export const logaddexp = binary("logaddexp", {
  operands: "float",
  onnx: ({ inputs: [a, b], types: [type], emit }) => {
    const { add, sub, abs, neg, exp, max, equal, where } = emitMath(emit, type!.dtype);
    // Equal operands, infinities too, have distance 0.
    const distance = where(equal(a!, b!), 0, abs(sub(a!, b!)));
    return add(max(a!, b!), emitLog1p(emit, exp(neg(distance)), type!.dtype));
  },
  grad: (a, b, _y, g, needs) => [
    needs[0] ? mul(g, sigmoid(sub(a, b))) : null,
    needs[1] ? mul(g, sigmoid(sub(b, a))) : null,
  ],
});

/** log₂(2ᵃ + 2ᵇ) */
export const logaddexp2 = (a: Operand, b: Operand): Value => {
  const [x, y] = pair("logaddexp2", a, b);
  return mul(logaddexp(mul(x, Math.LN2), mul(y, Math.LN2)), Math.LOG2E);
};

/** a log b, 0 where a is 0 unless b is NaN; the slope in a is log b there too, but 0 where that is none. */
export function xlogy(a: Operand, b: Operand): Value {
  const [x, y] = pair("xlogy", a, b);
  const zero = logicalAnd(eq(x, 0), logicalOr(le(y, 0), eq(y, Infinity)));
  return where(zero, 0, mul(x, log(where(zero, 1, y))));
}

/** log(x / (1 − x)); with `eps`, of x limited to [eps, 1 − eps]. */
export const logit = (x: Value): Value => log(div(x, sub(1, x)));

/** sin(πx) / (πx), 1 at 0. */
export function sinc(x: Value): Value {
  const zero = eq(x, 0);
  const angle = mul(where(zero, 1, x), Math.PI);
  return where(zero, 1, div(sin(angle), angle));
}
