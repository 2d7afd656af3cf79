/** Normalization of activations. */

import { ones, zeros } from "../../creation.ts";
import { formatShape, numel, ShapeError } from "../../graph/shape.ts";
import {
  batchNorm as batchNormValue,
  normalizeChannels,
  scaleChannels,
} from "../../ops/batch-norm.ts";
import { layerNorm as layerNormValue } from "../../ops/layer-norm.ts";
import { avgPool2d } from "../../ops/avg-pool.ts";
import { pad, reshape } from "../../ops/shape.ts";
import { derive, deriveAll, type Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";
import { noGrad } from "../../trace.ts";

/** What normalized elements are multiplied by and added to. */
export interface AffineOptions {
  readonly weight?: Tensor | null;
  readonly bias?: Tensor | null;
  /** Added to the variance. */
  readonly eps?: number;
}

/** Normalises the trailing dimensions `shape` of x. */
export function layerNorm(
  x: Tensor,
  shape: readonly number[],
  options: AffineOptions = {},
): Tensor {
  const {
    weight,
    bias,
    eps = 1e-5,
  } = checkOptions("layerNorm", options, ["weight", "bias", "eps"]);
  const scale = weight ?? ones(shape, { dtype: x.dtype });
  const shift = bias ?? zeros(shape, { dtype: x.dtype });
  return derive([x, scale, shift], ([v, w, b]) => layerNormValue(v!, w!, b!, eps));
}

const EPSILON = { float16: 2 ** -10, float32: 2 ** -23, float64: 2 ** -52 };

/** x / √(mean x² + eps) over the trailing dimensions `shape`; eps is the dtype's epsilon unless given. */
export function rmsNorm(
  x: Tensor,
  shape: readonly number[],
  options: { readonly weight?: Tensor | null; readonly eps?: number | null } = {},
): Tensor {
  const { weight, eps } = checkOptions("rmsNorm", options, ["weight", "eps"]);
  const lead = x.ndim - shape.length;
  if (shape.length === 0 || shape.some((size, i) => size !== x.shape[lead + i]))
    throw new ShapeError(
      `rmsNorm: ${formatShape(shape)} must be the last dimensions of the input ${formatShape(x.shape)}`,
    );
  const dims = shape.map((_, i) => lead + i);
  const added = eps ?? EPSILON[x.dtype as keyof typeof EPSILON];
  const scale = x.square().mean(dims, { keepdim: true }).add(added).rsqrt();
  const y = x.mul(scale);
  return weight ? y.mul(weight) : y;
}

/** Options of {@link batchNorm}. */
export interface BatchNormOptions extends AffineOptions {
  /** Normalise by the batch's own statistics, and move the running ones towards them. */
  readonly training?: boolean;
  /** Share of the batch in the running statistics; a 0-d tensor where it changes. */
  readonly momentum?: number | Tensor;
}

/**
 * Normalises each channel of x [N, C, …]: by the running statistics, or while training by those of the batch, which are
 * then mixed into the running ones (variance with Bessel's correction). Ioffe and Szegedy, 2015.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  options: BatchNormOptions = {},
): Tensor {
  const {
    weight = null,
    bias = null,
    training = false,
    momentum = 0.1,
    eps = 1e-5,
  } = checkOptions("batchNorm", options, ["weight", "bias", "training", "momentum", "eps"]);
  if (!training) {
    if (runningMean === null || runningVar === null)
      throw new Error("batchNorm: without running statistics it needs { training: true }");
    return withStatistics("batchNorm", x, runningMean, runningVar, weight, bias, eps);
  }
  const channels = x.shape[1] ?? 0;
  const count = numel(x.shape) / channels;
  if (count === 1)
    throw new ShapeError(
      `batchNorm: needs more than one value a channel when training, got an input ${formatShape(x.shape)}`,
    );
  const scale = weight ?? ones([channels], { dtype: x.dtype });
  const shift = bias ?? zeros([channels], { dtype: x.dtype });
  const [output, mean, variance] = deriveAll([x, scale, shift], ([v, w, b]) => {
    const { output, mean, variance } = batchNormValue(v!, w!, b!, eps);
    return [output, mean, variance];
  });
  track(runningMean, mean!, momentum);
  track(runningVar, variance!.mul(count / (count - 1)), momentum);
  return output!;
}

/** running ← (1 − momentum) · running + momentum · statistic. */
function track(running: Tensor | null, statistic: Tensor, momentum: number | Tensor): void {
  if (running === null) return;
  noGrad(() => {
    const step = statistic.detach().sub(running).mul(momentum);
    running.assign(running.add(step).cast(running.dtype));
  });
}

function withStatistics(
  op: string,
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
): Tensor {
  const affine = [weight, bias].filter((t) => t !== null);
  return derive([x, mean, variance, ...affine], ([v, m, s, ...rest]) => {
    const w = weight === null ? null : rest[0]!;
    const b = bias === null ? null : rest.at(-1)!;
    return normalizeChannels(op, v!, [m!, s!, w, b], eps);
  });
}

/**
 * Normalises the channels of each of `groups` groups, with all that belongs to them, within every sample of
 * x [N, C, …] (Wu and He, 2018).
 */
export function groupNorm(x: Tensor, groups: number, options: AffineOptions = {}): Tensor {
  const {
    weight = null,
    bias = null,
    eps = 1e-5,
  } = checkOptions("groupNorm", options, ["weight", "bias", "eps"]);
  const [n, c] = x.shape as [number, number];
  if (x.ndim < 2 || !Number.isInteger(groups) || groups < 1 || c % groups !== 0)
    throw new ShapeError(
      `groupNorm: the channels of [N,C,…] must split into ${groups} groups, got ${formatShape(x.shape)}`,
    );
  const size = numel(x.shape) / (n * groups);
  const normal = layerNorm(x.reshape([n * groups, size]), [size], { eps }).reshape(x.shape);
  return scaled("groupNorm", normal, weight, bias);
}

function scaled(op: string, x: Tensor, weight: Tensor | null, bias: Tensor | null): Tensor {
  if (weight === null && bias === null) return x;
  const affine = [weight, bias].filter((t) => t !== null);
  return derive([x, ...affine], ([v, ...rest]) =>
    scaleChannels(op, v!, weight === null ? null : rest[0]!, bias === null ? null : rest.at(-1)!),
  );
}

/** Options of {@link instanceNorm}. */
export interface InstanceNormOptions extends AffineOptions {
  readonly runningMean?: Tensor | null;
  readonly runningVar?: Tensor | null;
  /** Normalise by the input's own statistics (default) rather than the running ones. */
  readonly useInputStats?: boolean;
  readonly momentum?: number | Tensor;
}

/** Normalises each channel of each sample of x [N, C, …] (Ulyanov et al., 2016). */
export function instanceNorm(x: Tensor, options: InstanceNormOptions = {}): Tensor {
  const {
    runningMean = null,
    runningVar = null,
    weight = null,
    bias = null,
    useInputStats = true,
    momentum = 0.1,
    eps = 1e-5,
  } = checkOptions("instanceNorm", options, [
    "runningMean",
    "runningVar",
    "weight",
    "bias",
    "useInputStats",
    "momentum",
    "eps",
  ]);
  if (!useInputStats) {
    if (runningMean === null || runningVar === null)
      throw new Error("instanceNorm: without running statistics it needs { useInputStats: true }");
    return withStatistics("instanceNorm", x, runningMean, runningVar, weight, bias, eps);
  }
  const channels = x.shape[1] ?? 0;
  const count = numel(x.shape.slice(2));
  if (x.ndim < 3 || count === 1)
    throw new ShapeError(
      `instanceNorm: needs [N,C,…] with more than one value a channel, got ${formatShape(x.shape)}`,
    );
  if (runningMean !== null || runningVar !== null) {
    const flat = x.detach().reshape([x.shape[0]!, channels, count]);
    track(runningMean, flat.mean([0, 2]), momentum);
    track(runningVar, flat.var(2).mean(0), momentum);
  }
  return groupNorm(x, channels, { weight, bias, eps });
}

/** x / (k + α · mean of x² over `size` channels around each)^β (Krizhevsky et al., 2012); x [N, C, …]. */
export function localResponseNorm(
  x: Tensor,
  size: number,
  options: { readonly alpha?: number; readonly beta?: number; readonly k?: number } = {},
): Tensor {
  const {
    alpha = 1e-4,
    beta = 0.75,
    k = 1,
  } = checkOptions("localResponseNorm", options, ["alpha", "beta", "k"]);
  if (x.ndim < 3)
    throw new ShapeError(`localResponseNorm: needs [N,C,…], got ${formatShape(x.shape)}`);
  const [n, c, ...rest] = x.shape as [number, number, ...number[]];
  const means = derive([x.square()], ([squares]) => {
    const planes = reshape(squares!, [n, 1, c, numel(rest)]);
    const before = [0, 0, Math.floor(size / 2), 0];
    const after = [0, 0, Math.floor((size - 1) / 2), 0];
    return reshape(avgPool2d(pad(planes, before, after), [size, 1], { stride: 1 }), x.shape);
  });
  return x.div(means.mul(alpha).add(k).pow(beta));
}

/** x divided by its p-norm along `dim`, or by `eps` where that is larger: torch.nn.functional.normalize. */
export function normalize(
  x: Tensor,
  options: { readonly p?: number; readonly dim?: number; readonly eps?: number } = {},
): Tensor {
  const { p = 2, dim = 1, eps = 1e-12 } = checkOptions("normalize", options, ["p", "dim", "eps"]);
  const keep = { keepdim: true };
  const norm =
    p === 2
      ? // Limited before the root, whose slope at 0 is infinite.
        x
          .square()
          .sum(dim, keep)
          .clamp(eps * eps)
          .sqrt()
      : p === 1
        ? x.abs().sum(dim, keep)
        : p === Infinity
          ? x.abs().amax(dim, keep)
          : x
              .abs()
              .pow(p)
              .sum(dim, keep)
              .pow(1 / p);
  return x.div(norm.clamp(eps));
}
