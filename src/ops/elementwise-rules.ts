/** What elementwise operations are made of: operands that may be numbers, conversions, and rules for one and two operands. */

import { checkNumber, dtypes, isFloat, promote, type DType } from "../graph/dtype.ts";
import type { TypeSpec, Value } from "../graph/node.ts";
import { defineOp1, type Emitter, type LowerContext } from "../graph/op.ts";
import { broadcast, ShapeError } from "../graph/shape.ts";
import { scalar } from "./leaf.ts";
import { sumTo } from "./sum.ts";

/** What operations take where a number is as good as a tensor. */
export type Operand = Value | number;

/** A number becomes a constant of the other side's dtype; a fraction beside integers makes the result float32. */
export function pair(op: string, a: Operand, b: Operand): readonly [Value, Value] {
  if (typeof a === "number") {
    if (typeof b === "number") throw new ShapeError(`${op}: at least one operand must be a tensor`);
    return lift(op, a, b, true);
  }
  if (typeof b === "number") return lift(op, b, a, false);
  if (a.dtype === b.dtype) return [a, b];
  const dtype = promoteOperands(a, b);
  return [cast(a, dtype), cast(b, dtype)];
}

/** PyTorch's rule: a 0-d tensor does not widen a tensor with dimensions of the same kind. */
function promoteOperands(a: TypeSpec, b: TypeSpec): DType {
  if (isFloat(a.dtype) === isFloat(b.dtype)) {
    if (a.shape.length > 0 && b.shape.length === 0 && b.dtype !== "bool" && a.dtype !== "bool")
      return a.dtype;
    if (b.shape.length > 0 && a.shape.length === 0 && b.dtype !== "bool" && a.dtype !== "bool")
      return b.dtype;
  }
  return promote(a.dtype, b.dtype);
}

function lift(op: string, number: number, x: Value, first: boolean): readonly [Value, Value] {
  const whole = Number.isInteger(number);
  const dtype = isFloat(x.dtype)
    ? x.dtype
    : !whole
      ? "float32"
      : x.dtype === "bool"
        ? "int64"
        : x.dtype;
  checkNumber(op, number, dtype);
  const constant = scalar(number, dtype);
  const value = cast(x, dtype);
  return first ? [constant, value] : [value, constant];
}

const castOp = defineOp1<{ to: DType }>({
  name: "cast",
  elementwise: true,
  infer: ([x], { to }) => ({ dtype: to, shape: x!.shape }),
  vjp: ({ inputs: [x], grads: [g] }) => [isFloat(x!.dtype) ? cast(g!, x!.dtype) : null],
  lower: ({ inputs: [x], types: [type], attrs, emit }) => castTo(emit, x!, type!.dtype, attrs.to),
});

export function castTo(emit: Emitter, x: string, from: DType, to: DType): string {
  return from === to ? x : emit.node("Cast", [x], { to: { int: dtypes[to].onnx } });
}

/** Converts to another dtype; floats to integers round towards zero, anything but 0 is true. */
export const cast = (x: Value, dtype: DType): Value =>
  x.dtype === dtype ? x : castOp([x], { to: dtype });

export type Lowering = (context: LowerContext<object>) => string;

/** Runs a lowering in another dtype where ONNX Runtime has no kernel for the inputs' own, and casts back. */
export function via(dtype: DType, from: readonly DType[], lower: Lowering): Lowering {
  return (context) => {
    const own = context.types[0]!.dtype;
    if (!from.includes(own)) return lower(context);
    const { emit } = context;
    const inputs = context.inputs.map((name, i) =>
      castTo(emit, name, context.types[i]!.dtype, dtype),
    );
    const types = context.types.map(({ shape }) => ({ shape, dtype }));
    const out = context.outputTypes[0]!;
    const inner = out.dtype === own ? dtype : out.dtype;
    const result = lower({
      ...context,
      inputs,
      types,
      outputTypes: [{ shape: out.shape, dtype: inner }],
    });
    return castTo(emit, result, inner, out.dtype);
  };
}

