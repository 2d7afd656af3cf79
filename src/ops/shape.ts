/** Operations that move elements without changing them: reshape, permute, expand, slice, pad, concat, flip. */

import { dtypes, isFloat, promote, type DType } from "../graph/dtype.ts";
import type { TypeSpec, Value } from "../graph/node.ts";
import { defineOp1, type Emitter } from "../graph/op.ts";
import {
  checkShape,
  checkSizes,
  formatShape,
  numel,
  resolveDim,
  resolveDims,
  sameShape,
  ShapeError,
  type Shape,
} from "../graph/shape.ts";
import { cast } from "./elementwise-rules.ts";
import { int32Range } from "./positions.ts";
import { sumTo } from "./sum.ts";

/** WebGPU moves no bool: as int32 there. */
function boolsAsInt32(
  emit: Emitter,
  inputs: readonly string[],
  { dtype }: TypeSpec,
  move: (inputs: readonly string[]) => string,
): string {
  if (!emit.target.gpu || dtype !== "bool") return move(inputs);
  const cast = (x: string, to: DType): string =>
    emit.node("Cast", [x], { to: { int: dtypes[to].onnx } });
  return cast(move(inputs.map((x) => cast(x, "int32"))), "bool");
}

const reshapeOp = defineOp1<{ shape: Shape }>({
  name: "reshape",
  view: true,
  infer: ([x], { shape }) => ({ dtype: x!.dtype, shape }),
  vjp: ({ inputs: [x], grads: [g] }) => [reshape(g!, x!.shape)],
  lower: ({ inputs: [x], attrs, emit }) =>
    emit.node(
      "Reshape",
      [x!, emit.ints(attrs.shape)],
      attrs.shape.includes(0) ? { allowzero: { int: 1 } } : {},
    ),
});

/** Same elements, row-major, in another shape; one size may be -1 and is worked out. */
export function reshape(x: Value, shape: Shape, op = "reshape"): Value {
  if (sameShape(x.shape, checkSizes(op, shape))) return x;
  const count = numel(x.shape);
  const unknown = shape.indexOf(-1);
  let resolved = shape;
  if (unknown >= 0) {
    // Beside a size of 0 any size would do: 0 / 0 is none.
    const rest = shape.reduce((n, size, i) => (i === unknown ? n : n * size), 1);
    resolved = shape.map((size, i) => (i === unknown ? count / rest : size));
  }
  if (resolved.some((size) => !Number.isInteger(size) || size < 0) || numel(resolved) !== count) {
    throw new ShapeError(
      `${op}: ${formatShape(x.shape)} has ${count} elements, which do not fill ${formatShape(shape)}`,
    );
  }
  if (sameShape(x.shape, resolved)) return x;
  // A reshape of a reshape looks through to the first.
  const inner = x.node.op.name === "reshape" && x.storage === null ? x.node.inputs[0]! : x;
  return sameShape(inner.shape, resolved) ? inner : reshapeOp([inner], { shape: resolved });
}

const permuteOp = defineOp1<{ order: readonly number[] }>({
  name: "permute",
  // Where only dimensions of size 1 move, ONNX Runtime makes it a reshape.
  view: true,
  infer: ([x], { order }) => ({ dtype: x!.dtype, shape: order.map((dim) => x!.shape[dim]!) }),
  vjp: ({ attrs: { order }, grads: [g] }) => {
    const inverse = new Array<number>(order.length);
    order.forEach((dim, i) => (inverse[dim] = i));
    return [permute(g!, inverse)];
  },
  lower: ({ inputs, types: [type], attrs, emit }) =>
    boolsAsInt32(emit, inputs, type!, ([x]) =>
      emit.node("Transpose", [x!], { perm: { ints: attrs.order } }),
    ),
});

/** Reorders dimensions: output dimension i is input dimension `order[i]`. */
export function permute(x: Value, order: readonly number[]): Value {
  const rank = x.shape.length;
  checkSizes("permute", order);
  const resolved = order.map((dim) => resolveDim("permute", dim, rank));
  if (resolved.length !== rank || new Set(resolved).size !== rank) {
    throw new ShapeError(
      `permute: the order ${formatShape(order)} must name each of the ${rank} dimensions of ${formatShape(x.shape)} once`,
    );
  }
  return resolved.every((dim, i) => dim === i) ? x : permuteOp([x], { order: resolved });
}

/** Swaps two dimensions. */
export function transpose(x: Value, a: number, b: number): Value {
  const rank = x.shape.length;
  const [i, j] = [resolveDim("transpose", a, rank), resolveDim("transpose", b, rank)];
  const order = Array.from({ length: rank }, (_, dim) => (dim === i ? j : dim === j ? i : dim));
  return permute(x, order);
}

