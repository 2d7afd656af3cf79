/** Losses of order: what should score higher, or lie closer, does so by a margin. */

import { formatShape, sameShape, ShapeError } from "../../graph/shape.ts";
import { where } from "../../joining.ts";
import { iota } from "../../ops/random.ts";
import { makeTensor } from "../../tensor/derive.ts";
import type { Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";
import type { MarginOptions } from "./binary-loss.ts";
import { pairwiseDistance } from "./distance.ts";
import { checkFloats, checkSameShapes, reduceLoss, type LossOptions } from "./loss-options.ts";
import { needIntegers, withoutNegatives } from "./positions.ts";

/**
 * max(0, −t(x1 − x2) + margin): t is 1 where x1 should be the larger, −1 where x2; all of one shape, margin 0 unless given.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html
 */
export function marginRankingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  options: MarginOptions = {},
): Tensor {
  const { margin = 0, reduction = "mean" } = checkOptions("marginRankingLoss", options, [
    "margin",
    "reduction",
  ]);
  checkSameShapes("marginRankingLoss", { input1, input2, target });
  checkFloats("marginRankingLoss", { input1, input2 });
  const loss = target.neg().mul(input1.sub(input2)).add(margin).clamp(0);
  return reduceLoss("marginRankingLoss", loss, reduction);
}

/** Added to squared lengths; PyTorch has it in single precision, also beside float64. */
const SQUARE_EPSILON = Math.fround(1e-12);

/**
 * 1 − cos(x1, x2) where the label is 1, max(0, cos(x1, x2) − margin) where it is −1: vectors [N, D] and labels [N], or [D]
 * and []. https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html
 */
export function cosineEmbeddingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  options: MarginOptions = {},
): Tensor {
  const { margin = 0, reduction = "mean" } = checkOptions("cosineEmbeddingLoss", options, [
    "margin",
    "reduction",
  ]);
  const op = "cosineEmbeddingLoss";
  checkSameShapes(op, { input1, input2 });
  checkFloats(op, { input1, input2 });
  if (input1.ndim < 1 || input1.ndim > 2 || !sameShape(input1.shape.slice(0, -1), target.shape))
    throw new ShapeError(
      `${op}: needs inputs [N, D] with targets [N], or [D] with [], got ${formatShape(input1.shape)} and ${formatShape(target.shape)}`,
    );
  const dot = (a: Tensor, b: Tensor): Tensor => a.mul(b).sum(-1);
  const square = (x: Tensor): Tensor => dot(x, x).add(SQUARE_EPSILON);
  const cosine = dot(input1, input2).div(square(input1).mul(square(input2)).sqrt());
  const alike = where(target.eq(1), cosine.neg().add(1), 0);
  const apart = where(target.eq(-1), cosine.sub(margin).clamp(0), 0);
  return reduceLoss(op, alike.add(apart), reduction);
}

/** Options of {@link tripletMarginLoss}. */
export interface TripletMarginOptions extends MarginOptions {
  /** Order of the norm; 2 unless given. */
  readonly p?: number;
  /** Added to every difference; 1e-6 unless given. */
  readonly eps?: number;
  /** Take the distance from positive to negative where that is the smaller (Balntas et al., 2016). */
  readonly swap?: boolean;
}

/**
 * max(0, d(anchor, positive) − d(anchor, negative) + margin) with distances between the last dimensions; margin 1 unless
 * given. https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html
 */
export const tripletMarginLoss = (
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginOptions = {},
): Tensor => {
  const known = ["margin", "p", "eps", "swap", "reduction"];
  const { p = 2, eps = 1e-6, ...rest } = checkOptions("tripletMarginLoss", options, known);
  return triplet("tripletMarginLoss", anchor, positive, negative, {
    ...rest,
    distanceFunction: (a, b) => pairwiseDistance(a, b, { p, eps }),
  });
};

/** Options of {@link tripletMarginWithDistanceLoss}. */
export interface TripletMarginWithDistanceOptions extends MarginOptions {
  /** pairwiseDistance unless given. */
  readonly distanceFunction?: (a: Tensor, b: Tensor) => Tensor;
  /** Take the distance from positive to negative where that is the smaller. */
  readonly swap?: boolean;
}

/** As tripletMarginLoss, with a distance of one's own: torch.nn.functional.triplet_margin_with_distance_loss. */
export const tripletMarginWithDistanceLoss = (
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginWithDistanceOptions = {},
): Tensor => triplet("tripletMarginWithDistanceLoss", anchor, positive, negative, options);

