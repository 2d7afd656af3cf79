/** Where products' operands lie without copies, as matrices. */

import { numel, type Shape } from "../graph/shape.ts";
import type { Layout } from "./matmul-layout.ts";
import { viewsOf } from "./moves.ts";
import type { Surroundings } from "./program.ts";
import { isInOrder, reshaped, type View } from "./view.ts";

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
