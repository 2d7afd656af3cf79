/** Dropout layers. */

import type { Tensor } from "../tensor.ts";
import * as F from "./functional/index.ts";
import { Layer } from "./layer.ts";
import { pythonFloat } from "./module-repr.ts";

type Dropping = (x: Tensor, p: number, options: F.DropoutOptions) => Tensor;

/** Zeroes elements with probability p while training (Srivastava et al., 2014): torch.nn.Dropout. */
export class Dropout extends Layer {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1))
      throw new Error(`${this.constructor.name}: the probability must be in [0, 1], got ${p}`);
    this.p = p;
  }

  forward(x: Tensor): Tensor {
    return this.drop(x, F.dropout);
  }

  protected drop(x: Tensor, dropping: Dropping): Tensor {
    return dropping(x, this.p, { training: this.training });
  }

  override extraRepr(): string {
    return `p=${pythonFloat(this.p)}, inplace=False`;
  }
}

/** Zeroes channels of [N, C, L] or [C, L]: torch.nn.Dropout1d. */
export class Dropout1d extends Dropout {
  override forward(x: Tensor): Tensor {
    return this.drop(x, F.dropout1d);
  }
}

/** Zeroes channels of [N, C, H, W] or [C, H, W]: torch.nn.Dropout2d. */
export class Dropout2d extends Dropout {
  override forward(x: Tensor): Tensor {
    return this.drop(x, F.dropout2d);
  }
}

/** Dropout for networks of selu units: torch.nn.AlphaDropout. */
export class AlphaDropout extends Dropout {
  override forward(x: Tensor): Tensor {
    return this.drop(x, F.alphaDropout);
  }
}
