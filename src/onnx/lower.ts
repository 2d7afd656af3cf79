/** Graph → ONNX: emits the nodes a program needs in an order that is safe for variables updated in place. */

import {
  dtypes,
  elementsKey,
  hostNumber,
  isFloat,
  type DType,
  type TypedArray,
} from "../graph/dtype.ts";
import type { Node, TypeSpec, Value } from "../graph/node.ts";
import type { Emitter, OnnxAttribute, Target } from "../graph/op.ts";
import { numel, type Shape } from "../graph/shape.ts";
import { planUpdates, type UpdatePlan } from "./in-place.ts";
import {
  encodeModel,
  type AttributeValue,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "./proto.ts";

/** Target of everything written: opset 20 has Gelu, 18 axes as inputs of all reductions and ScatterElements' add. */
const OPSET = 18;
const IR_VERSION = 9;

export interface ProgramSpec {
  /** Values given from outside, in the order the program takes them. */
  readonly inputs: readonly Value[];
  /** Values to compute, in the order the program returns them. */
  readonly outputs: readonly Value[];
  /** `updates[i]`: the input whose memory output i would overwrite, where that is wanted. */
  readonly updates?: readonly (Value | null)[];
  readonly target: Target;
  /** Names for inputs and outputs; `x0`, `y0`, … unless given. */
  readonly inputNames?: readonly string[];
  readonly outputNames?: readonly string[];
  /** Weights to store inside, for exported files: inputs that are not asked for but known. */
  readonly initializers?: ReadonlyMap<Value, TensorProto>;
}

export interface LoweredProgram {
  readonly model: ModelProto;
  readonly inputs: readonly { name: string; dtype: DType; shape: Shape }[];
  readonly outputs: readonly { name: string; dtype: DType; shape: Shape }[];
  /** `inPlace[i]`: output i may be written over the memory of the input it updates. */
  readonly inPlace: readonly boolean[];
}

/** Lowers the graph between inputs and outputs to one ONNX model. */
export function lowerProgram(spec: ProgramSpec): LoweredProgram {
  const { inputs, outputs } = spec;
  const known = new Set<Value>([...inputs, ...(spec.initializers?.keys() ?? [])]);
  const plan = planUpdates(outputs, spec.updates ?? [], known);
  const builder = new Builder(spec.target);

  const names = new Map<Value, string>();
  inputs.forEach((value, i) => names.set(value, spec.inputNames?.[i] ?? `x${i}`));
  for (const [value, tensor] of spec.initializers ?? []) {
    names.set(value, tensor.name);
    builder.initializers.push(tensor);
  }
  const given = new Set(names.values());

  for (const node of inOrder(outputs, known, plan)) lowerNode(builder, node, names, plan);

  // An output needs a name of its own: not an input's, not a constant's, not another output's.
  const used = new Set<string>();
  const outputNames = outputs.map((value, i) => {
    const name = names.get(value)!;
    const wanted = spec.outputNames?.[i];
    const taken = given.has(name) || builder.isConstant(name) || used.has(name);
    const final =
      taken || wanted !== undefined ? builder.rename(name, value.dtype, wanted, taken) : name;
    used.add(final);
    return final;
  });
  if (spec.outputNames !== undefined) builder.settleNames();

  const describe = (value: Value, name: string): { name: string; dtype: DType; shape: Shape } => ({
    name,
    dtype: value.dtype,
    shape: value.shape,
  });
  const inputSpecs = inputs.map((value) => describe(value, names.get(value)!));
  const outputSpecs = outputs.map((value, i) => describe(value, outputNames[i]!));
  return {
    model: builder.model(inputSpecs, outputSpecs),
    inputs: inputSpecs,
    outputs: outputSpecs,
    inPlace: plan.inPlace,
  };
}

/** The bytes of a lowered program. */
export const programBytes = (program: LoweredProgram): Uint8Array => encodeModel(program.model);

/** Nodes in an order where inputs, and what an update must wait for, come first. */
function inOrder(outputs: readonly Value[], known: ReadonlySet<Value>, plan: UpdatePlan): Node[] {
  const order: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  const stack: Node[] = [];
  const visit = (value: Value): void => {
    if (!known.has(value) && !state.has(value.node)) stack.push(value.node);
  };
  for (const output of outputs) {
    visit(output);
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      const seen = state.get(node);
      if (seen !== undefined) {
        stack.pop();
        if (seen === "open") {
          state.set(node, "done");
          order.push(node);
        }
        continue;
      }
      state.set(node, "open");
      for (const waited of plan.waits.get(node)?.readers ?? []) visit(waited.outputs[0]!);
      for (let i = node.inputs.length - 1; i >= 0; i--) visit(node.inputs[i]!);
    }
  }
  return order;
}

function lowerNode(
  builder: Builder,
  node: Node,
  names: Map<Value, string>,
  plan: UpdatePlan,
): void {
  builder.enter(node);
  const inputs = node.inputs.map((value) => names.get(value)!);
  const waits = plan.waits.get(node);
  let token: string | null = null;
  if (waits !== undefined) {
    const sums = waits.readers.map(({ outputs: [read] }) =>
      builder.token(names.get(read!)!, read!),
    );
    // WebGPU has no Sum.
    const total =
      sums.length === 1 || builder.target.gpu
        ? sums.reduce((a, b) => builder.node("Add", [a, b]))
        : builder.node("Sum", sums);
    token =
      waits.dtype === "float32"
        ? total
        : builder.node("Cast", [total], { to: { int: dtypes[waits.dtype].onnx } });
    if (waits.operand !== null)
      inputs[waits.operand] = builder.node("Add", [inputs[waits.operand]!, token]);
  }
  // WebGPU's kernels refuse to compute nothing, or crash.
  const lowered =
    builder.target.gpu && node.outputs.every(({ shape }) => numel(shape) === 0)
      ? node.outputs.map((output) => builder.filled(output.dtype, output.shape, 0))
      : node.op.lower({
          attrs: node.attrs,
          inputs,
          types: node.inputs,
          outputTypes: node.outputs,
          emit: builder,
        });
  const results = typeof lowered === "string" ? [lowered] : lowered;
  // One that was computed before keeps the name it has as an input, also where the node's others are computed anew.
  node.outputs.forEach((value, i) => {
    if (!names.has(value)) names.set(value, results[i]!);
  });
  if (token !== null && waits!.operand === null)
    names.set(node.outputs[0]!, builder.node("Add", [results[0]!, token]));
}

class Builder implements Emitter {
  readonly target: Target;
  readonly nodesEmitted: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  #constants = new Map<string, string>();
  #results = new Map<string, readonly string[]>();
  #constantNames = new Set<string>();
  #renamed = new Map<string, string>();
  #domains = new Set<string>();
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
    const known = this.#results.get(key);
    if (known !== undefined) return known;
    const outputs = this.#emit(opType, inputs, outputCount, attributes, domain);
    this.#results.set(key, outputs);
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

  constant(dtype: DType, shape: Shape, data: TypedArray): string {
    const name = `constant_${this.#constantNames.size}`;
    if (data.length <= 64) {
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
