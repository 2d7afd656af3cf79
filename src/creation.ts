/** Functions that make tensors: from data, filled, counted. */

import { hostStorage } from "./engine.ts";
import {
  checkNumber,
  dtypes,
  element,
  hostArray,
  isFloat,
  type DType,
  type TypedArray,
} from "./graph/dtype.ts";
import { halfValue } from "./graph/half.ts";
import type { Value } from "./graph/node.ts";
import { checkShape, formatShape, numel, ShapeError, type Shape } from "./graph/shape.ts";
import * as compare from "./ops/compare.ts";
import * as ew from "./ops/elementwise.ts";
import { cast, type Operand } from "./ops/elementwise-rules.ts";
import { constant, full as fullValue, source } from "./ops/leaf.ts";
import { iota } from "./ops/random.ts";
import { concat, reshape } from "./ops/shape.ts";
import { derive, Tensor, type TensorLike } from "./tensor.ts";
import { activeTrace } from "./trace.ts";

export interface CreateOptions {
  readonly dtype?: DType;
  /** Collect gradients in this tensor. */
  readonly requiresGrad?: boolean;
}

/** Nested arrays of numbers or booleans, all rows of the same length. */
export type ArrayLike = number | boolean | bigint | readonly ArrayLike[];

function made(value: Value, { requiresGrad = false }: CreateOptions): Tensor {
  if (requiresGrad && !isFloat(value.dtype))
    throw new Error(`requiresGrad: only floating tensors have gradients, got ${value.dtype}`);
  return requiresGrad ? Tensor.leaf(value) : new Tensor(value);
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
  const shape = checkShape("tensor", options.shape ?? given.shape);
  const dtype = options.dtype ?? given.dtype;
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

interface Given {
  readonly flat: TypedArray | readonly (number | boolean | bigint)[];
  readonly shape: Shape;
  readonly dtype: DType;
}

function fromTypedArray(data: TypedArray): Given {
  const dtype = (Object.keys(dtypes) as DType[]).find((name) => data instanceof dtypes[name].array);
  if (dtype === undefined)
    throw new Error(
      `tensor: a ${(data as object).constructor.name} is no dtype's array; use Float32Array, Float64Array, Int32Array, BigInt64Array, Uint32Array or Uint8Array (bool)`,
    );
  return { flat: data, shape: [data.length], dtype };
}

function fromNested(data: ArrayLike): Given {
  const shape: number[] = [];
  for (let level = data; Array.isArray(level); level = (level as readonly ArrayLike[])[0] ?? 0) {
    shape.push((level as readonly ArrayLike[]).length);
    if ((level as readonly ArrayLike[]).length === 0) break;
  }
  const flat: (number | boolean | bigint)[] = [];
  const visit = (item: ArrayLike, depth: number, path: string): void => {
    const expected = shape[depth];
    if (Array.isArray(item) !== (expected !== undefined))
      throw new ShapeError(
        `tensor: ragged array, data${path} should have ${shape.length - depth} more dimensions`,
      );
    if (!Array.isArray(item)) return void flat.push(item as number);
    const rows = item as readonly ArrayLike[];
    if (rows.length !== expected)
      throw new ShapeError(
        `tensor: ragged array, data${path} has ${rows.length} elements where others have ${expected}`,
      );
    rows.forEach((row, i) => visit(row, depth + 1, `${path}[${i}]`));
  };
  visit(data, 0, "");
  const kind = typeof flat[0];
  const mixed = flat.find((x) => typeof x !== kind);
  if (mixed !== undefined)
    throw new Error(`tensor: elements must be of one kind, got ${kind} and ${typeof mixed}`);
  if (flat.length > 0 && kind !== "number" && kind !== "boolean" && kind !== "bigint")
    throw new Error(`tensor: elements must be numbers, booleans or bigints, got ${kind}`);
  return {
    flat,
    shape,
    dtype: kind === "boolean" ? "bool" : kind === "bigint" ? "int64" : "float32",
  };
}

function convert(flat: Given["flat"], dtype: DType): TypedArray {
  if (!(dtype in dtypes))
    throw new Error(
      `tensor: unknown dtype "${String(dtype)}", expected one of ${Object.keys(dtypes).join(", ")}`,
    );
  const host = hostArray(dtype, flat.length);
  if (dtype !== "bool" && flat.constructor === host.constructor) {
    host.set(flat as never);
    return host;
  }
  const bits = flat instanceof Uint16Array;
  for (let i = 0; i < flat.length; i++) {
    const given = flat[i]!;
    if (host instanceof BigInt64Array && typeof given === "bigint") {
      host[i] = given;
      continue;
    }
    const number = bits ? halfValue(given as number) : Number(given);
    checkNumber("tensor", number, dtype);
    host[i] = element(number, dtype);
  }
  return host;
}

/** All elements `value`. */
export const full = (shape: Shape, value: number, options: CreateOptions = {}): Tensor =>
  made(fullValue(checkShape("full", shape), value, options.dtype ?? "float32"), options);

export const zeros = (shape: Shape, options: CreateOptions = {}): Tensor => full(shape, 0, options);
export const ones = (shape: Shape, options: CreateOptions = {}): Tensor => full(shape, 1, options);
export const zerosLike = (x: Tensor, options: CreateOptions = {}): Tensor =>
  zeros(x.shape, { dtype: x.dtype, ...options });
export const onesLike = (x: Tensor, options: CreateOptions = {}): Tensor =>
  ones(x.shape, { dtype: x.dtype, ...options });

/** start, start + step, … before `end`; int32 where all three are integers. With one argument, from 0. */
export function arange(start: number, end?: number, step = 1, options: CreateOptions = {}): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  const count = Math.ceil((to - from) / step);
  if (!Number.isFinite(count) || count < 0)
    throw new ShapeError(`arange: no numbers lead from ${from} to ${to} in steps of ${step}`);
  const whole = Number.isInteger(from) && Number.isInteger(step);
  const dtype = options.dtype ?? (whole ? "int32" : "float32");
  if (!whole) {
    // In double precision, which not every device has.
    const steps = Float64Array.from({ length: count }, (_, i) => from + i * step);
    return made(constant(convert(steps, dtype), dtype, [count]), options);
  }
  return made(ew.add(ew.mul(cast(iota(count), dtype), step), from), options);
}

/** The n×n identity matrix. */
export function eye(n: number, options: CreateOptions = {}): Tensor {
  const row = iota(n);
  const equal = compare.eq(reshape(row, [n, 1]), reshape(row, [1, n]));
  return made(cast(equal, options.dtype ?? "float32"), options);
}

/** Joins tensors along a dimension they all have. */
export const cat = (tensors: readonly Tensor[], dim = 0): Tensor =>
  derive(tensors, (values) => concat(values, dim));

/** Joins tensors of one shape along a new dimension. */
export const stack = (tensors: readonly Tensor[], dim = 0): Tensor =>
  cat(
    tensors.map((t) => t.unsqueeze(dim)),
    dim,
  );

/** `a` where the condition (bool) holds, `b` elsewhere; all broadcast. */
export function where(condition: Tensor, a: TensorLike, b: TensorLike): Tensor {
  const tensors = [condition, a, b].filter((x) => x instanceof Tensor);
  return derive(tensors, (values) => {
    let next = 1;
    const pick = (x: TensorLike): Operand => (typeof x === "number" ? x : values[next++]!);
    return compare.where(values[0]!, pick(a), pick(b));
  });
}
