/** What the elements given to `tensor` are: nested arrays and typed arrays, made a host array of one dtype. */

import {
  checkDType,
  checkNumber,
  dtypes,
  element,
  hostArray,
  type DType,
  type TypedArray,
} from "./graph/dtype.ts";
import { halfValue } from "./graph/half.ts";
import { ShapeError, type Shape } from "./graph/shape.ts";

/** Nested arrays of numbers or booleans, all rows of the same length. */
export type ArrayLike = number | boolean | bigint | readonly ArrayLike[];

/** Elements in row-major order, with the shape and dtype that they have by themselves. */
export interface Given {
  readonly flat: TypedArray | readonly (number | boolean | bigint)[];
  readonly shape: Shape;
  readonly dtype: DType;
}

export function fromTypedArray(data: TypedArray): Given {
  const dtype = (Object.keys(dtypes) as DType[]).find((name) => data instanceof dtypes[name].array);
  if (dtype === undefined)
    throw new Error(
      `tensor: a ${(data as object).constructor.name} is no dtype's array; use Float32Array, Float64Array, Int32Array, BigInt64Array, Uint32Array or Uint8Array (bool)`,
    );
  return { flat: data, shape: [data.length], dtype };
}

export function fromNested(data: ArrayLike): Given {
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

/** Elements as a host array of a dtype; throws for numbers that it cannot hold. */
export function convert(flat: Given["flat"], dtype: DType): TypedArray {
  const host = hostArray(checkDType("tensor", dtype), flat.length);
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
