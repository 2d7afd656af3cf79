/** How far vectors are apart: cosine similarity, and distances between rows. */

import { formatShape, resolveDim, ShapeError } from "../../graph/shape.ts";
import { where } from "../../joining.ts";
import { indexSelect } from "../../ops/indexing.ts";
import { constant } from "../../ops/leaf.ts";
import { derive, type Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";
import { checkFloats } from "./loss-options.ts";

/** √x whose gradient at 0 is 0, where PyTorch's norms have it so. */
function safeSqrt(x: Tensor): Tensor {
  const zero = x.eq(0);
  return x.maskedFill(zero, 1).sqrt().maskedFill(zero, 0);
}

/** (Σ |x|ᵖ)^(1/p) along a dimension, which is kept with size 1; for p = 0 the number of elements that are not 0. */
function vectorNorm(x: Tensor, p: number, dim: number): Tensor {
  const sum = (y: Tensor): Tensor => y.sum(dim, { keepdim: true });
  if (p === 2) return safeSqrt(sum(x.mul(x)));
  if (p === 1) return sum(x.abs());
  if (p === 0) return sum(x.sign().abs());
  if (p === Infinity) return x.abs().amax(dim, { keepdim: true });
  if (p === -Infinity) return x.abs().amin(dim, { keepdim: true });
  const total = sum(x.abs().pow(p));
  const zero = total.eq(0);
  return total
    .maskedFill(zero, 1)
    .pow(1 / p)
    .maskedFill(zero, 0);
}

/** x where it is at least `least`, else that; gradients pass as if it were x. */
const atLeast = (x: Tensor, least: number): Tensor =>
  where(x.lt(least), x.sub(x.detach()).add(least), x);

/** Options of {@link cosineSimilarity}. */
export interface CosineSimilarityOptions {
  /** The dimension of the vectors; 1 unless given. */
  readonly dim?: number;
  /** Least length of a vector; 1e-8 unless given. */
  readonly eps?: number;
}

/**
 * Σ ab / (max(‖a‖, eps) · max(‖b‖, eps)) along a dimension; shapes broadcast.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cosine_similarity.html
 */
export function cosineSimilarity(
  x1: Tensor,
  x2: Tensor,
  options: CosineSimilarityOptions = {},
): Tensor {
  const { dim = 1, eps = 1e-8 } = checkOptions("cosineSimilarity", options, ["dim", "eps"]);
  checkFloats("cosineSimilarity", { x1, x2 });
  const rank = Math.max(x1.ndim, x2.ndim);
  const axis = resolveDim("cosineSimilarity", dim, rank);
  const unit = (x: Tensor): Tensor => {
    const full =
      x.ndim === rank ? x : x.reshape([...Array<number>(rank - x.ndim).fill(1), ...x.shape]);
    return full.div(atLeast(vectorNorm(full, 2, axis), eps));
  };
  return unit(x1).mul(unit(x2)).sum(axis);
}

/** Options of {@link pairwiseDistance}. */
export interface PairwiseDistanceOptions {
  /** Order of the norm, from 0 to Infinity; 2 unless given. */
  readonly p?: number;
  /** Added to every difference; 1e-6 unless given. */
  readonly eps?: number;
  readonly keepdim?: boolean;
}

/**
 * ‖x1 − x2 + eps‖ₚ along the last dimension, [N, D] or [D] each; shapes broadcast.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pairwise_distance.html
 */
export function pairwiseDistance(
  x1: Tensor,
  x2: Tensor,
  options: PairwiseDistanceOptions = {},
): Tensor {
  const {
    p = 2,
    eps = 1e-6,
    keepdim = false,
  } = checkOptions("pairwiseDistance", options, ["p", "eps", "keepdim"]);
  checkFloats("pairwiseDistance", { x1, x2 });
  if (typeof p !== "number" || Number.isNaN(p))
    throw new Error(`pairwiseDistance: p must be a number, got ${String(p)}`);
  const difference = x1.sub(x2).add(eps);
  if (difference.ndim === 0)
    throw new ShapeError("pairwiseDistance: the tensors need a dimension of coordinates");
  const distance = vectorNorm(difference, p, -1);
  return keepdim ? distance : distance.squeeze(-1);
}

/**
 * Distances between all pairs of rows i < j of a matrix [N, D], as [N(N − 1)/2]: torch.nn.functional.pdist.
 */
export function pdist(x: Tensor, p = 2): Tensor {
  if (x.ndim !== 2)
    throw new ShapeError(`pdist: needs a matrix [N, D], got ${formatShape(x.shape)}`);
  checkFloats("pdist", { x });
  if (!(p >= 0)) throw new Error(`pdist: p must be 0 or more, got ${p}`);
  const [n] = x.shape as [number, number];
  const rows = Array.from({ length: n }, (_, i) => i);
  const pairs = rows.flatMap((i) => rows.slice(i + 1).map((j) => [i, j] as const));
  const side = (which: 0 | 1): Tensor => {
    const places = Int32Array.from(pairs, (pair) => pair[which]);
    return derive([x], ([v]) => indexSelect(v!, 0, constant(places, "int32", [places.length])));
  };
  return pairwiseDistance(side(0), side(1), { p, eps: 0 });
}
