/** Where values come from (constants, sources) and the identities that give a value a place of its own. */

import {
  checkNumber,
  dtypes,
  elementsKey,
  hostNumber,
  type DType,
  type TypedArray,
} from "../graph/dtype.ts";
import type { Storage, TypeSpec, Value } from "../graph/node.ts";
import { defineOp1 } from "../graph/op.ts";
import { numel, ShapeError, type Shape } from "../graph/shape.ts";

interface ConstantAttrs extends TypeSpec {
  readonly data: TypedArray;
}

const constantOp = defineOp1<ConstantAttrs>({
  name: "constant",
  infer: (_, { dtype, shape }) => ({ dtype, shape }),
  vjp: null,
  lower: ({ attrs, emit }) => emit.constant(attrs.dtype, attrs.shape, attrs.data),
  // Large ones are not compared: each is a value of its own.
  key: ({ dtype, shape, data }) =>
    data.length <= 64 ? `${dtype}[${shape.join()}]${elementsKey(data)}` : null,
});

/** A tensor that is part of the program itself. */
export function constant(data: TypedArray, dtype: DType, shape: Shape): Value {
  if (data.length !== numel(shape))
    throw new ShapeError(`constant: ${data.length} elements do not fill shape [${shape.join()}]`);
  return constantOp([], { data, dtype, shape });
}

/** A 0-d constant. */
export const scalar = (value: number, dtype: DType): Value =>
  constantOp([], { data: hostNumber(value, dtype), dtype, shape: [] });

/** Whether a value's elements are part of the program. */
export const isConstant = (value: Value): boolean => value.node.op.name === "constant";

/** The elements of a constant. */
export const constantData = (value: Value): TypedArray => (value.node.attrs as ConstantAttrs).data;

const sourceOp = defineOp1<TypeSpec>({
  name: "source",
  infer: (_, { dtype, shape }) => ({ dtype, shape }),
  vjp: null,
  lower: () => {
    throw new Error(
      "source: a value without storage was used as an input; read it inside compile() instead",
    );
  },
  key: () => null,
});

/** A leaf whose elements are given by `storage`, or, without one, by whoever runs the program. */
export function source(type: TypeSpec, storage: Storage | null = null): Value {
  const value = sourceOp([], { dtype: type.dtype, shape: type.shape });
  value.storage = storage;
  return value;
}

const placeOp = defineOp1({
  name: "place",
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  vjp: ({ grads }) => [grads[0]!],
  lower: ({ inputs }) => inputs[0]!,
  identity: true,
  key: () => null,
});

/** The same elements as a value of its own, equal to no other: what a parameter starts as. */
export const place = (x: Value): Value => placeOp([x], {});

const detachOp = defineOp1({
  name: "detach",
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  vjp: null,
  lower: ({ inputs }) => inputs[0]!,
  identity: true,
});

/** The same elements, through which no gradient passes. */
export const detach = (x: Value): Value => detachOp([x]);

/** A value filled with one number. */
export function full(shape: Shape, value: number, dtype: DType): Value {
  checkNumber("full", value, dtype);
  return fullOp([scalar(value, dtype)], { shape });
}

// The number is an input, not an attribute: programs that differ in it only are one.
const fullOp = defineOp1<{ shape: Shape }>({
  name: "full",
  infer: ([x], { shape }) => ({ shape, dtype: x!.dtype }),
  vjp: null,
  lower: ({ inputs: [x], attrs, emit }) => emit.node("Expand", [x!, emit.ints(attrs.shape)]),
});

export const zerosLike = (x: TypeSpec): Value => full(x.shape, 0, x.dtype);
export const onesLike = (x: TypeSpec): Value => full(x.shape, 1, x.dtype);

/** Bytes of a value's elements. */
export const byteLength = (type: TypeSpec): number => numel(type.shape) * dtypes[type.dtype].bytes;
