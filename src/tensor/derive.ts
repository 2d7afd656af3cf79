/** How methods and functions record operations and get tensors of the results. */

import { isFloat } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import type { Operand } from "../ops/elementwise-rules.ts";
import { detach } from "../ops/leaf.ts";
import type { Tensor } from "../tensor.ts";
import { isGradEnabled } from "../trace.ts";
import type { TensorCore } from "./core.ts";

/** What arithmetic takes beside a tensor. */
export type TensorLike = Tensor | number;

type Maker = (value: Value, requiresGrad?: boolean, leaf?: boolean) => Tensor;

let maker: Maker;

/** Says how tensors are made: by the class at the end of the chain, which this file cannot import. */
export const makeTensorsWith = (make: Maker): void => void (maker = make);

/** A tensor of a value; a leaf unless it requires gradients. */
export const makeTensor: Maker = (value, requiresGrad = false, leaf = !requiresGrad) =>
  maker(value, requiresGrad, leaf);

/** Whether gradients flow into a tensor where gradients are on. */
export const tracks = (t: TensorCore): boolean => t.requiresGrad && isGradEnabled();

/** A tensor's value as an operation takes it: without history where gradients are off. */
export function operand(t: TensorCore): Value {
  const value = (t as Partial<TensorCore> | null | undefined)?.value;
  if (value === undefined) throw noTensor("Tensor", t);
  return t.requiresGrad && !isGradEnabled() ? detach(value) : value;
}

/** The error for what should be a tensor and is none. */
export const noTensor = (op: string, x: unknown): TypeError =>
  new TypeError(`${op}: expected a tensor, got ${kindOf(x)}`);

/** What plain JavaScript gave instead of a tensor, and what to do about it. */
function kindOf(x: unknown): string {
  if (Array.isArray(x) || ArrayBuffer.isView(x)) return "an array; make a tensor of it: tensor(…)";
  if (x instanceof Promise) return "a promise; await it first";
  return typeof x === "object" && x !== null ? "another object" : String(x);
}

/** Records operations on the values of tensors; the result tracks gradients if one of them does. */
export function derive(
  inputs: readonly TensorCore[],
  record: (values: readonly Value[]) => Value,
): Tensor {
  const value = record(inputs.map(operand));
  return makeTensor(value, inputs.some(tracks) && isFloat(value.dtype));
}

/** As `derive`, for operations with several results. */
export function deriveAll(
  inputs: readonly TensorCore[],
  record: (values: readonly Value[]) => readonly Value[],
): Tensor[] {
  const tracked = inputs.some(tracks);
  return record(inputs.map(operand)).map((value) =>
    makeTensor(value, tracked && isFloat(value.dtype)),
  );
}

export function unary(x: TensorCore, record: (x: Value) => Value): Tensor {
  const value = record(operand(x));
  return makeTensor(value, tracks(x) && isFloat(value.dtype));
}

export function binary(
  a: TensorCore,
  b: TensorLike,
  record: (a: Operand, b: Operand) => Value,
): Tensor {
  if (typeof b === "number") return unary(a, (x) => record(x, b));
  const value = record(operand(a), operand(b));
  return makeTensor(value, (tracks(a) || tracks(b)) && isFloat(value.dtype));
}

/** As `binary`, for more operands, of which any but the first may be numbers or missing. */
export function mixed<T extends TensorLike | null>(
  first: TensorCore,
  others: readonly T[],
  record: (first: Value, others: readonly (Operand | Extract<T, null>)[]) => Value,
): Tensor {
  const tensors = others.filter((x) => x !== null && typeof x !== "number") as Tensor[];
  return derive([first, ...tensors], ([x, ...values]) => {
    let next = 0;
    const operands = others.map((other) =>
      other === null || typeof other === "number" ? other : values[next++]!,
    );
    return record(x!, operands as (Operand | Extract<T, null>)[]);
  });
}
