/** Activation functions. */

import { arange } from "../../creation.ts";
import { formatShape, resolveDim, ShapeError } from "../../graph/shape.ts";
import { where } from "../../joining.ts";
import * as activation from "../../ops/activation.ts";
import { uniform } from "../../random.ts";
import { derive, type Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";

/** max(x, 0). */
export const relu = (x: Tensor): Tensor => x.relu();
/** 1 / (1 + exp(−x)). */
export const sigmoid = (x: Tensor): Tensor => x.sigmoid();
/** The hyperbolic tangent, in (−1, 1). */
export const tanh = (x: Tensor): Tensor => x.tanh();

// ---- rectifiers --------------------------------------------------------------------------------------------------

/** x limited to [0, 6]. */
export const relu6 = (x: Tensor): Tensor => x.clamp(0, 6);

/** x limited to [minVal, maxVal]. */
export const hardtanh = (
  x: Tensor,
  { minVal = -1, maxVal = 1 }: { readonly minVal?: number; readonly maxVal?: number } = {},
): Tensor => x.clamp(minVal, maxVal);

/** x where positive, slope · x elsewhere. */
export const leakyRelu = (x: Tensor, slope = 0.01): Tensor =>
  derive([x], ([v]) => activation.leakyRelu(v!, slope));

/** x where positive, weight · x elsewhere; weight [1], or [C] for x [N, C, …] (He et al., 2015). */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  const channels = x.ndim < 2 ? 1 : x.shape[1]!;
  if (weight.ndim > 1 || (weight.size !== 1 && weight.size !== channels))
    throw new ShapeError(
      `prelu: the weight must be [1] or [${channels}] for an input ${formatShape(x.shape)}, got ${formatShape(weight.shape)}`,
    );
  const slope =
    weight.size === 1
      ? weight.reshape([])
      : weight.reshape([channels, ...Array.from({ length: x.ndim - 2 }, () => 1)]);
  return where(x.gt(0), x, x.mul(slope));
}

/** As leakyRelu, with a slope drawn for each element from [lower, upper) while `training`, their mean otherwise. */
export function rrelu(
  x: Tensor,
  options: { readonly lower?: number; readonly upper?: number; readonly training?: boolean } = {},
): Tensor {
  const {
    lower = 1 / 8,
    upper = 1 / 3,
    training = false,
  } = checkOptions("rrelu", options, ["lower", "upper", "training"]);
  if (!training) return leakyRelu(x, (lower + upper) / 2);
  return where(x.ge(0), x, x.mul(uniform(x.shape, lower, upper, { dtype: x.dtype })));
}

/** x where positive, α(eˣ − 1) elsewhere. */
export const elu = (x: Tensor, alpha = 1): Tensor =>
  derive([x], ([v]) => activation.elu(v!, alpha));

const SELU = { alpha: 1.6732632423543772, scale: 1.0507009873554805 };

/** elu scaled so that activations keep mean 0 and variance 1 (Klambauer et al., 2017). */
export const selu = (x: Tensor): Tensor => elu(x, SELU.alpha).mul(SELU.scale);

/** x where positive, α(e^(x/α) − 1) elsewhere (Barron, 2017). */
export const celu = (x: Tensor, alpha = 1): Tensor =>
  alpha === 1 ? elu(x) : elu(x.div(alpha)).mul(alpha);

/** x above the threshold, `value` elsewhere. */
export const threshold = (x: Tensor, limit: number, value: number): Tensor =>
  where(x.gt(limit), x, value);

// ---- smooth ------------------------------------------------------------------------------------------------------

