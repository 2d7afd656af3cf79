/** Methods of a tensor that combine the elements of dimensions: sums, means, products, norms, running results. */

import type { Value } from "../graph/node.ts";
import { numel, ShapeError } from "../graph/shape.ts";
import { logSoftmax, softmax } from "../ops/normalize.ts";
import * as reduce from "../ops/reduce.ts";
import * as scan from "../ops/scan.ts";
import { concat, reshape } from "../ops/shape.ts";
import * as statistics from "../ops/statistics.ts";
import { sum } from "../ops/sum.ts";
import type { Tensor } from "../tensor.ts";
import {
  checkOptions,
  reduceOptions,
  type Dims,
  type KeepdimOptions,
  type ReduceOptions,
} from "./arguments.ts";
import type { TensorCore } from "./core.ts";
import { derive, deriveAll, unary } from "./derive.ts";

import { OrderingMethods, type ValuesAndIndices } from "./ordering.ts";

/** Options of variances and deviations. */
export interface VarianceOptions extends ReduceOptions {
  /** Taken from the count of elements; 1 unless given. */
  readonly correction?: number;
}
const VARIANCE_OPTIONS = ["dim", "keepdim", "correction"] as const;

/** Options of `diff`. */
export interface DiffOptions {
  /** How often. */
  readonly n?: number;
  readonly dim?: number;
  /** Elements to put before and behind first. */
  readonly prepend?: Tensor;
  readonly append?: Tensor;
}

export abstract class ReductionMethods extends OrderingMethods {
  // ---- reductions ------------------------------------------------------------------------------------------------

  /** Sums over the dimensions given, or over all: integers keep their dtype, bool gives int64. */
  sum(dim?: Dims | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("sum", this, dim, options, sum);
  }

  /** Means over the dimensions given, or over all; floats only. */
  mean(dim?: Dims | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("mean", this, dim, options, reduce.mean);
  }

  /** The sum of the elements that are numbers. */
  nansum(dim?: Dims | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("nansum", this, dim, options, statistics.nansum);
  }

  /** The mean of the elements that are numbers. */
  nanmean(dim?: Dims | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("nanmean", this, dim, options, statistics.nanmean);
  }

  /** Product over one dimension, or over all elements. */
  prod(dim?: number | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("prod", this, dim, options, (x, dims) => reduce.prod(x, single("prod", dims)));
  }

  /** Largest elements; equal ones share the gradient. */
  amax(dim?: Dims | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("amax", this, dim, options, reduce.amax);
  }

  /** Smallest elements; equal ones share the gradient. */
  amin(dim?: Dims | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("amin", this, dim, options, reduce.amin);
  }

  /** Smallest and largest elements, of all or of one dimension. */
  aminmax(options: ReduceOptions & { readonly dim?: number } = {}): { min: Tensor; max: Tensor } {
    return { min: this.amin(options), max: this.amax(options) };
  }

  /** Variance; `correction` (default 1) is taken from the count. */
  var(dim?: Dims | VarianceOptions, options?: Omit<VarianceOptions, "dim">): Tensor {
    return spread("var", this, dim, options)[0];
  }

  /** Standard deviation; `correction` (default 1) is taken from the count. */
  std(dim?: Dims | VarianceOptions, options?: Omit<VarianceOptions, "dim">): Tensor {
    return spread("std", this, dim, options)[0];
  }

  /** `[variance, mean]` */
  varMean(dim?: Dims | VarianceOptions, options?: Omit<VarianceOptions, "dim">): [Tensor, Tensor] {
    return spread("var", this, dim, options);
  }

  /** `[standard deviation, mean]` */
  stdMean(dim?: Dims | VarianceOptions, options?: Omit<VarianceOptions, "dim">): [Tensor, Tensor] {
    return spread("std", this, dim, options);
  }

  /**
   * (Σ |x|ᵖ)^(1/p): p = 2 or "fro", any number, ±Infinity (the largest or smallest magnitude) or 0 (the count of elements
   * that are not 0). The gradient at 0 is 0.
   */
  norm(p: number | "fro" = 2, dim?: Dims | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("norm", this, dim, options, (x, dims) => statistics.norm(x, p, dims));
  }

  /** log Σ exp(x), without overflow. */
  logsumexp(dim?: Dims | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("logsumexp", this, dim, options, statistics.logsumexp);
  }

  /** How many elements are not 0, as int64. */
  countNonzero(dim?: Dims): Tensor {
    return unary(this, (x) => statistics.countNonzero(x, dim));
  }

  /** Whether all elements are true (not 0); of none, they are. */
  all(dim?: Dims | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("all", this, dim, options, statistics.all);
  }

