/** Tensors as other tensors hold them: operators that only move elements become steps from one to the next. */

import { strides as rowMajor, type Shape } from "../graph/shape.ts";

/** A tensor whose element [i, j, …] is that of a source at `offset` + i·strides[0] + j·strides[1] + …. */
export interface View {
  readonly source: string;
  readonly offset: number;
  readonly shape: Shape;
  readonly strides: readonly number[];
}

/** A tensor as it is. */
export const whole = (source: string, shape: Shape): View => ({
  ...{ source, offset: 0, shape, strides: rowMajor(shape) },
});

/** Whether a view's elements lie in order from its source's first on. */
export const isInOrder = ({ offset, shape, strides }: View): boolean => {
  const ordered = rowMajor(shape);
  return offset === 0 && strides.every((stride, i) => shape[i] === 1 || stride === ordered[i]);
};

/** Dimension i is dimension `order[i]` of the view. */
export const permuted = (view: View, order: readonly number[]): View => ({
  ...view,
  shape: order.map((dim) => view.shape[dim]!),
  strides: order.map((dim) => view.strides[dim]!),
});

/** `size` places from `first` on along a dimension. */
export const narrowed = (view: View, dim: number, first: number, size: number): View => ({
  ...view,
  offset: view.offset + first * view.strides[dim]!,
  shape: view.shape.with(dim, size),
});

/** The same elements, in the same order, in another shape; null where steps from one to the next are then uneven. */
export function reshaped(view: View, shape: Shape): View | null {
  const runs = evenRuns(view.shape, [view.strides]);
  const strides: number[] = [];
  let [left, stride] = [1, 1];
  for (const size of shape.toReversed()) {
    if (left === 1 && size > 1) {
      const run = runs.pop();
      if (run === undefined) return null;
      [left, stride] = [run.size, run.strides[0]!];
    }
    if (left % size !== 0) return null;
    strides.unshift(stride);
    left /= size;
    stride *= size;
  }
  return { ...view, shape, strides };
}

/** Dimensions without those of size 1, as one where several tensors of these strides all go on evenly. */
export function evenRuns(
  shape: Shape,
  tensors: readonly (readonly number[])[],
): { readonly size: number; readonly strides: readonly number[] }[] {
  const runs: { size: number; strides: readonly number[] }[] = [];
  shape.forEach((size, i) => {
    if (size === 1) return;
    const strides = tensors.map((tensor) => tensor[i]!);
    const outer = runs.at(-1);
    if (outer?.strides.every((stride, j) => stride === strides[j]! * size) === true)
      runs[runs.length - 1] = { size: outer.size * size, strides };
    else runs.push({ size, strides });
  });
  return runs;
}
