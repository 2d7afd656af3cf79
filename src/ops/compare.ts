/** Comparisons, logic and selection, element by element, with broadcasting. */

import type { Value } from "../graph/node.ts";
import { defineOp1 } from "../graph/op.ts";
import { isFloat } from "../graph/dtype.ts";
import { broadcast, ShapeError } from "../graph/shape.ts";
import { binary, castTo, direct, pair, unary, via, type Operand } from "./elementwise-rules.ts";
import { full } from "./leaf.ts";
import { sumTo } from "./sum.ts";

export const isNaN = unary("isNaN", {
  onnx: ({ inputs: [x], emit }) =>
    emit.target.gpu ? emit.node("Not", [emit.node("Equal", [x!, x!])]) : emit.node("IsNaN", [x!]),
  grad: null,
  integers: "bool",
  lacks: ["bool", "int32", "int64", "uint32"],
});
export const isInf = unary("isInf", {
  onnx: ({ inputs: [x], types: [type], emit }) =>
    emit.target.gpu
      ? emit.node("Equal", [emit.node("Abs", [x!]), emit.scalar(type!.dtype, Infinity)])
      : emit.node("IsInf", [x!]),
  grad: null,
  integers: "bool",
  lacks: ["bool", "int32", "int64", "uint32", "float16"],
});
export const isFinite = unary("isfinite", {
  // NaN is less than nothing.
  onnx: ({ inputs: [x], types: [type], emit }) =>
    emit.node("Less", [emit.node("Abs", [x!]), emit.scalar(type!.dtype, Infinity)]),
  grad: null,
  integers: "bool",
  lacks: ["bool", "int32", "int64", "uint32"],
});
export const logicalNot = unary("logicalNot", {
  onnx: ({ inputs: [x], types: [type], emit }) =>
    emit.node("Not", [castTo(emit, x!, type!.dtype, "bool")]),
  grad: null,
  integers: "bool",
});

// ONNX Runtime compares no uint32 on a CPU and orders no bool; both fit int64 and int32.
const compared = (name: string, opType: string): ((a: Operand, b: Operand) => Value) =>
  binary(name, {
    onnx: (context) => {
      const { dtype } = context.types[0]!;
      const wide = dtype === "uint32" && !context.emit.target.gpu;
      const as = wide ? "int64" : dtype === "bool" ? "int32" : dtype;
      return via(as, [dtype], direct(opType))(context);
    },
    grad: null,
    result: "bool",
  });
export const eq = compared("eq", "Equal");
export const lt = compared("lt", "Less");
export const le = compared("le", "LessOrEqual");
export const gt = compared("gt", "Greater");
export const ge = compared("ge", "GreaterOrEqual");
export const ne = (a: Operand, b: Operand): Value => logicalNot(eq(a, b));

export const logicalAnd = binary("logicalAnd", {
  onnx: "And",
  grad: null,
  result: "bool",
  operands: "bool",
});
export const logicalOr = binary("logicalOr", {
  // WebGPU has no Or: not (not a and not b).
  onnx: ({ inputs: [a, b], emit }) =>
    emit.target.gpu
      ? emit.node("Not", [emit.node("And", [emit.node("Not", [a!]), emit.node("Not", [b!])])])
      : emit.node("Or", [a!, b!]),
  grad: null,
  result: "bool",
  operands: "bool",
});
export const logicalXor = (a: Operand, b: Operand): Value =>
  logicalAnd(logicalOr(a, b), logicalNot(logicalAnd(a, b)));

/** Whether elements are the infinity given; integers never are. */
export const isInfinity = (x: Value, which: number): Value =>
  isFloat(x.dtype) ? eq(x, which) : full(x.shape, 0, "bool");

// ---- selection -------------------------------------------------------------------------------------------------

const whereOp = defineOp1({
  name: "where",
  elementwise: true,
  infer: ([c, a, b]) => {
    if (c!.dtype !== "bool")
      throw new ShapeError(`where: the condition must be bool, got ${c!.dtype}`);
    const shape = broadcast("where", c!.shape, broadcast("where", a!.shape, b!.shape));
    return { dtype: a!.dtype, shape };
  },
  vjp: ({ inputs: [c, a, b], grads: [g], needs }) => [
    null,
    needs[1] ? sumTo(where(c!, g!, 0), a!.shape) : null,
    needs[2] ? sumTo(where(c!, 0, g!), b!.shape) : null,
  ],
  lower: ({ inputs: [c, a, b], types, emit }) => {
    const { dtype } = types[1]!;
    // Where has no bool, and on a CPU no uint32: through int32 and int64.
    if (emit.target.gpu && dtype !== "bool") return emit.node("Where", [c!, a!, b!]);
    const as = dtype === "bool" ? "int32" : dtype === "uint32" ? "int64" : dtype;
    const chosen = emit.node("Where", [
      c!,
      castTo(emit, a!, dtype, as),
      castTo(emit, b!, dtype, as),
    ]);
    return castTo(emit, chosen, as, dtype);
  },
});

/** `a` where the condition holds, `b` elsewhere; all three broadcast. */
export function where(condition: Value, a: Operand, b: Operand): Value {
  if (typeof a === "number" && typeof b === "number") {
    const dtype = Number.isInteger(a) && Number.isInteger(b) ? "int64" : "float32";
    return whereOp([condition, full([], a, dtype), full([], b, dtype)]);
  }
  return whereOp([condition, ...pair("where", a, b)]);
}

interface ClampAttrs {
  /** Infinite where there is no bound. */
  readonly min: number;
  readonly max: number;
}

const clampOp = defineOp1<ClampAttrs>({
  name: "clamp",
  elementwise: true,
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  // At a bound the gradient is 0, as in PyTorch 2.15.
  vjp: ({ inputs: [x], attrs: { min, max }, grads: [g] }) => {
    const bounds = [
      ...(min === -Infinity ? [] : [gt(x!, min)]),
      ...(max === Infinity ? [] : [lt(x!, max)]),
    ];
    return [bounds.length === 0 ? g! : where(bounds.reduce(logicalAnd), g!, 0)];
  },
  lower: ({ inputs: [x], types: [type], attrs: { min, max }, emit }) =>
    emit.node("Clip", [x!, emit.scalar(type!.dtype, min), emit.scalar(type!.dtype, max)]),
  key: ({ min, max }) => `${min},${max}`,
});

/** Limits to `[min, max]`; either side may be left open, and the upper one wins where they cross. */
export function clamp(x: Value, min?: Operand | null, max?: Operand | null): Value {
  const [low, high] = [min ?? null, max ?? null];
  if (low === null && high === null)
    throw new ShapeError("clamp: needs a least or a largest value, got neither");
  const [least, most] = [low ?? -Infinity, high ?? Infinity];
  if (typeof least === "number" && typeof most === "number" && least <= most && isFloat(x.dtype))
    return clampOp([x], { min: least, max: most });
  let y = x;
  if (low !== null) y = where(le(y, low), low, y);
  if (high !== null) y = where(ge(y, high), high, y);
  return y;
}
