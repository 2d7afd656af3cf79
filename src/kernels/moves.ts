/**
 * Operators that only move elements: what they are given as seen from what they make of it, and the other way round, so that
 * kernels read and write elements where they are before and after.
 */

import type { NodeProto } from "../onnx/proto.ts";
import { axisOf, orderOf } from "./attributes.ts";
import type { Program, Surroundings } from "./program.ts";
import { narrowed, permuted, reshaped, type View, whole } from "./view.ts";

/** A value as other values hold it, those that are made first before those made of them; at last as it is. */
export function viewsOf(program: Program, name: string): View[] {
  const type = program.types.get(name);
  if (type === undefined) return [];
  const maker = program.maker(name);
  const own = whole(name, type.shape);
  if (maker === undefined || !(isMove(maker) || isSplit(maker))) return [own];
  const moved = viewsOf(program, maker.inputs[0] ?? "").flatMap((view) => {
    const result = isSplit(maker)
      ? partOf(program, maker, name, view)
      : movedBy(program, maker, view);
    return result === null ? [] : [result];
  });
  return [...moved, own];
}

/** What a node that moves elements makes of its first input, by a view of that; null where that is uneven. */
const movedBy = (program: Program, node: NodeProto, view: View): View | null =>
  node.opType === "Transpose"
    ? permuted(view, orderOf(node, view.shape.length))
    : reshaped(view, program.type(node.outputs[0]!).shape);

/** One of the results of a Split, by a view of what it splits; null where the sizes of those before are not known. */
function partOf(program: Program, node: NodeProto, name: string, view: View): View | null {
  const dim = axisOf(node, view.shape.length);
  let first = 0;
  for (const output of node.outputs) {
    const size = program.types.get(output)?.shape[dim];
    if (size === undefined) return null;
    if (output === name) return narrowed(view, dim, first, size);
    first += size;
  }
  return null;
}

/** A value in whose place another one can be made: itself, or what nodes make of it that only move its elements. */
export interface Target {
  readonly name: string;
  /** The nodes between, in order. */
  readonly moves: readonly number[];
}

/**
 * What can be made in place of a value, the farthest first: nothing that is written over an input but the value itself,
 * which its own node may write so.
 */
export function targetsOf({ program, isFree }: Surroundings, name: string): Target[] {
  const targets: Target[] = [{ name, moves: [] }];
  for (;;) {
    const { name: last, moves } = targets[0]!;
    const by = program.onlyConsumer(last);
    const node = by === null || !isFree(by) ? undefined : program.nodes[by]!;
    const [moved] = node?.outputs ?? [];
    if (node === undefined || !isMove(node) || !program.types.has(moved!)) break;
    targets.unshift({ name: moved!, moves: [...moves, by!] });
  }
  return targets.filter(({ name: target }) => target === name || !program.overwrites.has(target));
}

/** What nodes move, by a view of what they make of it. */
export const beforeMoves = (program: Program, moves: readonly number[], after: View): View | null =>
  moves.reduceRight<View | null>(
    (view, node) => view && movedBack(program, program.nodes[node]!, view),
    after,
  );

const isMove = ({ opType, domain = "" }: NodeProto): boolean =>
  domain === "" && (opType === "Transpose" || opType === "Reshape");

const isSplit = ({ opType, domain = "" }: NodeProto): boolean =>
  domain === "" && opType === "Split";

/** A node's first input by a view of its result. */
function movedBack(program: Program, node: NodeProto, view: View): View | null {
  const { shape } = program.type(node.inputs[0]!);
  if (node.opType === "Reshape") return reshaped(view, shape);
  const order = orderOf(node, shape.length);
  return permuted(
    view,
    order.map((_, dim) => order.indexOf(dim)),
  );
}
