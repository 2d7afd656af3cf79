/** Methods of a tensor that order elements, find extremes and their positions, and count. */

import type { Value } from "../graph/node.ts";
import { numel, ShapeError } from "../graph/shape.ts";
import { histc, bincount } from "../ops/histogram.ts";
import { gather } from "../ops/indexing.ts";
import { full } from "../ops/leaf.ts";
import * as order from "../ops/order.ts";
import * as reduce from "../ops/reduce.ts";
import { withDim } from "../ops/scan.ts";
import { reshape } from "../ops/shape.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions, type KeepdimOptions } from "./arguments.ts";
import type { TensorCore } from "./core.ts";
import { deriveAll, mixed, unary, type TensorLike } from "./derive.ts";

import { PointwiseMethods } from "./pointwise.ts";

/** Elements along a dimension and the int32 positions where they stand. */
export interface ValuesAndIndices {
  readonly values: Tensor;
  readonly indices: Tensor;
}

/** In which order. */
export interface SortOptions {
  readonly descending?: boolean;
  /** Equal elements keep their order; they always do. */
  readonly stable?: boolean;
}

/** Options of `quantile`. */
export interface QuantileOptions extends KeepdimOptions {
  /** What stands between two elements: their weighted mean ("linear"), one of them, or their middle. */
  readonly interpolation?: order.Interpolation;
}

/** Options of `topk`. */
export interface TopkOptions {
  readonly dim?: number;
  readonly largest?: boolean;
}

/** Options of `searchsorted` and `bucketize`. */
export interface SearchOptions {
  /** Places after equal elements instead of before. */
  readonly right?: boolean;
}

export abstract class OrderingMethods extends PointwiseMethods {
  // ---- extremes ----------------------------------------------------------------------------------------------------

  /** The largest element; along a dimension the largest elements and their positions; of two tensors the larger elements. */
  max(): Tensor;
  max(other: Tensor): Tensor;
  max(dim: number, options?: KeepdimOptions): ValuesAndIndices;
  max(which?: number | Tensor, options?: KeepdimOptions): Tensor | ValuesAndIndices {
    return extreme("max", this, which, options);
  }

  /** The smallest element; along a dimension the smallest elements and their positions; of two tensors the smaller elements. */
  min(): Tensor;
  min(other: Tensor): Tensor;
  min(dim: number, options?: KeepdimOptions): ValuesAndIndices;
  min(which?: number | Tensor, options?: KeepdimOptions): Tensor | ValuesAndIndices {
    return extreme("min", this, which, options);
  }

  /** int32 position of the first largest element along a dimension, or in the flattened tensor. */
  argmax(dim?: number, options: KeepdimOptions = {}): Tensor {
    return position("argmax", this, dim, options);
  }

  /** int32 position of the first smallest element along a dimension, or in the flattened tensor. */
  argmin(dim?: number, options: KeepdimOptions = {}): Tensor {
    return position("argmin", this, dim, options);
  }

  // ---- order -------------------------------------------------------------------------------------------------------

  /** Elements in order along a dimension, and their positions; equal ones keep their order, NaN is the largest. */
  sort(dim = -1, options: SortOptions = {}): ValuesAndIndices {
    const { descending = false } = checkOptions("sort", options, ["descending", "stable"]);
    return both(this, (x) => order.sort(x, dim, descending));
  }

  /** Sorted along the first dimension. */
  msort(): Tensor {
    return this.sort(0).values;
  }

  /** Positions that sort the tensor along a dimension. */
  argsort(dim = -1, options: SortOptions = {}): Tensor {
    return this.sort(dim, options).indices;
  }

  /** The k largest (or smallest) elements along a dimension, sorted, and their int32 positions. */
  topk(k: number, options: TopkOptions = {}): ValuesAndIndices {
    const { dim = -1, largest = true } = checkOptions("topk", options, ["dim", "largest"]);
    return both(this, (x) => order.topk(x, k, dim, largest));
  }

  /** The k-th smallest element along a dimension, counted from 1, and its position. */
  kthvalue(k: number, dim = -1, options: KeepdimOptions = {}): ValuesAndIndices {
    return alongDim("kthvalue", this, dim, options, (x) => order.kthvalue(x, k, dim));
  }

  /** The middle element, of two the smaller; along a dimension with its position. NaN where one is. */
  median(): Tensor;
  median(dim: number, options?: KeepdimOptions): ValuesAndIndices;
  median(dim?: number, options: KeepdimOptions = {}): Tensor | ValuesAndIndices {
    return middle("median", this, dim, options);
  }

  /** As `median`, of the elements that are numbers. */
  nanmedian(): Tensor;
  nanmedian(dim: number, options?: KeepdimOptions): ValuesAndIndices;
  nanmedian(dim?: number, options: KeepdimOptions = {}): Tensor | ValuesAndIndices {
    return middle("nanmedian", this, dim, options);
  }

  /**
   * What lies at the fraction `q` of the sorted elements, of all or of a dimension; several fractions make a new first
   * dimension.
   */
  quantile(q: number | readonly number[], dim?: number, options: QuantileOptions = {}): Tensor {
    const { keepdim = false, interpolation = "linear" } = checkOptions("quantile", options, [
      "keepdim",
      "interpolation",
    ]);
    return unary(this, (x) => {
      const fractions = typeof q === "number" ? [q] : q;
      const [from, axis] = dim === undefined ? [reshape(x, [numel(x.shape)]), 0] : [x, dim];
      const found = order.quantile(from, fractions, axis, interpolation);
      const lead = typeof q === "number" ? [] : [q.length];
      const rest = keepdim ? keptShape(x, dim) : found.shape.slice(1);
      return reshape(found, [...lead, ...rest]);
    });
  }

