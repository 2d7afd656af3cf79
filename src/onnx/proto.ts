/** The part of the ONNX model format that programs use, as plain objects, and its encoder to protobuf bytes. */
import { dtypes, type DType, type TypedArray } from "../graph/dtype.ts";
import { WireWriter } from "./wire-writer.ts";

export interface ModelProto {
  readonly irVersion: number;
  readonly opsetImports: readonly OpsetId[];
  readonly producerName: string;
  readonly producerVersion?: string;
  readonly docString?: string;
  readonly graph: GraphProto;
  readonly metadataProps?: Readonly<Record<string, string>>;
}

/** An operator set; the domain "" is ONNX's own. */
export interface OpsetId {
  readonly domain: string;
  readonly version: number;
}

/** Nodes in topological order over named values. */
export interface GraphProto {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  readonly inputs: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
  readonly valueInfos?: readonly ValueInfoProto[];
  readonly docString?: string;
}

/** One operator call; an input "" is an optional input left out. */
export interface NodeProto {
  readonly name: string;
  readonly opType: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** An attribute with its type, since 1 may mean an int or a float; ints beyond 2^53 are bigints. */
export type AttributeValue =
  | { readonly kind: "int"; readonly value: number | bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "tensor"; readonly value: TensorProto }
  | { readonly kind: "graph"; readonly value: GraphProto }
  | { readonly kind: "ints"; readonly value: readonly (number | bigint)[] }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] };

