/** The basic layers: Linear, Embedding, LayerNorm, Dropout, activations and Sequential. */

import { arange, ones, where, zeros } from "../creation.ts";
import type { DType } from "../graph/dtype.ts";
import { normal, uniform } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import * as F from "./functional.ts";
import { Module, Parameter } from "./module.ts";

/** A module that maps one tensor to one. */
export abstract class Layer extends Module {
  abstract override forward(x: Tensor): Tensor;
}

/** y = x Wᵀ + b; weight [out, in] and bias [out] start as U(−1/√in, 1/√in): torch.nn.Linear. */
export class Linear extends Layer {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(
    inFeatures: number,
    outFeatures: number,
    { bias = true, dtype = "float32" }: { bias?: boolean; dtype?: DType } = {},
  ) {
    super();
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    const bound = inFeatures > 0 ? 1 / Math.sqrt(inFeatures) : 0;
    this.weight = new Parameter(uniform([outFeatures, inFeatures], -bound, bound, { dtype }));
    this.bias = bias ? new Parameter(uniform([outFeatures], -bound, bound, { dtype })) : null;
  }

  /** x [..., in] → [..., out]. */
  forward(x: Tensor): Tensor {
    return F.linear(x, this.weight, this.bias);
  }
}

/** A table of vectors: weight [n, d] starts as N(0, 1), the row `paddingIdx` as zeros: torch.nn.Embedding. */
export class Embedding extends Layer {
  readonly weight: Parameter;
  readonly paddingIdx: number | null;

  constructor(
    count: number,
    dim: number,
    { paddingIdx = null }: { paddingIdx?: number | null } = {},
  ) {
    super();
    if (
      paddingIdx !== null &&
      !(Number.isInteger(paddingIdx) && paddingIdx >= 0 && paddingIdx < count)
    )
      throw new Error(`Embedding: paddingIdx must be 0 … ${count - 1}, got ${paddingIdx}`);
    this.paddingIdx = paddingIdx;
    const table = normal([count, dim], 0, 1);
    const padding = paddingIdx === null ? null : arange(count).eq(paddingIdx).unsqueeze(1);
    this.weight = new Parameter(padding === null ? table : where(padding, 0, table));
  }

  /** int indices [...] → [..., d]. The padding row gets no gradient. */
  forward(indices: Tensor): Tensor {
    const rows = F.embedding(indices, this.weight);
    if (this.paddingIdx === null) return rows;
    return where(indices.eq(this.paddingIdx).unsqueeze(-1), rows.detach(), rows);
  }
}

/** Layer normalization over the trailing dimensions `shape` (Ba et al., 2016): torch.nn.LayerNorm. */
export class LayerNorm extends Layer {
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(shape: number | readonly number[], { eps = 1e-5 }: { eps?: number } = {}) {
    super();
    this.normalizedShape = typeof shape === "number" ? [shape] : shape;
    this.eps = eps;
    this.weight = new Parameter(ones(this.normalizedShape));
    this.bias = new Parameter(zeros(this.normalizedShape));
  }

  forward(x: Tensor): Tensor {
    return F.layerNorm(x, this.normalizedShape, {
      weight: this.weight,
      bias: this.bias,
      eps: this.eps,
    });
  }
}

/** Zeroes elements with probability p while training (Srivastava et al., 2014): torch.nn.Dropout. */
export class Dropout extends Layer {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1))
      throw new Error(`Dropout: the probability must be in [0, 1], got ${p}`);
    this.p = p;
  }

  forward(x: Tensor): Tensor {
    return F.dropout(x, this.p, { training: this.training });
  }
}

export class ReLU extends Layer {
  forward(x: Tensor): Tensor {
    return x.relu();
  }
}

export class GELU extends Layer {
  readonly approximate: "none" | "tanh";

  constructor({ approximate = "none" }: { approximate?: "none" | "tanh" } = {}) {
    super();
    this.approximate = approximate;
  }

  forward(x: Tensor): Tensor {
    return F.gelu(x, { approximate: this.approximate });
  }
}

export class SiLU extends Layer {
  forward(x: Tensor): Tensor {
    return F.silu(x);
  }
}

export class LeakyReLU extends Layer {
  readonly negativeSlope: number;

  constructor(negativeSlope = 0.01) {
    super();
    this.negativeSlope = negativeSlope;
  }

  forward(x: Tensor): Tensor {
    return F.leakyRelu(x, this.negativeSlope);
  }
}

export class Sigmoid extends Layer {
  forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}

export class Tanh extends Layer {
  forward(x: Tensor): Tensor {
    return x.tanh();
  }
}

/** Layers one after another; state-dict keys are `0.weight`, `1.weight`, …: torch.nn.Sequential. */
export class Sequential extends Layer {
  readonly layers: readonly Layer[];

  constructor(...layers: Layer[]) {
    super();
    this.layers = layers;
  }

  override *namedChildren(): Generator<[string, Module]> {
    for (const [i, layer] of this.layers.entries()) yield [String(i), layer];
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((y, layer) => layer.forward(y), x);
  }
}
