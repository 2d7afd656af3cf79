/** Affine and bilinear maps, and layers that change shapes only. */

import type { DType } from "../graph/dtype.ts";
import { formatShape, numel, resolveDim, ShapeError } from "../graph/shape.ts";
import { uniform } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import * as F from "./functional/index.ts";
import { Layer } from "./layer.ts";
import { Module, Parameter } from "./module.ts";
import { pythonBool } from "./module-repr.ts";

/** y = x Wᵀ + b; weight [out, in] and bias [out] start as U(−1/√in, 1/√in): torch.nn.Linear. */
export class Linear extends Layer {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** May be given another module's parameter, which both then share. */
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    inFeatures: number,
    outFeatures: number,
    options: { readonly bias?: boolean; readonly dtype?: DType } = {},
  ) {
    super();
    const { bias = true, dtype = "float32" } = checkOptions("Linear", options, ["bias", "dtype"]);
    if (![inFeatures, outFeatures].every((n) => Number.isInteger(n) && n >= 0))
      throw new Error(
        `Linear: inFeatures and outFeatures must be whole numbers, got ${inFeatures} and ${outFeatures}`,
      );
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
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${pythonBool(this.bias !== null)}`;
  }
}

/** y = aᵀ W b + c for each output; weight [out, in1, in2] and bias start as U(−1/√in1, 1/√in1): torch.nn.Bilinear. */
export class Bilinear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(
    in1Features: number,
    in2Features: number,
    outFeatures: number,
    options: { readonly bias?: boolean } = {},
  ) {
    super();
    const { bias = true } = checkOptions("Bilinear", options, ["bias"]);
    const bound = 1 / Math.sqrt(in1Features);
    this.weight = new Parameter(uniform([outFeatures, in1Features, in2Features], -bound, bound));
    this.bias = bias ? new Parameter(uniform([outFeatures], -bound, bound)) : null;
  }

  /** a [..., in1], b [..., in2] → [..., out]. */
  forward(a: Tensor, b: Tensor): Tensor {
    return F.bilinear(a, b, this.weight, this.bias);
  }

  override extraRepr(): string {
    const [out, in1, in2] = this.weight.shape;
    return `in1_features=${in1}, in2_features=${in2}, out_features=${out}, bias=${pythonBool(this.bias !== null)}`;
  }
}

/** Returns what it is given: torch.nn.Identity. */
export class Identity extends Layer {
  forward(x: Tensor): Tensor {
    return x;
  }
}

/** The dimensions from `startDim` to `endDim` as one: torch.nn.Flatten. */
export class Flatten extends Layer {
  readonly startDim: number;
  readonly endDim: number;

  constructor(startDim = 1, endDim = -1) {
    super();
    this.startDim = startDim;
    this.endDim = endDim;
  }

  forward(x: Tensor): Tensor {
    const start = resolveDim("Flatten", this.startDim, x.ndim);
    const end = resolveDim("Flatten", this.endDim, x.ndim);
    if (start > end)
      throw new ShapeError(
        `Flatten: startDim ${this.startDim} is behind endDim ${this.endDim} of ${formatShape(x.shape)}`,
      );
    return x.reshape([
      ...x.shape.slice(0, start),
      numel(x.shape.slice(start, end + 1)),
      ...x.shape.slice(end + 1),
    ]);
  }

  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}

/** One dimension as several: torch.nn.Unflatten. */
export class Unflatten extends Layer {
  readonly dim: number;
  readonly sizes: readonly number[];

  constructor(dim: number, sizes: readonly number[]) {
    super();
    this.dim = dim;
    this.sizes = sizes;
  }

  forward(x: Tensor): Tensor {
    const at = resolveDim("Unflatten", this.dim, x.ndim);
    const known = numel(this.sizes.filter((size) => size !== -1));
    const sizes = this.sizes.map((size) => (size === -1 ? x.shape[at]! / known : size));
    if (numel(sizes) !== x.shape[at])
      throw new ShapeError(
        `Unflatten: sizes ${formatShape(this.sizes)} do not make up dimension ${this.dim} of ${formatShape(x.shape)}`,
      );
    return x.reshape([...x.shape.slice(0, at), ...sizes, ...x.shape.slice(at + 1)]);
  }

  override extraRepr(): string {
    return `dim=${this.dim}, unflattened_size=(${this.sizes.join(", ")})`;
  }
}