/** A constant; `data` holds the elements in row-major order, bool as 0/1 bytes and float16 as raw half bits. */
export interface TensorProto {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** A typed value; a dimension is a size, a symbol, or "" when unknown; `shape` is null when even the rank is unknown. */
export interface ValueInfoProto {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[] | null;
}

/** Constructors of attribute values: `{ axis: attr.int(-1), epsilon: attr.float(1e-5) }`. */
export const attr = {
  int: (value: number | bigint): AttributeValue => ({ kind: "int", value }),
  float: (value: number): AttributeValue => ({ kind: "float", value }),
  string: (value: string): AttributeValue => ({ kind: "string", value }),
  tensor: (value: TensorProto): AttributeValue => ({ kind: "tensor", value }),
  graph: (value: GraphProto): AttributeValue => ({ kind: "graph", value }),
  ints: (value: readonly (number | bigint)[]): AttributeValue => ({ kind: "ints", value }),
  floats: (value: readonly number[]): AttributeValue => ({ kind: "floats", value }),
  strings: (value: readonly string[]): AttributeValue => ({ kind: "strings", value }),
} as const;

/** `AttributeProto.AttributeType` numbers. */
export const attributeTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const satisfies Record<AttributeValue["kind"], number>;

/**
 * The protobuf bytes of a model, as onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) defines them.
 * Tensor data is copied once. Throws a RangeError for integers, shapes or data that do not fit, and above 2 GiB.
 */
export function encodeModel(model: ModelProto): Uint8Array {
  const writer = new WireWriter();
  writeModel(writer, model);
  return writer.finish();
}

// The writer runs backwards: every function below writes its message's fields from the highest number to the lowest.

function writeModel(w: WireWriter, model: ModelProto): void {
  w.each(Object.entries(model.metadataProps ?? {}), (entry) =>
    w.message(14, entry, writeStringEntry),
  );
  w.each(model.opsetImports, (opset) => w.message(8, opset, writeOpset));
  w.message(7, model.graph, writeGraph);
  if (model.docString) w.string(6, model.docString);
  if (model.producerVersion) w.string(3, model.producerVersion);
  w.string(2, model.producerName);
  w.int(1, integer(model.irVersion, "irVersion"));
}

function writeStringEntry(w: WireWriter, [key, value]: [string, string]): void {
  w.string(2, value);
  w.string(1, key);
}

function writeOpset(w: WireWriter, opset: OpsetId): void {
  w.int(2, integer(opset.version, "opset version"));
  w.string(1, opset.domain);
}

function writeGraph(w: WireWriter, graph: GraphProto): void {
  w.each(graph.valueInfos ?? [], (value) => w.message(13, value, writeValueInfo));
  w.each(graph.outputs, (value) => w.message(12, value, writeValueInfo));
  w.each(graph.inputs, (value) => w.message(11, value, writeValueInfo));
  if (graph.docString) w.string(10, graph.docString);
  w.each(graph.initializers, (tensor) => w.message(5, tensor, writeTensor));
  w.string(2, graph.name);
  w.each(graph.nodes, (node) => w.message(1, node, writeNode));
}

function writeNode(w: WireWriter, node: NodeProto): void {
  if (node.domain) w.string(7, node.domain);
  w.each(Object.entries(node.attributes), (entry) => w.message(5, entry, writeAttribute));
  w.string(4, node.opType);
  if (node.name) w.string(3, node.name);
  w.each(node.outputs, (name) => w.string(2, name));
  w.each(node.inputs, (name) => w.string(1, name));
}

function writeAttribute(w: WireWriter, [name, attribute]: [string, AttributeValue]): void {
  w.int(20, attributeTypes[attribute.kind]);
  switch (attribute.kind) {
    case "strings":
      w.each(attribute.value, (value) => w.string(9, value));
      break;
    case "ints":
      w.each(attribute.value, (value) => w.int(8, integer(value, `attribute ${name}`)));
      break;
    case "floats":
      w.each(attribute.value, (value) => w.float(7, value));
      break;
    case "graph":
      w.message(6, attribute.value, writeGraph);
      break;
    case "tensor":
      w.message(5, attribute.value, writeTensor);
      break;
    case "string":
      w.string(4, attribute.value);
      break;
    case "int":
      w.int(3, integer(attribute.value, `attribute ${name}`));
      break;
    case "float":
      w.float(2, attribute.value);
      break;
  }
  w.string(1, name);
}

function writeTensor(w: WireWriter, tensor: TensorProto): void {
  const { name, dtype, shape, data } = tensor;
  const { array, bytes, onnx } = dtypes[dtype];
  const length = shape.reduce((product, size) => product * dimension(size, name), 1);
  if (data.length !== length || data.BYTES_PER_ELEMENT !== bytes) {
    throw new RangeError(
      `encodeModel: tensor ${JSON.stringify(name)} of ${dtype} [${shape.join()}] needs ${length} elements in a ` +
        `${array.name}, got ${data.length} in a ${data.constructor.name}`,
    );
  }
  // raw_data is little-endian, as is every platform that ONNX Runtime is built for.
  w.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  if (name) w.string(8, name);
  w.int(2, onnx);
  w.each(shape, (size) => w.int(1, size));
}

function writeValueInfo(w: WireWriter, value: ValueInfoProto): void {
  w.message(2, value, writeType);
  w.string(1, value.name);
}

function writeType(w: WireWriter, value: ValueInfoProto): void {
  w.message(1, value, writeTensorType);
}

function writeTensorType(w: WireWriter, { name, dtype, shape }: ValueInfoProto): void {
  if (shape)
    w.message(2, shape, (_, sizes) =>
      w.each(sizes, (size) => w.message(1, { name, size }, writeDimension)),
    );
  w.int(1, dtypes[dtype].onnx);
}

function writeDimension(
  w: WireWriter,
  { name, size }: { name: string; size: number | string },
): void {
  if (typeof size === "number") w.int(1, dimension(size, name));
  else if (size) w.string(2, size);
}

function dimension(size: number, name: string): number {
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw new RangeError(
    `encodeModel: shape of ${JSON.stringify(name)}: expected a size >= 0, got ${size}`,
  );
}

function integer(value: number | bigint, what: string): number | bigint {
  if (typeof value === "bigint" ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value))
    return value;
  throw new RangeError(
    `encodeModel: ${what}: expected an integer of 64 bits (numbers up to 2^53), got ${value}`,
  );
}
