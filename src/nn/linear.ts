/** Affine maps. */

import type { DType } from "../graph/dtype.ts";
import { uniform } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import * as F from "./functional/index.ts";
import { Layer } from "./layer.ts";
import { Parameter } from "./module.ts";
import { pythonBool } from "./module-repr.ts";

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

  override extraRepr(): string {
    const { inFeatures, outFeatures, bias } = this;
    return `in_features=${inFeatures}, out_features=${outFeatures}, bias=${pythonBool(bias !== null)}`;
  }
}
