/** Stateless twins of the layers: torch.nn.functional. */

import { where } from "../creation.ts";
import { sameShape, formatShape, ShapeError } from "../graph/shape.ts";
import * as activation from "../ops/activation.ts";
import * as conv from "../ops/conv.ts";
import { indexSelect } from "../ops/indexing.ts";
import { linear as linearValue } from "../ops/matmul.ts";
import { layerNorm as layerNormValue } from "../ops/normalize.ts";
import { ones, zeros } from "../creation.ts";
import { dropoutMask, type Generator } from "../random.ts";
import { derive, type Tensor } from "../tensor.ts";

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

/** x Wᵀ + b; x [..., in], weight [out, in], bias [out]. */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  return derive(bias === null ? [x, weight] : [x, weight, bias], ([v, w, b]) =>
    linearValue(v!, w!, b ?? null),
  );
}

/** Rows of weight [n, d] for indices of any shape: [..., d]. */
export function embedding(indices: Tensor, weight: Tensor): Tensor {
  needIntegers("embedding", "indices", indices);
  const rows = withoutNegatives(indices, weight.shape[0] ?? 0);
  return derive([weight, rows], ([w, i]) => indexSelect(w!, 0, i!));
}

function needIntegers(op: string, what: string, x: Tensor): void {
  if (x.dtype === "int32" || x.dtype === "int64") return;
  throw new ShapeError(
    `${op}: ${what} must be int32 or int64, got ${x.dtype}; make them with { dtype: "int32" }`,
  );
}

/** Positions with negative ones, which ONNX would count from the end, put out of range, where they are an error. */
const withoutNegatives = (positions: Tensor, size: number): Tensor =>
  positions.maskedFill(positions.lt(0), size);

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

/** Maximum over windows of x [N,C,H,W]. */
export const maxPool2d = (
  x: Tensor,
  kernel: conv.Pair,
  options: conv.PoolOptions & { readonly dilation?: conv.Pair } = {},
): Tensor => derive([x], ([v]) => conv.maxPool2d(v!, kernel, options));

/** Mean over windows of x [N,C,H,W]. */
export const avgPool2d = (x: Tensor, kernel: conv.Pair, options: conv.PoolOptions = {}): Tensor =>
  derive([x], ([v]) => conv.avgPool2d(v!, kernel, options));

export type Reduction = "mean" | "sum" | "none";

const reduceLoss = (loss: Tensor, reduction: Reduction): Tensor =>
  reduction === "none" ? loss : reduction === "sum" ? loss.sum() : loss.mean();

/** Mean squared error. */
export function mseLoss(
  x: Tensor,
  target: Tensor,
  { reduction = "mean" }: { reduction?: Reduction } = {},
): Tensor {
  if (!sameShape(x.shape, target.shape)) {
    throw new ShapeError(
      `mseLoss: input ${formatShape(x.shape)} and target ${formatShape(target.shape)} must have the same shape`,
    );
  }
  const difference = x.sub(target);
  return reduceLoss(difference.mul(difference), reduction);
}

export interface CrossEntropyOptions {
  /** Target that does not count. */
  readonly ignoreIndex?: number;
  readonly reduction?: Reduction;
}

/**
 * −log softmax(logits)[target]: logits [N, C] and int targets [N], or [N, C, d1, …] and [N, d1, …]. The mean is over
 * targets that count; with none it is NaN, as in PyTorch.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
 */
export function crossEntropy(
  logits: Tensor,
  target: Tensor,
  { ignoreIndex = -100, reduction = "mean" }: CrossEntropyOptions = {},
): Tensor {
  const classDim = logits.ndim === 1 ? 0 : 1;
  const expected = logits.shape.filter((_, i) => i !== classDim);
  if (logits.ndim === 0 || !sameShape(expected, target.shape)) {
    throw new ShapeError(
      `crossEntropy: logits ${formatShape(logits.shape)} need targets of shape ${formatShape(expected)}, got ${formatShape(target.shape)}`,
    );
  }
  needIntegers("crossEntropy", "targets", target);
  const ignored = target.eq(ignoreIndex);
  const classes = logits.shape[classDim]!;
  const index = withoutNegatives(target.maskedFill(ignored, 0), classes).unsqueeze(classDim);
  const picked = logits.logSoftmax(classDim).gather(classDim, index).squeeze(classDim);
  const losses = picked.neg().maskedFill(ignored, 0);
  if (reduction !== "mean") return reduceLoss(losses, reduction);
  return losses.sum().div(ignored.logicalNot().cast(logits.dtype).sum());
}
