/** Writes and reads .npy, NumPy's file of one array. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
import type { DType } from "../graph/dtype.ts";
import { strides } from "../graph/shape.ts";
import type { Tensor } from "../tensor.ts";
import { checkedSize, storedTypes, tensorOf, type StoredType } from "./elements.ts";
import { FormatError, shown } from "./format-error.ts";
import { parsePythonLiteral, type PythonLiteral } from "./python-literal.ts";

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** NumPy's letters and widths of element types. */
const NAMES: Readonly<Record<DType, string>> = {
  float32: "<f4",
  float64: "<f8",
  float16: "<f2",
  int32: "<i4",
  int64: "<i8",
  uint32: "<u4",
  bool: "|b1",
};
const TYPES: ReadonlyMap<string, StoredType> = new Map<string, StoredType>([
  ...Object.entries(NAMES).map(([dtype, name]) => [name.slice(1), dtype as DType] as const),
  ["i1", "int8"],
  ["u1", "uint8"],
  ["i2", "int16"],
  ["u2", "uint16"],
]);

/** Longest header that is read, in characters: as in NumPy. */
const MAX_HEADER = 10_000;

/** What kinds that no tensor holds are called. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ["O", "Python objects, which only unpickling could read and which may run code"],
  ["c", "complex numbers"],
  ["S", "byte strings"],
  ["a", "byte strings"],
  ["U", "text"],
  ["V", "raw or structured records"],
  ["M", "dates"],
  ["m", "durations"],
]);

/** Elements as NumPy describes them, e.g. `<f4`. */
export interface NumpyType {
  readonly type: StoredType;
  readonly bigEndian: boolean;
}

/** The bytes of an .npy file of version 1.0, as `np.save` writes it: row-major, little-endian. */
export async function toNpy(tensor: Tensor): Promise<Uint8Array> {
  const { dtype, shape } = tensor;
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const header = `{'descr': '${NAMES[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // Elements begin at a multiple of 64, after a line feed.
  const start = Math.ceil((10 + header.length + 1) / 64) * 64;
  const data = await tensor.data();
  const bytes = new Uint8Array(start + data.byteLength);
  bytes.set([...MAGIC, 1, 0, (start - 10) & 255, (start - 10) >> 8]);
  bytes.fill(0x20, 10, start - 1);
  new TextEncoder().encodeInto(header, bytes.subarray(10));
  bytes[start - 1] = 0x0a;
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return bytes;
}

/**
 * The array in the bytes of an .npy file, of version 1, 2 or 3, row- or column-major, little- or big-endian. int8, uint8,
 * int16 and uint16 are read as int32, without loss.
 * @throws FormatError when the file is damaged or its elements are none of a tensor: Python objects (pickles), complex
 * numbers, text, dates, structures, uint64, float128.
 */
export function fromNpy(bytes: Uint8Array): Tensor {
  const { header, start } = headerOf(bytes);
  const { type, bigEndian, fortran, shape } = describedBy(header);
  const needed = checkedSize("npy: the array", shape) * storedTypes[type].bytes;
  if (start + needed !== bytes.length)
    throw wrong(
      `the array of shape [${shape.join()}] needs ${needed} bytes, got ${bytes.length - start}; is the file truncated or damaged?`,
    );
  const columns = [...strides([...shape].reverse())].reverse();
  return tensorOf(bytes.subarray(start), {
    type,
    shape,
    bigEndian,
    ...(fortran && { strides: columns }),
  });
}

function headerOf(bytes: Uint8Array): { header: string; start: number } {
  if (bytes.length < 10 || !MAGIC.every((byte, i) => bytes[i] === byte))
    throw wrong("the file does not begin like one of np.save");
  const version = bytes[6]!;
  if (version < 1 || version > 3 || bytes[7] !== 0)
    throw wrong(`expected version 1.0, 2.0 or 3.0, got ${version}.${bytes[7]}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (version > 1 && bytes.length < 12) throw wrong("the file is truncated");
  const [length, from] =
    version === 1 ? [view.getUint16(8, true), 10] : [view.getUint32(8, true), 12];
  const start = from + length;
  if (length > MAX_HEADER || start > bytes.length)
    throw wrong(
      `the header should have ${length} bytes, the file has ${bytes.length - from} and the limit is ${MAX_HEADER}`,
    );
  const encoding = version === 3 ? "utf-8" : "latin1";
  try {
    const header = new TextDecoder(encoding, { fatal: true }).decode(bytes.subarray(from, start));
    return { header, start };
  } catch (error) {
    throw wrong("the header is not UTF-8", { cause: error });
  }
}

function describedBy(source: string) {
  let header: PythonLiteral;
  try {
    header = parsePythonLiteral(source);
  } catch (error) {
    throw wrong(`the header: ${(error as FormatError).message}`, { cause: error });
  }
  const keys = ["descr", "fortran_order", "shape"];
  if (!(header instanceof Map) || header.size !== 3 || !keys.every((key) => header.has(key)))
    throw wrong(
      `the header is ${shown(source)}, expected a dict of descr, fortran_order and shape`,
    );
  const descr = header.get("descr");
  const fortran = header.get("fortran_order");
  const shape = header.get("shape");
  if (typeof fortran !== "boolean") throw wrong("fortran_order is neither True nor False");
  if (!Array.isArray(shape)) throw wrong("the shape is no tuple");
  if (typeof descr !== "string")
    throw wrong("the array is structured, expected numbers; save each field as an array");
  return { ...numpyType("npy: the array", descr), fortran, shape: shape as number[] };
}

/**
 * The element type that NumPy calls `descr`.
 * @throws FormatError naming kinds of elements that no tensor holds.
 */
export function numpyType(what: string, descr: string): NumpyType {
  // Dates bear a unit, e.g. `<M8[s]`.
  const [, order, name = "", unit] = /^([<>|=]?)([a-zA-Z]\d*)(\[.*\])?$/.exec(descr) ?? [];
  const type = unit === undefined ? TYPES.get(name) : undefined;
  if (type === undefined) {
    const kind = KINDS.get(name[0] ?? "");
    throw new FormatError(
      `${what} has elements of type ${shown(descr)}${kind ? `: ${kind}` : ""}; expected one of ${[...TYPES.keys()].join(", ")}; convert it in Python with astype`,
    );
  }
  return { type, bigEndian: order === ">" };
}

const wrong = (problem: string, options?: ErrorOptions): FormatError =>
  new FormatError(`npy: ${problem}`, options);
