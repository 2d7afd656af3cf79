/** Losses of predicted numbers: distances from targets, and likelihoods of distributions that a model describes. */

import { formatShape, sameShape, ShapeError } from "../../graph/shape.ts";
import { where } from "../../joining.ts";
import type { Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";
import {
  checkFloats,
  checkReduction,
  checkSameShapes,
  reduceLoss,
  type LossOptions,
  type Reduction,
} from "./loss-options.ts";

/** Options of losses with a weight for each element. */
export interface WeightedLossOptions extends LossOptions {
  /** Factors of single elements, of the input's shape; the mean is then divided by their sum. */
  readonly weight?: Tensor | null;
}

/** Checks input and target, takes the losses of elements, and weighs and reduces them. */
function elementLoss(
  op: string,
  input: Tensor,
  target: Tensor,
  options: WeightedLossOptions,
  loss: (difference: Tensor) => Tensor,
): Tensor {
  const { weight = null, reduction = "mean" } = checkOptions(op, options, ["weight", "reduction"]);
  checkSameShapes(op, { input, target, ...(weight && { weight }) });
  checkFloats(op, { input, target, ...(weight && { weight }) });
  const losses = loss(input.sub(target));
  if (weight === null) return reduceLoss(op, losses, reduction);
  const weighted = losses.mul(weight);
  return reduction === "mean"
    ? weighted.sum().div(weight.sum())
    : reduceLoss(op, weighted, reduction);
}

/**
 * Mean squared error, of input and target of one shape (nothing is broadcast).
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html
 */
export const mseLoss = (input: Tensor, target: Tensor, options: WeightedLossOptions = {}): Tensor =>
  elementLoss("mseLoss", input, target, options, (d) => d.mul(d));

/** Mean absolute error, of input and target of one shape. */
export const l1Loss = (input: Tensor, target: Tensor, options: WeightedLossOptions = {}): Tensor =>
  elementLoss("l1Loss", input, target, options, (d) => d.abs());

/** ½d² where |d| ≤ δ and δ(|d| − ½δ) beyond: with c = d limited to ±δ that is c(d − ½c) everywhere. */
function huber(d: Tensor, delta: number): Tensor {
  const c = d.clamp(-delta, delta);
  return c.mul(d.sub(c.mul(0.5)));
}

/** Options of {@link smoothL1Loss}. */
export interface SmoothL1Options extends LossOptions {
  /** Below this distance the loss is quadratic; 1 unless given, 0 makes it l1Loss. */
  readonly beta?: number;
}

/** ½d²/β where |d| < β, |d| − ½β beyond (Girshick, 2015), of input and target of one shape. */
export function smoothL1Loss(input: Tensor, target: Tensor, options: SmoothL1Options = {}): Tensor {
  const { beta = 1, reduction = "mean" } = checkOptions("smoothL1Loss", options, [
    "beta",
    "reduction",
  ]);
  if (!(beta >= 0)) throw new Error(`smoothL1Loss: beta must be 0 or more, got ${beta}`);
  return elementLoss("smoothL1Loss", input, target, { reduction }, (d) =>
    beta === 0 ? d.abs() : huber(d, beta).mul(1 / beta),
  );
}

/** Options of {@link huberLoss}. */
export interface HuberOptions extends LossOptions {
  /** Up to this distance the loss is quadratic; 1 unless given. */
  readonly delta?: number;
  /** Factors of single elements, of the input's shape; unlike mseLoss's they do not divide the mean, as in PyTorch. */
  readonly weight?: Tensor | null;
}

/** ½d² where |d| ≤ δ, δ(|d| − ½δ) beyond (Huber, 1964), of input and target of one shape. */
export function huberLoss(input: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  const {
    delta = 1,
    weight = null,
    reduction = "mean",
  } = checkOptions("huberLoss", options, ["delta", "weight", "reduction"]);
  if (!(delta > 0)) throw new Error(`huberLoss: delta must be above 0, got ${delta}`);
  if (weight !== null) checkSameShapes("huberLoss", { input, weight });
  return elementLoss("huberLoss", input, target, { reduction }, (d) =>
    weight === null ? huber(d, delta) : huber(d, delta).mul(weight),
  );
}

/** Options of {@link klDiv}. */
export interface KlDivOptions {
  /** "batchmean", the divergence as mathematics has it, divides the sum by the first size; "mean" by the elements. */
  readonly reduction?: Reduction | "batchmean";
  /** Whether the target holds logarithms too. */
  readonly logTarget?: boolean;
}

/**
 * Kullback–Leibler divergence: input of log-probabilities, target of probabilities of the same shape; t (log t − x), 0
 * where t is. https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html
 */
export function klDiv(input: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor {
  const { reduction = "mean", logTarget = false } = checkOptions("klDiv", options, [
    "reduction",
    "logTarget",
  ]);
  checkReduction("klDiv", reduction, ["mean", "batchmean", "sum", "none"]);
  checkSameShapes("klDiv", { input, target });
  checkFloats("klDiv", { input, target });
  const loss = logTarget
    ? target.exp().mul(target.sub(input))
    : target.mul(target.maskedFill(target.eq(0), 1).log()).sub(target.mul(input));
  if (reduction !== "batchmean") return reduceLoss("klDiv", loss, reduction);
  return input.ndim === 0 ? loss : loss.sum().div(input.shape[0]!);
}

/** Options of {@link poissonNllLoss}. */
export interface PoissonNllOptions extends LossOptions {
  /** Whether the input is the logarithm of the rate (the default) or the rate itself. */
  readonly logInput?: boolean;
  /** Add Stirling's approximation of log t! for targets above 1. */
  readonly full?: boolean;
  /** Added to a rate before its logarithm is taken; 1e-8 unless given. */
  readonly eps?: number;
}

/**
 * Negative log-likelihood of counts under Poisson distributions of the predicted (logarithms of) rates, one shape for
 * both. https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.poisson_nll_loss.html
 */
export function poissonNllLoss(
  input: Tensor,
  target: Tensor,
  options: PoissonNllOptions = {},
): Tensor {
  const {
    logInput = true,
    full = false,
    eps = 1e-8,
    reduction = "mean",
  } = checkOptions("poissonNllLoss", options, ["logInput", "full", "eps", "reduction"]);
  checkSameShapes("poissonNllLoss", { input, target });
  checkFloats("poissonNllLoss", { input, target });
  const loss = logInput
    ? input.exp().sub(target.mul(input))
    : input.sub(target.mul(input.add(eps).log()));
  if (!full) return reduceLoss("poissonNllLoss", loss, reduction);
  const large = target.gt(1);
  const t = where(large, target, 1);
  // log t! ≈ t log t − t + ½ log 2πt
  const stirling = t
    .mul(t.log())
    .sub(t)
    .add(
      t
        .mul(2 * Math.PI)
        .log()
        .mul(0.5),
    );
  return reduceLoss("poissonNllLoss", loss.add(where(large, stirling, 0)), reduction);
}

/** Options of {@link gaussianNllLoss}. */
export interface GaussianNllOptions extends LossOptions {
  /** Add the constant ½ log 2π. */
  readonly full?: boolean;
  /** Least variance; 1e-6 unless given. Gradients pass it as if it were not there, as in PyTorch. */
  readonly eps?: number;
}

/**
 * Negative log-likelihood of targets under normal distributions: ½(log v + (x − t)²/v) with the variance v, a number or a
 * tensor of the input's shape, or of that with one dimension 1, or without the last one. Variances must not be negative,
 * which only a number is checked for. https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gaussian_nll_loss.html
 */
export function gaussianNllLoss(
  input: Tensor,
  target: Tensor,
  variance: Tensor | number,
  options: GaussianNllOptions = {},
): Tensor {
  const {
    full = false,
    eps = 1e-6,
    reduction = "mean",
  } = checkOptions("gaussianNllLoss", options, ["full", "eps", "reduction"]);
  checkSameShapes("gaussianNllLoss", { input, target });
  checkFloats("gaussianNllLoss", { input, target });
  const difference = input.sub(target);
  const square = difference.mul(difference);
  const constant = full ? 0.5 * Math.log(2 * Math.PI) : 0;
  if (typeof variance === "number") {
    if (!(variance >= 0))
      throw new Error(`gaussianNllLoss: the variance must not be negative, got ${variance}`);
    const v = Math.max(variance, eps);
    const loss = square.mul(0.5 / v).add(0.5 * Math.log(v) + constant);
    return reduceLoss("gaussianNllLoss", loss, reduction);
  }
  checkFloats("gaussianNllLoss", { input, variance });
  const given = withDimensionsOf(input, variance);
  const v = where(given.lt(eps), given.sub(given.detach()).add(eps), given);
  const loss = v.log().add(square.div(v)).mul(0.5);
  return reduceLoss("gaussianNllLoss", full ? loss.add(constant) : loss, reduction);
}

/** A variance that broadcasts to the input; throws for other shapes. */
function withDimensionsOf({ shape }: Tensor, variance: Tensor): Tensor {
  if (sameShape(shape, variance.shape)) return variance;
  if (sameShape(shape.slice(0, -1), variance.shape)) return variance.unsqueeze(-1);
  const differing = variance.shape.filter((size, i) => size !== shape[i]);
  if (variance.ndim === shape.length && differing.length === 1 && differing[0] === 1)
    return variance;
  throw new ShapeError(
    `gaussianNllLoss: the variance must have the input's shape ${formatShape(shape)}, or that with one dimension 1, ` +
      `or without the last dimension, got ${formatShape(variance.shape)}`,
  );
}
