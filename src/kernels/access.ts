/** How the elements of one shape lie to those of another that it is broadcast to. */

import { strides, type Shape } from "../graph/shape.ts";
import type { Access } from "./loop.ts";
import { evenRuns } from "./view.ts";

/** Nested dimensions, the outermost first: so many steps of so many elements. */
export type Strides = readonly { readonly size: number; readonly stride: number }[];

/** The strides of a row-major tensor when walked over as one of another shape that it broadcasts to. */
export function stridesOf(shape: Shape, over: Shape): Strides {
  const own = strides(shape);
  const before = over.length - shape.length;
  const steps = over.map((_, i) => ((shape[i - before] ?? 1) === 1 ? 0 : own[i - before]!));
  const runs = evenRuns(over, [steps]);
  if (runs.length === 0) return [{ size: 1, stride: 0 }];
  return runs.map(({ size, strides: [stride] }) => ({ size, stride: stride! }));
}

/** Elements in a row that lie one after the other, or are all the same. */
export const innermost = (strides: Strides): number => strides.at(-1)!.size;

/** The strides as rows of so many columns; null where rows of this length are neither of both. */
export function inRows(strides: Strides, columns: number): Access | null {
  const { size, stride } = strides.at(-1)!;
  if (size % columns !== 0 || stride > 1) return null;
  const rows = [...strides.slice(0, -1), { size: size / columns, stride: stride * columns }];
  return { along: stride as 0 | 1, rows: rows.filter(({ size }) => size > 1) };
}
