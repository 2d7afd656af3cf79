/** Losses. */

import { sameShape, formatShape, ShapeError } from "../../graph/shape.ts";
import type { Tensor } from "../../tensor.ts";
import { needIntegers, withoutNegatives } from "./positions.ts";

export type Reduction = "mean" | "sum" | "none";

const reduceLoss = (loss: Tensor, reduction: Reduction): Tensor =>
  reduction === "none" ? loss : reduction === "sum" ? loss.sum() : loss.mean();

/** Mean squared error. */
export function mseLoss(
  x: Tensor,
  target: Tensor,
  { reduction = "mean" }: { reduction?: Reduction } = {},
): Tensor {
  if (!sameShape(x.shape, target.shape)) {
    throw new ShapeError(
      `mseLoss: input ${formatShape(x.shape)} and target ${formatShape(target.shape)} must have the same shape`,
    );
  }
  const difference = x.sub(target);
  return reduceLoss(difference.mul(difference), reduction);
}

export interface CrossEntropyOptions {
  /** Target that does not count. */
  readonly ignoreIndex?: number;
  readonly reduction?: Reduction;
}

/**
 * −log softmax(logits)[target]: logits [N, C] and int targets [N], or [N, C, d1, …] and [N, d1, …]. The mean is over
 * targets that count; with none it is NaN, as in PyTorch.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
 */
export function crossEntropy(
  logits: Tensor,
  target: Tensor,
  { ignoreIndex = -100, reduction = "mean" }: CrossEntropyOptions = {},
): Tensor {
  const classDim = logits.ndim === 1 ? 0 : 1;
  const expected = logits.shape.filter((_, i) => i !== classDim);
  if (logits.ndim === 0 || !sameShape(expected, target.shape)) {
    throw new ShapeError(
      `crossEntropy: logits ${formatShape(logits.shape)} need targets of shape ${formatShape(expected)}, got ${formatShape(target.shape)}`,
    );
  }
  needIntegers("crossEntropy", "targets", target);
  const ignored = target.eq(ignoreIndex);
  const classes = logits.shape[classDim]!;
  const index = withoutNegatives(target.maskedFill(ignored, 0), classes).unsqueeze(classDim);
  const picked = logits.logSoftmax(classDim).gather(classDim, index).squeeze(classDim);
  const losses = picked.neg().maskedFill(ignored, 0);
  if (reduction !== "mean") return reduceLoss(losses, reduction);
  return losses.sum().div(ignored.logicalNot().cast(logits.dtype).sum());
}
