/** Convolutions. */

import * as conv from "../../ops/conv.ts";
import { derive, type Tensor } from "../../tensor.ts";

/** Cross-correlation of x [N,C,H,W] with weight [O,C/groups,kh,kw]. */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: conv.ConvOptions = {},
): Tensor {
  return derive(bias === null ? [x, weight] : [x, weight, bias], ([v, w, b]) =>
    conv.conv2d(v!, w!, b ?? null, options),
  );
}

/** Transposed convolution of x [N,C,H,W] with weight [C,O/groups,kh,kw]. */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: conv.ConvOptions & { readonly outputPadding?: conv.Pair } = {},
): Tensor {
  return derive(bias === null ? [x, weight] : [x, weight, bias], ([v, w, b]) =>
    conv.convTranspose2d(v!, w!, b ?? null, options),
  );
}
