/** Methods of a tensor that write at positions given by other tensors. */

import type { Value } from "../graph/node.ts";
import { scatterAdd } from "../ops/indexing.ts";
import * as scatters from "../ops/scatter.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "./arguments.ts";
import type { TensorCore } from "./core.ts";
import { derive, type TensorLike } from "./derive.ts";

import { SelectingMethods } from "./selecting.ts";

/** Options of `scatterReduce`. */
export interface ScatterReduceOptions {
  /** Whether the tensor's own elements count where a source meets them; true unless given. */
  readonly includeSelf?: boolean;
}

export abstract class IndexingMethods extends SelectingMethods {
  // ---- positions given by tensors ----------------------------------------------------------------------------------

  /** This tensor with `src`, a tensor or a number, at `index`: out[index[i][j]][j] = src[i][j] for dim 0. torch.scatter */
  scatter(dim: number, index: Tensor, src: TensorLike): Tensor {
    return withValue(this, index, src, (x, i, s) => scatters.scatter(x, dim, i, s));
  }

  /** This tensor with `src` added at `index`: torch.scatter_add. */
  scatterAdd(dim: number, index: Tensor, src: Tensor): Tensor {
    return derive([this, index, src], ([x, i, s]) => scatterAdd(x!, dim, i!, s!));
  }

  /** This tensor with `src` combined into it at `index` by "sum", "prod", "mean", "amax" or "amin": torch.scatter_reduce. */
  scatterReduce(
    dim: number,
    index: Tensor,
    src: Tensor,
    reduce: scatters.Reduction,
    options: ScatterReduceOptions = {},
  ): Tensor {
    const { includeSelf = true } = checkOptions("scatterReduce", options, ["includeSelf"]);
    return derive([this, index, src], ([x, i, s]) =>
      scatters.scatterReduce(x!, dim, i!, s!, reduce, includeSelf),
    );
  }

  /** This tensor with slices of `source`, times `alpha`, added at the slices that `index` [n] names: torch.index_add. */
  indexAdd(
    dim: number,
    index: Tensor,
    source: Tensor,
    options: { readonly alpha?: number } = {},
  ): Tensor {
    const { alpha = 1 } = checkOptions("indexAdd", options, ["alpha"]);
    return derive([this, index, source], ([x, i, s]) => scatters.indexAdd(x!, dim, i!, s!, alpha));
  }

  /** This tensor with slices of `source` in place of those that `index` [n] names: torch.index_copy. */
  indexCopy(dim: number, index: Tensor, source: Tensor): Tensor {
    return derive([this, index, source], ([x, i, s]) => scatters.indexCopy(x!, dim, i!, s!));
  }

  /** This tensor with `value`, a number or a 0-d tensor, in the slices that `index` [n] names: torch.index_fill. */
  indexFill(dim: number, index: Tensor, value: TensorLike): Tensor {
    return withValue(this, index, value, (x, i, v) => scatters.indexFill(x, dim, i, v));
  }
}

function withValue(
  x: TensorCore,
  index: Tensor,
  value: TensorLike,
  record: (x: Value, index: Value, value: Value | number) => Value,
): Tensor {
  if (typeof value === "number") return derive([x, index], ([v, i]) => record(v!, i!, value));
  return derive([x, index, value], ([v, i, s]) => record(v!, i!, s!));
}