export const direct =
  (opType: string): Lowering =>
  ({ inputs, emit }) =>
    emit.node(opType, inputs);

/** Arithmetic that bool does not have; thrown where it is recorded, not when it would run. */
function refuseBool(op: string, x: TypeSpec): void {
  if (x.dtype === "bool") throw new ShapeError(`${op}: bool has no ${op}, cast to int32 first`);
}

interface UnaryRule {
  /** ONNX operator, or a lowering of one's own. */
  readonly onnx: string | Lowering;
  /** Gradient from input, output and gradient of the output; null where it is zero everywhere. */
  readonly grad: ((x: Value, y: Value, g: Value) => Value) | null;
  /** Integers are converted to float32 first (the default), kept (bool is refused), or give bool. */
  readonly integers?: "promote" | "keep" | "bool";
  /** Dtypes for which ONNX Runtime lacks the kernel; computed in float32 (bool: int32) instead. */
  readonly lacks?: readonly DType[];
  readonly as?: DType;
}

export function unary(name: string, rule: UnaryRule): (x: Value) => Value {
  const { grad, integers = "promote" } = rule;
  const lowering = typeof rule.onnx === "string" ? direct(rule.onnx) : rule.onnx;
  const op = defineOp1({
    name,
    elementwise: true,
    infer: ([x]) => {
      if (integers === "keep") refuseBool(name, x!);
      return { dtype: integers === "bool" ? "bool" : x!.dtype, shape: x!.shape };
    },
    vjp:
      grad === null
        ? null
        : ({ inputs, outputs, grads }) => [grad(inputs[0]!, outputs[0]!, grads[0]!)],
    lower: rule.lacks === undefined ? lowering : via(rule.as ?? "float32", rule.lacks, lowering),
  });
  return (x) => op([integers === "promote" && !isFloat(x.dtype) ? cast(x, "float32") : x]);
}

interface BinaryRule {
  readonly onnx: string | Lowering;
  /** Gradients of both operands before broadcasting is undone. */
  readonly grad:
    | ((a: Value, b: Value, y: Value, g: Value, needs: readonly boolean[]) => (Value | null)[])
    | null;
  readonly result?: "bool";
  /** Operands are made bool, or float when they are not, before the operation; "arithmetic" refuses bool. */
  readonly operands?: "bool" | "float" | "arithmetic";
  readonly lacks?: readonly DType[];
  readonly as?: DType;
}

export function binary(name: string, rule: BinaryRule): (a: Operand, b: Operand) => Value {
  const { grad, result, operands } = rule;
  const lowering = typeof rule.onnx === "string" ? direct(rule.onnx) : rule.onnx;
  const op = defineOp1({
    name,
    elementwise: true,
    infer: ([a, b]) => {
      if (operands === "arithmetic") refuseBool(name, a!);
      const shape = broadcast(name, a!.shape, b!.shape);
      // Mostly the type is that of an operand, and no object need be made.
      return result === undefined && shape === a!.shape ? a! : { dtype: result ?? a!.dtype, shape };
    },
    vjp:
      grad === null
        ? null
        : ({ inputs: [a, b], outputs: [y], grads: [g], needs }) => {
            const [da, db] = grad(a!, b!, y!, g!, needs);
            return [da ? sumTo(da, a!.shape) : null, db ? sumTo(db, b!.shape) : null];
          },
    lower: rule.lacks === undefined ? lowering : via(rule.as ?? "float32", rule.lacks, lowering),
  });
  return (a, b) => {
    const inputs = pair(name, a, b);
    const { dtype } = inputs[0];
    const wanted =
      operands === "bool" ? "bool" : operands === "float" && !isFloat(dtype) ? "float32" : dtype;
    return op(wanted === dtype ? inputs : inputs.map((input) => cast(input, wanted)));
  };
}
