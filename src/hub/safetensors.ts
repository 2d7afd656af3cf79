/** Writes and reads safetensors, the format in which PyTorch and Hugging Face exchange weights. */
import { dtypes, type DType } from "../graph/dtype.ts";
import type { StateDict } from "../nn/module.ts";
import { Tensor } from "../tensor.ts";
import { duplicateKey } from "./duplicate-keys.ts";
import { checkedSize, isCounts, storedTypes, tensorOf, type StoredType } from "./elements.ts";
import { FormatError, shown } from "./format-error.ts";

/** Names of element types in the format. https://github.com/huggingface/safetensors#format */
const NAMES: Readonly<Record<DType, string>> = {
  float32: "F32",
  float64: "F64",
  float16: "F16",
  int32: "I32",
  int64: "I64",
  uint32: "U32",
  bool: "BOOL",
};
const TYPES: ReadonlyMap<string, StoredType> = new Map<string, StoredType>([
  ...Object.entries(NAMES).map(([dtype, name]) => [name, dtype as DType] as const),
  ["BF16", "bfloat16"],
  ["I8", "int8"],
  ["U8", "uint8"],
  ["I16", "int16"],
  ["U16", "uint16"],
]);

/** Largest header that the reference implementation accepts, in bytes. */
const MAX_HEADER = 100_000_000;

/**
 * Tensors as the bytes of a safetensors file: the header's length as 8 bytes, a JSON header, the elements, all
 * little-endian. Larger element types come first, so that every tensor is aligned; otherwise by name.
 */
export async function toSafetensors(
  tensors: StateDict,
  metadata: Readonly<Record<string, string>> = { format: "pt" },
): Promise<Uint8Array> {
  for (const [name, x] of Object.entries(tensors))
    if (!(x instanceof Tensor))
      throw new TypeError(
        `safetensors: "${name}" must be a tensor, got ${typeof x}; flatten what is nested`,
      );
  const sorted = Object.entries(tensors).sort(
    ([a, x], [b, y]) => dtypes[y.dtype].bytes - dtypes[x.dtype].bytes || (a < b ? -1 : 1),
  );
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { dtype, shape, size }] of sorted) {
    const end = offset + size * dtypes[dtype].bytes;
    Object.defineProperty(header, name, {
      value: { dtype: NAMES[dtype], shape, data_offsets: [offset, end] },
      enumerable: true,
    });
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(0x20, 8, 8 + headerLength);
  bytes.set(json, 8);
  let position = 8 + headerLength;
  for (const [, t] of sorted) {
    const data = await t.data();
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += data.byteLength;
  }
  return bytes;
}

/** What a safetensors file holds. */
export interface SafetensorsFile {
  readonly tensors: StateDict;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The tensors in the bytes of a safetensors file. BF16 is read as float32, and I8, U8, I16 and U16 as int32, without
 * loss; U64, complex numbers and floats of 8 bits and less are refused by name. The bytes are not trusted: every size
 * and offset is checked, and tensors must fill the file without gaps or overlaps, as the format demands.
 * @throws FormatError saying what is wrong, and with which tensor.
 */
export function fromSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { header, start } = headerOf(bytes);
  const metadata = metadataOf(header["__metadata__"]);
  const entries = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => ({ name, ...entryOf(shown(name), value) }))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== position) {
      throw wrong(`tensor ${shown(name)} begins at ${begin}, expected ${position}`);
    }
    position = end;
  }
  if (start + position !== bytes.length) {
    throw wrong(
      `expected ${start + position} bytes, got ${bytes.length}; is the file truncated or damaged?`,
    );
  }
  const tensors = entries.map(
    ({ name, type, shape, begin, end }) =>
      [name, tensorOf(bytes.subarray(start + begin, start + end), { type, shape })] as const,
  );
  return { tensors: Object.fromEntries(tensors), metadata };
}

function headerOf(bytes: Uint8Array): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8) throw wrong(`expected at least 8 bytes, got ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > MAX_HEADER || 8 + length > bytes.length) {
    throw wrong(
      `the header should have ${length} bytes, the file has ${bytes.length}; is it safetensors, and whole?`,
    );
  }
  let json: string;
  let header: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    json = text.decode(bytes.subarray(8, 8 + length));
    header = JSON.parse(json);
  } catch (error) {
    throw wrong("the header is not JSON in UTF-8", { cause: error });
  }
  if (!isRecord(header)) throw wrong("the header is not an object");
  const twice = duplicateKey(json);
  if (twice !== undefined) throw wrong(`the header has the key ${shown(twice)} twice`);
  return { header, start: 8 + length };
}

function metadataOf(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value)) throw wrong("__metadata__ is not an object");
  return Object.fromEntries(
    Object.entries(value).map(([key, text]) => {
      if (typeof text !== "string") throw wrong(`__metadata__ ${shown(key)} is not text`);
      return [key, text];
    }),
  );
}

function entryOf(name: string, value: unknown) {
  if (!isRecord(value)) throw wrong(`tensor ${name} is not described by an object`);
  const { dtype: typeName, shape, data_offsets: offsets } = value;
  const type = typeof typeName === "string" ? TYPES.get(typeName) : undefined;
  if (type === undefined) {
    const got =
      typeof typeName === "string" ? `the type ${shown(typeName)}` : "no type that is named";
    const known = [...TYPES.keys()].join(", ");
    throw wrong(
      `tensor ${name} has ${got}, expected one of ${known}; convert it in Python, e.g. with .float()`,
    );
  }
  if (!Array.isArray(shape)) throw wrong(`tensor ${name} has no valid shape`);
  const size = checkedSize(`safetensors: tensor ${name}`, shape) * storedTypes[type].bytes;
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw wrong(`tensor ${name} has no valid data_offsets`);
  }
  const [begin = 0, end = 0] = offsets;
  if (end - begin !== size) {
    throw wrong(
      `tensor ${name} of shape [${shape.join()}] needs ${size} bytes, got ${end - begin}`,
    );
  }
  return { type, shape: shape as number[], begin, end };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const wrong = (problem: string, options?: ErrorOptions): FormatError =>
  new FormatError(`safetensors: ${problem}`, options);
