/** Trigonometric and hyperbolic functions and their inverses, which ONNX Runtime mostly has in float32 only. */

import type { DType } from "../graph/dtype.ts";
import type { Emitter } from "../graph/op.ts";
import { emitExpm1, emitLog1p, emitMath, inFloat32 } from "./emit-math.ts";
import { add, div, mul, neg, sqrt, sub } from "./elementwise.ts";
import { unary, type Lowering } from "./elementwise-rules.ts";

type Formula = (emit: Emitter, x: string, dtype: DType) => string;

/** ONNX's operator where it has a kernel, a formula in float64. */
const orFormula =
  (opType: string, formula: Formula): Lowering =>
  ({ inputs: [x], types: [type], emit }) =>
    type!.dtype === "float64"
      ? formula(emit, x!, "float64")
      : inFloat32(emit, x!, type!.dtype, (y) => emit.node(opType, [y]));

/** The float32 result y₀ made exact: tan(atan x − y₀) = (x cos y₀ − sin y₀) / (cos y₀ + x sin y₀), which is tiny. */
const atan64: Formula = (emit, x, dtype) => {
  const { add, sub, mul, div, abs, max, sin, cos, less, where } = emitMath(emit, dtype);
  const start = inFloat32(emit, x, dtype, (y) => emit.node("Atan", [y]));
  // Both sides divided by max(1, |x|), so that infinities are no matter.
  const scale = div(1, max(abs(x), 1));
  const scaled = where(less(abs(x), 1), x, emit.node("Sign", [x]));
  const [s, c] = [sin(start), cos(start)];
  return add(start, div(sub(mul(scaled, c), mul(scale, s)), add(mul(scale, c), mul(scaled, s))));
};

/** atan of a value of any floating dtype. */
export const emitAtan: Formula = (emit, x, dtype) =>
  dtype === "float64"
    ? atan64(emit, x, dtype)
    : inFloat32(emit, x, dtype, (y) => emit.node("Atan", [y]));

export const tan = unary("tan", {
  onnx: orFormula("Tan", (emit, x, dtype) => {
    const { div, sin, cos } = emitMath(emit, dtype);
    return div(sin(x), cos(x));
  }),
  grad: (_x, y, g) => mul(g, add(mul(y, y), 1)),
});
export const asin = unary("asin", {
  onnx: orFormula("Asin", (emit, x, dtype) => {
    const { add, sub, mul, div, sqrt } = emitMath(emit, dtype);
    return atan64(emit, div(x, sqrt(mul(sub(1, x), add(1, x)))), dtype);
  }),
  grad: (x, _y, g) => div(g, sqrt(sub(1, mul(x, x)))),
});
export const acos = unary("acos", {
  onnx: orFormula("Acos", (emit, x, dtype) => {
    const { add, sub, mul, div, sqrt } = emitMath(emit, dtype);
    return mul(atan64(emit, sqrt(div(sub(1, x), add(1, x))), dtype), 2);
  }),
  grad: (x, _y, g) => neg(div(g, sqrt(sub(1, mul(x, x))))),
});
export const atan = unary("atan", {
  onnx: orFormula("Atan", atan64),
  grad: (x, _y, g) => div(g, add(mul(x, x), 1)),
});
export const sinh = unary("sinh", {
  onnx: orFormula("Sinh", (emit, x, dtype) => {
    const { add, sub, mul, div, abs, neg, exp, less, where } = emitMath(emit, dtype);
    const e = emitExpm1(emit, x, dtype);
    const small = mul(add(e, div(e, add(e, 1))), 0.5);
    return where(less(abs(x), 1), small, mul(sub(exp(x), exp(neg(x))), 0.5));
  }),
  grad: (x, _y, g) => mul(g, cosh(x)),
});
export const cosh = unary("cosh", {
  onnx: orFormula("Cosh", (emit, x, dtype) => {
    const { add, mul, neg, exp } = emitMath(emit, dtype);
    return mul(add(exp(x), exp(neg(x))), 0.5);
  }),
  grad: (x, _y, g) => mul(g, sinh(x)),
});
export const asinh = unary("asinh", {
  // sign(x) log1p(a + a² / (1 + √(1 + a²))) with a = |x|; log a + log 2 where a² would overflow.
  onnx: orFormula("Asinh", (emit, x, dtype) => {
    const { add, mul, div, abs, sqrt, log, less, where } = emitMath(emit, dtype);
    const a = abs(x);
    const square = mul(a, a);
    const small = emitLog1p(emit, add(a, div(square, add(sqrt(add(square, 1)), 1))), dtype);
    const large = add(log(a), Math.LN2);
    return mul(emit.node("Sign", [x]), where(less(a, 1e9), small, large));
  }),
  grad: (x, _y, g) => div(g, sqrt(add(mul(x, x), 1))),
});
export const acosh = unary("acosh", {
  // log1p(t + √(2t + t²)) with t = x − 1
  onnx: orFormula("Acosh", (emit, x, dtype) => {
    const { add, sub, mul, sqrt, log, less, where } = emitMath(emit, dtype);
    const t = sub(x, 1);
    const small = emitLog1p(emit, add(t, sqrt(mul(t, add(t, 2)))), dtype);
    return where(less(x, 1e9), small, add(log(x), Math.LN2));
  }),
  grad: (x, _y, g) => div(g, sqrt(sub(mul(x, x), 1))),
});
export const atanh = unary("atanh", {
  onnx: orFormula("Atanh", (emit, x, dtype) => {
    const { sub, mul, div } = emitMath(emit, dtype);
    return mul(emitLog1p(emit, div(mul(x, 2), sub(1, x)), dtype), 0.5);
  }),
  grad: (x, _y, g) => div(g, sub(1, mul(x, x))),
});
export { cos, sin } from "./elementwise.ts";
