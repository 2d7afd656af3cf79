/** Distributions of values in the buckets that TensorBoard's histograms have had since TensorFlow's first. */

/** A distribution; bucket i counts values from the limit before it up to, not including, its own. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  /** How many values were counted. */
  readonly count: number;
  readonly sum: number;
  readonly sumSquares: number;
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

/** Limits from -1e20 to 1e20 that grow by a tenth from 1e-12 on, and 0 (TensorFlow's histogram.cc). */
const LIMITS = (() => {
  const positive: number[] = [];
  for (let limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push(limit);
  return Float64Array.from([...positive.map((limit) => -limit).reverse(), 0, ...positive]);
})();

/**
 * The histogram of all finite values; values beyond 1e20 count in the outermost buckets.
 * @throws Error where no value is finite.
 */
export function histogramOf(values: ArrayLike<number>): Histogram {
  const counts = new Float64Array(LIMITS.length - 1);
  let [min, max, count, sum, sumSquares] = [Infinity, -Infinity, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    count++;
    sum += value;
    sumSquares += value * value;
    const bucket = Math.min(counts.length - 1, Math.max(0, countUpTo(value) - 1));
    counts[bucket]!++;
  }
  if (count === 0)
    throw new Error(
      `histogram: none of ${values.length} values is finite; there is nothing to count`,
    );
  const first = counts.findIndex((n) => n > 0);
  const last = counts.findLastIndex((n) => n > 0);
  // An empty bucket before the first one tells where that begins.
  return {
    min,
    max,
    count,
    sum,
    sumSquares,
    limits: Array.from(LIMITS.subarray(first, last + 2)),
    counts: [0, ...counts.subarray(first, last + 1)],
  };
}

/** How many limits are at most this value. */
function countUpTo(value: number): number {
  let [low, high] = [0, LIMITS.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (LIMITS[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
