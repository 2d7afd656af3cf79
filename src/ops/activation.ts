/** Activations with a kernel or a gradient of their own. */

import { isFloat, type DType } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp, defineOp1, type Emitter } from "../graph/op.ts";
import { ShapeError } from "../graph/shape.ts";
import { gt, where } from "./compare.ts";
import { add, exp, mul, sub } from "./elementwise.ts";
import { scalar } from "./leaf.ts";

function needFloat(op: string, x: Value): void {
  if (!isFloat(x.dtype))
    throw new ShapeError(`${op}: needs a floating dtype, got ${x.dtype}; cast it first`);
}

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
  needFloat("gelu", x);
  return geluOp([x])[0]!;
}

const leakyReluOp = defineOp1<{ slope: number }>({
  name: "leakyRelu",
  elementwise: true,
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  vjp: ({ inputs: [x], attrs: { slope }, grads: [g] }) => [
    mul(g!, where(gt(x!, 0), scalar(1, g!.dtype), slope)),
  ],
  lower: ({ inputs: [x], types: [type], attrs: { slope }, emit }) => {
    const { dtype } = type!;
    if (dtype === "float32") return emit.node("LeakyRelu", [x!], { alpha: { float: slope } });
    const scaled = emit.node("Mul", [x!, emit.scalar(dtype, slope)]);
    return emit.node("Where", [emit.node("Greater", [x!, emit.scalar(dtype, 0)]), x!, scaled]);
  },
});

/** x where positive, slope · x elsewhere. */
export function leakyRelu(x: Value, slope: number): Value {
  needFloat("leakyRelu", x);
  return leakyReluOp([x], { slope });
}

const eluOp = defineOp1<{ alpha: number }>({
  name: "elu",
  elementwise: true,
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  // (α(eˣ − 1))′ = αeˣ = y + α
  vjp: ({ inputs: [x], outputs: [y], attrs: { alpha }, grads: [g] }) => [
    mul(g!, where(gt(x!, 0), 1, add(y!, alpha))),
  ],
  lower: ({ inputs: [x], types: [type], attrs: { alpha }, emit }) => {
    const { dtype } = type!;
    if (dtype === "float32") return emit.node("Elu", [x!], { alpha: { float: alpha } });
    const zero = emit.scalar(dtype, 0);
    const bent = emit.node("Sub", [
      emit.node("Exp", [emit.node("Min", [x!, zero])]),
      emit.scalar(dtype, 1),
    ]);
    const scaled = emit.node("Mul", [bent, emit.scalar(dtype, alpha)]);
    return emit.node("Where", [emit.node("Greater", [x!, zero]), x!, scaled]);
  },
});

/** x where positive, α(eˣ − 1) elsewhere (Clevert et al., 2016). */
export function elu(x: Value, alpha: number): Value {
  needFloat("elu", x);
  return eluOp([x], { alpha });
}
