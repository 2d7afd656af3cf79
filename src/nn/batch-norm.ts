/** Normalization of channels with running statistics: batch and instance normalization. */

import { ones, zeros } from "../creation.ts";
import { formatShape, ShapeError } from "../graph/shape.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import * as F from "./functional/index.ts";
import { Layer } from "./layer.ts";
import { Parameter } from "./module.ts";
import { pythonBool, pythonFloat } from "./module-repr.ts";

/** Options of batch and instance normalization. */
export interface ChannelNormOptions {
  readonly eps?: number;
  /** Share of the batch in the running statistics; null: they are the mean over all batches. */
  readonly momentum?: number | null;
  /** Learn a weight and a bias for each channel. */
  readonly affine?: boolean;
  /** Without it only the weight is learned. */
  readonly bias?: boolean;
  readonly trackRunningStats?: boolean;
}

const OPTIONS = ["eps", "momentum", "affine", "bias", "trackRunningStats"];

/**
 * What batch and instance normalization hold. The buffers are PyTorch's: running_mean, running_var and
 * num_batches_tracked, an int64 count; WebGPU has no 64-bit integers, so there the count is added up on the CPU.
 */
abstract class ChannelNorm extends Layer {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly running_mean: Tensor | null;
  readonly running_var: Tensor | null;
  readonly num_batches_tracked: Tensor | null;
  /** How many dimensions inputs may have. */
  protected abstract readonly ranks: readonly number[];

  constructor(numFeatures: number, options: ChannelNormOptions) {
    super();
    const {
      eps = 1e-5,
      momentum = 0.1,
      affine = true,
      bias = true,
      trackRunningStats = true,
    } = checkOptions(this.constructor.name, options, OPTIONS);
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Parameter(ones([numFeatures])) : null;
    this.bias = affine && bias ? new Parameter(zeros([numFeatures])) : null;
    const buffer = (name: string, made: () => Tensor): Tensor | null =>
      trackRunningStats ? this.registerBuffer(name, made()) : null;
    this.running_mean = buffer("running_mean", () => zeros([numFeatures]));
    this.running_var = buffer("running_var", () => ones([numFeatures]));
    this.num_batches_tracked = buffer("num_batches_tracked", () => zeros([], { dtype: "int64" }));
  }

  /** Throws for an input of another number of dimensions or channels. */
  protected check(x: Tensor, channelDim: number): void {
    if (!this.ranks.includes(x.ndim) || x.shape[channelDim] !== this.numFeatures)
      throw new ShapeError(
        `${this.constructor.name}: expected ${this.ranks.join(" or ")} dimensions with ${this.numFeatures} channels in dimension ${channelDim}, got ${formatShape(x.shape)}`,
      );
  }

  /** Starts the running statistics over. */
  resetRunningStats(): void {
    this.running_mean?.zero_();
    this.running_var?.fill_(1);
    this.num_batches_tracked?.zero_();
  }

  override extraRepr(): string {
    const momentum = this.momentum === null ? "None" : pythonFloat(this.momentum);
    return `${this.numFeatures}, eps=${pythonFloat(this.eps)}, momentum=${momentum}, affine=${pythonBool(this.weight !== null)}, bias=${pythonBool(this.bias !== null)}, track_running_stats=${pythonBool(this.running_mean !== null)}`;
  }
}

abstract class BatchNorm extends ChannelNorm {
  constructor(numFeatures: number, options: ChannelNormOptions = {}) {
    super(numFeatures, options);
  }

  forward(x: Tensor): Tensor {
    this.check(x, 1);
    const { weight, bias, eps, training } = this;
    const tracked = this.running_mean !== null;
    let momentum: number | Tensor = this.momentum ?? 0;
    if (training && tracked) {
      const count = this.num_batches_tracked!;
      count.add_(1);
      if (this.momentum === null) momentum = count.cast("float32").reciprocal();
    }
    return F.batchNorm(x, this.running_mean, this.running_var, {
      weight,
      bias,
      eps,
      momentum,
      // Without running statistics it is always the batch's.
      training: training || !tracked,
    });
  }
}

/** Batch normalization of [N, C] or [N, C, L] (Ioffe and Szegedy, 2015): torch.nn.BatchNorm1d. */
export class BatchNorm1d extends BatchNorm {
  protected readonly ranks = [2, 3];
}

/** Batch normalization of [N, C, H, W]: torch.nn.BatchNorm2d. */
export class BatchNorm2d extends BatchNorm {
  protected readonly ranks = [4];
}

abstract class InstanceNorm extends ChannelNorm {
  constructor(numFeatures: number, options: ChannelNormOptions = {}) {
    super(numFeatures, {
      affine: false,
      trackRunningStats: false,
      ...checkOptions("InstanceNorm", options, OPTIONS),
    });
  }

  forward(x: Tensor): Tensor {
    const single = x.ndim === this.ranks[0];
    this.check(x, single ? 0 : 1);
    const { weight, bias, eps } = this;
    const y = F.instanceNorm(single ? x.unsqueeze(0) : x, {
      runningMean: this.running_mean,
      runningVar: this.running_var,
      weight,
      bias,
      eps,
      momentum: this.momentum ?? 0,
      useInputStats: this.training || this.running_mean === null,
    });
    return single ? y.squeeze(0) : y;
  }
}

/** Normalization of each channel of each sample of [N, C, L] or [C, L]: torch.nn.InstanceNorm1d. */
export class InstanceNorm1d extends InstanceNorm {
  protected readonly ranks = [2, 3];
}

/** Normalization of each channel of each sample of [N, C, H, W] or [C, H, W]: torch.nn.InstanceNorm2d. */
export class InstanceNorm2d extends InstanceNorm {
  protected readonly ranks = [3, 4];
}
