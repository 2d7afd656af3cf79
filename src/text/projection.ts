/** Principal components: vectors of many features as points of a plane. */

import { tensor } from "../creation.ts";
import { formatShape, ShapeError } from "../graph/shape.ts";
import type { Tensor } from "../tensor.ts";
import { checkMatrix } from "./positions.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

/** Rows of a matrix [N, D] as points of the plane in which they vary most. */
export interface Projection {
  /** (x − `mean`) · `components`ᵀ for every row x, [N, 2]. */
  readonly points: Tensor;
  /** The plane's axes: orthogonal unit vectors, [2, D]. */
  readonly components: Tensor;
  /** Mean of the rows, [D]. */
  readonly mean: Tensor;
  /** Share of the variance of all rows along each axis; NaN where all rows are alike. */
  readonly explainedVarianceRatio: readonly [number, number];
}

/**
 * Principal component analysis of the rows of a matrix [N, D] with two components: the same result every time, as
 * scikit-learn's `PCA(2)` (1.5 and later) gives it, where the element of a component that is largest by its absolute value
 * is positive. Computed in float64 at a cost of about 5 min(N, D)³; the tensors have the dtype of the matrix. Other rows are
 * projected by `x.sub(mean).matmul(components.t())`.
 *
 * Throws for fewer than two rows or features, and for elements that are not finite.
 */
export async function projectTo2D(matrix: Tensor): Promise<Projection> {
  const [n, d] = checkMatrix("projectTo2D", matrix);
  if (n < 2 || d < 2)
    throw new ShapeError(
      `projectTo2D: needs at least 2 rows and 2 features, got ${formatShape(matrix.shape)}`,
    );
  const exact = matrix.dtype === "float64" ? matrix : matrix.float();
  const data = Float64Array.from((await exact.data()) as Float32Array);
  if (!data.every(Number.isFinite))
    throw new RangeError("projectTo2D: elements must be finite, got NaN or Infinity");
  const mean = new Float64Array(d);
  data.forEach((value, i) => (mean[i % d]! += value / n));
  const centred = data.map((value, i) => value - mean[i % d]!);
  const { axes, ratio } = n < d ? fromRows(centred, n, d) : fromFeatures(centred, n, d);
  const components = axes.map(flipped);

  const points = new Float64Array(2 * n);
  for (let row = 0; row < n; row++)
    components.forEach((axis, a) => {
      let sum = 0;
      for (let j = 0; j < d; j++) sum += centred[row * d + j]! * axis[j]!;
      points[2 * row + a] = sum;
    });
  const made = (values: Float64Array, shape: readonly number[]): Tensor =>
    tensor(values, { shape, dtype: matrix.dtype });
  return {
    points: made(points, [n, 2]),
    components: made(Float64Array.from(components.flatMap((axis) => [...axis])), [2, d]),
    mean: made(mean, [d]),
    explainedVarianceRatio: ratio,
  };
}

interface Axes {
  readonly axes: readonly [Float64Array, Float64Array];
  readonly ratio: readonly [number, number];
}

/** Products of all pairs of rows of [n, d], [n, n]. */
function gram(rows: Float64Array, n: number, d: number): Float64Array {
  const products = new Float64Array(n * n);
  for (let a = 0; a < n; a++)
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let j = 0; j < d; j++) sum += rows[a * d + j]! * rows[b * d + j]!;
      products[a * n + b] = products[b * n + a] = sum;
    }
  return products;
}

const shares = (values: readonly number[]): readonly [number, number] => {
  const total = values.reduce((a, b) => a + b, 0);
  // Rounding may take eigenvalues that are 0 below it.
  return [values[0]! / total, Math.max(0, values[1]!) / total];
};

/** The axes are eigenvectors of XᵀX. */
function fromFeatures(centred: Float64Array, n: number, d: number): Axes {
  const columns = new Float64Array(n * d);
  for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) columns[j * n + i] = centred[i * d + j]!;
  const { values, vectors } = symmetricEigen(gram(columns, d, n), d);
  return { axes: [vectors[0]!, vectors[1]!], ratio: shares(values) };
}

/** With more features than rows: for u an eigenvector of XXᵀ, Xᵀu is one of XᵀX to the same value. */
function fromRows(centred: Float64Array, n: number, d: number): Axes {
  const { values, vectors } = symmetricEigen(gram(centred, n, d), n);
  const along = (u: Float64Array): Float64Array => {
    const axis = new Float64Array(d);
    for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) axis[j]! += u[i]! * centred[i * d + j]!;
    return axis;
  };
  const largest = Math.max(0, values[0]!);
  const isRanked = (value: number): boolean => value > largest * n * Number.EPSILON;
  const first = isRanked(values[0]!) ? along(vectors[0]!) : new Float64Array(d).fill(1, 0, 1);
  const axis = unit(first);
  // Rows on a line have no second axis of their own: any that is square to the first will do.
  const second = isRanked(values[1]!) ? along(vectors[1]!) : squareTo(axis);
  return { axes: [axis, unit(second)], ratio: shares(values) };
}

function unit(vector: Float64Array): Float64Array {
  const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
  return vector.map((x) => x / length);
}

/** The direction of the feature in which an axis is least, made orthogonal to it. */
function squareTo(axis: Float64Array): Float64Array {
  const least = axis.reduce((best, x, i) => (Math.abs(x) < Math.abs(axis[best]!) ? i : best), 0);
  return axis.map((x, i) => (i === least ? 1 : 0) - axis[least]! * x);
}

/** The axis or its opposite, whichever has its largest element positive. */
function flipped(axis: Float64Array): Float64Array {
  const largest = axis.reduce((best, x) => (Math.abs(x) > Math.abs(best) ? x : best), 0);
  return largest < 0 ? axis.map((x) => -x) : axis;
}