  /** Where `values` belong in this sorted sequence (1-d, or with their leading dimensions), as int32. */
  searchsorted(values: TensorLike, options: SearchOptions = {}): Tensor {
    const { right = false } = checkOptions("searchsorted", options, ["right"]);
    return mixed(this, [values], (x, [v]) => order.searchsorted(x, asValue(v!, x), right));
  }

  /** The interval of each element between the sorted, 1-d `boundaries`, as int32. */
  bucketize(boundaries: Tensor, options: SearchOptions = {}): Tensor {
    if (boundaries.ndim !== 1)
      throw new ShapeError(
        `bucketize: the boundaries must be 1-d, got [${boundaries.shape.join()}]`,
      );
    return boundaries.searchsorted(this as unknown as Tensor, options);
  }

  // ---- counts ------------------------------------------------------------------------------------------------------

  /** Counts of elements in `bins` equal intervals from min to max; those of the data where both are 0. */
  histc(bins = 100, options: { readonly min?: number; readonly max?: number } = {}): Tensor {
    const { min = 0, max = 0 } = checkOptions("histc", options, ["min", "max"]);
    return unary(this, (x) => histc(x, bins, min, max));
  }

  /**
   * How often each integer 0, 1, … occurs in a 1-d tensor, as int64; with `weights`, their sums. With `length` given the
   * counts of the integers below it, recorded as any operation (larger elements are an error when it runs). Without, the
   * largest element is read first, so that the result has PyTorch's length: a promise, and not inside `compile`.
   */
  bincount(length: number, options?: { readonly weights?: Tensor }): Tensor;
  bincount(options?: { readonly weights?: Tensor; readonly minlength?: number }): Promise<Tensor>;
  bincount(
    given: number | { readonly weights?: Tensor; readonly minlength?: number } = {},
    options: { readonly weights?: Tensor } = {},
  ): Tensor | Promise<Tensor> {
    if (typeof given === "number") {
      const { weights = null } = checkOptions("bincount", options, ["weights"]);
      return mixed(this, [weights], (x, [w]) => bincount(x, given, (w ?? null) as Value | null));
    }
    const { minlength = 0, ...rest } = checkOptions("bincount", given, ["weights", "minlength"]);
    const counted = (largest: number): Tensor =>
      this.bincount(Math.max(minlength, largest + 1), rest);
    return this.size === 0
      ? Promise.resolve(counted(-1))
      : unary(this, reduce.amax).item().then(counted);
  }
}

const asValue = (x: Value | number, like: Value): Value =>
  typeof x === "number" ? full([], x, like.dtype) : x;

/** The shape with a dimension, or all, as 1. */
const keptShape = (x: Value, dim: number | undefined): number[] =>
  x.shape.map((size, i) =>
    dim === undefined || i === (dim < 0 ? dim + x.shape.length : dim) ? 1 : size,
  );

function both(x: TensorCore, record: (x: Value) => readonly [Value, Value]): ValuesAndIndices {
  const [values, indices] = deriveAll([x], ([value]) => record(value!));
  return { values: values!, indices: indices! };
}

/** Values and positions along a dimension, which is dropped or kept as 1. */
function alongDim(
  op: string,
  x: TensorCore,
  dim: number,
  options: KeepdimOptions,
  record: (x: Value) => readonly [Value, Value],
): ValuesAndIndices {
  const { keepdim = false } = checkOptions(op, options, ["keepdim"]);
  return both(x, (value) => {
    const [values, indices] = record(value);
    if (!keepdim) return [values, indices];
    const shape = keptShape(value, dim);
    return [reshape(values, shape), reshape(indices, shape)];
  });
}

const EXTREMES = {
  max: { all: reduce.amax, position: reduce.argmax, pair: "maximum" },
  min: { all: reduce.amin, position: reduce.argmin, pair: "minimum" },
} as const;

function extreme(
  op: "max" | "min",
  x: PointwiseMethods,
  which: number | Tensor | undefined,
  options: KeepdimOptions = {},
): Tensor | ValuesAndIndices {
  const rule = EXTREMES[op];
  if (which === undefined) return unary(x, rule.all);
  if (typeof which !== "number") return x[rule.pair](which);
  return alongDim(op, x, which, options, (value) =>
    withDim(op, value, which, (y, axis) => {
      const index = rule.position(y, axis);
      const column = reshape(
        index,
        y.shape.map((size, i) => (i === axis ? 1 : size)),
      );
      return [reshape(gather(y, axis, column), index.shape), index] as const;
    }),
  );
}

function position(
  op: "argmax" | "argmin",
  x: TensorCore,
  dim: number | undefined,
  options: KeepdimOptions,
): Tensor {
  const { keepdim = false } = checkOptions(op, options, ["keepdim"]);
  return unary(x, (value) => {
    const found =
      dim === undefined
        ? reduce[op](value)
        : withDim(op, value, dim, (y, axis) => reduce[op](y, axis));
    return keepdim ? reshape(found, keptShape(value, dim)) : found;
  });
}

function middle(
  op: "median" | "nanmedian",
  x: TensorCore,
  dim: number | undefined,
  options: KeepdimOptions,
): Tensor | ValuesAndIndices {
  if (dim !== undefined) return alongDim(op, x, dim, options, (value) => order[op](value, dim));
  return unary(x, (value) => order[op](reshape(value, [numel(value.shape)]), 0)[0]);
}
