/** Activation layers: the functions of torch.nn.functional as modules, with torch.nn's names and defaults. */

import type { Tensor } from "../tensor.ts";
import * as F from "./functional/index.ts";
import { Layer } from "./layer.ts";
import { pythonFloat } from "./module-repr.ts";

/** max(x, 0): torch.nn.ReLU. */
export class ReLU extends Layer {
  forward(x: Tensor): Tensor {
    return F.relu(x);
  }
}

/** min(max(x, 0), 6): torch.nn.ReLU6. */
export class ReLU6 extends Layer {
  forward(x: Tensor): Tensor {
    return F.relu6(x);
  }
}

/** A scaled ELU that keeps mean 0 and variance 1 (Klambauer et al., 2017): torch.nn.SELU. */
export class SELU extends Layer {
  forward(x: Tensor): Tensor {
    return F.selu(x);
  }
}

/** x · sigmoid(x), also called swish: torch.nn.SiLU. */
export class SiLU extends Layer {
  forward(x: Tensor): Tensor {
    return F.silu(x);
  }
}

/** x · tanh(softplus(x)) (Misra, 2019): torch.nn.Mish. */
export class Mish extends Layer {
  forward(x: Tensor): Tensor {
    return F.mish(x);
  }
}

/** 1 / (1 + exp(−x)): torch.nn.Sigmoid. */
export class Sigmoid extends Layer {
  forward(x: Tensor): Tensor {
    return F.sigmoid(x);
  }
}

/** log(sigmoid(x)), without overflow: torch.nn.LogSigmoid. */
export class LogSigmoid extends Layer {
  forward(x: Tensor): Tensor {
    return F.logsigmoid(x);
  }
}

/** The hyperbolic tangent: torch.nn.Tanh. */
export class Tanh extends Layer {
  forward(x: Tensor): Tensor {
    return F.tanh(x);
  }
}

/** x − tanh(x): torch.nn.Tanhshrink. */
export class Tanhshrink extends Layer {
  forward(x: Tensor): Tensor {
    return F.tanhshrink(x);
  }
}

/** x / (1 + |x|): torch.nn.Softsign. */
export class Softsign extends Layer {
  forward(x: Tensor): Tensor {
    return F.softsign(x);
  }
}

/** Sigmoid as three straight lines, 0 below −3 and 1 above 3: torch.nn.Hardsigmoid. */
export class Hardsigmoid extends Layer {
  forward(x: Tensor): Tensor {
    return F.hardsigmoid(x);
  }
}

/** x · hardsigmoid(x): torch.nn.Hardswish. */
export class Hardswish extends Layer {
  forward(x: Tensor): Tensor {
    return F.hardswish(x);
  }
}

/** Softmax over the channels of [N, C, H, W] or [C, H, W]. */
export class Softmax2d extends Layer {
  forward(x: Tensor): Tensor {
    return F.softmax(x, -3);
  }
}

/** x · Φ(x), Φ that of the normal distribution (Hendrycks and Gimpel, 2016): torch.nn.GELU. */
export class GELU extends Layer {
  readonly approximate: "none" | "tanh";

  constructor({ approximate = "none" }: { approximate?: "none" | "tanh" } = {}) {
    super();
    this.approximate = approximate;
  }

  forward(x: Tensor): Tensor {
    return F.gelu(x, { approximate: this.approximate });
  }

  override extraRepr(): string {
    return `approximate='${this.approximate}'`;
  }
}

/** x, below 0 a small multiple of it: torch.nn.LeakyReLU. */
export class LeakyReLU extends Layer {
  readonly negativeSlope: number;

  constructor(negativeSlope = 0.01) {
    super();
    this.negativeSlope = negativeSlope;
  }

  forward(x: Tensor): Tensor {
    return F.leakyRelu(x, this.negativeSlope);
  }

  override extraRepr(): string {
    return `negative_slope=${pythonFloat(this.negativeSlope)}`;
  }
}

/** x, below 0 α (eˣ − 1) (Clevert et al., 2015): torch.nn.ELU. */
export class ELU extends Layer {
  readonly alpha: number;

  constructor(alpha = 1) {
    super();
    this.alpha = alpha;
  }

  forward(x: Tensor): Tensor {
    return F.elu(x, this.alpha);
  }

  override extraRepr(): string {
    return `alpha=${pythonFloat(this.alpha)}`;
  }
}

/** x, below 0 α (exp(x/α) − 1) (Barron, 2017): torch.nn.CELU. */
export class CELU extends Layer {
  readonly alpha: number;

  constructor(alpha = 1) {
    super();
    this.alpha = alpha;
  }

  forward(x: Tensor): Tensor {
    return F.celu(x, this.alpha);
  }

  override extraRepr(): string {
    return `alpha=${pythonFloat(this.alpha)}`;
  }
}

/** x moved towards 0 by λ, 0 within [−λ, λ]: torch.nn.Softshrink. */
export class Softshrink extends Layer {
  readonly lambd: number;

  constructor(lambd = 0.5) {
    super();
    this.lambd = lambd;
  }

  forward(x: Tensor): Tensor {
    return F.softshrink(x, this.lambd);
  }

  override extraRepr(): string {
    return `${pythonFloat(this.lambd)}`;
  }
}

/** x, 0 within [−λ, λ]: torch.nn.Hardshrink. */
export class Hardshrink extends Layer {
  readonly lambd: number;

  constructor(lambd = 0.5) {
    super();
    this.lambd = lambd;
  }

  forward(x: Tensor): Tensor {
    return F.hardshrink(x, this.lambd);
  }

  override extraRepr(): string {
    return `${pythonFloat(this.lambd)}`;
  }
}
