/** The decoders of `TensorProto`, whose elements lie in raw bytes or a typed field, and of `ValueInfoProto`. */
import { dtypeOfOnnx, dtypes, hostArray, type DType, type TypedArray } from "../graph/dtype.ts";
import type { TensorProto, ValueInfoProto } from "./proto.ts";
import type { WireReader } from "./wire-reader.ts";

/** The typed field that holds a dtype's elements when raw_data does not. */
const typedFields: Readonly<Record<DType, TypedField>> = {
  float32: "float_data",
  float64: "double_data",
  float16: "int32_data",
  int32: "int32_data",
  bool: "int32_data",
  int64: "int64_data",
  uint32: "uint64_data",
};
type TypedField = "float_data" | "int32_data" | "int64_data" | "double_data" | "uint64_data";

/** `TensorProto.DataLocation.EXTERNAL`. */
const EXTERNAL = 1;
/** NumPy's limit, so that no error message gets long. */
const MAX_RANK = 64;

/** Reads one `TensorProto`; the elements are copied to memory of their own. */
export function readTensor(r: WireReader): TensorProto {
  const dims: (number | bigint)[] = [];
  const typed: Record<TypedField, (number | bigint)[]> & {
    float_data: number[];
    double_data: number[];
  } = {
    float_data: [],
    int32_data: [],
    int64_data: [],
    double_data: [],
    uint64_data: [],
  };
  let elementType = 0;
  let name = "";
  let raw: Uint8Array | undefined;
  while (r.next("TensorProto")) {
    switch (r.field) {
      case 1:
        r.int64s("TensorProto.dims", dims);
        break;
      case 2:
        elementType = r.int("TensorProto.data_type");
        break;
      case 3:
        r.fail("TensorProto.segment", "tensors in segments are not supported");
        break;
      case 4:
        r.floats("TensorProto.float_data", typed.float_data);
        break;
      case 5:
        r.int64s("TensorProto.int32_data", typed.int32_data);
        break;
      case 7:
        r.int64s("TensorProto.int64_data", typed.int64_data);
        break;
      case 8:
        name = r.string("TensorProto.name");
        break;
      case 9:
        raw = r.bytes("TensorProto.raw_data");
        break;
      case 10:
        r.doubles("TensorProto.double_data", typed.double_data);
        break;
      case 11:
        r.int64s("TensorProto.uint64_data", typed.uint64_data);
        break;
      case 14:
        if (r.int("TensorProto.data_location") === EXTERNAL) {
          r.fail(
            "TensorProto.data_location",
            "data in another file is not supported; save the model in one file",
          );
        }
        break;
      default:
        r.skip();
    }
  }
  const dtype = dtypeOf(r, "TensorProto.data_type", elementType);
  if (dims.length > MAX_RANK)
    r.fail("TensorProto.dims", `expected at most ${MAX_RANK}, got ${dims.length}`);
  const shape = dims.map((size) =>
    typeof size === "number" && size >= 0
      ? size
      : r.fail("TensorProto.dims", `expected a size >= 0, got ${size}`),
  );
  const length = shape.reduce((product, size) => product * size, 1);
  const label = `${JSON.stringify(name)} of ${dtype} [${shape.join()}]`;

  if (raw) {
    const bytes = length * dtypes[dtype].bytes;
    if (raw.length !== bytes)
      r.fail("TensorProto.raw_data", `${label} needs ${bytes} bytes, got ${raw.length}`);
    const data = hostArray(dtype, length);
    new Uint8Array(data.buffer).set(raw);
    return { name, dtype, shape, data };
  }
  const field = typedFields[dtype];
  const values = typed[field];
  if (values.length !== length) {
    r.fail(`TensorProto.${field}`, `${label} needs ${length} elements, got ${values.length}`);
  }
  return { name, dtype, shape, data: toArray(dtype, values) };
}

function toArray(dtype: DType, values: readonly (number | bigint)[]): TypedArray {
  const data = hostArray(dtype, values.length);
  if (data instanceof BigInt64Array) values.forEach((value, i) => (data[i] = BigInt(value)));
  else values.forEach((value, i) => (data[i] = Number(value)));
  return data;
}

/** Reads one `ValueInfoProto`. */
export function readValueInfo(r: WireReader): ValueInfoProto {
  let name = "";
  let type: Omit<ValueInfoProto, "name"> | undefined;
  while (r.next("ValueInfoProto")) {
    if (r.field === 1) name = r.string("ValueInfoProto.name");
    else if (r.field === 2) type = r.message("ValueInfoProto.type", readType);
    else r.skip();
  }
  if (!type) return r.fail("ValueInfoProto.type", `missing in ${JSON.stringify(name)}`);
  return { name, ...type };
}

function readType(r: WireReader): Omit<ValueInfoProto, "name"> {
  let type: Omit<ValueInfoProto, "name"> | undefined;
  while (r.next("TypeProto")) {
    if (r.field === 1) type = r.message("TypeProto.tensor_type", readTensorType);
    else r.skip();
  }
  return (
    type ??
    r.fail("TypeProto", "only tensors are supported, not sequences, maps or optional values")
  );
}

function readTensorType(r: WireReader): Omit<ValueInfoProto, "name"> {
  let elementType = 0;
  let shape: (number | string)[] | null = null;
  while (r.next("TypeProto.Tensor")) {
    if (r.field === 1) elementType = r.int("TypeProto.Tensor.elem_type");
    else if (r.field === 2) shape = r.message("TypeProto.Tensor.shape", readShape);
    else r.skip();
  }
  return { dtype: dtypeOf(r, "TypeProto.Tensor.elem_type", elementType), shape };
}

function readShape(r: WireReader): (number | string)[] {
  const shape: (number | string)[] = [];
  while (r.next("TensorShapeProto")) {
    if (r.field === 1) shape.push(r.message("TensorShapeProto.dim", readDimension));
    else r.skip();
  }
  return shape;
}

function readDimension(r: WireReader): number | string {
  let size: number | string = "";
  while (r.next("TensorShapeProto.Dimension")) {
    if (r.field === 1) size = r.int("TensorShapeProto.Dimension.dim_value");
    else if (r.field === 2) size = r.string("TensorShapeProto.Dimension.dim_param");
    else r.skip();
  }
  return size;
}

/** The dtype with ONNX's number `onnx`, an error for the field `name` where there is none. */
function dtypeOf(r: WireReader, name: string, onnx: number): DType {
  return (
    dtypeOfOnnx(onnx) ??
    r.fail(
      name,
      `element type ${onnx} is not supported; supported are ${Object.keys(dtypes).join(", ")}`,
    )
  );
}
