/**
 * Replaces groups of a program's nodes, and matrix products, by kernels. One after the other, operators on large tensors
 * each stream through memory; a kernel reads what enters a group once and writes what leaves it once.
 */

import type { TypeSpec } from "../graph/node.ts";
import type { LoweredProgram } from "../onnx/lower.ts";
import type { NodeProto } from "../onnx/proto.ts";
import { compileLoop } from "./compile.ts";
import { FIRST_DIMENSION, groupLoop, type GroupLoop } from "./group-loop.ts";
import { planGroups } from "./groups.ts";
import { indexAddKernel, indexAddOf } from "./index-add.ts";
import { KERNEL_DOMAIN, type FusedProgram, type Kernel, type KernelTarget } from "./kernel.ts";
import { matmulIsFaster, matmulKernel } from "./matmul.ts";
import { productOf } from "./products.ts";
import { placed, type Surroundings } from "./operand-view.ts";
import { Program } from "./program.ts";
import { roleOf } from "./roles.ts";

/** Nodes that stay together: what a group becomes, or a node alone. */
type Unit = readonly NodeProto[];

/** The program with kernels for what runs faster so, and these kernels. */
export function fuse(lowered: LoweredProgram, target: KernelTarget): FusedProgram {
  const { model } = lowered;
  const program = new Program(lowered);
  const { nodes, types } = program;
  const roles = nodes.map((node) => roleOf(program, node));
  const kernels = new KernelSet();
  const unitOf = new Map<number, Unit>();
  for (const group of planGroups({ nodes, roles, types })) {
    const kinds = group.nodes.map((i) => roles[i]!.kind).filter((kind) => kind !== "alias");
    // ONNX Runtime does a single operation as well, but those on rows.
    if (kinds.length < 2 && kinds[0] !== "rows") continue;
    const loop = groupLoop(program, roles, group, target.threads);
    if (loop === null) continue;
    const call = callOf(nodes[group.nodes.at(-1)!]!, kernels.ofLoop(loop), loop);
    const unit = [...loop.early, call, ...loop.late];
    for (const i of group.nodes) unitOf.set(i, unit);
  }
  const around: Surroundings = {
    program,
    has: (name) => program.isMade(name, (i) => unitOf.get(i)),
    isFree: (i) => !unitOf.has(i),
  };
  nodes.forEach((_, i) => {
    if (unitOf.has(i)) return;
    const call =
      indexAddCall(program, i, target, kernels) ?? productCall(around, i, target, kernels);
    if (call === null) return;
    for (const own of call.nodes) unitOf.set(own, call.unit);
  });
  if (unitOf.size === 0) return { model, kernels: [] };

  nodes.forEach((node, i) => {
    if (!unitOf.has(i)) unitOf.set(i, [node]);
  });
  const ordered = inOrder(
    lowered.outputs.map(({ name }) => name),
    unitOf,
  );
  const summed = ordered.some(({ inputs }) => inputs.includes(FIRST_DIMENSION.name));
  const { graph, opsetImports } = model;
  const initializers = [...graph.initializers, ...(summed ? [FIRST_DIMENSION] : [])];
  return {
    model: {
      ...model,
      opsetImports: [...opsetImports, { domain: KERNEL_DOMAIN, version: 1 }],
      graph: { ...graph, nodes: ordered, initializers },
    },
    kernels: kernels.all,
  };
}

/** The call of a kernel, and the nodes it takes the place of. */
interface Call {
  readonly unit: Unit;
  readonly nodes: readonly number[];
}

/** The call of the kernel that adds rows at places, where the node does that. */
function indexAddCall(
  program: Program,
  i: number,
  { threads }: KernelTarget,
  kernels: KernelSet,
): Call | null {
  const node = program.nodes[i]!;
  const rows = indexAddOf(program, node);
  if (rows === null) return null;
  const { count, size, columns, inputs } = rows;
  const kernel = kernels.of(["index-add", count, size, columns], (name) =>
    indexAddKernel(name, rows, threads),
  );
  return { unit: [callOf(node, kernel, { inputs, outputs: node.outputs })], nodes: [i] };
}

