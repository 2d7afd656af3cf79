/** Losses of yes-or-no answers: binary cross-entropies, and the losses of labels that are 1 or −1. */

import { broadcast, formatShape, sameShape, ShapeError } from "../../graph/shape.ts";
import { where } from "../../joining.ts";
import { binaryCrossEntropy as crossEntropyOf, logisticLoss } from "../../ops/losses.ts";
import { derive, type Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";
import { checkFloats, checkSameShapes, reduceLoss, type LossOptions } from "./loss-options.ts";

/** Options of {@link binaryCrossEntropy}. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Factors of the elements' losses; broadcast to the input. */
  readonly weight?: Tensor | null;
}

/** Throws unless a weight broadcasts to a shape without changing it. */
function checkWeight(op: string, name: string, weight: Tensor | null, { shape }: Tensor): void {
  if (weight === null || sameShape(broadcast(op, shape, weight.shape), shape)) return;
  throw new ShapeError(
    `${op}: ${name} ${formatShape(weight.shape)} must broadcast to the input's shape ${formatShape(shape)}`,
  );
}

const softplus = (x: Tensor): Tensor => derive([x], ([v]) => logisticLoss(v!));

/** (1 − t) x + w log(1 + e⁻ˣ), where w is 1, or posWeight for the share t of positive answers. */
function logitLosses(x: Tensor, t: Tensor, posWeight: Tensor | null): Tensor {
  const logarithms = softplus(x.neg());
  const weighted = posWeight === null ? logarithms : posWeight.sub(1).mul(t).add(1).mul(logarithms);
  return t.neg().add(1).mul(x).add(weighted);
}

/**
 * −(t log x + (1 − t) log(1 − x)) of probabilities x and targets t in [0, 1], of one shape. Logarithms are at least −100,
 * so that 0 and 1 give finite losses; probabilities outside [0, 1] give NaN.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html
 */
export function binaryCrossEntropy(
  input: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  const { weight = null, reduction = "mean" } = checkOptions("binaryCrossEntropy", options, [
    "weight",
    "reduction",
  ]);
  const op = "binaryCrossEntropy";
  checkSameShapes(op, { input, target });
  checkFloats(op, { input, target, ...(weight && { weight }) });
  checkWeight(op, "weight", weight, input);
  const losses = derive([input, target], ([x, t]) => crossEntropyOf(x!, t!));
  return reduceLoss(op, weight === null ? losses : losses.mul(weight), reduction);
}

/** Options of {@link binaryCrossEntropyWithLogits}. */
export interface BinaryCrossEntropyWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** Factors of the losses of positive answers, one a class; broadcast to the input. */
  readonly posWeight?: Tensor | null;
}

/**
 * Binary cross-entropy of sigmoid(x), computed from x without overflow or loss of precision; targets in [0, 1] of the same
 * shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html
 */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyWithLogitsOptions = {},
): Tensor {
  const {
    weight = null,
    posWeight = null,
    reduction = "mean",
  } = checkOptions("binaryCrossEntropyWithLogits", options, ["weight", "posWeight", "reduction"]);
  const op = "binaryCrossEntropyWithLogits";
  checkSameShapes(op, { input, target });
  checkFloats(op, { input, target, ...(weight && { weight }), ...(posWeight && { posWeight }) });
  checkWeight(op, "weight", weight, input);
  checkWeight(op, "posWeight", posWeight, input);
  const losses = logitLosses(input, target, posWeight);
  return reduceLoss(op, weight === null ? losses : losses.mul(weight), reduction);
}

/** log(1 + exp(−t x)) of scores and labels of 1 or −1, of one shape; large scores do not overflow, as they do in PyTorch. */
export function softMarginLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  const { reduction = "mean" } = checkOptions("softMarginLoss", options, ["reduction"]);
  checkSameShapes("softMarginLoss", { input, target });
  checkFloats("softMarginLoss", { input, target });
  return reduceLoss("softMarginLoss", softplus(target.neg().mul(input)), reduction);
}

/**
 * Binary cross-entropy with logits, [N, C] with targets of 0 and 1, averaged over the classes: losses [N]. `weight`
 * broadcasts to the input. https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiLabelSoftMarginLoss.html
 */
export function multilabelSoftMarginLoss(
  input: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  const { weight = null, reduction = "mean" } = checkOptions("multilabelSoftMarginLoss", options, [
    "weight",
    "reduction",
  ]);
  const op = "multilabelSoftMarginLoss";
  checkSameShapes(op, { input, target });
  checkFloats(op, { input, target, ...(weight && { weight }) });
  checkWeight(op, "weight", weight, input);
  if (input.ndim === 0) throw new ShapeError(`${op}: the input needs a dimension of classes`);
  const losses = logitLosses(input, target, null);
  return reduceLoss(op, (weight === null ? losses : losses.mul(weight)).mean(-1), reduction);
}

/** Options of losses with a margin. */
export interface MarginOptions extends LossOptions {
  readonly margin?: number;
}

/**
 * x where the label is 1, max(0, margin − x) where it is −1; distances and labels of one shape, margin 1 unless given.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html
 */
export function hingeEmbeddingLoss(
  input: Tensor,
  target: Tensor,
  options: MarginOptions = {},
): Tensor {
  const { margin = 1, reduction = "mean" } = checkOptions("hingeEmbeddingLoss", options, [
    "margin",
    "reduction",
  ]);
  checkSameShapes("hingeEmbeddingLoss", { input, target });
  checkFloats("hingeEmbeddingLoss", { input });
  // Labels that are neither count both terms, as in PyTorch.
  const far = where(target.eq(1), 0, input.neg().add(margin).clamp(0));
  const near = where(target.eq(-1), 0, input);
  return reduceLoss("hingeEmbeddingLoss", far.add(near), reduction);
}
