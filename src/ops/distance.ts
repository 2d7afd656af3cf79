/** Distances between all pairs of rows. */

import { isFloat } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { broadcast, checkSameDType, formatShape, ShapeError } from "../graph/shape.ts";
import { clamp } from "./compare.ts";
import { add, mul, sub } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { reshape } from "./shape.ts";
import { norm, rootWithZeroSlope } from "./statistics.ts";
import { sum } from "./sum.ts";

const MODES = [
  "use_mm_for_euclid_dist_if_necessary",
  "use_mm_for_euclid_dist",
  "donot_use_mm_for_euclid_dist",
] as const;
export type ComputeMode = (typeof MODES)[number];

/** Options of `cdist`. */
export interface CdistOptions {
  /** Order of the norm: 2 unless given, 0 … Infinity. */
  readonly p?: number;
  /** Whether Euclidean distances come from a matrix product, which is faster and less exact; beyond 25 rows unless given. */
  readonly computeMode?: ComputeMode;
}

/** a [B…, P, M], b [B…, R, M] → the p-norms of the differences of their rows [B…, P, R]: torch.cdist. */
export function cdist(a: Value, b: Value, { p = 2, computeMode = MODES[0] }: CdistOptions): Value {
  checkSameDType("cdist", [a, b]);
  if (!isFloat(a.dtype))
    throw new ShapeError(`cdist: needs a floating dtype, got ${a.dtype}; cast it first`);
  if (a.shape.length < 2 || b.shape.length < 2 || a.shape.at(-1) !== b.shape.at(-1))
    throw new ShapeError(
      `cdist: needs rows of one length, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  if (!(p >= 0)) throw new ShapeError(`cdist: p must not be negative, got ${p}`);
  if (!MODES.includes(computeMode))
    throw new ShapeError(
      `cdist: computeMode must be one of ${MODES.join(", ")}, got ${String(computeMode)}`,
    );
  broadcast("cdist", a.shape.slice(0, -2), b.shape.slice(0, -2));
  const [rowsA, rowsB, size] = [a.shape.at(-2)!, b.shape.at(-2)!, a.shape.at(-1)!];
  const product =
    computeMode === MODES[1] || (computeMode === MODES[0] && (rowsA > 25 || rowsB > 25));
  const [leadA, leadB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  if (p === 2 && product) {
    // |a − b|² = |a|² + |b|² − 2ab
    const squares = (x: Value): Value => sum(mul(x, x), -1);
    const cross = matmul(a, b, { transB: true, alpha: -2 });
    const total = add(
      add(cross, reshape(squares(a), [...leadA, rowsA, 1])),
      reshape(squares(b), [...leadB, 1, rowsB]),
    );
    return rootWithZeroSlope(clamp(total, 0));
  }
  const differences = sub(
    reshape(a, [...leadA, rowsA, 1, size]),
    reshape(b, [...leadB, 1, rowsB, size]),
  );
  return norm(differences, p, -1);
}
