/** The ONNX encoder and decoder against python onnx: its files, its descriptions of them, and its checker. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { decodeModel } from "../../src/onnx/decode.ts";
import { attr, encodeModel, type GraphProto, type ModelProto } from "../../src/onnx/proto.ts";
import { OnnxFormatError } from "../../src/onnx/wire-reader.ts";
import { findPython, runPython } from "../support/python.ts";

const fixtures = new URL("../fixtures/onnx/", import.meta.url);
const scripts = new URL("../../scripts/fixtures/", import.meta.url);
const names = ["attributes", "raw", "typed", "types", "foreign"] as const;
const bytesOf = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`${name}.onnx`, fixtures)));
const jsonOf = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`${name}.json`, fixtures), "utf8"));

/** A model as `describe` of scripts/fixtures/onnx_proto.py gives it. */
function asJson(value: unknown, key = "", parent: object = {}): unknown {
  const ofInts =
    key === "value" && "kind" in parent && (parent.kind === "int" || parent.kind === "ints");
  if (typeof value === "bigint" || typeof value === "number")
    return ofInts ? value.toString() : value;
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex");
  if (Array.isArray(value)) return value.map((item) => asJson(item, key, parent));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, asJson(item, name, value)]),
  );
}

function errorOf(run: () => unknown): Error | undefined {
  try {
    run();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
  return undefined;
}

/** y = ReduceSum(x · w + b), `count` times, with every part of the format that programs use. */
function sample(count: number): ModelProto {
  const x = { name: "x", dtype: "float32", shape: ["batch", 2] } as const;
  const nodes = Array.from({ length: count }, (_, i) => [
    {
      name: `mm${i}`,
      opType: "MatMul",
      inputs: [i ? `a${i - 1}` : "x", "w"],
      outputs: [`m${i}`],
      attributes: {},
    },
    { name: `add${i}`, opType: "Add", inputs: [`m${i}`, "b"], outputs: [`a${i}`], attributes: {} },
  ]).flat();
  return {
    irVersion: 8,
    opsetImports: [{ domain: "", version: 18 }],
    producerName: "learning-loop",
    producerVersion: "0.1.0",
    docString: "naïve",
    metadataProps: { ключ: "値" },
    graph: {
      name: "sample",
      nodes: [
        ...nodes,
        {
          name: "sum",
          opType: "ReduceSum",
          inputs: [`a${count - 1}`, "axes"],
          outputs: ["y"],
          attributes: { keepdims: attr.int(0) },
        },
      ],
      initializers: [
        { name: "w", dtype: "float32", shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) },
        {
          name: "b",
          dtype: "float32",
          shape: [2],
          data: new Float32Array([9, 0.5, -1, 9]).subarray(1, 3),
        },
        { name: "axes", dtype: "int64", shape: [1], data: new BigInt64Array([-1n]) },
      ],
      inputs: [x],
      outputs: [{ name: "y", dtype: "float32", shape: ["batch"] }],
      valueInfos: [{ ...x, name: "m0" }],
      docString: "sum",
    },
  };
}

const withGraph = (graph: Partial<GraphProto>): ModelProto => ({
  ...sample(1),
  graph: { ...sample(1).graph, ...graph },
});

