/** Losses of classification: negative log-likelihood and cross-entropy. */

import { isFloat } from "../../graph/dtype.ts";
import { formatShape, sameShape, ShapeError } from "../../graph/shape.ts";
import { softmaxCrossEntropy } from "../../ops/losses.ts";
import { derive, type Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";
import { checkFloats, checkReduction, reduceLoss, type LossOptions } from "./loss-options.ts";
import { needIntegers, withoutNegatives } from "./positions.ts";

/** Options of {@link nllLoss}. */
export interface NllOptions extends LossOptions {
  /** A factor for each class, [C]; the mean is divided by the factors of the targets. */
  readonly weight?: Tensor | null;
  /** Target that does not count; −100 unless given. */
  readonly ignoreIndex?: number;
}

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions extends NllOptions {
  /** This share of each target, in [0, 1], is spread over all classes. */
  readonly labelSmoothing?: number;
}

/** The dimension of the classes: the only one, or the second. */
function classDimension(op: string, what: string, { ndim, shape }: Tensor): number {
  if (ndim === 0)
    throw new ShapeError(
      `${op}: the ${what} need a dimension of classes, got ${formatShape(shape)}`,
    );
  return ndim === 1 ? 0 : 1;
}

function checkClassWeight(op: string, x: Tensor, dim: number, weight: Tensor | null): void {
  if (weight === null) return;
  checkFloats(op, { input: x, weight });
  if (!sameShape(weight.shape, [x.shape[dim]!]))
    throw new ShapeError(
      `${op}: weight must have one element a class, [${x.shape[dim]}], got ${formatShape(weight.shape)}`,
    );
}

/** Targets made ready for picking: positions with size 1 along the classes, which do not count, and what each weighs. */
interface Targets {
  readonly index: Tensor;
  readonly ignored: Tensor;
  /** [N, d1, …]: the classes' factors, 0 for what is ignored; null where all factors are 1. */
  readonly weights: Tensor | null;
}

function prepare(
  op: string,
  what: string,
  x: Tensor,
  dim: number,
  target: Tensor,
  weight: Tensor | null,
  ignoreIndex: number,
): Targets {
  const expected = x.shape.filter((_, i) => i !== dim);
  if (!sameShape(expected, target.shape))
    throw new ShapeError(
      `${op}: ${what} ${formatShape(x.shape)} need targets of shape ${formatShape(expected)}, got ${formatShape(target.shape)}`,
    );
  needIntegers(op, "targets", target);
  checkClassWeight(op, x, dim, weight);
  const ignored = target.eq(ignoreIndex);
  const positions = withoutNegatives(target.maskedFill(ignored, 0), x.shape[dim]!);
  const weights =
    weight &&
    weight.indexSelect(0, positions.flatten()).reshape(target.shape).maskedFill(ignored, 0);
  return { index: positions.unsqueeze(dim), ignored, weights };
}

/** What a mean over targets is divided by: their number or their weights, without those ignored. */
const countOf = ({ ignored, weights }: Targets, { dtype }: Tensor): Tensor =>
  weights === null ? ignored.logicalNot().cast(dtype).sum() : weights.sum();

/** Losses [N, d1, …] of single targets weighed and reduced. */
function reduceTargets(
  op: string,
  losses: Tensor,
  targets: Targets,
  reduction: "mean" | "sum" | "none",
): Tensor {
  checkReduction(op, reduction);
  const { ignored, weights } = targets;
  const counted = losses.maskedFill(ignored, 0);
  const weighted = weights === null ? counted : counted.mul(weights);
  if (reduction !== "mean") return reduceLoss(op, weighted, reduction);
  return weighted.sum().div(countOf(targets, losses));
}

/**
 * −weight[target] · x[target] of log-probabilities: input [N, C] and int targets [N], [C] and [], or [N, C, d1, …] and
 * [N, d1, …]. The mean is over targets that count, by weight; with none it is NaN, as in PyTorch. Reading the result fails
 * where a target is no class. https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html
 */
export function nllLoss(input: Tensor, target: Tensor, options: NllOptions = {}): Tensor {
  const {
    weight = null,
    ignoreIndex = -100,
    reduction = "mean",
  } = checkOptions("nllLoss", options, ["weight", "ignoreIndex", "reduction"]);
  checkFloats("nllLoss", { input });
  const dim = classDimension("nllLoss", "log-probabilities", input);
  const targets = prepare("nllLoss", "log-probabilities", input, dim, target, weight, ignoreIndex);
  const losses = input.gather(dim, targets.index).squeeze(dim).neg();
  return reduceTargets("nllLoss", losses, targets, reduction);
}

/**
 * −log softmax(logits)[target]: logits [N, C] and int targets [N], [C] and [], or [N, C, d1, …] and [N, d1, …]; or targets
 * that are probabilities, floats of the logits' shape. The mean is over targets that count, by weight (of probabilities:
 * over all); with none it is NaN, as in PyTorch. Reading the result fails where a target is no class.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
 */
export function crossEntropy(
  logits: Tensor,
  target: Tensor,
  options: CrossEntropyOptions = {},
): Tensor {
  const {
    weight = null,
    ignoreIndex = -100,
    reduction = "mean",
    labelSmoothing = 0,
  } = checkOptions("crossEntropy", options, [
    "weight",
    "ignoreIndex",
    "reduction",
    "labelSmoothing",
  ]);
  checkFloats("crossEntropy", { logits });
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new Error(`crossEntropy: labelSmoothing must be in [0, 1], got ${labelSmoothing}`);
  const dim = classDimension("crossEntropy", "logits", logits);
  if (isFloat(target.dtype) && sameShape(logits.shape, target.shape))
    return softCrossEntropy(logits, target, dim, options);
  const targets = prepare("crossEntropy", "logits", logits, dim, target, weight, ignoreIndex);
  if (labelSmoothing > 0 && weight !== null)
    return smoothedByWeight(logits, targets, dim, weight, options);
  const losses = derive([logits, targets.index], ([x, index]) =>
    softmaxCrossEntropy(x!, index!, dim, labelSmoothing),
  );
  return reduceTargets("crossEntropy", losses.squeeze(dim), targets, reduction);
}

/** Class weights shaped to broadcast along `dim`. */
const alongClasses = (weight: Tensor, { ndim }: Tensor, dim: number): Tensor =>
  weight.reshape(Array.from({ length: ndim }, (_, i) => (i === dim ? -1 : 1)));

/** (1 − ε) of the loss of the targets and ε of the mean over all classes, each weighed by its class. */
function smoothedByWeight(
  logits: Tensor,
  targets: Targets,
  dim: number,
  weight: Tensor,
  { reduction = "mean", labelSmoothing = 0 }: CrossEntropyOptions,
): Tensor {
  const y = logits.logSoftmax(dim);
  const picked = y.gather(dim, targets.index).squeeze(dim).neg();
  const own = reduceTargets("crossEntropy", picked, targets, reduction);
  const weighted = y.mul(alongClasses(weight, y, dim));
  const all = weighted.sum(dim).neg().maskedFill(targets.ignored, 0);
  const others =
    reduction === "mean"
      ? all.sum().div(countOf(targets, y))
      : reduceLoss("crossEntropy", all, reduction);
  return own.mul(1 - labelSmoothing).add(others.mul(labelSmoothing / logits.shape[dim]!));
}

/** −Σ w t log softmax(logits) over the classes, of targets t that are probabilities. */
function softCrossEntropy(
  logits: Tensor,
  target: Tensor,
  dim: number,
  { weight = null, reduction = "mean", labelSmoothing = 0 }: CrossEntropyOptions,
): Tensor {
  checkFloats("crossEntropy", { logits, targets: target });
  checkClassWeight("crossEntropy", logits, dim, weight);
  const t =
    labelSmoothing === 0
      ? target
      : target.mul(1 - labelSmoothing).add(labelSmoothing / logits.shape[dim]!);
  const terms = logits.logSoftmax(dim).mul(t);
  const weighted = weight === null ? terms : terms.mul(alongClasses(weight, logits, dim));
  checkReduction("crossEntropy", reduction);
  if (reduction === "none") return weighted.sum(dim).neg();
  const total = weighted.sum().neg();
  return reduction === "sum" ? total : total.div(logits.size / logits.shape[dim]!);
}
