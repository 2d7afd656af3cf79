/** Activation functions. */

import { where } from "../../creation.ts";
import * as activation from "../../ops/activation.ts";
import { derive, type Tensor } from "../../tensor.ts";

export const relu = (x: Tensor): Tensor => x.relu();
export const sigmoid = (x: Tensor): Tensor => x.sigmoid();
export const tanh = (x: Tensor): Tensor => x.tanh();
export const softmax = (x: Tensor, dim: number): Tensor => x.softmax(dim);
export const logSoftmax = (x: Tensor, dim: number): Tensor => x.logSoftmax(dim);

/** xΦ(x); with `approximate: "tanh"` the approximation GPT-2 uses. */
export function gelu(
  x: Tensor,
  { approximate = "none" }: { approximate?: "none" | "tanh" } = {},
): Tensor {
  if (approximate === "none") return derive([x], ([v]) => activation.gelu(v!));
  const inner = x.add(x.mul(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
  return x.mul(0.5).mul(inner.tanh().add(1));
}

/** x · sigmoid(x). */
export const silu = (x: Tensor): Tensor => x.mul(x.sigmoid());

/** x where positive, slope · x elsewhere. */
export const leakyRelu = (x: Tensor, slope = 0.01): Tensor => where(x.gt(0), x, x.mul(slope));

/** log(1 + exp(x)); x itself above 20, where that is the same number. */
export const softplus = (x: Tensor): Tensor =>
  where(x.gt(20), x, x.clamp(undefined, 20).exp().log1p());