const expandOp = defineOp1<{ shape: Shape }>({
  name: "expand",
  infer: ([x], { shape }) => ({ dtype: x!.dtype, shape }),
  vjp: ({ inputs: [x], grads: [g] }) => [sumTo(g!, x!.shape)],
  lower: ({ inputs: [x], attrs, emit }) => emit.node("Expand", [x!, emit.ints(attrs.shape)]),
});

/** Repeats dimensions of size 1 (and adds leading ones) up to `shape`; -1 keeps a size. */
export function expand(x: Value, shape: Shape, op = "expand"): Value {
  checkSizes(op, shape);
  const lead = shape.length - x.shape.length;
  const resolved = shape.map((size, i) => (size === -1 && i >= lead ? x.shape[i - lead]! : size));
  const fits = lead >= 0 && x.shape.every((size, i) => size === 1 || size === resolved[i + lead]);
  if (!fits)
    throw new ShapeError(
      `${op}: ${formatShape(x.shape)} does not broadcast to ${formatShape(shape)}`,
    );
  checkShape(op, resolved);
  return sameShape(x.shape, resolved) ? x : expandOp([x], { shape: resolved });
}

interface SliceAttrs {
  readonly dim: number;
  /** Normalised: the elements start, start + step, … that lie before (for negative steps: after) `end`. */
  readonly start: number;
  readonly length: number;
  readonly step: number;
}

const sliceOp = defineOp1<SliceAttrs>({
  name: "slice",
  infer: ([x], { dim, length }) => ({
    dtype: x!.dtype,
    shape: x!.shape.map((size, i) => (i === dim ? length : size)),
  }),
  vjp: ({ inputs: [x], attrs, grads: [g] }) => [unslice(g!, x!.shape[attrs.dim]!, attrs)],
  lower: ({ inputs: [x], types: [type], attrs: { dim, start, length, step }, emit }) => {
    // WebGPU slices floats only, and backwards not what another slice made.
    const { dtype } = type!;
    if (emit.target.gpu && dtype !== "int64" && (step < 0 || !isFloat(dtype))) {
      const places = int32Range(emit, start, start + length * step, step);
      return emit.node("Gather", [x!, places], { axis: { int: dim } });
    }
    // An end before the first element is written as far below zero as ONNX allows.
    const end = start + length * step;
    return emit.node("Slice", [
      x!,
      emit.ints([start]),
      emit.ints([end < 0 ? -2147483648 : end]),
      emit.ints([dim]),
      emit.ints([step]),
    ]);
  },
});

/** The adjoint of a slice: its elements back at their places along a dimension of `size`, zeros elsewhere. */
export function unslice(g: Value, size: number, { dim, start, length, step }: SliceAttrs): Value {
  const forward = step < 0 ? flip(g, [dim]) : g;
  const stride = Math.abs(step);
  const first = step < 0 ? start + (length - 1) * step : start;
  const covered = length === 0 ? 0 : (length - 1) * stride + 1;
  const spread = stride === 1 ? forward : slice(dilate(forward, dim, stride), dim, 0, covered);
  return padDim(spread, dim, length === 0 ? 0 : first, size - (length === 0 ? 0 : first) - covered);
}

/** `step − 1` zeros after every element of a dimension. */
function dilate(x: Value, dim: number, step: number): Value {
  const split = [...x.shape.slice(0, dim + 1), 1, ...x.shape.slice(dim + 1)];
  const joined = x.shape.map((size, i) => (i === dim ? size * step : size));
  return reshape(padDim(reshape(x, split), dim + 1, 0, step - 1), joined);
}

/** Python's `x[start:end:step]` along one dimension: negative positions count from the end, out of range is cut. */
export function slice(x: Value, dim: number, start?: number, end?: number, step = 1): Value {
  const axis = resolveDim("slice", dim, x.shape.length);
  if (!Number.isInteger(step) || step === 0)
    throw new ShapeError(`slice: the step must be an integer other than 0, got ${step}`);
  const odd = [start, end].find(
    (position) => position !== undefined && !Number.isInteger(position),
  );
  if (odd !== undefined) throw new ShapeError(`slice: start and end must be integers, got ${odd}`);
  const size = x.shape[axis]!;
  const clip = (position: number): number => {
    const from = position < 0 ? position + size : position;
    return step > 0 ? Math.min(Math.max(from, 0), size) : Math.min(Math.max(from, -1), size - 1);
  };
  const first = start === undefined ? (step > 0 ? 0 : size - 1) : clip(start);
  const last = end === undefined ? (step > 0 ? size : -1) : clip(end);
  const length = Math.max(0, Math.ceil((last - first) / step));
  if (first === 0 && length === size && step === 1) return x;
  return sliceOp([x], { dim: axis, start: length === 0 ? 0 : first, length, step });
}

