/** Methods that give a tensor other elements, with names that end in an underscore as in PyTorch. */

import { full } from "../ops/leaf.ts";
import type { Tensor } from "../tensor.ts";
import { makeTensor, type TensorLike } from "./derive.ts";

import { ProductMethods } from "./products.ts";

export abstract class InPlaceMethods extends ProductMethods {
  /** Copies elements into this tensor, converting the dtype and broadcasting: torch's `copy_`. */
  copy_(other: Tensor): this {
    return this.assign(other.detach().cast(this.dtype).expand(this.shape));
  }

  /** Sets every element: torch's `fill_`. */
  fill_(value: number): this {
    return this.assign(makeTensor(full(this.shape, value, this.dtype)));
  }

  zero_(): this {
    return this.fill_(0);
  }

  /** Adds `alpha · other` to this tensor's own elements. */
  add_(other: TensorLike, alpha = 1): this {
    const term = alpha === 1 ? other : typeof other === "number" ? other * alpha : other.mul(alpha);
    return this.copy_(this.detach().add(term));
  }

  mul_(other: TensorLike): this {
    return this.copy_(this.detach().mul(other));
  }
}
