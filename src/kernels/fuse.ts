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
import { joinedMatmulKernel, matmulIsFaster } from "./matmul.ts";
import type { MatmulSpec } from "./matmul-plan.ts";
import { productOf } from "./products.ts";
import { type PlacedProducts, ProductPlacer } from "./placed-products.ts";
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
  nodes.forEach((node, i) => {
    const call = unitOf.has(i) ? null : indexAddCall(program, node, target, kernels);
    if (call !== null) unitOf.set(i, [call]);
  });
  for (const placed of target.products ? placedProducts(program, unitOf, target) : []) {
    const unit = [productCall(program, placed, target, kernels)];
    for (const i of placed.nodes) unitOf.set(i, unit);
  }
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

/** The call of the kernel that adds rows at places, where the node does that. */
function indexAddCall(
  program: Program,
  node: NodeProto,
  { threads }: KernelTarget,
  kernels: KernelSet,
): NodeProto | null {
  const rows = indexAddOf(program, node);
  if (rows === null) return null;
  const { count, size, columns, inputs } = rows;
  const kernel = kernels.of(["index-add", count, size, columns], (name) =>
    indexAddKernel(name, rows, threads),
  );
  return callOf(node, kernel, { inputs, outputs: node.outputs });
}

/** The products that are faster as kernels, of nodes that are none yet. */
function placedProducts(
  program: Program,
  unitOf: ReadonlyMap<number, Unit>,
  { threads }: KernelTarget,
): readonly PlacedProducts[] {
  const has = (name: string): boolean => {
    const unit = unitOf.get(program.indexOfMaker(name) ?? -1);
    return unit === undefined || unit.some(({ outputs }) => outputs.includes(name));
  };
  const isFree = (i: number): boolean => !unitOf.has(i);
  const isFaster = (spec: Omit<MatmulSpec, "threads">): boolean =>
    matmulIsFaster({ ...spec, threads });
  const placer = new ProductPlacer({ program, has, isFree }, isFaster);
  program.nodes.forEach((node, i) => {
    if (!isFree(i)) return;
    if (node.opType === "Concat") return placer.join(i);
    const product = productOf(node, (name) => program.types.get(name));
    // ONNX Runtime copies constant matrices into panels once.
    if (product === null || product.inputs.some((name) => program.constants.has(name))) return;
    if (isFaster(product.spec)) placer.add(i, product);
  });
  return placer.all;
}

/** The call of the kernel of products. */
function productCall(
  program: Program,
  { products, output, shape, nodes }: PlacedProducts,
  { threads }: KernelTarget,
  kernels: KernelSet,
): NodeProto {
  const names = [...new Set(products.flatMap(({ inputs }) => inputs))];
  const inputs = names.map((name) => program.type(name));
  const outputs: TypeSpec[] = [{ dtype: "float32", shape }];
  const specs = products.map(({ spec, inputs: own }) => ({
    spec: { ...spec, threads },
    inputs: own.map((name) => names.indexOf(name)),
  }));
  const kernel = kernels.of(["matmul", specs, inputs, outputs], (name) =>
    joinedMatmulKernel(name, specs, { inputs, outputs }),
  );
  return callOf(program.nodes[nodes[0]!]!, kernel, { inputs: names, outputs: [output] });
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
