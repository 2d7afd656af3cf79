/** Numbers of samples as they lie on the host, and tensors made of them without recording any operation. */

import { hostStorage, isHost } from "../engine.ts";
import {
  checkNumber,
  dtypes,
  element,
  isFloat,
  type DType,
  type TypedArray,
} from "../graph/dtype.ts";
import { halfValue } from "../graph/half.ts";
import type { Shape } from "../graph/shape.ts";
import { constantData, isConstant, source } from "../ops/leaf.ts";
import { Tensor } from "../tensor.ts";

/** One element. */
export type Scalar = number | boolean | bigint;

/** Elements in row-major order; `dtype` is null where only an option can say how they are to be held. */
export interface Elements {
  readonly data: ArrayLike<Scalar>;
  readonly shape: Shape;
  readonly dtype: DType | null;
}

/** A tensor of a host array, which belongs to it from now on. */
export const hostTensor = (host: TypedArray, dtype: DType, shape: Shape): Tensor =>
  new Tensor(source({ dtype, shape }, hostStorage(host, dtype, shape)));

/** The elements of a tensor that lie on the host, not copied; null where a program or a device has them. */
export function hostElements(tensor: Tensor): TypedArray | null {
  const { value } = tensor;
  if (value.storage !== null) return isHost(value.storage) ? value.storage.host : null;
  return isConstant(value) ? constantData(value) : null;
}

/** The dtype that a typed array has by itself. */
const dtypeOfArray = (data: object): DType | null =>
  (Object.keys(dtypes) as DType[]).find((name) => data instanceof dtypes[name].array) ?? null;

const SCALARS: Readonly<Record<string, DType>> = { boolean: "bool", bigint: "int64" };

/**
 * A number, boolean or bigint, an array of those, a typed array or a tensor on the host as elements; null for anything
 * else. Plain numbers are held as `numbers`.
 */
export function elementsOf(item: unknown, numbers: DType): Elements | null {
  if (typeof item === "number" || typeof item === "boolean" || typeof item === "bigint")
    return { data: [item], shape: [], dtype: SCALARS[typeof item] ?? numbers };
  if (item instanceof Tensor) {
    const data = item.requiresGrad ? null : hostElements(item);
    return data === null ? null : { data, shape: item.shape, dtype: item.dtype };
  }
  if (ArrayBuffer.isView(item) && !(item instanceof DataView)) {
    const data = item as TypedArray;
    return { data, shape: [data.length], dtype: dtypeOfArray(data) };
  }
  if (Array.isArray(item) && isVector(item))
    return { data: item, shape: [item.length], dtype: SCALARS[typeof item[0]] ?? numbers };
  return null;
}

/** Whether an array holds only numbers, or only booleans, or only bigints. */
function isVector(items: readonly unknown[]): items is readonly Scalar[] {
  const kind = items.length === 0 ? "number" : typeof items[0];
  return (kind === "number" || kind in SCALARS) && items.every((item) => typeof item === kind);
}

/**
 * Writes elements into a host array from position `at`, converted to its dtype. Throws for what it cannot hold: numbers
 * out of range, fractions in integers, bytes other than 0 and 1 in bool.
 */
export function fill(host: TypedArray, at: number, { data, dtype }: Elements, to: DType): void {
  if (dtype === to && to !== "bool" && data.constructor === host.constructor) {
    host.set(data as never, at);
    return;
  }
  const whole = !isFloat(to);
  for (let i = 0; i < data.length; i++) {
    const given = data[i]!;
    if (typeof given === "bigint" && host instanceof BigInt64Array) {
      host[at + i] = given;
      continue;
    }
    const number = dtype === "float16" ? halfValue(Number(given)) : Number(given);
    if (to === "bool" ? number !== 0 && number !== 1 : whole && !Number.isInteger(number))
      throw new RangeError(`${to} cannot hold ${number}; name another dtype in \`dtypes\``);
    if (to !== "bool") checkNumber("element", number, to);
    host[at + i] = element(number, to);
  }
}