/** Reverses the given dimensions. */
export function flip(x: Value, dims: readonly number[]): Value {
  let y = x;
  for (const dim of resolveDims("flip", dims, x.shape.length))
    y = slice(y, dim, undefined, undefined, -1);
  return y;
}

interface PadAttrs {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly value: number;
}

const padOp = defineOp1<PadAttrs>({
  name: "pad",
  infer: ([x], { before, after }) => ({
    dtype: x!.dtype,
    shape: x!.shape.map((size, i) => size + before[i]! + after[i]!),
  }),
  vjp: ({ inputs: [x], attrs: { before }, grads: [g] }) => [
    x!.shape.reduce((y, size, i) => slice(y, i, before[i], before[i]! + size), g!),
  ],
  lower: ({ inputs: [x], types: [type], attrs, emit }) => {
    const { dtype } = type!;
    const pads = emit.ints([...attrs.before, ...attrs.after]);
    const wide = dtype === "uint32" && !emit.target.gpu;
    const via = wide ? "int64" : dtype === "bool" ? "int32" : dtype;
    const inner = via === dtype ? x! : emit.node("Cast", [x!], { to: { int: dtypes[via].onnx } });
    // ONNX Runtime 1.30 fuses a Pad into the Conv behind it, also where it pads the weight, and then refuses the model;
    // with axes it leaves that be.
    const axes = emit.ints(attrs.before.map((_, i) => i));
    const padded = emit.node("Pad", [inner, pads, emit.scalar(via, attrs.value), axes]);
    return via === dtype
      ? padded
      : emit.node("Cast", [padded], { to: { int: dtypes[dtype].onnx } });
  },
  key: ({ before, after, value }) => `${before.join()};${after.join()};${value}`,
});

/** Adds `before[i]` and `after[i]` elements of `value` on both sides of dimension i. */
export function pad(
  x: Value,
  before: readonly number[],
  after: readonly number[],
  value = 0,
): Value {
  if (before.length !== x.shape.length || after.length !== x.shape.length)
    throw new ShapeError(
      `pad: needs one amount a side for each dimension of ${formatShape(x.shape)}`,
    );
  checkShape("pad", before);
  checkShape("pad", after);
  return before.every((n) => n === 0) && after.every((n) => n === 0)
    ? x
    : padOp([x], { before, after, value });
}

function padDim(x: Value, dim: number, before: number, after: number): Value {
  const at = (n: number): number[] => x.shape.map((_, i) => (i === dim ? n : 0));
  return pad(x, at(before), at(after));
}

const concatOp = defineOp1<{ dim: number }>({
  name: "concat",
  infer: (inputs, { dim }) => ({
    dtype: inputs[0]!.dtype,
    shape: inputs[0]!.shape.map((size, i) =>
      i === dim ? inputs.reduce((n, x) => n + x.shape[dim]!, 0) : size,
    ),
  }),
  vjp: ({ inputs, attrs: { dim }, grads: [g] }) => {
    let start = 0;
    return inputs.map((x) => slice(g!, dim, start, (start += x.shape[dim]!)));
  },
  lower: ({ inputs, types: [type], attrs, emit }) =>
    boolsAsInt32(emit, inputs, type!, (parts) =>
      emit.node("Concat", parts, { axis: { int: attrs.dim } }),
    ),
});

/** Joins tensors along a dimension they all have; the other sizes must agree. */
export function concat(inputs: readonly Value[], dim: number, op = "cat"): Value {
  // As in PyTorch, 1-d tensors of no elements fit everywhere.
  const joined = inputs.filter(({ shape }) => shape.length !== 1 || shape[0] !== 0);
  const first = joined[0] ?? inputs[0];
  if (first === undefined) throw new ShapeError(`${op}: needs at least one tensor`);
  const axis = resolveDim(op, dim, first.shape.length);
  for (const x of joined) {
    if (
      x.shape.length !== first.shape.length ||
      x.shape.some((size, i) => i !== axis && size !== first.shape[i])
    ) {
      throw new ShapeError(
        `${op}: shapes ${formatShape(first.shape)} and ${formatShape(x.shape)} must agree in all dimensions but ${axis}`,
      );
    }
  }
  const dtype = inputs.map((x) => x.dtype).reduce(promote);
  if (joined.length < 2) return cast(first, dtype);
  return concatOp(
    joined.map((x) => cast(x, dtype)),
    { dim: axis },
  );
}
