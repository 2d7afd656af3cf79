/** Reverse-mode differentiation over the graph: gradients are nodes, so they can be differentiated again. */

import type { Node, Value } from "../graph/node.ts";

/**
 * Gradients of Σ ⟨outputs[i], seeds[i]⟩ with respect to `wrt`; null where there is no path.
 * `add` records the sum of two values of the same type.
 */
export function gradients(
  outputs: readonly Value[],
  seeds: readonly Value[],
  wrt: readonly Value[],
  add: (a: Value, b: Value) => Value,
): (Value | null)[] {
  const targets = new Set(wrt);
  const path = nodesBetween(outputs, targets);
  const grads = new Map<Value, Value>();
  const accumulate = (value: Value, grad: Value): void => {
    const known = grads.get(value);
    grads.set(value, known === undefined ? grad : add(known, grad));
  };
  outputs.forEach((output, i) => accumulate(output, seeds[i]!));

  // Inputs are older than the nodes that use them: newest first is a reverse topological order.
  for (const node of [...path].sort((a, b) => b.id - a.id)) {
    const outGrads = node.outputs.map((output) => grads.get(output) ?? null);
    if (node.op.vjp === null || outGrads.every((grad) => grad === null)) continue;
    const needs = node.inputs.map((input) => targets.has(input) || path.has(input.node));
    const inGrads = node.op.vjp({
      attrs: node.attrs,
      inputs: node.inputs,
      outputs: node.outputs,
      grads: outGrads,
      needs,
    });
    node.inputs.forEach((input, i) => {
      const grad = inGrads[i];
      if (needs[i] && grad !== null && grad !== undefined) accumulate(input, grad);
    });
  }
  return wrt.map((value) => grads.get(value) ?? null);
}

/** Nodes through which a gradient flows from `outputs` to `targets`: those with a target among their ancestors. */
function nodesBetween(outputs: readonly Value[], targets: ReadonlySet<Value>): Set<Node> {
  const reached = ancestors(outputs);
  const between = new Set<Node>();
  for (const node of [...reached].sort((a, b) => a.id - b.id)) {
    if (node.op.vjp === null) continue;
    if (node.inputs.some((input) => targets.has(input) || between.has(input.node)))
      between.add(node);
  }
  return between;
}

/** All nodes that `outputs` are computed from through differentiable operations; a target may lie behind another. */
function ancestors(outputs: readonly Value[]): Set<Node> {
  const seen = new Set<Node>();
  const stack = outputs.map((value) => value.node);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.op.vjp !== null) for (const input of node.inputs) stack.push(input.node);
  }
  return seen;
}

/** The values below `outputs` for which `isLeaf` holds, looking no further than the first on each path. */
export function findLeaves(outputs: readonly Value[], isLeaf: (value: Value) => boolean): Value[] {
  const seen = new Set<Value>();
  const leaves: Value[] = [];
  const stack = [...outputs];
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    if (isLeaf(value)) leaves.push(value);
    else if (value.node.op.vjp !== null) stack.push(...value.node.inputs);
  }
  return leaves;
}
