/** Dropout. */

import { dropoutMask, type Generator } from "../../random.ts";
import type { Tensor } from "../../tensor.ts";

/** Zeroes elements with probability p and scales the others by 1 / (1 − p), while `training`. */
export function dropout(
  x: Tensor,
  p = 0.5,
  { training = true, generator }: { training?: boolean; generator?: Generator } = {},
): Tensor {
  if (!(p >= 0 && p <= 1)) throw new Error(`dropout: the probability must be in [0, 1], got ${p}`);
  if (!training || p === 0) return x;
  if (p === 1) return x.mul(0);
  const keep = dropoutMask(x.shape, 1 - p, { dtype: x.dtype, ...(generator ? { generator } : {}) });
  return x.mul(keep.mul(1 / (1 - p)));
}
