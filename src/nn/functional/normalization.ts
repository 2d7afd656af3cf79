/** Normalization of activations. */

import { ones, zeros } from "../../creation.ts";
import { layerNorm as layerNormValue } from "../../ops/normalize.ts";
import { derive, type Tensor } from "../../tensor.ts";

/** Normalises the trailing dimensions `shape` of x. */
export function layerNorm(
  x: Tensor,
  shape: readonly number[],
  { weight, bias, eps = 1e-5 }: { weight?: Tensor | null; bias?: Tensor | null; eps?: number } = {},
): Tensor {
  const scale = weight ?? ones(shape, { dtype: x.dtype });
  const shift = bias ?? zeros(shape, { dtype: x.dtype });
  return derive([x, scale, shift], ([v, w, b]) => layerNormValue(v!, w!, b!, eps));
}
