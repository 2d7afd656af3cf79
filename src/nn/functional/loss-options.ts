/** What all losses share: reductions, and checks of shapes and dtypes that name the function as the user called it. */

import { isFloat } from "../../graph/dtype.ts";
import { formatShape, sameShape, ShapeError } from "../../graph/shape.ts";
import type { Tensor } from "../../tensor.ts";

/** What becomes of the losses of single elements: their mean, their sum, or nothing. */
export type Reduction = "mean" | "sum" | "none";

/** What all losses take. */
export interface LossOptions {
  /** "mean" unless given. */
  readonly reduction?: Reduction;
}

const REDUCTIONS: readonly string[] = ["mean", "sum", "none"];

/** Throws unless a reduction is one of those known. */
export function checkReduction(op: string, reduction: string, known = REDUCTIONS): void {
  if (!known.includes(reduction))
    throw new Error(
      `${op}: reduction must be ${known.map((name) => `"${name}"`).join(", ")}, got "${reduction}"`,
    );
}

/** The losses of elements reduced. The mean of none is NaN, as in PyTorch. */
export function reduceLoss(op: string, loss: Tensor, reduction: Reduction): Tensor {
  checkReduction(op, reduction);
  if (reduction === "none") return loss;
  if (reduction === "sum") return loss.sum();
  // The mean of nothing is 0/0; written so, it has gradients, empty ones.
  return loss.size === 0 ? loss.sum().div(0) : loss.mean();
}

/** Throws unless all tensors given by name have one shape: broadcasting would hide mistakes here. */
export function checkSameShapes(op: string, tensors: Readonly<Record<string, Tensor>>): void {
  const [[first, x], ...others] = Object.entries(tensors) as [[string, Tensor]];
  for (const [name, other] of others as [string, Tensor][])
    if (!sameShape(x.shape, other.shape))
      throw new ShapeError(
        `${op}: ${first} ${formatShape(x.shape)} and ${name} ${formatShape(other.shape)} must have the same shape`,
      );
}

/** Throws unless all tensors given by name have one floating dtype. */
export function checkFloats(op: string, tensors: Readonly<Record<string, Tensor>>): void {
  const entries = Object.entries(tensors);
  const dtype = entries[0]![1].dtype;
  for (const [name, { dtype: got }] of entries)
    if (!isFloat(got) || got !== dtype)
      throw new ShapeError(
        `${op}: ${name} must be ${isFloat(dtype) ? dtype : "float32"}, got ${got}; cast it first`,
      );
}
