/** The decoder from protobuf bytes to the part of the ONNX model format that programs use. */
import { readTensor, readValueInfo } from "./decode-values.ts";
import {
  attributeTypes,
  type AttributeValue,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type OpsetId,
  type TensorProto,
  type ValueInfoProto,
} from "./proto.ts";
import { WireReader } from "./wire-reader.ts";

/** Nesting of graphs in attributes that is read; protobuf's own limit of 100 messages allows about as many. */
const MAX_GRAPH_DEPTH = 32;

/**
 * The model in protobuf bytes, tensors copied out of them. Unknown fields are skipped; throws an OnnxFormatError that names
 * field and byte offset for malformed bytes and for what `ModelProto` cannot hold: other dtypes, non-tensor values,
 * external data, sparse initializers, local functions.
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  const r = new WireReader(bytes);
  const text: Text<"producerVersion" | "docString"> = {};
  const opsetImports: OpsetId[] = [];
  const metadata: [string, string][] = [];
  let irVersion = 0;
  let producerName = "";
  let graph: GraphProto | undefined;
  while (r.next("ModelProto")) {
    switch (r.field) {
      case 1:
        irVersion = r.int("ModelProto.ir_version");
        break;
      case 2:
        producerName = r.string("ModelProto.producer_name");
        break;
      case 3:
        text.producerVersion = r.string("ModelProto.producer_version");
        break;
      case 6:
        text.docString = r.string("ModelProto.doc_string");
        break;
      case 7:
        graph = r.message("ModelProto.graph", () => readGraph(r, 1));
        break;
      case 8:
        opsetImports.push(r.message("ModelProto.opset_import", readOpset));
        break;
      case 14:
        metadata.push(r.message("ModelProto.metadata_props", readStringEntry));
        break;
      case 25:
        r.fail(
          "ModelProto.functions",
          "local functions are not supported; inline them first (onnx.inliner)",
        );
        break;
      default:
        r.skip();
    }
  }
  if (!graph) return r.fail("ModelProto.graph", "missing; is this an ONNX model?");
  const metadataProps = metadata.length > 0 ? { metadataProps: Object.fromEntries(metadata) } : {};
  return { irVersion, opsetImports, producerName, ...text, graph, ...metadataProps };
}

type Text<K extends string> = { [key in K]?: string };

function readStringEntry(r: WireReader): [string, string] {
  let key = "";
  let value = "";
  while (r.next("StringStringEntryProto")) {
    if (r.field === 1) key = r.string("StringStringEntryProto.key");
    else if (r.field === 2) value = r.string("StringStringEntryProto.value");
    else r.skip();
  }
  return [key, value];
}

function readOpset(r: WireReader): OpsetId {
  let domain = "";
  let version = 0;
  while (r.next("OperatorSetIdProto")) {
    if (r.field === 1) domain = r.string("OperatorSetIdProto.domain");
    else if (r.field === 2) version = r.int("OperatorSetIdProto.version");
    else r.skip();
  }
  return { domain, version };
}

function readGraph(r: WireReader, depth: number): GraphProto {
  if (depth > MAX_GRAPH_DEPTH) r.fail("GraphProto", `graphs nested deeper than ${MAX_GRAPH_DEPTH}`);
  const text: Text<"docString"> = {};
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const inputs: ValueInfoProto[] = [];
  const outputs: ValueInfoProto[] = [];
  const valueInfos: ValueInfoProto[] = [];
  let name = "";
  while (r.next("GraphProto")) {
    switch (r.field) {
      case 1:
        nodes.push(r.message("GraphProto.node", () => readNode(r, depth)));
        break;
      case 2:
        name = r.string("GraphProto.name");
        break;
      case 5:
        initializers.push(r.message("GraphProto.initializer", readTensor));
        break;
      case 10:
        text.docString = r.string("GraphProto.doc_string");
        break;
      case 11:
        inputs.push(r.message("GraphProto.input", readValueInfo));
        break;
      case 12:
        outputs.push(r.message("GraphProto.output", readValueInfo));
        break;
      case 13:
        valueInfos.push(r.message("GraphProto.value_info", readValueInfo));
        break;
      case 15:
        r.fail(
          "GraphProto.sparse_initializer",
          "sparse tensors are not supported; store dense initializers",
        );
        break;
      default:
        r.skip();
    }
  }
  return {
    name,
    nodes,
    initializers,
    inputs,
    outputs,
    ...(valueInfos.length > 0 && { valueInfos }),
    ...text,
  };
}

function readNode(r: WireReader, depth: number): NodeProto {
  const text: Text<"domain"> = {};
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: [string, AttributeValue][] = [];
  let name = "";
  let opType = "";
  while (r.next("NodeProto")) {
    switch (r.field) {
      case 1:
        inputs.push(r.string("NodeProto.input"));
        break;
      case 2:
        outputs.push(r.string("NodeProto.output"));
        break;
      case 3:
        name = r.string("NodeProto.name");
        break;
      case 4:
        opType = r.string("NodeProto.op_type");
        break;
      case 5:
        attributes.push(r.message("NodeProto.attribute", () => readAttribute(r, depth)));
        break;
      case 7:
        text.domain = r.string("NodeProto.domain");
        break;
      default:
        r.skip();
    }
  }
  // fromEntries defines own properties, so no attribute's name can reach the prototype.
  return { name, opType, ...text, inputs, outputs, attributes: Object.fromEntries(attributes) };
}

function readAttribute(r: WireReader, depth: number): [string, AttributeValue] {
  const ints: (number | bigint)[] = [];
  const floats: number[] = [];
  const strings: string[] = [];
  let name = "";
  let type = 0;
  let int: number | bigint = 0;
  let float = 0;
  let string = "";
  let tensor: TensorProto | undefined;
  let graph: GraphProto | undefined;
  while (r.next("AttributeProto")) {
    switch (r.field) {
      case 1:
        name = r.string("AttributeProto.name");
        break;
      case 2:
        float = r.float("AttributeProto.f");
        break;
      case 3:
        int = r.int64("AttributeProto.i");
        break;
      case 4:
        string = r.string("AttributeProto.s");
        break;
      case 5:
        tensor = r.message("AttributeProto.t", readTensor);
        break;
      case 6:
        graph = r.message("AttributeProto.g", () => readGraph(r, depth + 1));
        break;
      case 7:
        r.floats("AttributeProto.floats", floats);
        break;
      case 8:
        r.int64s("AttributeProto.ints", ints);
        break;
      case 9:
        strings.push(r.string("AttributeProto.strings"));
        break;
      case 20:
        type = r.int("AttributeProto.type");
        break;
      case 21:
        r.fail(
          "AttributeProto.ref_attr_name",
          "references to function attributes are not supported",
        );
        break;
      default:
        r.skip();
    }
  }
  switch (type) {
    case attributeTypes.int:
      return [name, { kind: "int", value: int }];
    case attributeTypes.float:
      return [name, { kind: "float", value: float }];
    case attributeTypes.string:
      return [name, { kind: "string", value: string }];
    case attributeTypes.ints:
      return [name, { kind: "ints", value: ints }];
    case attributeTypes.floats:
      return [name, { kind: "floats", value: floats }];
    case attributeTypes.strings:
      return [name, { kind: "strings", value: strings }];
    case attributeTypes.tensor:
      return [
        name,
        { kind: "tensor", value: tensor ?? r.fail("AttributeProto.t", `missing in ${name}`) },
      ];
    case attributeTypes.graph:
      return [
        name,
        { kind: "graph", value: graph ?? r.fail("AttributeProto.g", `missing in ${name}`) },
      ];
    default:
      return r.fail(
        "AttributeProto.type",
        `${type} of ${name} is not one of ${Object.keys(attributeTypes).join()}`,
      );
  }
}