  /** Whether any element is true (not 0). */
  any(dim?: Dims | ReduceOptions, options?: KeepdimOptions): Tensor {
    return reduced("any", this, dim, options, statistics.any);
  }

  /** exp(x) / Σ exp(x) along a dimension, without overflow. */
  softmax(dim: number): Tensor {
    return unary(this, (x) =>
      scan.withDim("softmax", x, dim, (y, axis, like) => like(softmax(y, axis))),
    );
  }

  /** log(softmax(x)) along a dimension, without overflow. */
  logSoftmax(dim: number): Tensor {
    return unary(this, (x) =>
      scan.withDim("logSoftmax", x, dim, (y, axis, like) => like(logSoftmax(y, axis))),
    );
  }

  // ---- running results -----------------------------------------------------------------------------------------------

  /** Running sum along a dimension. */
  cumsum(dim: number): Tensor {
    return unary(this, (x) =>
      scan.withDim("cumsum", x, dim, (y, axis, like) => like(reduce.cumsum(y, axis))),
    );
  }

  /** Running product along a dimension. */
  cumprod(dim: number): Tensor {
    return unary(this, (x) => scan.cumprod(x, dim));
  }

  /** Running maximum along a dimension, and the positions of the last largest elements so far. */
  cummax(dim: number): ValuesAndIndices {
    const [values, indices] = deriveAll([this], ([x]) => scan.cummax(x!, dim));
    return { values: values!, indices: indices! };
  }

  /** Running minimum along a dimension, and the positions of the last smallest elements so far. */
  cummin(dim: number): ValuesAndIndices {
    const [values, indices] = deriveAll([this], ([x]) => scan.cummin(x!, dim));
    return { values: values!, indices: indices! };
  }

  /** Running log Σ exp(x) along a dimension. */
  logcumsumexp(dim: number): Tensor {
    return unary(this, (x) => scan.logcumsumexp(x, dim));
  }

  /** Differences of neighbours along a dimension; of bool whether they differ. */
  diff(options: DiffOptions = {}): Tensor {
    const {
      n = 1,
      dim = -1,
      prepend,
      append,
    } = checkOptions("diff", options, ["n", "dim", "prepend", "append"]);
    const parts = [prepend, this, append].filter((part) => part !== undefined);
    return derive(parts, (values) =>
      scan.diff(values.length === 1 ? values[0]! : concat(values, dim), n, dim),
    );
  }
}

function single(op: string, dims: Dims | undefined): number | undefined {
  if (dims === undefined || typeof dims === "number") return dims;
  throw new ShapeError(`${op}: takes one dimension or none, got [${dims.join()}]`);
}

/** The shape of a reduction that keeps dimensions. */
const keptLike = (x: Value, dims: Dims | undefined, y: Value): Value =>
  x.shape.length === 0 ? reshape(y, []) : reduce.keepDims(y, x, dims);

function reduced(
  op: string,
  x: TensorCore,
  dim: Dims | ReduceOptions | undefined,
  options: KeepdimOptions | undefined,
  record: (x: Value, dims?: Dims) => Value,
): Tensor {
  const { dim: dims, keepdim = false } = reduceOptions<ReduceOptions>(op, dim, options);
  return unary(x, (value) => {
    const result = onVector(value, dims, record);
    return keepdim ? keptLike(value, dims, result) : result;
  });
}

/** Runs a reduction; a 0-d tensor, which has no dimension to name, as a vector of one element. */
function onVector<T>(x: Value, dims: Dims | undefined, record: (x: Value, dims?: Dims) => T): T {
  const named = typeof dims === "number" || (dims !== undefined && dims.length > 0);
  return record(x.shape.length === 0 && named ? reshape(x, [numel(x.shape)]) : x, dims);
}

/** Variance or deviation, and the mean. */
function spread(
  op: "var" | "std",
  x: TensorCore,
  dim: Dims | VarianceOptions | undefined,
  options: Omit<VarianceOptions, "dim"> | undefined,
): [Tensor, Tensor] {
  const {
    dim: dims,
    keepdim = false,
    correction = 1,
  } = reduceOptions<VarianceOptions>(op, dim, options, VARIANCE_OPTIONS);
  const found = deriveAll([x], ([value]) => {
    const both = onVector(value!, dims, (y, axes) => {
      const variance = statistics.variance(y, axes, correction, op);
      const first = op === "var" ? variance : statistics.rootWithZeroSlope(variance);
      return [first, reduce.mean(y, axes)];
    });
    return keepdim ? both.map((result) => keptLike(value!, dims, result)) : both;
  });
  return [found[0]!, found[1]!];
}