/** xΦ(x); with `approximate: "tanh"` the approximation GPT-2 uses. */
export function gelu(x: Tensor, options: { approximate?: "none" | "tanh" } = {}): Tensor {
  const { approximate = "none" } = checkOptions("gelu", options, ["approximate"]);
  if (approximate === "none") return derive([x], ([v]) => activation.gelu(v!));
  const inner = x.add(x.mul(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
  return x.mul(0.5).mul(inner.tanh().add(1));
}

/** x · sigmoid(x). */
export const silu = (x: Tensor): Tensor => x.mul(x.sigmoid());

/** log(1 + exp(βx)) / β; x itself where βx is above the threshold, where that is the same number. */
export function softplus(
  x: Tensor,
  options: { readonly beta?: number; readonly threshold?: number } = {},
): Tensor {
  const { beta = 1, threshold: limit = 20 } = checkOptions("softplus", options, [
    "beta",
    "threshold",
  ]);
  const scaled = beta === 1 ? x : x.mul(beta);
  const curve = scaled.clamp(undefined, limit).exp().log1p();
  return where(scaled.gt(limit), x, beta === 1 ? curve : curve.div(beta));
}

/** log(sigmoid(x)). */
export const logsigmoid = (x: Tensor): Tensor => softplus(x.neg()).neg();

/** x · tanh(softplus(x)) (Misra, 2019). */
export const mish = (x: Tensor): Tensor => x.mul(softplus(x).tanh());

/** x / (1 + |x|). */
export const softsign = (x: Tensor): Tensor => x.div(x.abs().add(1));

/** x − tanh(x). */
export const tanhshrink = (x: Tensor): Tensor => x.sub(x.tanh());

// ---- piecewise linear --------------------------------------------------------------------------------------------

/** x moved by λ towards 0, and 0 where it would cross it. */
export const softshrink = (x: Tensor, lambd = 0.5): Tensor =>
  where(x.gt(lambd), x.sub(lambd), where(x.lt(-lambd), x.add(lambd), 0));

/** x, and 0 within [−λ, λ]. */
export const hardshrink = (x: Tensor, lambd = 0.5): Tensor => where(x.abs().le(lambd), 0, x);

/** (x + 3) / 6 limited to [0, 1]. */
export const hardsigmoid = (x: Tensor): Tensor => relu6(x.add(3)).div(6);

/** x · hardsigmoid(x) (Howard et al., 2019). */
export const hardswish = (x: Tensor): Tensor => x.mul(hardsigmoid(x));

// ---- over a dimension --------------------------------------------------------------------------------------------

/** exp(x) / Σ exp(x) along a dimension. */
export const softmax = (x: Tensor, dim: number): Tensor => x.softmax(dim);
/** log(softmax(x)) along a dimension, without overflow. */
export const logSoftmax = (x: Tensor, dim: number): Tensor => x.logSoftmax(dim);

/** softmax(−x). */
export const softmin = (x: Tensor, dim: number): Tensor => x.neg().softmax(dim);

/** a · sigmoid(b) for the two halves a and b of a dimension (Dauphin et al., 2017). */
export function glu(x: Tensor, dim = -1): Tensor {
  const size = x.shape[resolveDim("glu", dim, x.ndim)]!;
  if (size % 2 !== 0)
    throw new ShapeError(`glu: dimension ${dim} must have an even size, got ${size}`);
  const [a, b] = x.split(size / 2, dim);
  return a!.mul(b!.sigmoid());
}

/**
 * A sample of a categorical distribution that gradients pass: softmax((logits + Gumbel noise) / τ). With `hard` the
 * result is one-hot and has the gradients of the soft one (Jang et al., 2017).
 */
export function gumbelSoftmax(
  logits: Tensor,
  options: { readonly tau?: number; readonly hard?: boolean; readonly dim?: number } = {},
): Tensor {
  const {
    tau = 1,
    hard = false,
    dim = -1,
  } = checkOptions("gumbelSoftmax", options, ["tau", "hard", "dim"]);
  // −log of an exponential number; both logarithms stay finite within (0, 1).
  const tiny = 2 ** -25;
  const exponential = uniform(logits.shape, tiny, 1, { dtype: logits.dtype }).log().neg();
  const noise = exponential.clamp(tiny).log().neg();
  const soft = logits.add(noise).div(tau).softmax(dim);
  if (!hard) return soft;
  const at = resolveDim("gumbelSoftmax", dim, logits.ndim);
  const size = logits.shape[at]!;
  const places = positionsAlong(size, logits.ndim - at - 1);
  const oneHot = soft.detach().argmax(at).unsqueeze(at).eq(places).cast(soft.dtype);
  return oneHot.sub(soft.detach()).add(soft);
}

/** 0 … size − 1 along a dimension with `behind` others after it. */
const positionsAlong = (size: number, behind: number): Tensor =>
  arange(size).reshape([size, ...Array.from({ length: behind }, () => 1)]);
