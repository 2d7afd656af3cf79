/** Methods of a tensor that pick or place elements at positions given by other tensors. */

import { gather, indexSelect, scatterAdd } from "../ops/indexing.ts";
import type { Tensor } from "../tensor.ts";
import { derive } from "./derive.ts";

import { ShapingMethods } from "./shaping.ts";

export abstract class IndexingMethods extends ShapingMethods {
  // ---- positions given by tensors ----------------------------------------------------------------------------------

  /** out[i][j] = this[index[i][j]][j] for dim 0: torch.gather. */
  gather(dim: number, index: Tensor): Tensor {
    return derive([this, index], ([x, i]) => gather(x!, dim, i!));
  }

  /** This tensor with `src` added at `index`: torch.scatter_add. */
  scatterAdd(dim: number, index: Tensor, src: Tensor): Tensor {
    return derive([this, index, src], ([x, i, s]) => scatterAdd(x!, dim, i!, s!));
  }

  /** Slices along `dim` picked by an index of any shape, whose dimensions take that one's place. */
  indexSelect(dim: number, index: Tensor): Tensor {
    return derive([this, index], ([x, i]) => indexSelect(x!, dim, i!));
  }
}
