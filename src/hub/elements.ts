/** Element types as files store them, and how stored bytes become tensors: widened, byte-swapped, strided. */
import { tensor } from "../creation.ts";
import { dtypes, type DType, type TypedArray } from "../graph/dtype.ts";
import { numel, type Shape } from "../graph/shape.ts";
import type { Tensor } from "../tensor.ts";
import { FormatError, shown } from "./format-error.ts";

/** Element types that are read: the library's own, and those that widen to one of them without loss. */
export type StoredType = DType | "bfloat16" | "int8" | "uint8" | "int16" | "uint16";

interface Stored {
  /** Bytes of one element in the file. */
  readonly bytes: number;
  /** Dtype of the tensor that is made of them. */
  readonly dtype: DType;
}

const own = Object.fromEntries(
  Object.entries(dtypes).map(([dtype, { bytes }]) => [dtype, { bytes, dtype }]),
) as Record<DType, Stored>;

/** bfloat16 becomes float32 and the small integers int32: both hold every value exactly. */
export const storedTypes: Readonly<Record<StoredType, Stored>> = {
  ...own,
  bfloat16: { bytes: 2, dtype: "float32" },
  int8: { bytes: 1, dtype: "int32" },
  uint8: { bytes: 1, dtype: "int32" },
  int16: { bytes: 2, dtype: "int32" },
  uint16: { bytes: 2, dtype: "int32" },
};

/** Most dimensions of a tensor that is read: as many as NumPy and PyTorch allow. */
export const MAX_DIMENSIONS = 64;

export interface Layout {
  readonly type: StoredType;
  readonly shape: Shape;
  /** Distance of neighbours in each dimension, in elements; row-major unless given. */
  readonly strides?: readonly number[];
  readonly bigEndian?: boolean;
}

/**
 * A tensor of stored elements, the first of which begins at the first byte. Without strides, there must be exactly as
 * many bytes as the shape needs; with them, at least as many as they reach. Callers check both.
 */
export function tensorOf(
  bytes: Uint8Array,
  { type, shape, strides, bigEndian = false }: Layout,
): Tensor {
  const { bytes: width, dtype } = storedTypes[type];
  const rows = strides === undefined ? bytes : packed(bytes, width, shape, strides);
  const ordered = bigEndian && width > 1 ? swapped(rows, width) : rows;
  return tensor(widened(ordered, type), { dtype, shape });
}

/** Whether elements with these strides lie row after row, without gaps. */
export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let expected = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    const size = shape[d]!;
    if (size !== 1 && strides[d] !== expected) return false;
    expected *= size;
  }
  return true;
}

/**
 * Number of elements of a shape out of a file.
 * @throws FormatError when it is no list of at most 64 sizes.
 */
export function checkedSize(what: string, shape: readonly unknown[]): number {
  if (shape.length > MAX_DIMENSIONS)
    throw new FormatError(
      `${what} has ${shape.length} dimensions, expected at most ${MAX_DIMENSIONS}`,
    );
  if (!isCounts(shape))
    throw new FormatError(`${what} has no valid shape, got [${shown(shape.map(kind).join())}]`);
  const size = shape.includes(0) ? 0 : numel(shape);
  if (!Number.isSafeInteger(size))
    throw new FormatError(`${what} of shape [${shape.join()}] has too many elements`);
  return size;
}

const kind = (size: unknown): string =>
  typeof size === "number" || typeof size === "bigint" ? String(size) : typeof size;

/** Whether a value out of a file is a list of sizes or offsets. */
export const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0 && !Object.is(n, -0));

/** Elements in row-major order, taken from where the strides say. */
function packed(
  bytes: Uint8Array,
  width: number,
  shape: Shape,
  strides: readonly number[],
): Uint8Array {
  const size = numel(shape);
  if (isContiguous(shape, strides)) return bytes.subarray(0, size * width);
  const out = new Uint8Array(size * width);
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < out.length; to += width) {
    for (let b = 0; b < width; b++) out[to + b] = bytes[from + b]!;
    for (let d = shape.length - 1; d >= 0; d--) {
      const stride = strides[d]! * width;
      from += stride;
      if (++index[d]! < shape[d]!) break;
      from -= stride * shape[d]!;
      index[d] = 0;
    }
  }
  return out;
}

/** The same elements with the bytes of each reversed. */
function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i += width)
    for (let b = 0; b < width; b++) out[i + b] = bytes[i + width - 1 - b]!;
  return out;
}

/** Little-endian elements as a host array of the dtype they become; a view of `bytes` where that is possible. */
function widened(bytes: Uint8Array, type: StoredType): TypedArray {
  switch (type) {
    case "bfloat16": {
      // The upper half of a float32's bits.
      const halves = view(bytes, Uint16Array);
      const bits = new Uint32Array(halves.length);
      for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
      return new Float32Array(bits.buffer);
    }
    case "int8":
      return new Int32Array(view(bytes, Int8Array));
    case "uint8":
      return new Int32Array(bytes);
    case "int16":
      return new Int32Array(view(bytes, Int16Array));
    case "uint16":
      return new Int32Array(view(bytes, Uint16Array));
    case "float16":
      return view(bytes, Uint16Array);
    case "float32":
      return view(bytes, Float32Array);
    case "float64":
      return view(bytes, Float64Array);
    case "int32":
      return view(bytes, Int32Array);
    case "int64":
      return view(bytes, BigInt64Array);
    case "uint32":
      return view(bytes, Uint32Array);
    case "bool":
      return bytes;
  }
}

/** The elements of a typed array over `bytes`, or over a copy where they are not aligned. */
function view<T>(
  bytes: Uint8Array,
  array: {
    readonly BYTES_PER_ELEMENT: number;
    new (buffer: ArrayBufferLike, offset: number, length: number): T;
  },
): T {
  const width = array.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new array(aligned.buffer, aligned.byteOffset, bytes.length / width);
}
