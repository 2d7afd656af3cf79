/** Functions that make tensors: from data, filled, counted. */

import { hostStorage } from "./engine.ts";
import { convert, fromNested, fromTypedArray, type ArrayLike } from "./from-data.ts";
import { checkDType, isFloat, type DType, type TypedArray } from "./graph/dtype.ts";
import type { Value } from "./graph/node.ts";
import { checkShape, formatShape, numel, ShapeError, type Shape } from "./graph/shape.ts";
import * as compare from "./ops/compare.ts";
import * as ew from "./ops/elementwise.ts";
import { cast } from "./ops/elementwise-rules.ts";
import { constant, full as fullValue, source } from "./ops/leaf.ts";
import { iota } from "./ops/random.ts";
import { reshape } from "./ops/shape.ts";
import { derive, Tensor } from "./tensor.ts";
import { checkOptions } from "./tensor/arguments.ts";
import { activeTrace } from "./trace.ts";

export type { ArrayLike } from "./from-data.ts";

/** What tensors are made as. */
export interface CreateOptions {
  readonly dtype?: DType;
  /** Collect gradients in this tensor. */
  readonly requiresGrad?: boolean;
}
const CREATE_OPTIONS = ["dtype", "requiresGrad"];

/** @internal A tensor of a value, a leaf that collects gradients if that is wanted. */
export function made(value: Value, { requiresGrad = false }: CreateOptions): Tensor {
  if (requiresGrad && !isFloat(value.dtype))
    throw new Error(`requiresGrad: only floating tensors have gradients, got ${value.dtype}`);
  return requiresGrad ? Tensor.leaf(value) : new Tensor(value);
}

/** @internal The dtype that options ask for; throws for options that do not exist. */
export function dtypeOf(
  op: string,
  options: CreateOptions,
  otherwise: DType,
  known: readonly string[] = CREATE_OPTIONS,
): DType {
  const { dtype = otherwise } = checkOptions(op, options, known);
  return checkDType(op, dtype);
}

/**
 * A tensor from nested arrays, a number, or a typed array with a `shape` (one dimension unless given).
 * Numbers give float32, booleans bool, bigints int64, typed arrays their own dtype; `dtype` overrides. The data is copied.
 * Throws a ShapeError for ragged arrays and for a shape that the data does not fill.
 */
export function tensor(
  data: ArrayLike | TypedArray,
  options: CreateOptions & { readonly shape?: Shape } = {},
): Tensor {
  const given = ArrayBuffer.isView(data) ? fromTypedArray(data) : fromNested(data);
  if (data instanceof Uint8Array && options.dtype === undefined && data.some((byte) => byte > 1))
    throw new TypeError(
      'tensor: a Uint8Array makes a bool tensor, but this one has elements above 1; give a dtype, e.g. { dtype: "float32" }',
    );
  const dtype = dtypeOf("tensor", options, given.dtype, [...CREATE_OPTIONS, "shape"]);
  const shape = checkShape("tensor", options.shape ?? given.shape);
  if (numel(shape) !== given.flat.length) {
    throw new ShapeError(
      `tensor: ${given.flat.length} elements do not fill shape ${formatShape(shape)}, which needs ${numel(shape)}`,
    );
  }
  const host = convert(given.flat, dtype);
  // Inside a compiled function the elements are part of the program.
  const value =
    activeTrace() === null
      ? source({ dtype, shape }, hostStorage(host, dtype, shape))
      : constant(host, dtype, shape);
  return made(value, options);
}

// ---- filled ------------------------------------------------------------------------------------------------------

function filled(
  op: string,
  shape: Shape,
  value: number,
  options: CreateOptions,
  otherwise: DType = "float32",
): Tensor {
  checkShape(op, shape);
  const dtype = dtypeOf(op, options, otherwise);
  return made(fullValue(shape, value, dtype), options);
}

/** All elements `value`: float32, or bool for true and false, unless another dtype is given. */
export const full = (shape: Shape, value: number | boolean, options: CreateOptions = {}): Tensor =>
  filled("full", shape, Number(value), options, typeof value === "boolean" ? "bool" : "float32");

/** All elements 0; float32 unless another dtype is given. */
export const zeros = (shape: Shape, options: CreateOptions = {}): Tensor =>
  filled("zeros", shape, 0, options);
/** All elements 1; float32 unless another dtype is given. */
export const ones = (shape: Shape, options: CreateOptions = {}): Tensor =>
  filled("ones", shape, 1, options);

/** A tensor whose elements do not matter; they are zeros. */
export const empty = (shape: Shape, options: CreateOptions = {}): Tensor =>
  filled("empty", shape, 0, options);

/** Zeros in the shape and dtype of another tensor. */
export const zerosLike = (x: Tensor, options: CreateOptions = {}): Tensor =>
  filled("zerosLike", x.shape, 0, options, x.dtype);
/** Ones in the shape and dtype of another tensor. */
export const onesLike = (x: Tensor, options: CreateOptions = {}): Tensor =>
  filled("onesLike", x.shape, 1, options, x.dtype);
/** As `empty`, in the shape and dtype of another tensor. */
export const emptyLike = (x: Tensor, options: CreateOptions = {}): Tensor =>
  filled("emptyLike", x.shape, 0, options, x.dtype);
