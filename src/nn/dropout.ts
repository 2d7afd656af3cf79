/** Dropout layers. */

import type { Tensor } from "../tensor.ts";
import * as F from "./functional/index.ts";
import { Layer } from "./layer.ts";
import { pythonFloat } from "./module-repr.ts";

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

  override extraRepr(): string {
    return `p=${pythonFloat(this.p)}, inplace=False`;
  }
}