describe("decodeModel", () => {
  it.each(names)("reads %s.onnx as python onnx does", (name) => {
    expect(asJson(decodeModel(bytesOf(name)))).toEqual(jsonOf(name));
  });

  it("reads a view into a larger buffer", () => {
    const bytes = bytesOf("typed");
    const larger = new Uint8Array(bytes.length + 9).fill(255);
    larger.set(bytes, 3);
    expect(asJson(decodeModel(larger.subarray(3, 3 + bytes.length)))).toEqual(jsonOf("typed"));
  });

  it("keeps integers exact and attribute names off the prototype", () => {
    const { attributes } = decodeModel(bytesOf("attributes")).graph.nodes[1]!;
    expect(attributes["largest_number"]).toEqual(attr.int(2 ** 53 - 1));
    expect(attributes["first_bigint"]).toEqual(attr.int(2n ** 53n));
    expect(attributes["int64_min"]).toEqual(attr.int(-(2n ** 63n)));
    expect(Object.getPrototypeOf(attributes)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(attributes, "__proto__")?.value).toEqual(attr.int(7));
  });

  it("copies tensors out of the file", () => {
    const bytes = bytesOf("types");
    const tensor = decodeModel(bytes).graph.initializers[0]!;
    bytes.fill(0);
    expect([...tensor.data.slice(0, 3)]).toEqual([0, 1, 2]);
    expect(tensor.data.buffer.byteLength).toBe(tensor.data.byteLength);
  });

  it("names field and offset of what is wrong", () => {
    const cut = bytesOf("types").subarray(0, 500);
    expect(() => decodeModel(cut)).toThrow(
      /^decodeModel: ModelProto\.graph: \d+ bytes announced but \d+ left; is the file truncated\?, at byte \d+ of 500$/,
    );
    expect(() => decodeModel(new Uint8Array(0))).toThrow(
      "ModelProto.graph: missing; is this an ONNX model?",
    );
    expect(() => decodeModel(new TextEncoder().encode("<!doctype html>"))).toThrow(OnnxFormatError);
    expect(() => decodeModel(Uint8Array.of(0x08))).toThrow(
      "ModelProto.ir_version: unfinished number",
    );
    expect(() => decodeModel(Uint8Array.of(0x0a, 0))).toThrow(
      "ModelProto.ir_version: expected a varint value, got a length-delimited one, at byte 1 of 2",
    );
    expect(() => decodeModel(Uint8Array.of(0x08, ...Array<number>(10).fill(255), 1))).toThrow(
      "longer than ten bytes",
    );
    expect(() => decodeModel(Uint8Array.of(0x12, 1, 0xff))).toThrow(
      "ModelProto.producer_name: expected text in UTF-8",
    );
    expect(() => decodeModel(Uint8Array.of(0x0b))).toThrow(
      "ModelProto: expected a field, got the invalid tag 11",
    );
  });

  it("refuses what the model cannot hold, by name", () => {
    // TensorProto fields: 1 dims, 2 data_type, 9 raw_data, 14 data_location; GraphProto.initializer is 5, ModelProto.graph 7.
    const tensor = (...fields: number[]): Uint8Array =>
      Uint8Array.of(0x3a, fields.length + 2, 0x2a, fields.length, ...fields);
    expect(() => decodeModel(tensor(0x10, 1, 0x08, 3, 0x4a, 4, 0, 0, 0, 0))).toThrow(
      'TensorProto.raw_data: "" of float32 [3] needs 12 bytes, got 4',
    );
    expect(() => decodeModel(tensor(0x10, 1, 0x08, 3))).toThrow(
      'float_data: "" of float32 [3] needs 3 elements, got 0',
    );
    expect(() => decodeModel(tensor(0x10, 16))).toThrow(
      "TensorProto.data_type: element type 16 is not supported",
    );
    expect(() => decodeModel(tensor(0x10, 1, 0x70, 1))).toThrow(
      "TensorProto.data_location: data in another file",
    );
    const minusOne = [...Array<number>(9).fill(255), 1];
    expect(() => decodeModel(tensor(0x10, 1, 0x08, ...minusOne))).toThrow(
      "TensorProto.dims: expected a size >= 0",
    );
    expect(() => decodeModel(Uint8Array.of(0xca, 1, 0))).toThrow("ModelProto.functions");
  });

  it("refuses huge announced sizes without allocating them", () => {
    // dims 2^40, float32, no data; then a string announced as 2^42 bytes long.
    const dims = [0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0x10, 1];
    const tensor = Uint8Array.of(0x3a, dims.length + 2, 0x2a, dims.length, ...dims);
    expect(() => decodeModel(tensor)).toThrow("needs 1099511627776 elements, got 0");
    const string = Uint8Array.of(0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 65);
    expect(() => decodeModel(string)).toThrow("4398046511104 bytes announced but 1 left");
  });

  it("limits the depth of graphs", () => {
    const nested = (depth: number): ModelProto => {
      let graph: GraphProto = { name: "0", nodes: [], initializers: [], inputs: [], outputs: [] };
      for (let i = 1; i < depth; i++) {
        const node = {
          name: "",
          opType: "If",
          inputs: [],
          outputs: [],
          attributes: { then_branch: attr.graph(graph) },
        };
        graph = { ...graph, name: `${i}`, nodes: [node] };
      }
      return { ...sample(1), graph };
    };
    expect(decodeModel(encodeModel(nested(32)))).toEqual(nested(32));
    expect(() => decodeModel(encodeModel(nested(33)))).toThrow(
      "GraphProto: graphs nested deeper than 32",
    );
  });

  it("decodes or throws OnnxFormatError for 2,000 damaged models", () => {
    let state = 1;
    /** An integer in [0, n), from Park and Miller's generator. */
    const random = (n: number): number => (state = (state * 48271) % 2147483647) % n;
    const originals = names.map(bytesOf);
    let decoded = 0;
    for (let i = 0; i < 2000; i++) {
      const original = originals[i % originals.length]!;
      const bytes = original.slice(0, random(4) === 0 ? random(original.length) : original.length);
      for (let changes = random(5); changes > 0 && bytes.length > 0; changes--) {
        bytes[random(bytes.length)] = random(3) === 0 ? 255 : random(256);
      }
      const error = errorOf(() => decodeModel(bytes));
      if (error === undefined) decoded++;
      else if (!(error instanceof OnnxFormatError)) throw error;
    }
    expect(decoded).toBeGreaterThan(100);
    expect(decoded).toBeLessThan(1900);
  });
});