function triplet(
  op: string,
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginWithDistanceOptions,
): Tensor {
  const {
    distanceFunction: distance = pairwiseDistance,
    margin = 1,
    swap = false,
    reduction = "mean",
  } = checkOptions(op, options, ["distanceFunction", "margin", "swap", "reduction"]);
  checkFloats(op, { anchor, positive, negative });
  if (!(margin > 0)) throw new Error(`${op}: the margin must be above 0, got ${margin}`);
  if (anchor.ndim !== positive.ndim || anchor.ndim !== negative.ndim)
    throw new ShapeError(
      `${op}: anchor, positive and negative must have the same number of dimensions, got ` +
        [anchor, positive, negative].map(({ shape }) => formatShape(shape)).join(", "),
    );
  const near = distance(anchor, positive);
  const fromAnchor = distance(anchor, negative);
  const far = swap ? fromAnchor.minimum(distance(positive, negative)) : fromAnchor;
  return reduceLoss(op, near.add(margin).sub(far).clamp(0), reduction);
}

/** Options of {@link multiMarginLoss}. */
export interface MultiMarginOptions extends MarginOptions {
  /** 1, or 2 for squares. */
  readonly p?: 1 | 2;
  /** A factor for each class, [C]. */
  readonly weight?: Tensor | null;
}

/** [N, C] and [N], or [C] and []; throws for others. */
function checkClasses(
  op: string,
  input: Tensor,
  target: Tensor,
  expected: readonly number[],
): void {
  checkFloats(op, { input });
  needIntegers(op, "targets", target);
  if (input.ndim < 1 || input.ndim > 2)
    throw new ShapeError(`${op}: needs scores [N, C] or [C], got ${formatShape(input.shape)}`);
  if (!sameShape(target.shape, expected))
    throw new ShapeError(
      `${op}: scores ${formatShape(input.shape)} need targets of shape ${formatShape(expected)}, got ${formatShape(target.shape)}`,
    );
}

/**
 * Σ max(0, margin − x[target] + x[i])ᵖ over the other classes i, divided by their number C: scores [N, C] and int targets
 * [N], or [C] and []. https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiMarginLoss.html
 */
export function multiMarginLoss(
  input: Tensor,
  target: Tensor,
  options: MultiMarginOptions = {},
): Tensor {
  const {
    p = 1,
    margin = 1,
    weight = null,
    reduction = "mean",
  } = checkOptions("multiMarginLoss", options, ["p", "margin", "weight", "reduction"]);
  const op = "multiMarginLoss";
  checkClasses(op, input, target, input.shape.slice(0, -1));
  if (p !== 1 && p !== 2) throw new Error(`${op}: p must be 1 or 2, got ${String(p)}`);
  const classes = input.shape.at(-1)!;
  if (weight) {
    checkFloats(op, { input, weight });
    if (!sameShape(weight.shape, [classes]))
      throw new ShapeError(
        `${op}: weight must have one element a class, [${classes}], got ${formatShape(weight.shape)}`,
      );
  }
  const index = withoutNegatives(target, classes).unsqueeze(-1);
  const own = makeTensor(iota(classes)).eq(index.cast("int32"));
  const excess = input.sub(input.gather(-1, index)).add(margin).clamp(0);
  const losses = (p === 1 ? excess : excess.mul(excess)).maskedFill(own, 0).sum(-1).div(classes);
  const factor = weight?.indexSelect(0, index.flatten()).reshape(target.shape);
  return reduceLoss(op, factor === undefined ? losses : losses.mul(factor), reduction);
}

/**
 * Σ max(0, 1 − (x[y] − x[i])) over the classes y given as targets and all others i, divided by their number C: scores and
 * int targets [N, C] or [C], where the targets of a row end at the first negative one.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiLabelMarginLoss.html
 */
export function multilabelMarginLoss(
  input: Tensor,
  target: Tensor,
  options: LossOptions = {},
): Tensor {
  const { reduction = "mean" } = checkOptions("multilabelMarginLoss", options, ["reduction"]);
  const op = "multilabelMarginLoss";
  checkClasses(op, input, target, input.shape);
  const classes = input.shape.at(-1)!;
  // [N, C]: whether a place holds a target, and the target there.
  const given = target.lt(0).cast("int32").cumsum(-1).eq(0);
  const index = target.cast("int32").maskedFill(given.logicalNot(), 0);
  const x = input;
  // [N, C, C]: whether place j holds class i; and the excess of class i over the target at place j.
  const hits = makeTensor(iota(classes)).eq(index.unsqueeze(-1)).logicalAnd(given.unsqueeze(-1));
  const others = hits.any(-2).logicalNot().unsqueeze(-2);
  const excess = x.unsqueeze(-2).sub(x.gather(-1, index).unsqueeze(-1)).add(1).clamp(0);
  const counted = given.unsqueeze(-1).logicalAnd(others);
  const losses = where(counted, excess, 0).sum([-2, -1]).div(classes);
  return reduceLoss(op, losses, reduction);
}
