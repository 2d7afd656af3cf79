/**
 * Where products' operands and results lie without copies: around attention's products, operators only move elements, which
 * a kernel reads and writes as well where they are before and after.
 */

import { numel, type Shape } from "../graph/shape.ts";
import type { NodeProto } from "../onnx/proto.ts";
import { axisOf, orderOf } from "./attributes.ts";
import type { Layout } from "./matmul-layout.ts";
import type { Program } from "./program.ts";
import { isInOrder, narrowed, permuted, reshaped, type View, whole } from "./view.ts";

/** A program in which some nodes have become kernels. */
export interface Surroundings {
  readonly program: Program;
  /** Whether a value is still made. */
  readonly has: (name: string) => boolean;
  /** Whether a node is as it was. */
  readonly isFree: (node: number) => boolean;
}

/** Matrices in a source; without a layout they follow each other from its first element on. */
export interface Matrices {
  readonly source: string;
  readonly layout?: Layout;
  /** Whether it is their columns that lie there as lines. */
  readonly turned: boolean;
}

/** What to read for an operand of a product that has this shape as matrices. */
export function operand({ program, has }: Surroundings, name: string, shape: Shape): Matrices {
  for (const view of viewsOf(program, name)) {
    const { source } = view;
    // An update waits for the nodes that read the old elements, not for products that would read them later; so these read
    // what those nodes made. Constants are left to ONNX Runtime, which moves them once.
    const isOverwritten = program.overwritten.has(program.root(source));
    if (!has(source) || program.constants.has(source) || isOverwritten) continue;
    const matrices = matricesOf(view, shape);
    if (matrices !== null) return matrices;
  }
  return { source: name, turned: false };
}

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

/** A view as matrices of this shape; null where their elements do not follow each other along lines or columns. */
export function matricesOf(view: View, shape: Shape): Matrices | null {
  if (numel(shape) === 0) return null;
  const matrices = reshaped(view, shape);
  if (matrices === null) return null;
  const { source, offset } = matrices;
  if (isInOrder(matrices)) return { source, turned: false };
  const strides = [...matrices.strides];
  const [line, step] = strides.splice(-2) as [number, number];
  const [lines, length] = shape.slice(-2) as [number, number];
  if (length === 1 || step === 1)
    return { source, layout: { offset, line, matrices: strides }, turned: false };
  if (lines === 1 || line === 1)
    return { source, layout: { offset, line: step, matrices: strides }, turned: true };
  return null;
}
