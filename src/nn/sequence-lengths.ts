/** Sequences of different lengths in one batch: which rows count, and where each sequence ends. */

import { arange, tensor } from "../creation.ts";
import { formatShape, sameShape, ShapeError } from "../graph/shape.ts";
import { where } from "../joining.ts";
import type { Tensor } from "../tensor.ts";

/** The rows that `lengths` make: which count, each sequence backwards, and the last of each. */
export interface Ragged {
  /** bool [T·B, 1]. */
  readonly counts: Tensor;
  readonly backwards: Tensor;
  readonly last: Tensor;
}

/** Rows, t·B + b for step t of sequence b, of `batch` sequences of these lengths. */
export function rowsOf(
  name: string,
  lengths: readonly number[] | Tensor,
  steps: number,
  batch: number,
): Ragged {
  const given = Array.isArray(lengths) ? (lengths as readonly number[]) : null;
  const odd = given?.find((n) => !Number.isInteger(n) || n < 1 || n > steps);
  if (odd !== undefined)
    throw new ShapeError(`${name}: lengths must be integers from 1 to ${steps}, got ${odd}`);
  const ends =
    given === null ? (lengths as Tensor).cast("int32") : tensor(given, { dtype: "int32" });
  if (!sameShape(ends.shape, [batch]))
    throw new ShapeError(
      `${name}: lengths must be one for each of ${batch} sequences, got ${formatShape(ends.shape)}`,
    );
  const step = arange(steps).unsqueeze(1); // [T, 1]
  const column = arange(batch); // [B]
  const within = step.lt(ends); // [T, B]
  const opposite = where(within, ends.sub(1).sub(step), step);
  return {
    counts: within.reshape(steps * batch, 1),
    backwards: opposite
      .mul(batch)
      .add(column)
      .reshape(steps * batch),
    last: ends.sub(1).mul(batch).add(column),
  };
}
