/** Element types: their names, sizes, host arrays and promotion, in one table for every layer above. */

import { halfBits } from "./half.ts";

/** Element type of a tensor; names are NumPy's and PyTorch's. `float16` is for storage only. */
export type DType = "float32" | "float64" | "float16" | "int32" | "int64" | "uint32" | "bool";

/** Host array that holds elements of a dtype: bool as 0/1 bytes, float16 as raw half bits. */
export type TypedArray =
  Float32Array | Float64Array | Uint16Array | Int32Array | BigInt64Array | Uint32Array | Uint8Array;

interface TypedArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): TypedArray;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): TypedArray;
}

interface DTypeInfo {
  /** Bytes of one element. */
  readonly bytes: number;
  readonly array: TypedArrayConstructor;
  /** `TensorProto.DataType` / `ONNXTensorElementDataType` number. */
  readonly onnx: number;
  readonly float: boolean;
  /** Place in the promotion order bool < integers < floats. */
  readonly rank: number;
}

export const dtypes: Readonly<Record<DType, DTypeInfo>> = {
  bool: { bytes: 1, array: Uint8Array, onnx: 9, float: false, rank: 0 },
  uint32: { bytes: 4, array: Uint32Array, onnx: 12, float: false, rank: 1 },
  int32: { bytes: 4, array: Int32Array, onnx: 6, float: false, rank: 2 },
  int64: { bytes: 8, array: BigInt64Array, onnx: 7, float: false, rank: 3 },
  float16: { bytes: 2, array: Uint16Array, onnx: 10, float: true, rank: 4 },
  float32: { bytes: 4, array: Float32Array, onnx: 1, float: true, rank: 5 },
  float64: { bytes: 8, array: Float64Array, onnx: 11, float: true, rank: 6 },
};

const byOnnx = new Map(
  (Object.keys(dtypes) as DType[]).map((dtype) => [dtypes[dtype].onnx, dtype] as const),
);

/** The dtype with ONNX's number of an element type; undefined for a type that tensors have not. */
export const dtypeOfOnnx = (onnx: number): DType | undefined => byOnnx.get(onnx);

export const isFloat = (dtype: DType): boolean => dtypes[dtype].float;

/** Throws unless a name is that of a dtype. */
export function checkDType(op: string, dtype: DType): DType {
  if (!Object.hasOwn(dtypes, dtype))
    throw new TypeError(
      `${op}: unknown dtype "${String(dtype)}", expected one of ${Object.keys(dtypes).join(", ")}`,
    );
  return dtype;
}

/** The dtype that holds both, as PyTorch's promotion between tensors: bool < uint32 < int32 < int64 < floats. */
export const promote = (a: DType, b: DType): DType => (dtypes[a].rank >= dtypes[b].rank ? a : b);

/** Text that is equal for equal elements only: 0 and −0 differ. */
export function elementsKey(data: TypedArray): string {
  let key = "";
  for (const element of data) key += Object.is(element, -0) ? "-0," : `${element},`;
  return key;
}

/** An uninitialised host array for `length` elements whose memory never lies on the JavaScript heap. */
export function hostArray(dtype: DType, length: number): TypedArray {
  const { array, bytes } = dtypes[dtype];
  // A typed array of up to 64 bytes made without a buffer lives on V8's moving heap; an ArrayBuffer never does.
  return new array(new ArrayBuffer(length * bytes), 0, length);
}

/** Least and largest numbers of the integer dtypes. */
const ranges = new Map<DType, readonly [number, number]>([
  ["uint32", [0, 2 ** 32 - 1]],
  ["int32", [-(2 ** 31), 2 ** 31 - 1]],
  // The largest float64 below 2⁶³.
  ["int64", [-(2 ** 63), 2 ** 63 - 1024]],
]);

/** Throws unless a number lies in the range of a dtype; fractions are no error. */
export function checkNumber(op: string, value: number, dtype: DType): void {
  const range = ranges.get(dtype);
  const whole = Math.trunc(value);
  if (range !== undefined && !(whole >= range[0] && whole <= range[1]))
    throw new RangeError(
      `${op}: ${value} is out of range for ${dtype}, expected ${range[0]} … ${range[1]}; use another dtype`,
    );
}

/** One number as an element of a dtype: integers lose fractions, bool is 0 or 1, float16 raw bits. */
export function element(value: number, dtype: DType): number | bigint {
  if (dtype === "int64") return BigInt(Math.trunc(value));
  if (dtype === "bool") return value === 0 ? 0 : 1;
  return dtype === "float16" ? halfBits(value) : value;
}

/** A host array of one number. */
export function hostNumber(value: number, dtype: DType): TypedArray {
  const data = hostArray(dtype, 1);
  data[0] = element(value, dtype);
  return data;
}
