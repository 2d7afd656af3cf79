/** Normalization within samples: over trailing dimensions, and over groups of channels. */

import { ones, zeros } from "../creation.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import * as F from "./functional/index.ts";
import { Layer } from "./layer.ts";
import { Parameter } from "./module.ts";
import { pythonBool, pythonFloat, pythonTuple } from "./module-repr.ts";

/** Options of {@link LayerNorm}. */
export interface LayerNormOptions {
  readonly eps?: number;
  /** Learn a weight and a bias for each element. */
  readonly elementwiseAffine?: boolean;
  /** Without it only the weight is learned. */
  readonly bias?: boolean;
}

/** Layer normalization over the trailing dimensions `shape` (Ba et al., 2016): torch.nn.LayerNorm. */
export class LayerNorm extends Layer {
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(shape: number | readonly number[], options: LayerNormOptions = {}) {
    super();
    const known = ["eps", "elementwiseAffine", "bias"];
    const {
      eps = 1e-5,
      elementwiseAffine = true,
      bias = true,
    } = checkOptions("LayerNorm", options, known);
    this.normalizedShape = typeof shape === "number" ? [shape] : shape;
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape)) : null;
    this.bias = elementwiseAffine && bias ? new Parameter(zeros(this.normalizedShape)) : null;
  }

  forward(x: Tensor): Tensor {
    return F.layerNorm(x, this.normalizedShape, {
      weight: this.weight,
      bias: this.bias,
      eps: this.eps,
    });
  }

  override extraRepr(): string {
    const [affine, bias] = [this.weight, this.bias].map((own) => pythonBool(own !== null));
    return `${pythonTuple(this.normalizedShape)}, eps=${pythonFloat(this.eps)}, elementwise_affine=${affine}, bias=${bias}`;
  }
}

/** x / √(mean x² + eps) over the trailing dimensions `shape` (Zhang and Sennrich, 2019): torch.nn.RMSNorm. */
export class RMSNorm extends Layer {
  readonly normalizedShape: readonly number[];
  /** The dtype's epsilon unless given. */
  readonly eps: number | null;
  readonly weight: Parameter | null;

  constructor(
    shape: number | readonly number[],
    {
      eps = null,
      elementwiseAffine = true,
    }: { readonly eps?: number | null; readonly elementwiseAffine?: boolean } = {},
  ) {
    super();
    this.normalizedShape = typeof shape === "number" ? [shape] : shape;
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape)) : null;
  }

  forward(x: Tensor): Tensor {
    return F.rmsNorm(x, this.normalizedShape, { weight: this.weight, eps: this.eps });
  }

  override extraRepr(): string {
    const eps = this.eps === null ? "None" : pythonFloat(this.eps);
    return `${pythonTuple(this.normalizedShape)}, eps=${eps}, elementwise_affine=${pythonBool(this.weight !== null)}`;
  }
}

/** Options of {@link GroupNorm}. */
export interface GroupNormOptions {
  readonly eps?: number;
  /** Learn a weight and a bias for each channel. */
  readonly affine?: boolean;
  /** Without it only the weight is learned. */
  readonly bias?: boolean;
}

/** Normalization of groups of channels within each sample of [N, C, …] (Wu and He, 2018): torch.nn.GroupNorm. */
export class GroupNorm extends Layer {
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(numGroups: number, numChannels: number, options: GroupNormOptions = {}) {
    super();
    const known = ["eps", "affine", "bias"];
    const { eps = 1e-5, affine = true, bias = true } = checkOptions("GroupNorm", options, known);
    if (numChannels % numGroups !== 0)
      throw new Error(
        `GroupNorm: ${numChannels} channels do not split into ${numGroups} groups of one size`,
      );
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.weight = affine ? new Parameter(ones([numChannels])) : null;
    this.bias = affine && bias ? new Parameter(zeros([numChannels])) : null;
  }

  forward(x: Tensor): Tensor {
    return F.groupNorm(x, this.numGroups, {
      weight: this.weight,
      bias: this.bias,
      eps: this.eps,
    });
  }

  override extraRepr(): string {
    return `${this.numGroups}, ${this.numChannels}, eps=${pythonFloat(this.eps)}, affine=${pythonBool(this.weight !== null)}, bias=${pythonBool(this.bias !== null)}`;
  }
}

/** Options of {@link LocalResponseNorm}. */
export interface LocalResponseNormOptions {
  readonly alpha?: number;
  readonly beta?: number;
  readonly k?: number;
}

/** Normalization over neighbouring channels (Krizhevsky et al., 2012): torch.nn.LocalResponseNorm. */
export class LocalResponseNorm extends Layer {
  readonly size: number;
  readonly options: LocalResponseNormOptions;

  constructor(size: number, options: LocalResponseNormOptions = {}) {
    super();
    this.size = size;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return F.localResponseNorm(x, this.size, this.options);
  }

  override extraRepr(): string {
    const { alpha = 1e-4, beta = 0.75, k = 1 } = this.options;
    return `${this.size}, alpha=${pythonFloat(alpha)}, beta=${pythonFloat(beta)}, k=${pythonFloat(k)}`;
  }
}
