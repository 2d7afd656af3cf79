/** Normalization layers. */

import { ones, zeros } from "../creation.ts";
import type { Tensor } from "../tensor.ts";
import * as F from "./functional/index.ts";
import { Layer } from "./layer.ts";
import { Parameter } from "./module.ts";

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
