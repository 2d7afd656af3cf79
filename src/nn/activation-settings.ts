/** Activation layers with several settings, with parameters, or over a dimension. */

import { full } from "../creation.ts";
import type { Tensor } from "../tensor.ts";
import * as F from "./functional/index.ts";
import { Layer } from "./layer.ts";
import { Parameter } from "./module.ts";
import { pythonFloat } from "./module-repr.ts";

/** A learned slope for negative numbers, one or one a channel: torch.nn.PReLU. */
export class PReLU extends Layer {
  readonly weight: Parameter;

  constructor(numParameters = 1, { init = 0.25 }: { readonly init?: number } = {}) {
    super();
    this.weight = new Parameter(full([numParameters], init));
  }

  forward(x: Tensor): Tensor {
    return F.prelu(x, this.weight);
  }

  override extraRepr(): string {
    return `num_parameters=${this.weight.size}`;
  }
}

/** A slope for negative numbers drawn anew for each element while training: torch.nn.RReLU. */
export class RReLU extends Layer {
  readonly lower: number;
  readonly upper: number;

  constructor({
    lower = 1 / 8,
    upper = 1 / 3,
  }: { readonly lower?: number; readonly upper?: number } = {}) {
    super();
    this.lower = lower;
    this.upper = upper;
  }

  forward(x: Tensor): Tensor {
    return F.rrelu(x, { lower: this.lower, upper: this.upper, training: this.training });
  }

  override extraRepr(): string {
    return `lower=${pythonFloat(this.lower)}, upper=${pythonFloat(this.upper)}`;
  }
}

/** x limited to [minVal, maxVal], −1 and 1 unless given: torch.nn.Hardtanh. */
export class Hardtanh extends Layer {
  readonly minVal: number;
  readonly maxVal: number;

  constructor({
    minVal = -1,
    maxVal = 1,
  }: { readonly minVal?: number; readonly maxVal?: number } = {}) {
    super();
    this.minVal = minVal;
    this.maxVal = maxVal;
  }

  forward(x: Tensor): Tensor {
    return F.hardtanh(x, { minVal: this.minVal, maxVal: this.maxVal });
  }

  override extraRepr(): string {
    return `min_val=${pythonFloat(this.minVal)}, max_val=${pythonFloat(this.maxVal)}`;
  }
}

/** log(1 + exp(βx)) / β, and x where βx is above the threshold: torch.nn.Softplus. */
export class Softplus extends Layer {
  readonly beta: number;
  readonly threshold: number;

  constructor({
    beta = 1,
    threshold = 20,
  }: { readonly beta?: number; readonly threshold?: number } = {}) {
    super();
    this.beta = beta;
    this.threshold = threshold;
  }

  forward(x: Tensor): Tensor {
    return F.softplus(x, { beta: this.beta, threshold: this.threshold });
  }

  override extraRepr(): string {
    return `beta=${pythonFloat(this.beta)}, threshold=${pythonFloat(this.threshold)}`;
  }
}

/** x above the threshold, `value` elsewhere: torch.nn.Threshold. */
export class Threshold extends Layer {
  readonly threshold: number;
  readonly value: number;

  constructor(threshold: number, value: number) {
    super();
    this.threshold = threshold;
    this.value = value;
  }

  forward(x: Tensor): Tensor {
    return F.threshold(x, this.threshold, this.value);
  }

  override extraRepr(): string {
    return `threshold=${this.threshold}, value=${this.value}`;
  }
}

/** A function over one dimension. */
abstract class Along extends Layer {
  readonly dim: number;

  constructor(dim: number) {
    super();
    this.dim = dim;
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/** exp(x) / Σ exp(x) along a dimension: torch.nn.Softmax. */
export class Softmax extends Along {
  forward(x: Tensor): Tensor {
    return F.softmax(x, this.dim);
  }
}

/** log(softmax(x)) along a dimension: torch.nn.LogSoftmax. */
export class LogSoftmax extends Along {
  forward(x: Tensor): Tensor {
    return F.logSoftmax(x, this.dim);
  }
}

/** softmax(−x) along a dimension: torch.nn.Softmin. */
export class Softmin extends Along {
  forward(x: Tensor): Tensor {
    return F.softmin(x, this.dim);
  }
}

/** Half of a dimension gated by the sigmoid of the other half: torch.nn.GLU. */
export class GLU extends Along {
  constructor(dim = -1) {
    super(dim);
  }

  forward(x: Tensor): Tensor {
    return F.glu(x, this.dim);
  }
}
