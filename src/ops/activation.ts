/** Activations with a kernel or a gradient of their own. */

import { isFloat, type DType } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp1, type Emitter } from "../graph/op.ts";
import { ShapeError } from "../graph/shape.ts";
import { exp, mul, sub } from "./elementwise.ts";

/** Erf exists in float32 only. */
function erfOf(emit: Emitter, x: string, dtype: DType): string {
  if (dtype === "float32") return emit.node("Erf", [x]);
  return emit.node("CastLike", [emit.node("Erf", [emit.node("Cast", [x], { to: { int: 1 } })]), x]);
}

const geluOp = defineOp1({
  name: "gelu",
  elementwise: true,
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  vjp: ({ inputs: [x], grads: [g] }) => [mul(g!, geluPrimeOp([x!]))],
  lower: ({ inputs: [x], types: [type], emit }) => {
    const { dtype } = type!;
    if (emit.target.contrib && dtype === "float32")
      return emit.node("Gelu", [x!], {}, "com.microsoft");
    const h = emit.node("Mul", [x!, emit.scalar(dtype, Math.SQRT1_2)]);
    const wide = erfOf(emit, h, dtype);
    const cdf = emit.node("Mul", [
      emit.node("Add", [wide, emit.scalar(dtype, 1)]),
      emit.scalar(dtype, 0.5),
    ]);
    return emit.node("Mul", [x!, cdf]);
  },
});

/** d/dx xΦ(x) = Φ(x) + xφ(x). */
const geluPrimeOp = defineOp1({
  name: "geluPrime",
  elementwise: true,
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  // d/dx = (2 − x²) φ(x) with φ(x) = exp(−x²/2) / √2π
  vjp: ({ inputs: [x], grads: [g] }) => {
    const square = mul(x!, x!);
    const density = mul(exp(mul(square, -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return [mul(g!, mul(sub(2, square), density))];
  },
  // With h = x/√2: ½ + ½ erf h + h exp(−h² − ½ log π), in as few passes over memory as there are operators for.
  lower: ({ inputs: [x], types: [type], emit }) => {
    const { dtype } = type!;
    const h = emit.node("Mul", [x!, emit.scalar(dtype, Math.SQRT1_2)]);
    const exponent = emit.node("Sub", [
      emit.scalar(dtype, -0.5 * Math.log(Math.PI)),
      emit.node("Mul", [h, h]),
    ]);
    const density = emit.node("Mul", [h, emit.node("Exp", [exponent])]);
    const e = erfOf(emit, h, dtype);
    const half = { alpha: { float: 0.5 }, beta: { float: 0.5 } };
    return emit.node("Add", [emit.node("HardSigmoid", [e], half), density]);
  },
});

/** xΦ(x), with the exact normal distribution function: torch's gelu (Hendrycks and Gimpel, 2016). */
export function gelu(x: Value): Value {
  if (!isFloat(x.dtype))
    throw new ShapeError(`gelu: needs a floating dtype, got ${x.dtype}; cast it first`);
  return geluOp([x]);
}
