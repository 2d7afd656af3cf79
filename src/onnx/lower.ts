/** Graph → ONNX: emits the nodes a program needs in an order that is safe for variables updated in place. */

import { dtypes, type DType } from "../graph/dtype.ts";
import type { Node, TypeSpec, Value } from "../graph/node.ts";
import type { Target } from "../graph/op.ts";
import { numel, type Shape } from "../graph/shape.ts";
import { planBlocks, type Block } from "./blocks.ts";
import { Builder } from "./builder.ts";
import { planUpdates, type UpdatePlan } from "./in-place.ts";
import { encodeModel, type ModelProto, type TensorProto } from "./proto.ts";

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
  /** `as`: the program's shape of an output, where it is another one of as many elements. */
  readonly outputs: readonly { name: string; dtype: DType; shape: Shape; as?: Shape }[];
  /** `inPlace[i]`: output i may be written over the memory of the input it updates. */
  readonly inPlace: readonly boolean[];
  /** For each output, the name of the input whose memory it may be written over, if any. */
  readonly overwrites: readonly (string | null)[];
  /** Types of the model's values as far as they are known: those of the graph. */
  readonly types: ReadonlyMap<string, TypeSpec>;
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

  const plain = inOrder(outputs, known, plan);
  const blocks = planBlocks(plain.flat(), known, plan, spec.target.piece ?? 0);
  const order = blocks.size === 0 ? plain : inOrder(outputs, known, plan, blocks);
  for (const nodes of order) {
    const block = blocks.get(nodes[0]!);
    if (block === undefined) lowerNode(builder, nodes[0]!, names, plan);
    else lowerBlock(builder, block, names, plan, neededOutside(nodes, order, outputs, plan));
  }

  // An output needs a name of its own: not an input's, not a constant's, not another output's.
  const used = new Set<string>();
  const outputSpecs = outputs.map((value, i) => {
    const { dtype, shape } = value;
    const name = names.get(value)!;
    const wanted = spec.outputNames?.[i];
    // A loop's result leaves in the loop's shape: changing it would be a copy.
    const rows = builder.loopResult(name);
    if (rows !== undefined && wanted === undefined && !used.has(rows.name)) {
      used.add(rows.name);
      return { name: rows.name, dtype, shape, as: rows.shape };
    }
    const taken = given.has(name) || builder.isConstant(name) || used.has(name);
    const final = taken || wanted !== undefined ? builder.rename(name, dtype, wanted, taken) : name;
    used.add(final);
    return { name: final, dtype, shape };
  });
  if (spec.outputNames !== undefined) builder.settleNames();

  const inputSpecs = inputs.map((value) => {
    const { dtype, shape } = value;
    return { name: names.get(value)!, dtype, shape };
  });
  return {
    model: builder.model(
      inputSpecs,
      outputSpecs.map((output) => ({ ...output, shape: output.as ?? output.shape })),
    ),
    inputs: inputSpecs,
    outputs: outputSpecs,
    inPlace: plan.inPlace,
    overwrites: plan.inPlace.map((safe, i) => (safe ? names.get(spec.updates![i]!)! : null)),
    types: new Map([...names].map(([{ dtype, shape }, name]) => [name, { dtype, shape }])),
  };
}

/** The bytes of a lowered program. */
export const programBytes = (program: LoweredProgram): Uint8Array => encodeModel(program.model);

/** Nodes, those of a block together, in an order where inputs, and what an update must wait for, come first. */
function inOrder(
  outputs: readonly Value[],
  known: ReadonlySet<Value>,
  plan: UpdatePlan,
  blocks: ReadonlyMap<Node, Block> = new Map(),
): (readonly Node[])[] {
  const order: (readonly Node[])[] = [];
  const state = new Map<Node, "open" | "done">();
  const stack: Node[] = [];
  // A block is found by its first node.
  const unitOf = (node: Node): readonly Node[] => blocks.get(node)?.nodes ?? [node];
  const visit = (value: Value): void => {
    if (known.has(value)) return;
    const first = unitOf(value.node)[0]!;
    if (!state.has(first)) stack.push(first);
  };
  for (const output of outputs) {
    visit(output);
    for (let first = stack.at(-1); first !== undefined; first = stack.at(-1)) {
      const nodes = unitOf(first);
      const seen = state.get(first);
      if (seen !== undefined) {
        stack.pop();
        if (seen === "open") {
          state.set(first, "done");
          order.push(nodes);
        }
        continue;
      }
      state.set(first, "open");
      for (const node of nodes.toReversed()) {
        for (const waited of plan.waits.get(node)?.readers ?? []) visit(waited.outputs[0]!);
        for (let i = node.inputs.length - 1; i >= 0; i--) visit(node.inputs[i]!);
      }
    }
  }
  return order;
}

