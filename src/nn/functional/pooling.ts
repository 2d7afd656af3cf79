/** Pooling. */

import * as conv from "../../ops/conv.ts";
import { derive, type Tensor } from "../../tensor.ts";

/** Maximum over windows of x [N,C,H,W]. */
export const maxPool2d = (
  x: Tensor,
  kernel: conv.Pair,
  options: conv.PoolOptions & { readonly dilation?: conv.Pair } = {},
): Tensor => derive([x], ([v]) => conv.maxPool2d(v!, kernel, options));

/** Mean over windows of x [N,C,H,W]. */
export const avgPool2d = (x: Tensor, kernel: conv.Pair, options: conv.PoolOptions = {}): Tensor =>
  derive([x], ([v]) => conv.avgPool2d(v!, kernel, options));
