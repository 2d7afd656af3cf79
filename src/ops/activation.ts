/** Activations with a kernel or a gradient of their own. */

import { isFloat, type DType } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp, type Emitter } from "../graph/op.ts";
import { ShapeError } from "../graph/shape.ts";
import { add, exp, mul, sub } from "./elementwise.ts";

/** Erf exists in float32 only. */
function erfOf(emit: Emitter, x: string, dtype: DType): string {
  if (dtype === "float32") return emit.node("Erf", [x]);
  return emit.node("CastLike", [emit.node("Erf", [emit.node("Cast", [x], { to: { int: 1 } })]), x]);
}

/** ½ + ½ x for x in [−1, 1]. */
function halfPlusHalf(emit: Emitter, x: string, dtype: DType): string {
  // One pass over memory instead of two, which exists in float32 only.
  if (dtype === "float32")
    return emit.node("HardSigmoid", [x], { alpha: { float: 0.5 }, beta: { float: 0.5 } });
  const half = emit.scalar(dtype, 0.5);
  return emit.node("Add", [emit.node("Mul", [x, half]), half]);
}

/** x → xΦ(x), and for its gradient h = x/√2 and Φ(x). */
const geluOp = defineOp({
  name: "gelu",
  infer: ([x]) => {
    const type = { dtype: x!.dtype, shape: x!.shape };
    return [type, type, type];
  },
  // xΦ(x)′ = Φ(x) + xφ(x) = Φ(x) + h exp(−h² − ½ log π), Φ′(x) = φ(x) = exp(−h² − ½ log 2π), h′ = 1/√2
  vjp: ({ outputs: [, h, cdf], grads: [g, gH, gCdf] }) => {
    const bell = (logScale: number): Value => exp(sub(logScale, mul(h!, h!)));
    const parts: Value[] = [];
    if (g) parts.push(mul(g, add(cdf!, mul(h!, bell(-0.5 * Math.log(Math.PI))))));
    if (gH) parts.push(mul(gH, Math.SQRT1_2));
    if (gCdf) parts.push(mul(gCdf, bell(-0.5 * Math.log(2 * Math.PI))));
    return [parts.reduce(add)];
  },
  lower: ({ inputs: [x], types: [type], emit }) => {
    const { dtype } = type!;
    const h = emit.node("Mul", [x!, emit.scalar(dtype, Math.SQRT1_2)]);
    const cdf = halfPlusHalf(emit, erfOf(emit, h, dtype), dtype);
    return [emit.node("Mul", [x!, cdf]), h, cdf];
  },
});

/** xΦ(x), with the exact normal distribution function: torch's gelu (Hendrycks and Gimpel, 2016). */
export function gelu(x: Value): Value {
  if (!isFloat(x.dtype))
    throw new ShapeError(`gelu: needs a floating dtype, got ${x.dtype}; cast it first`);
  return geluOp([x])[0]!;
}
