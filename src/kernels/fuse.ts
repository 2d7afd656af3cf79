/**
 * Replaces groups of a program's nodes, and matrix products, by kernels. One after the other, operators on large tensors
 * each stream through memory; a kernel reads what enters a group once and writes what leaves it once.
 */

import type { LoweredProgram } from "../onnx/lower.ts";
import type { NodeProto } from "../onnx/proto.ts";
import { FIRST_DIMENSION, groupLoop } from "./group-loop.ts";
import { planGroups } from "./groups.ts";
import { indexAddOf } from "./index-add.ts";
import { KERNEL_DOMAIN, type FusedProgram, type KernelTarget } from "./kernel.ts";
import { callOf, KernelSet } from "./kernel-set.ts";
import { productCalls } from "./product-calls.ts";
import { Program, readBy } from "./program.ts";
import { roleOf } from "./roles.ts";
import { scatterOf } from "./scatter.ts";
import { topKOf } from "./top-k.ts";

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
  const isMade = (name: string): boolean => {
    const unit = unitOf.get(program.indexOfMaker(name) ?? -1);
    return unit === undefined || unit.some(({ outputs }) => outputs.includes(name));
  };
  const around = { program, has: isMade, isFree: (i: number): boolean => !unitOf.has(i) };
  const { calls, constants } = productCalls(around, target, kernels);
  for (const { call, nodes: replaced } of calls) {
    const unit = [call];
    for (const i of replaced) unitOf.set(i, unit);
  }
  nodes.forEach((node, i) => {
    if (unitOf.has(i)) return;
    for (const kernelOf of [indexAddOf, scatterOf, topKOf]) {
      const found = kernelOf(around, node, target.threads);
      if (found === null) continue;
      const { inputs, key, make } = found;
      unitOf.set(i, [callOf(node, kernels.of(key, make), { inputs, outputs: node.outputs })]);
      return;
    }
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
  const needed = new Set(ordered.flatMap(readBy));
  const initializers = [
    ...graph.initializers.filter(({ name }) => needed.has(name)),
    ...constants,
    ...(summed ? [FIRST_DIMENSION] : []),
  ];
  return {
    model: {
      ...model,
      opsetImports: [...opsetImports, { domain: KERNEL_DOMAIN, version: 1 }],
      graph: { ...graph, nodes: ordered, initializers },
    },
    kernels: kernels.all,
  };
}

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
      for (const node of unit) {
        for (const name of readBy(node)) {
          const needed = maker.get(name);
          if (needed !== undefined && !state.has(needed)) stack.push(needed);
        }
      }
    }
  }
  return order;
}