describe("encodeModel", () => {
  it.each(["attributes", "raw", "types"] as const)(
    "writes %s.onnx byte for byte as python onnx does",
    (name) => {
      const bytes = bytesOf(name);
      expect(Buffer.compare(encodeModel(decodeModel(bytes)), bytes)).toBe(0);
    },
  );

  it("is undone by decodeModel, over many buffers", () => {
    const model = sample(3000);
    expect(decodeModel(encodeModel(model))).toEqual(model);
    for (const name of names) {
      const decoded = decodeModel(bytesOf(name));
      expect(decodeModel(encodeModel(decoded))).toEqual(decoded);
    }
    for (const length of [4095, 4096, 32767, 32768, 32769, 100_000]) {
      const text = withGraph({ docString: "x".repeat(length), name: "é".repeat(length) });
      expect(decodeModel(encodeModel(text))).toEqual(text);
      const data = Uint8Array.from({ length }, (_, i) => i & 1);
      const tensor = withGraph({
        initializers: [{ name: "t", dtype: "bool", shape: [length], data }],
      });
      expect(decodeModel(encodeModel(tensor))).toEqual(tensor);
    }
  });

  it("passes the checker of python onnx, which reads the same model", (context) => {
    const python = findPython(["onnx", "numpy"]);
    if (!python)
      return context.skip("no Python with onnx and numpy; set LEARNING_LOOP_PYTHON to one");
    const models = [sample(1), sample(1000), ...names.map((name) => decodeModel(bytesOf(name)))];
    const script = `
import base64, json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, ${JSON.stringify(fileURLToPath(scripts))})
import onnx, onnx_proto
models = [onnx.load_from_string(base64.b64decode(line)) for line in sys.stdin]
for model in models: onnx.checker.check_model(model, full_check=True)
print(json.dumps([onnx_proto.describe(model) for model in models]))`;
    const lines = models.map((model) => Buffer.from(encodeModel(model)).toString("base64"));
    expect(JSON.parse(runPython(python, script, lines.join("\n")))).toEqual(
      models.map((model) => asJson(model)),
    );
  });

  it("refuses values that do not fit", () => {
    const node = sample(1).graph.nodes[0]!;
    const withAttribute = (value: number | bigint): ModelProto =>
      withGraph({ nodes: [{ ...node, attributes: { axis: attr.int(value) } }] });
    expect(() => encodeModel(withAttribute(0.5))).toThrow(
      "attribute axis: expected an integer of 64 bits",
    );
    expect(() => encodeModel(withAttribute(2 ** 53))).toThrow(RangeError);
    expect(() => encodeModel(withAttribute(2n ** 63n))).toThrow(RangeError);
    const tensor = { name: "w", dtype: "float32", shape: [3], data: new Float32Array(2) } as const;
    expect(() => encodeModel(withGraph({ initializers: [tensor] }))).toThrow(
      'encodeModel: tensor "w" of float32 [3] needs 3 elements in a Float32Array, got 2 in a Float32Array',
    );
    const wrongArray = { ...tensor, data: new Float64Array(3) };
    expect(() => encodeModel(withGraph({ initializers: [wrongArray] }))).toThrow(
      "got 3 in a Float64Array",
    );
    const output = { name: "y", dtype: "float32", shape: [-1] } as const;
    expect(() => encodeModel(withGraph({ outputs: [output] }))).toThrow(
      'shape of "y": expected a size >= 0, got -1',
    );
  });

  it("refuses models of more than 2 GiB before allocating them", () => {
    const data = new Uint8Array(2 ** 28);
    const initializers = Array.from(
      { length: 8 },
      (_, i) => ({ name: `${i}`, dtype: "bool", shape: [2 ** 28], data }) as const,
    );
    expect(() => encodeModel(withGraph({ initializers }))).toThrow(
      /the model takes 2147\d+ bytes.*2 GiB/,
    );
  });
});
