/**
 * Which elementwise nodes run together, block by block.
 *
 * One after the other, operations on tensors larger than the processor's caches each stream through main memory. Run
 * over a piece that fits, all of them in turn, then over the next piece, only what enters and leaves the group does.
 */

import type { Node, Value } from "../graph/node.ts";
import { numel } from "../graph/shape.ts";
import type { UpdatePlan } from "./in-place.ts";

/** Fewer nodes save less than a loop costs. */
const FEWEST = 3;

/** Nodes that run as one loop over pieces of their tensors, in an order that is right for them. */
export interface Block {
  readonly nodes: readonly Node[];
  /** How many pieces, and the elements of each. */
  readonly pieces: number;
  readonly length: number;
}

/**
 * The block of each node that is in one, for pieces of about `piece` elements (0: none). `order` has inputs, and what
 * updates wait for, first.
 */
export function planBlocks(
  order: readonly Node[],
  known: ReadonlySet<Value>,
  plan: UpdatePlan,
  piece: number,
): ReadonlyMap<Node, Block> {
  if (piece === 0) return new Map();
  const groups = new Map<Node, Set<Node>>();
  const before = (node: Node): Node[] => [
    ...node.inputs.filter((value) => !known.has(value)).map((value) => value.node),
    ...(plan.waits.get(node)?.readers ?? []),
  ];
  const place = new Map(order.map((node, i) => [node, i]));

  for (const node of order) {
    const size = sizeOf(node, piece);
    if (size === 0) continue;
    let joined = new Set([node]);
    groups.set(node, joined);
    for (const input of node.inputs) {
      const other = known.has(input) ? undefined : groups.get(input.node);
      if (other === undefined || other === joined || sizeOf(input.node, piece) !== size) continue;
      const union = new Set([...other, ...joined]);
      if (isConvex(union, before, groups)) joined = merge(union, groups);
    }
  }

  const blocks = new Map<Node, Block>();
  for (const group of new Set(groups.values())) {
    const nodes = [...group].sort((a, b) => place.get(a)! - place.get(b)!);
    const size = sizeOf(nodes[0]!, piece);
    const pieces = piecesOf(size, piece);
    if (nodes.filter(({ op }) => !op.identity).length < FEWEST) continue;
    const block = { nodes, pieces, length: size / pieces };
    for (const node of nodes) blocks.set(node, block);
  }
  return blocks;
}

function merge(union: Set<Node>, groups: Map<Node, Set<Node>>): Set<Node> {
  for (const node of union) groups.set(node, union);
  return union;
}

/** Elements of the node's tensors where it can run piece by piece; 0 where it cannot. */
function sizeOf({ op, inputs, outputs }: Node, piece: number): number {
  if (!op.elementwise && !op.identity) return 0;
  const size = numel(outputs[0]!.shape);
  const fits =
    size >= 2 * piece &&
    piecesOf(size, piece) > 1 &&
    inputs.every(({ shape }) => [1, size].includes(numel(shape)));
  return fits ? size : 0;
}

/** A divisor of a size that makes pieces of about the wanted length; 1 where there is none. */
export function piecesOf(size: number, piece: number): number {
  const wanted = size / piece;
  for (let i = Math.round(wanted); i <= 2 * wanted; i++) if (size % i === 0) return i;
  for (let i = Math.round(wanted); i > 1; i--) if (size % i === 0) return i;
  return 1;
}

/** Whether a set of nodes can run as one: nothing outside of it both needs it and is needed by it. */
function isConvex(
  set: ReadonlySet<Node>,
  before: (node: Node) => readonly Node[],
  groups: ReadonlyMap<Node, ReadonlySet<Node>>,
): boolean {
  const seen = new Set<Node>();
  const stack = [...set].flatMap(before).filter((node) => !set.has(node));
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (set.has(node)) return false;
    if (seen.has(node)) continue;
    seen.add(node);
    // A node of another group comes with all of it.
    for (const mate of groups.get(node) ?? []) if (!seen.has(mate)) stack.push(mate);
    stack.push(...before(node));
  }
  return true;
}