function lowerNode(
  builder: Builder,
  node: Node,
  names: Map<Value, string>,
  plan: UpdatePlan,
  typeOf: (value: Value) => TypeSpec = (value) => value,
): void {
  builder.enter(node);
  const inputs = node.inputs.map((value) => names.get(value)!);
  const waits = plan.waits.get(node);
  let token: string | null = null;
  if (waits !== undefined) {
    const sums = waits.readers.map(({ outputs: [read] }) =>
      builder.token(names.get(read!)!, typeOf(read!)),
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
  const outputTypes = node.outputs.map(typeOf);
  // Kernels get the shapes of what has no elements wrong (Expand of [1] to [0] gives one), or refuse, or crash on WebGPU.
  const lowered = outputTypes.every(({ shape }) => numel(shape) === 0)
    ? outputTypes.map(({ dtype, shape }) => builder.filled(dtype, shape, 0))
    : node.op.lower({
        attrs: node.attrs,
        inputs,
        types: node.inputs.map(typeOf),
        outputTypes,
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

/** Values of a block's nodes that something else takes, waits for or returns. */
function neededOutside(
  nodes: readonly Node[],
  order: readonly (readonly Node[])[],
  outputs: readonly Value[],
  plan: UpdatePlan,
): Value[] {
  const needed = new Set(outputs);
  for (const others of order) {
    if (others[0] === nodes[0]) continue;
    for (const node of others) {
      for (const input of node.inputs) needed.add(input);
      for (const reader of plan.waits.get(node)?.readers ?? []) needed.add(reader.outputs[0]!);
    }
  }
  return nodes.map(({ outputs: [value] }) => value!).filter((value) => needed.has(value));
}

/** Lowers a block to a loop over rows [pieces, length]. */
function lowerBlock(
  builder: Builder,
  { nodes, pieces: count, length }: Block,
  names: Map<Value, string>,
  plan: UpdatePlan,
  results: readonly Value[],
): void {
  builder.enter(nodes.at(-1)!);
  const size = count * length;
  const typeOf = ({ dtype, shape }: Value): TypeSpec => {
    const elements = numel(shape);
    return { dtype, shape: elements === size ? [length] : elements === 1 ? [] : shape };
  };

  const inside = new Map<Value, string>();
  const own = new Set(nodes);
  const rows: Value[] = [];
  for (const node of nodes) {
    for (const { outputs } of plan.waits.get(node)?.readers ?? []) {
      const [read] = outputs as [Value];
      if (own.has(read.node) || inside.has(read)) continue;
      // Computed here, it is found again by the update inside.
      builder.token(names.get(read)!, read);
      inside.set(read, names.get(read)!);
    }
  }
  for (const input of nodes.flatMap((node) => node.inputs)) {
    const name = names.get(input);
    if (own.has(input.node) || rows.includes(input) || name === undefined) continue;
    if (numel(input.shape) === size) rows.push(input);
    else
      inside.set(
        input,
        input.shape.length === 0 ? name : builder.node("Reshape", [name, builder.ints([])]),
      );
  }
  const made = builder.loop(
    count,
    rows.map((value) => ({ ...typeOf(value), name: names.get(value)! })),
    (given) => {
      rows.forEach((value, i) => inside.set(value, given[i]!));
      for (const node of nodes) lowerNode(builder, node, inside, plan, typeOf);
      return results.map((value) => ({ ...typeOf(value), name: inside.get(value)! }));
    },
  );
  results.forEach((value, i) => {
    names.set(value, builder.node("Reshape", [made[i]!, builder.ints(value.shape)]));
  });
}
