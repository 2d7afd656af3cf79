/** Dropout. */

import { ShapeError, formatShape, type Shape } from "../../graph/shape.ts";
import { dropoutMask, type Generator } from "../../random.ts";
import type { Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";

/** Options of {@link dropout} and its kin. */
export interface DropoutOptions {
  /** Without it the input is returned. */
  readonly training?: boolean;
  readonly generator?: Generator;
}

const OPTIONS = ["training", "generator"];

function checkProbability(op: string, p: number): void {
  if (!(p >= 0 && p <= 1)) throw new Error(`${op}: the probability must be in [0, 1], got ${p}`);
}

/** A mask of `shape`, 1 with probability 1 − p, in x's dtype. */
const keeping = (x: Tensor, shape: Shape, p: number, generator: Generator | undefined): Tensor =>
  dropoutMask(shape, 1 - p, { dtype: x.dtype, ...(generator ? { generator } : {}) });

function masked(op: string, x: Tensor, shape: Shape, p: number, options: DropoutOptions): Tensor {
  const { training = true, generator } = checkOptions(op, options, OPTIONS);
  checkProbability(op, p);
  if (!training || p === 0) return x;
  if (p === 1) return x.mul(0);
  return x.mul(keeping(x, shape, p, generator).mul(1 / (1 - p)));
}

/** Zeroes elements with probability p and scales the others by 1 / (1 − p), while `training`. */
export const dropout = (x: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor =>
  masked("dropout", x, x.shape, p, options);

/** As `dropout`, for whole channels of x [N,C,L] or [C,L] (Tompson et al., 2015). */
export const dropout1d = (x: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor =>
  masked("dropout1d", x, channels("dropout1d", x, 1), p, options);

/** As `dropout`, for whole channels of x [N,C,H,W] or [C,H,W]. */
export const dropout2d = (x: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor =>
  masked("dropout2d", x, channels("dropout2d", x, 2), p, options);

/** One number for each channel. */
function channels(op: string, x: Tensor, spatial: number): number[] {
  if (x.ndim !== spatial + 2 && x.ndim !== spatial + 1)
    throw new ShapeError(
      `${op}: the input must have ${spatial + 1} or ${spatial + 2} dimensions, got ${formatShape(x.shape)}`,
    );
  return x.shape.map((size, i) => (i < x.ndim - spatial ? size : 1));
}

/** What selu tends to for small numbers: −λα. */
const SELU_FLOOR = -1.7580993408473766;

/**
 * Dropout that keeps mean and variance of what selu gives: dropped elements get selu's lowest value, and all are scaled
 * and shifted (Klambauer et al., 2017).
 */
export function alphaDropout(x: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor {
  const { training = true, generator } = checkOptions("alphaDropout", options, OPTIONS);
  checkProbability("alphaDropout", p);
  if (!training || p === 0) return x;
  if (p === 1) return x.mul(0);
  const scale = 1 / Math.sqrt((1 - p) * (1 + p * SELU_FLOOR ** 2));
  const keep = keeping(x, x.shape, p, generator);
  // a (x m + α′ (1 − m)) − a α′ p
  const dropped = keep.mul(-scale * SELU_FLOOR).add(scale * SELU_FLOOR * (1 - p));
  return x.mul(keep.mul(scale)).add(dropped);
}
