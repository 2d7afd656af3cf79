/** Methods of a tensor that combine the elements of dimensions: sums, extremes, positions, running sums. */

import type { Value } from "../graph/node.ts";
import { cast } from "../ops/elementwise-rules.ts";
import { topk } from "../ops/indexing.ts";
import { logSoftmax, softmax } from "../ops/normalize.ts";
import * as reduce from "../ops/reduce.ts";
import { sum } from "../ops/sum.ts";
import type { Tensor } from "../tensor.ts";
import { reduceOptions, type Dims, type KeepdimOptions, type ReduceOptions } from "./arguments.ts";
import type { TensorCore } from "./core.ts";
import { makeTensor, operand, tracks, unary } from "./derive.ts";

import { PointwiseMethods } from "./pointwise.ts";

export interface VarianceOptions extends ReduceOptions {
  /** Taken from the count of elements; 1 unless given. */
  readonly correction?: number;
}
const VARIANCE_OPTIONS = ["dim", "keepdim", "correction"] as const;

export abstract class ReductionMethods extends PointwiseMethods {
  // ---- reductions ------------------------------------------------------------------------------------------------

  sum(dim?: Dims | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("sum", this, dim, options, sum);
  }

  mean(dim?: Dims | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("mean", this, dim, options, reduce.mean);
  }

  /** Largest elements; equal ones share the gradient. */
  amax(dim?: Dims | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("amax", this, dim, options, reduce.amax);
  }

  amin(dim?: Dims | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("amin", this, dim, options, reduce.amin);
  }

  /** Variance; `correction` (default 1) is taken from the count. */
  var(dim?: Dims | VarianceOptions, options?: Omit<VarianceOptions, "dim">): Tensor {
    const { correction, ...rest } = reduceOptions("var", dim, options, VARIANCE_OPTIONS);
    return reduced("var", this, rest, undefined, (x, dims) => reduce.variance(x, dims, correction));
  }

  /** Standard deviation; `correction` (default 1) is taken from the count. */
  std(dim?: Dims | VarianceOptions, options?: Omit<VarianceOptions, "dim">): Tensor {
    return this.var(dim, options).sqrt();
  }

  /** Product over one dimension, or over all elements. */
  prod(dim?: number): Tensor {
    return unary(this, (x) => reduce.prod(x, dim));
  }

  /** Whether all elements are true (not 0). */
  all(dim?: Dims | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("all", this, dim, options, (x, dims) => reduce.amin(cast(x, "bool"), dims));
  }

  /** Whether any element is true (not 0). */
  any(dim?: Dims | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("any", this, dim, options, (x, dims) => reduce.amax(cast(x, "bool"), dims));
  }

  /** int32 position of the first largest element along a dimension, or in the flattened tensor. */
  argmax(dim?: number): Tensor {
    return unary(this, (x) => reduce.argmax(x, dim));
  }

  argmin(dim?: number): Tensor {
    return unary(this, (x) => reduce.argmin(x, dim));
  }

  /** Running sum along a dimension. */
  cumsum(dim: number): Tensor {
    return unary(this, (x) => reduce.cumsum(x, dim));
  }

  /** The k largest (or smallest) elements along a dimension, sorted, and their int32 positions. */
  topk(
    k: number,
    { dim = -1, largest = true }: { dim?: number; largest?: boolean } = {},
  ): {
    values: Tensor;
    indices: Tensor;
  } {
    const [values, indices] = topk(operand(this), k, dim, largest);
    return { values: makeTensor(values, tracks(this)), indices: makeTensor(indices) };
  }

  softmax(dim: number): Tensor {
    return unary(this, (x) => softmax(x, dim));
  }

  logSoftmax(dim: number): Tensor {
    return unary(this, (x) => logSoftmax(x, dim));
  }
}

function reduced(
  op: string,
  x: TensorCore,
  dim: Dims | ReduceOptions | undefined,
  options: KeepdimOptions | undefined,
  record: (x: Value, dims?: Dims) => Value,
): Tensor {
  const { dim: dims, keepdim = false } = reduceOptions<ReduceOptions>(op, dim, options);
  return unary(x, (value) => {
    const result = record(value, dims);
    return keepdim ? reduce.keepDims(result, value, dims) : result;
  });
}
