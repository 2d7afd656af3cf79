/** Element types: their names, sizes, host arrays and promotion, in one table for every layer above. */

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

export const isFloat = (dtype: DType): boolean => dtypes[dtype].float;

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