/** The call of the kernel of a product; null where ONNX Runtime does it as well. */
function productCall(
  around: Surroundings,
  i: number,
  { threads, products }: KernelTarget,
  kernels: KernelSet,
): Call | null {
  const { program } = around;
  const node = program.nodes[i]!;
  const plain = products ? productOf(node, (name) => program.types.get(name)) : null;
  // ONNX Runtime copies constant matrices into panels once.
  if (plain === null || plain.inputs.some((name) => program.constants.has(name))) return null;
  if (!matmulIsFaster({ ...plain.spec, threads })) return null;
  const far = placed(around, i, plain);
  const product = matmulIsFaster({ ...far.spec, threads })
    ? far
    : { ...plain, output: node.outputs[0]!, nodes: [i] };
  const spec = { ...product.spec, threads };
  const inputs = product.inputs.map((name) => program.type(name));
  const outputs: TypeSpec[] = [{ dtype: "float32", shape: product.shape }];
  const kernel = kernels.of(["matmul", spec, inputs, outputs], (name) => ({
    ...matmulKernel(name, spec),
    ...{ inputs, outputs },
  }));
  const call = callOf(node, kernel, { inputs: product.inputs, outputs: [product.output] });
  return { unit: [call], nodes: product.nodes };
}

/** The kernels of a program, equal ones once. */
class KernelSet {
  readonly #known = new Map<string, Kernel>();

  get all(): readonly Kernel[] {
    return [...this.#known.values()];
  }

  /** The kernel made before by an equal key, or a new one. */
  of(key: unknown, make: (name: string) => Kernel): Kernel {
    const text = JSON.stringify(key);
    let kernel = this.#known.get(text);
    if (kernel === undefined) {
      kernel = make(`kernel_${this.#known.size}`);
      this.#known.set(text, kernel);
    }
    return kernel;
  }

  ofLoop({ loop, inputTypes, outputTypes }: GroupLoop): Kernel {
    const { rows, columns, parts, inputs, results, formula } = loop;
    const key = [rows, columns, parts, inputs, results, formula.steps, inputTypes, outputTypes];
    return this.of(key, (name) => ({
      ...{ name, inputs: inputTypes, outputs: outputTypes, parts },
      code: compileLoop(loop),
    }));
  }
}

/** The node that calls a kernel in place of another one. */
const callOf = (
  node: NodeProto,
  kernel: Kernel,
  { inputs, outputs }: { readonly inputs: readonly string[]; readonly outputs: readonly string[] },
): NodeProto => ({
  ...{ name: `${node.name}/${kernel.name}`, opType: kernel.name, domain: KERNEL_DOMAIN },
  ...{ inputs, outputs, attributes: {} },
});

/** The units that outputs need, in an order in which each comes after those it needs itself. */
function inOrder(outputs: readonly string[], unitOf: ReadonlyMap<number, Unit>): NodeProto[] {
  const maker = new Map<string, Unit>();
  for (const unit of unitOf.values())
    for (const node of unit) for (const name of node.outputs) maker.set(name, unit);
  const order: NodeProto[] = [];
  const state = new Map<Unit, "open" | "done">();
  for (const output of outputs) {
    const unitOfOutput = maker.get(output);
    const stack = unitOfOutput === undefined ? [] : [unitOfOutput];
    for (let unit = stack.at(-1); unit !== undefined; unit = stack.at(-1)) {
      const seen = state.get(unit);
      if (seen !== undefined) {
        stack.pop();
        if (seen === "open") {
          state.set(unit, "done");
          order.push(...unit);
        }
        continue;
      }
      state.set(unit, "open");
      for (const { inputs } of unit) {
        for (const name of inputs) {
          const needed = maker.get(name);
          if (needed !== undefined && !state.has(needed)) stack.push(needed);
        }
      }
    }
  }
  return order;
}
