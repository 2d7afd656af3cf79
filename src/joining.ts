/** Functions that make one tensor of several, or shape several alike. */

import type { Value } from "./graph/node.ts";
import { broadcast, resolveDim, ShapeError, type Shape } from "./graph/shape.ts";
import * as compare from "./ops/compare.ts";
import type { Operand } from "./ops/elementwise-rules.ts";
import { concat as joined, reshape } from "./ops/shape.ts";
import { derive, Tensor, type TensorLike } from "./tensor.ts";
import { checkOptions } from "./tensor/arguments.ts";

/** Joins lists of tensors, each with at least `rank` dimensions, along `dim`. */
function joining(op: string, tensors: readonly Tensor[], dim: number): Tensor {
  if (!Array.isArray(tensors) || !tensors.every((t) => t instanceof Tensor))
    throw new ShapeError(`${op}: needs a list of tensors, e.g. ${op}([a, b])`);
  return derive(tensors, (values) => joined(values, dim, op));
}

/** Joins tensors along a dimension they all have; the other sizes must agree. */
export const cat = (tensors: readonly Tensor[], dim = 0): Tensor => joining("cat", tensors, dim);

/** As `cat`. */
export const concat = (tensors: readonly Tensor[], dim = 0): Tensor =>
  joining("concat", tensors, dim);

/** Joins tensors of one shape along a new dimension. */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  const first = tensors[0];
  const odd = tensors.find((t) => t.shape.join() !== first?.shape.join());
  if (first === undefined || odd !== undefined)
    throw new ShapeError(
      `stack: needs tensors of one shape, got ${tensors.map((t) => `[${t.shape.join()}]`).join(", ") || "none"}`,
    );
  const at = resolveDim("stack", dim, first.ndim + 1);
  const given = tensors.map((t) => t.unsqueeze(at));
  return joining("stack", given, at);
}

/** A tensor with at least one dimension. */
export const atLeast1d = (x: Tensor): Tensor => (x.ndim === 0 ? x.reshape([1]) : x);

/** A tensor with at least two dimensions; one with one is a row. */
export const atLeast2d = (x: Tensor): Tensor =>
  x.ndim === 0 ? x.reshape([1, 1]) : x.ndim === 1 ? x.unsqueeze(0) : x;

/** A tensor with at least three dimensions: [n] becomes [1, n, 1], [n, m] becomes [n, m, 1]. */
export const atLeast3d = (x: Tensor): Tensor => {
  const flat = atLeast2d(x);
  return flat.ndim === 2 ? flat.unsqueeze(2) : flat;
};

/** Joins side by side: along the second dimension, or the only one. */
export function hstack(tensors: readonly Tensor[]): Tensor {
  const given = tensors.map(atLeast1d);
  return joining("hstack", given, given[0]?.ndim === 1 ? 0 : 1);
}

/** Joins row upon row; tensors of one dimension are rows. */
export const vstack = (tensors: readonly Tensor[]): Tensor =>
  joining("vstack", tensors.map(atLeast2d), 0);

/** Joins along the third dimension. */
export const dstack = (tensors: readonly Tensor[]): Tensor =>
  joining("dstack", tensors.map(atLeast3d), 2);

/** The tensors in the shape they broadcast to. */
export function broadcastTensors(tensors: readonly Tensor[]): Tensor[] {
  const shape = shared(
    "broadcastTensors",
    tensors.map((t) => t.shape),
  );
  return tensors.map((t) => t.expand(shape));
}

/** The shape that shapes broadcast to. */
export const broadcastShapes = (...shapes: readonly Shape[]): Shape =>
  shared("broadcastShapes", shapes);

const shared = (op: string, shapes: readonly Shape[]): Shape =>
  shapes.reduce((a, b) => broadcast(op, a, b), []);

/**
 * Coordinates of a grid: for each 1-d tensor one in the shape of the grid, in which only that tensor's coordinate
 * changes. "ij" (the default) numbers rows first, as matrices are; "xy" columns first, as images are.
 */
export function meshgrid(
  tensors: readonly Tensor[],
  options: { readonly indexing?: "ij" | "xy" } = {},
): Tensor[] {
  const { indexing = "ij" } = checkOptions("meshgrid", options, ["indexing"]);
  if (indexing !== "ij" && indexing !== "xy")
    throw new ShapeError(`meshgrid: indexing must be "ij" or "xy", got "${String(indexing)}"`);
  const odd = tensors.find((t) => t.ndim > 1);
  if (odd !== undefined || tensors.length === 0)
    throw new ShapeError(
      `meshgrid: needs tensors of one dimension, got ${odd === undefined ? "none" : `[${odd.shape.join()}]`}`,
    );
  const swap = indexing === "xy" && tensors.length > 1;
  const sizes = tensors.map((t) => t.size);
  const grids = tensors.map((t, dim) =>
    derive([t], ([x]) => onGrid(x!, dim, sizes.length)).expand(sizes),
  );
  return swap ? grids.map((grid) => grid.transpose(0, 1)) : grids;
}

const onGrid = (x: Value, dim: number, rank: number): Value =>
  reshape(
    x,
    Array.from({ length: rank }, (_, i) => (i === dim ? (x.shape[0] ?? 1) : 1)),
  );

/** All combinations of one element of each 1-d tensor, [count, tensors]. */
export function cartesianProd(tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 1) return tensors[0]!;
  return stack(
    meshgrid(tensors).map((grid) => grid.ravel()),
    1,
  );
}

/** `a` where the condition (bool) holds, `b` elsewhere; all broadcast. */
export function where(condition: Tensor, a: TensorLike, b: TensorLike): Tensor {
  const tensors = [condition, a, b].filter((x) => typeof x !== "number");
  return derive(tensors, (values) => {
    let next = 1;
    const pick = (x: TensorLike): Operand => (typeof x === "number" ? x : values[next++]!);
    return compare.where(values[0]!, pick(a), pick(b));
  });
}
