/** What positional encodings are like, and what they do to embeddings: distances, correlations, mixtures. */

import { isFloat } from "../graph/dtype.ts";
import { formatShape, ShapeError } from "../graph/shape.ts";
import { normalize } from "../nn/functional/index.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";

export { sinusoidalEncoding as positionalEncodingMatrix } from "../nn/positional-encoding.ts";

/**
 * Euclidean distances between the rows of a matrix [N, D] that stand `k` apart: element i is ‖xᵢ − xᵢ₊ₖ‖, [N − k].
 *
 * For sinusoids of frequencies ωⱼ all are √Σⱼ (2 − 2 cos kωⱼ), wherever the positions are: xᵢ₊ₖ is xᵢ turned by angles that
 * depend on k alone ("Attention Is All You Need", section 3.5). Throws for k that is not among 0 … N − 1.
 */
export function positionDistances(matrix: Tensor, k: number): Tensor {
  const [rows] = checkMatrix("positionDistances", matrix);
  if (!Number.isInteger(k) || k < 0 || k >= rows)
    throw new RangeError(
      `positionDistances: k must be an integer from 0 to ${rows - 1}, less than the number of rows, got ${String(k)}`,
    );
  return matrix
    .slice(0, k)
    .sub(matrix.slice(0, 0, rows - k))
    .norm(2, 1);
}

/** Differences that are held at once: 256 MB of float32. */
const MOST_DIFFERENCES = 2 ** 26;

/** Euclidean distances between all rows of a matrix [N, D] → [N, N]; those k apart are on its k-th diagonal. */
export function positionDistanceMatrix(matrix: Tensor): Tensor {
  const [n, d] = checkMatrix("positionDistanceMatrix", matrix);
  // A matrix product needs less memory, but loses digits of rows that are close.
  const computeMode =
    n * n * d > MOST_DIFFERENCES ? "use_mm_for_euclid_dist" : "donot_use_mm_for_euclid_dist";
  return matrix.cdist(matrix, { computeMode });
}

/**
 * Pearson correlations between all rows of a matrix [N, D] → [N, N], as torch.corrcoef and numpy.corrcoef: each row less its
 * mean, scaled to length 1, in products with the others. NaN for rows whose elements are all alike.
 */
export function positionCorrelation(matrix: Tensor): Tensor {
  checkMatrix("positionCorrelation", matrix);
  return matrix.corrcoef();
}

/** What {@link positionSimilarity} measures. */
export interface PositionSimilarityOptions {
  /** `"dot"`, the products that attention's scores are made of, unless given; `"cosine"` of the angle, with −1 to 1. */
  readonly measure?: "dot" | "cosine";
}

/** Dot products, or cosines, of all rows of a matrix [N, D] → [N, N]. */
export function positionSimilarity(
  matrix: Tensor,
  options: PositionSimilarityOptions = {},
): Tensor {
  const { measure = "dot" } = checkOptions("positionSimilarity", options, ["measure"]);
  checkMatrix("positionSimilarity", matrix);
  if (measure === "dot") return matrix.matmul(matrix.t());
  if (measure === "cosine") {
    const unit = normalize(matrix);
    return unit.matmul(unit.t());
  }
  throw new RangeError(
    `positionSimilarity: measure must be "dot" or "cosine", got ${JSON.stringify(measure)}`,
  );
}

/**
 * `weight` · embeddings + (1 − `weight`) · positions: with 1 words without an order, with 0 an order without words, with 0.5
 * half of the sum that a Transformer is given. Embeddings are [T, D] or [B, T, D], positions [L, D] with L ≥ T, of which the
 * first T are taken; the result has the shape of the embeddings. Throws where the shapes do not fit, and for weights outside
 * of 0 … 1.
 */
export function mixEmbeddings(embeddings: Tensor, positions: Tensor, weight: number): Tensor {
  const [rows, size] = checkMatrix("mixEmbeddings", positions, "positions");
  const [length = 0, width] = embeddings.shape.slice(-2);
  const fits = embeddings.ndim === 2 || embeddings.ndim === 3;
  if (!fits || !isFloat(embeddings.dtype) || width !== size || length > rows)
    throw new ShapeError(
      `mixEmbeddings: embeddings must be floating [T, ${size}] or [B, T, ${size}] with at most ${rows} tokens, as positions are ${formatShape(positions.shape)}, got ${embeddings.dtype} ${formatShape(embeddings.shape)}`,
    );
  if (!(weight >= 0 && weight <= 1))
    throw new RangeError(
      `mixEmbeddings: weight must be a number from 0, positions alone, to 1, embeddings alone, got ${String(weight)}`,
    );
  return embeddings.mul(weight).add(positions.slice(0, 0, length).mul(1 - weight));
}

/** @internal Rows and columns of a floating matrix. */
export function checkMatrix(
  op: string,
  { shape, dtype }: Tensor,
  name = "matrix",
): readonly [rows: number, columns: number] {
  const [rows = 0, columns = 0] = shape;
  if (shape.length !== 2 || rows === 0 || columns === 0 || !isFloat(dtype))
    throw new ShapeError(
      `${op}: ${name} must be a floating [positions, features], got ${dtype} ${formatShape(shape)}`,
    );
  return [rows, columns];
}
