/** Writes ONNX nodes and constants: what lowerings emit to. */

import {
  dtypes,
  elementsKey,
  hostNumber,
  isFloat,
  type DType,
  type TypedArray,
} from "../graph/dtype.ts";
import type { Node, TypeSpec } from "../graph/node.ts";
import type { Emitter, MadeOfRows, OnnxAttribute, Target, Typed } from "../graph/op.ts";
import { numel, type Shape } from "../graph/shape.ts";
import { piecesOf } from "./blocks.ts";
import {
  attr,
  type AttributeValue,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "./proto.ts";

/** Target of everything written: opset 20 has Gelu, 18 axes as inputs of all reductions and ScatterElements' add. */
const OPSET = 18;
const IR_VERSION = 9;
/** Elements of the largest constants that are written once however often they are asked for. */
const LARGEST_SHARED = 1024;

export class Builder implements Emitter {
  readonly target: Target;
  nodesEmitted: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  #constants = new Map<string, string>();
  /** Results by node, of what is being written and of what it may refer to. */
  #results: readonly Map<string, readonly string[]>[] = [new Map()];
  #constantNames = new Set<string>();
  #renamed = new Map<string, string>();
  #domains = new Set<string>();
  /** Shapes of what loops return, and what reshaped values were. */
  #loopShapes = new Map<string, Shape>();
  #reshaped = new Map<string, string>();
  #prefix = "";
  #count = 0;

  constructor(target: Target) {
    this.target = target;
  }

  /** Names what is emitted next after the operation and the module that recorded it. */
  enter(node: Node): void {
    this.#prefix = node.scope === "" ? node.op.name : `${node.scope}/${node.op.name}`;
  }

  node(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain = "",
  ): string {
    return this.nodes(opType, inputs, 1, attributes, domain)[0]!;
  }

  nodes(
    opType: string,
    inputs: readonly string[],
    outputCount: number,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain = "",
  ): readonly string[] {
    // ONNX Runtime would let whoever waits for one of two equal nodes wait for the other, and keep both where both are
    // outputs: an update must not overtake the one that nobody waits for any more.
    const settings = Object.entries(attributes).flatMap(([key, value]) => [
      key,
      ...Object.values<string | number | readonly number[]>(value),
    ]);
    const key = [domain, opType, outputCount, ...inputs, ...settings].join("\0");
    for (const results of this.#results) {
      const known = results.get(key);
      if (known !== undefined) return known;
    }
    const outputs = this.#emit(opType, inputs, outputCount, attributes, domain);
    this.#results[0]!.set(key, outputs);
    if (opType === "Reshape") this.#reshaped.set(outputs[0]!, inputs[0]!);
    return outputs;
  }

  #emit(
    opType: string,
    inputs: readonly string[],
    outputCount = 1,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain = "",
  ): readonly string[] {
    const name = `${this.#prefix}/${opType}_${this.#count++}`;
    const outputs = Array.from({ length: outputCount }, (_, i) => `${name}_out${i}`);
    this.#domains.add(domain);
    this.nodesEmitted.push({
      name,
      opType,
      domain,
      inputs,
      outputs,
      attributes: Object.fromEntries(
        Object.entries(attributes).map(([key, value]) => [key, attribute(value)]),
      ),
    });
    return outputs;
  }

  /**
   * Runs what `body` writes once for each of `count` parts of the given values, of which it is told the parts' types; what
   * it returns is put together to values [count, …], whose names are returned. Parts neither enter nor leave by copies.
   */
  loop(
    count: number,
    given: readonly Typed[],
    body: (parts: readonly string[]) => readonly Typed[],
  ): readonly string[] {
    const inputs = given.map((part) => ({ ...part, name: `part_${this.#count++}` }));
    const whole = given.map(({ name, shape }) =>
      this.node("Reshape", [name, this.ints([count, ...shape])]),
    );
    const outer = this.nodesEmitted;
    const results = this.#results;
    this.nodesEmitted = [];
    this.#results = [new Map(), ...results];
    const found = body(inputs.map(({ name }) => name));
    const own = new Set(this.nodesEmitted.flatMap((node) => node.outputs));
    const made = found.map((part) => {
      // Each output needs a name of its own, and is computed here.
      const final = own.delete(part.name) ? part.name : this.#emit("Identity", [part.name])[0]!;
      return { ...part, name: final };
    });
    const graph = {
      name: this.#prefix,
      nodes: this.nodesEmitted,
      initializers: [],
      inputs,
      outputs: made,
    };
    this.nodesEmitted = outer;
    this.#results = results;
    const name = `${this.#prefix}/Scan_${this.#count++}`;
    const outputs = made.map((_, i) => `${name}_out${i}`);
    this.nodesEmitted.push({
      ...{ name, opType: "Scan", inputs: whole, outputs },
      attributes: { body: attr.graph(graph), num_scan_inputs: attr.int(inputs.length) },
    });
    made.forEach(({ shape }, i) => this.#loopShapes.set(outputs[i]!, [count, ...shape]));
    return outputs;
  }

  overRows(
    given: readonly Typed[],
    body: (names: readonly string[], rows: number) => MadeOfRows<Typed>,
  ): MadeOfRows<string> {
    const rows = given[0]!.shape[0]!;
    const width = Math.max(...given.map(({ shape }) => numel(shape.slice(1))));
    const { piece = 0 } = this.target;
    const count = piece === 0 || rows * width < 2 * piece ? 1 : piecesOf(rows, piece / width);
    const names = (values: readonly Typed[]): string[] => values.map(({ name }) => name);
    if (count === 1) {
      const made = body(names(given), rows);
      return { rows: names(made.rows), sums: names(made.sums) };
    }
    const size = rows / count;
    const parts = given.map((value) => ({ ...value, shape: [size, ...value.shape.slice(1)] }));
    let made: MadeOfRows<Typed> = { rows: [], sums: [] };
    const results = this.loop(count, parts, (part) => {
      made = body(part, size);
      return [...made.rows, ...made.sums];
    });
    const [together, apart] = [results.slice(0, made.rows.length), results.slice(made.rows.length)];
    return {
      rows: together.map((name, i) =>
        this.node("Reshape", [name, this.ints([rows, ...made.rows[i]!.shape.slice(1)])]),
      ),
      sums: apart.map((name) =>
        this.node("ReduceSum", [name, this.ints([0])], { keepdims: { int: 0 } }),
      ),
    };
  }

  /** The result of a loop that a name is only another shape of. */
  loopResult(name: string): { readonly name: string; readonly shape: Shape } | undefined {
    let inner: string | undefined = name;
    while (inner !== undefined) {
      const shape = this.#loopShapes.get(inner);
      if (shape !== undefined) return inner === name ? undefined : { name: inner, shape };
      inner = this.#reshaped.get(inner);
    }
    return undefined;
  }

  constant(dtype: DType, shape: Shape, data: TypedArray): string {
    const name = `constant_${this.#constantNames.size}`;
    if (data.length <= LARGEST_SHARED) {
      const key = `${dtype}[${shape.join()}]${elementsKey(data)}`;
      const known = this.#constants.get(key);
      if (known !== undefined) return known;
      this.#constants.set(key, name);
    }
    this.#constantNames.add(name);
    this.initializers.push({ name, dtype, shape, data });
    return name;
  }

  scalar(dtype: DType, value: number): string {
    return this.constant(dtype, [], hostNumber(value, dtype));
  }

  ints(values: readonly number[]): string {
    return this.constant("int64", [values.length], BigInt64Array.from(values, BigInt));
  }

  filled(dtype: DType, shape: Shape, value: number): string {
    return this.node("Expand", [this.scalar(dtype, value), this.ints(shape)]);
  }

  isConstant(name: string): boolean {
    return this.#constantNames.has(name);
  }

  /**
   * A float32 0 that exists once `name` has been computed: the sum of no elements, so NaN cannot spread through it.
   */
  token(name: string, { dtype, shape }: TypeSpec): string {
    const toFloat32 = { to: { int: dtypes.float32.onnx } };
    // WebGPU slices floats only.
    const early = this.target.gpu && !isFloat(dtype);
    const read = early ? this.node("Cast", [name], toFloat32) : name;
    const rows = shape.length === 0 ? this.node("Reshape", [read, this.ints([1])]) : read;
    const none = this.node("Slice", [rows, this.ints([0]), this.ints([0]), this.ints([0])]);
    // Sums are of numbers only.
    const numbers = early || dtype === "float32" ? none : this.node("Cast", [none], toFloat32);
    return this.node("ReduceSum", [numbers], { keepdims: { int: 0 } });
  }

  /** Gives a result another name: through an Identity where its own must stay. */
  rename(name: string, dtype: DType, wanted: string | undefined, taken: boolean): string {
    if (taken || wanted === undefined || this.#renamed.has(name)) {
      // WebGPU copies no bool, but negates it.
      const copy =
        this.target.gpu && dtype === "bool"
          ? this.#emit("Not", [this.node("Not", [name])])[0]!
          : this.#emit("Identity", [name])[0]!;
      if (wanted === undefined) return copy;
      this.#renamed.set(copy, wanted);
      return wanted;
    }
    this.#renamed.set(name, wanted);
    return wanted;
  }

  /** Applies the names chosen by `rename` to all nodes. */
  settleNames(): void {
    const to = (name: string): string => this.#renamed.get(name) ?? name;
    this.nodesEmitted.forEach((node, i) => {
      this.nodesEmitted[i] = {
        ...node,
        inputs: node.inputs.map(to),
        outputs: node.outputs.map(to),
      };
    });
  }

  model(inputs: readonly ValueInfoProto[], outputs: readonly ValueInfoProto[]): ModelProto {
    const opsetImports = [{ domain: "", version: OPSET }];
    if (this.#domains.has("com.microsoft"))
      opsetImports.push({ domain: "com.microsoft", version: 1 });
    return {
      irVersion: IR_VERSION,
      opsetImports,
      producerName: "learning-loop",
      graph: {
        name: "program",
        nodes: this.nodesEmitted,
        initializers: this.initializers,
        inputs,
        outputs,
      },
    };
  }
}

function attribute(value: OnnxAttribute): AttributeValue {
  if ("int" in value) return { kind: "int", value: value.int };
  if ("float" in value) return { kind: "float", value: value.float };
  if ("string" in value) return { kind: "string", value: value.string };
  if ("ints" in value) return { kind: "ints", value: value.ints };
  return { kind: "floats", value: value.floats };
}
