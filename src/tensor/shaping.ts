/** Methods of a tensor that give its elements another shape or order. */

import { numel, resolveDim, resolveDims, ShapeError } from "../graph/shape.ts";
import { movedim, unflatten } from "../ops/rearrange.ts";
import * as shapes from "../ops/shape.ts";
import type { Tensor } from "../tensor.ts";
import { shapeOf, type Dims, type ShapeArguments } from "./arguments.ts";
import type { TensorCore } from "./core.ts";
import { unary } from "./derive.ts";

import { ConversionMethods } from "./conversions.ts";

export abstract class ShapingMethods extends ConversionMethods {
  // ---- shape -----------------------------------------------------------------------------------------------------

  /** Same elements in another shape; one size may be -1. */
  reshape(...shape: ShapeArguments): Tensor {
    return unary(this, (x) => shapes.reshape(x, shapeOf(shape)));
  }

  /** As `reshape`: tensors have no strides, every shape is a view. */
  view(...shape: ShapeArguments): Tensor {
    return unary(this, (x) => shapes.reshape(x, shapeOf(shape), "view"));
  }

  /** The elements in the shape of another tensor. */
  viewAs(other: TensorCore): Tensor {
    return unary(this, (x) => shapes.reshape(x, other.shape, "viewAs"));
  }

  /** The elements in the shape of another tensor. */
  reshapeAs(other: TensorCore): Tensor {
    return unary(this, (x) => shapes.reshape(x, other.shape, "reshapeAs"));
  }

  /** Joins dimensions `start` … `end` into one. */
  flatten(start = 0, end = -1): Tensor {
    const rank = Math.max(1, this.ndim);
    const first = resolveDim("flatten", start, rank);
    const last = resolveDim("flatten", end, rank);
    if (first > last) throw new ShapeError(`flatten: start ${start} lies behind end ${end}`);
    const joined = numel(this.shape.slice(first, last + 1));
    return this.reshape([...this.shape.slice(0, first), joined, ...this.shape.slice(last + 1)]);
  }

  /** All elements in one dimension. */
  ravel(): Tensor {
    return this.reshape([this.size]);
  }

  /** Takes one dimension apart into `sizes`, of which one may be -1. */
  unflatten(dim: number, sizes: readonly number[]): Tensor {
    return unary(this, (x) => unflatten(x, dim, sizes));
  }

  /** Adds a dimension of size 1. */
  unsqueeze(dim: number): Tensor {
    const at = resolveDim("unsqueeze", dim, this.ndim + 1);
    return this.reshape([...this.shape.slice(0, at), 1, ...this.shape.slice(at)]);
  }

  /** Drops the given dimensions where their size is 1, or all of size 1. */
  squeeze(dim?: Dims): Tensor {
    // A tensor without dimensions takes 0 and -1 as one with one, as PyTorch's does.
    const rank = typeof dim === "number" ? Math.max(1, this.ndim) : this.ndim;
    const dims = resolveDims("squeeze", dim, rank);
    return this.reshape(this.shape.filter((size, i) => size !== 1 || !dims.includes(i)));
  }

  // ---- order of dimensions ---------------------------------------------------------------------------------------

  /** Swaps two dimensions. */
  transpose(a: number, b: number): Tensor {
    return unary(this, (x) => shapes.transpose(x, a, b));
  }

  /** As `transpose`. */
  swapaxes(a: number, b: number): Tensor {
    return this.transpose(a, b);
  }

  /** The transpose of a matrix; tensors of fewer dimensions stay as they are. */
  t(): Tensor {
    if (this.ndim > 2)
      throw new ShapeError(
        `t: needs at most 2 dimensions, got ${this.ndim}; use transpose or permute`,
      );
    return this.ndim < 2 ? unary(this, (x) => x) : this.transpose(0, 1);
  }

  /** The last two dimensions swapped; for a matrix its transpose. */
  get T(): Tensor {
    return unary(this, (x) => (x.shape.length < 2 ? x : shapes.transpose(x, -2, -1)));
  }

  /** The last two dimensions swapped. */
  get mT(): Tensor {
    return this.transpose(-2, -1);
  }

  /** Reorders dimensions: dimension i of the result is dimension `order[i]`. */
  permute(...order: ShapeArguments): Tensor {
    return unary(this, (x) => shapes.permute(x, shapeOf(order)));
  }

  /** Moves dimensions to other places; the others keep their order. */
  movedim(from: Dims, to: Dims): Tensor {
    const list = (dims: Dims): readonly number[] => (typeof dims === "number" ? [dims] : dims);
    return unary(this, (x) => movedim(x, list(from), list(to)));
  }

  // ---- broadcasting ----------------------------------------------------------------------------------------------

  /** Repeats dimensions of size 1 up to `shape`; -1 keeps a size. */
  expand(...shape: ShapeArguments): Tensor {
    return unary(this, (x) => shapes.expand(x, shapeOf(shape)));
  }

  /** Expands to the shape of another tensor. */
  expandAs(other: TensorCore): Tensor {
    return unary(this, (x) => shapes.expand(x, other.shape, "expandAs"));
  }

  /** As `expand`. */
  broadcastTo(...shape: ShapeArguments): Tensor {
    return unary(this, (x) => shapes.expand(x, shapeOf(shape), "broadcastTo"));
  }
}
