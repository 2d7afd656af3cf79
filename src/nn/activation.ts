/** Activation layers. */

import type { Tensor } from "../tensor.ts";
import * as F from "./functional/index.ts";
import { Layer } from "./layer.ts";

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
