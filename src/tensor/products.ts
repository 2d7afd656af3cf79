/** Methods of a tensor for products of vectors and matrices. */

import { matmul, type MatmulOptions } from "../ops/matmul.ts";
import type { Tensor } from "../tensor.ts";
import { derive } from "./derive.ts";

import { IndexingMethods } from "./indexing.ts";

export abstract class ProductMethods extends IndexingMethods {
  // ---- products --------------------------------------------------------------------------------------------------

  /** Matrix product; leading dimensions broadcast: torch.matmul. */
  matmul(other: Tensor, options: MatmulOptions = {}): Tensor {
    return derive([this, other], ([a, b]) => matmul(a!, b!, options));
  }
}
