/** How the elements of one shape lie to those of another that it is broadcast to. */

import type { Shape } from "../graph/shape.ts";
import type { Access } from "./loop.ts";

/** Nested dimensions, the outermost first: so many steps of so many elements. */
export type Strides = readonly { readonly size: number; readonly stride: number }[];

/** The strides of a row-major tensor when walked over as one of another shape that it broadcasts to. */
export function stridesOf(shape: Shape, over: Shape): Strides {
  const strides: { size: number; stride: number }[] = [];
  let step = 1;
  for (let i = 1; i <= over.length; i++) {
    const size = over[over.length - i]!;
    const own = i <= shape.length ? shape[shape.length - i]! : 1;
    const stride = own === 1 ? 0 : step;
    step *= own;
    if (size === 1) continue;
    const inner = strides[0];
    const goesOn =
      inner !== undefined &&
      (inner.stride === 0 ? stride === 0 : stride === inner.stride * inner.size);
    if (goesOn) strides[0] = { size: inner.size * size, stride: inner.stride };
    else strides.unshift({ size, stride });
  }
  return strides.length === 0 ? [{ size: 1, stride: 0 }] : strides;
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
