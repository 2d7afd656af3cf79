/** Activation layers: the functions of torch.nn.functional as modules, with torch.nn's names and defaults. */

import type { Tensor } from "../tensor.ts";
import * as F from "./functional/index.ts";
import { Layer } from "./layer.ts";
import { pythonFloat } from "./module-repr.ts";

export class ReLU extends Layer {
  forward(x: Tensor): Tensor {
    return F.relu(x);
  }
}

export class ReLU6 extends Layer {
  forward(x: Tensor): Tensor {
    return F.relu6(x);
  }
}

export class SELU extends Layer {
  forward(x: Tensor): Tensor {
    return F.selu(x);
  }
}

export class SiLU extends Layer {
  forward(x: Tensor): Tensor {
    return F.silu(x);
  }
}

export class Mish extends Layer {
  forward(x: Tensor): Tensor {
    return F.mish(x);
  }
}

export class Sigmoid extends Layer {
  forward(x: Tensor): Tensor {
    return F.sigmoid(x);
  }
}

export class LogSigmoid extends Layer {
  forward(x: Tensor): Tensor {
    return F.logsigmoid(x);
  }
}

export class Tanh extends Layer {
  forward(x: Tensor): Tensor {
    return F.tanh(x);
  }
}

export class Tanhshrink extends Layer {
  forward(x: Tensor): Tensor {
    return F.tanhshrink(x);
  }
}

export class Softsign extends Layer {
  forward(x: Tensor): Tensor {
    return F.softsign(x);
  }
}

export class Hardsigmoid extends Layer {
  forward(x: Tensor): Tensor {
    return F.hardsigmoid(x);
  }
}

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