/** All elements `value`, in the shape and dtype of another tensor. */
export const fullLike = (x: Tensor, value: number | boolean, options: CreateOptions = {}): Tensor =>
  filled("fullLike", x.shape, Number(value), options, x.dtype);

// ---- counted -----------------------------------------------------------------------------------------------------

/** start, start + step, … before `end`; int32 where all three are integers. With one argument, from 0. */
export function arange(start: number, end?: number, step = 1, options: CreateOptions = {}): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  const count = Math.ceil((to - from) / step);
  if (!Number.isFinite(count) || count < 0)
    throw new ShapeError(`arange: no numbers lead from ${from} to ${to} in steps of ${step}`);
  const whole = Number.isInteger(from) && Number.isInteger(step);
  const dtype = dtypeOf("arange", options, whole ? "int32" : "float32");
  if (!whole) return counted(count, (i) => from + i * step, dtype, options);
  return made(ew.add(ew.mul(cast(iota(count), dtype), step), from), options);
}

/** Numbers computed in double precision, which not every device has, as part of the program. */
function counted(
  count: number,
  at: (i: number) => number,
  dtype: DType,
  options: CreateOptions,
): Tensor {
  const numbers = Float64Array.from({ length: count }, (_, i) => at(i));
  return made(constant(convert(numbers, dtype), dtype, [count]), options);
}

function checkSteps(op: string, start: number, end: number, steps: number): void {
  if (!Number.isInteger(steps) || steps < 0 || !Number.isFinite(start) || !Number.isFinite(end))
    throw new ShapeError(
      `${op}: needs two finite ends and a number of steps that is an integer of at least 0, got ${start}, ${end} and ${String(steps)}`,
    );
}

/** From both ends inwards, so that both are exact. */
const between =
  (start: number, end: number, steps: number) =>
  (i: number): number => {
    const step = steps < 2 ? 0 : (end - start) / (steps - 1);
    return i < steps / 2 ? start + i * step : end - (steps - 1 - i) * step;
  };

/** `steps` numbers from `start` to `end`, both included, evenly apart. */
export function linspace(
  start: number,
  end: number,
  steps: number,
  options: CreateOptions = {},
): Tensor {
  checkSteps("linspace", start, end, steps);
  const dtype = dtypeOf("linspace", options, "float32");
  return counted(steps, between(start, end, steps), dtype, options);
}

/** `steps` powers of `base` (10) whose exponents lie evenly from `start` to `end`. */
export function logspace(
  start: number,
  end: number,
  steps: number,
  options: CreateOptions & { readonly base?: number } = {},
): Tensor {
  checkSteps("logspace", start, end, steps);
  const dtype = dtypeOf("logspace", options, "float32", [...CREATE_OPTIONS, "base"]);
  const { base = 10 } = options;
  const exponent = between(start, end, steps);
  return counted(steps, (i) => base ** exponent(i), dtype, options);
}

/** Ones on the diagonal of n rows and m (unless given, n) columns, zeros elsewhere. */
export function eye(n: number, m: number | CreateOptions = n, options: CreateOptions = {}): Tensor {
  if (typeof m !== "number") return eye(n, n, m);
  const dtype = dtypeOf("eye", options, "float32");
  checkShape("eye", [n, m]);
  const equal = compare.eq(reshape(iota(n), [n, 1]), reshape(iota(m), [1, m]));
  return made(cast(equal, dtype), options);
}

/** Rows and columns, int32 [2, count], of the elements of an n×m matrix on and below diagonal `offset`. */
export const trilIndices = (n: number, m: number, offset = 0): Tensor =>
  triangle("trilIndices", n, m, (i, j) => j - i <= offset);

/** Rows and columns, int32 [2, count], of the elements of an n×m matrix on and above diagonal `offset`. */
export const triuIndices = (n: number, m: number, offset = 0): Tensor =>
  triangle("triuIndices", n, m, (i, j) => j - i >= offset);

function triangle(
  op: string,
  n: number,
  m: number,
  inside: (i: number, j: number) => boolean,
): Tensor {
  checkShape(op, [n, m]);
  const rows: number[] = [];
  const columns: number[] = [];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++)
      if (inside(i, j)) {
        rows.push(i);
        columns.push(j);
      }
  const both = Int32Array.from([...rows, ...columns]);
  return new Tensor(constant(both, "int32", [2, rows.length]));
}

/** For each class index (integers) a row of `numClasses` with 1 at the index, int32 unless another dtype is given. */
export function oneHot(
  indices: Tensor,
  numClasses: number,
  options: { readonly dtype?: DType } = {},
): Tensor {
  if (isFloat(indices.dtype) || indices.dtype === "bool")
    throw new ShapeError(`oneHot: the indices must be integers, got ${indices.dtype}`);
  if (!Number.isInteger(numClasses) || numClasses < 1)
    throw new ShapeError(
      `oneHot: the number of classes must be a positive integer, got ${String(numClasses)}; it is part of the shape and cannot be read from the elements`,
    );
  const dtype = dtypeOf("oneHot", options, "int32", ["dtype"]);
  return derive([indices], ([index]) => {
    const classes = cast(iota(numClasses), index!.dtype);
    return cast(compare.eq(reshape(index!, [...index!.shape, 1]), classes), dtype);
  });
}
