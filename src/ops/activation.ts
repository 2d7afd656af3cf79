/** Activations with a kernel or a gradient of their own. */

import { isFloat } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp1 } from "../graph/op.ts";
import { ShapeError } from "../graph/shape.ts";
import { add, erf, exp, mul, neg } from "./elementwise.ts";

const geluOp = defineOp1({
  name: "gelu",
  elementwise: true,
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  // With h = x/√2: d/dx xΦ(x) = Φ(x) + xφ(x) = ½ (1 + erf h) + (h/√π) exp(−h²)
  vjp: ({ inputs: [x], grads: [g] }) => {
    const h = mul(x!, Math.SQRT1_2);
    const cdf = add(mul(erf(h), 0.5), 0.5);
    const density = mul(mul(h, exp(neg(mul(h, h)))), 1 / Math.sqrt(Math.PI));
    return [mul(g!, add(cdf, density))];
  },
  lower: ({ inputs: [x], types: [type], emit }) => {
    const { dtype } = type!;
    if (emit.target.contrib && dtype === "float32")
      return emit.node("Gelu", [x!], {}, "com.microsoft");
    // Erf exists in float32 only.
    const h = emit.node("Mul", [x!, emit.scalar(dtype, Math.SQRT1_2)]);
    const narrow = dtype === "float32" ? h : emit.node("Cast", [h], { to: { int: 1 } });
    const e = emit.node("Erf", [narrow]);
    const wide = dtype === "float32" ? e : emit.node("CastLike", [e, x!]);
    const cdf = emit.node("Mul", [
      emit.node("Add", [wide, emit.scalar(dtype, 1)]),
      emit.scalar(dtype, 0.5),
    ]);
    return emit.node("Mul", [x!, cdf]);
  },
});

/** xΦ(x), with the exact normal distribution function: torch's gelu (Hendrycks and Gimpel, 2016). */
export function gelu(x: Value): Value {
  if (!isFloat(x.dtype))
    throw new ShapeError(`gelu: needs a floating dtype, got ${x.dtype}; cast it first`);
  return geluOp([x]);
}
