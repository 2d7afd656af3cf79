/** Methods of a tensor that rearrange elements or pick them by fixed positions. */

import { numel, resolveDim, ShapeError } from "../graph/shape.ts";
import * as shapes from "../ops/shape.ts";
import { split } from "../ops/split.ts";
import type { Tensor } from "../tensor.ts";
import { shapeOf, type ShapeArguments } from "./arguments.ts";
import { makeTensor, operand, tracks, unary } from "./derive.ts";

import { ReductionMethods } from "./reductions.ts";

export abstract class ShapingMethods extends ReductionMethods {
  // ---- shape -----------------------------------------------------------------------------------------------------

  /** Same elements in another shape; one size may be -1. */
  reshape(...shape: ShapeArguments): Tensor {
    return unary(this, (x) => shapes.reshape(x, shapeOf(shape)));
  }

  /** Joins dimensions `start` … `end` into one. */
  flatten(start = 0, end = -1): Tensor {
    if (this.ndim === 0) return this.reshape([1]);
    const [first, last] = [
      resolveDim("flatten", start, this.ndim),
      resolveDim("flatten", end, this.ndim),
    ];
    if (first > last) throw new ShapeError(`flatten: start ${start} lies behind end ${end}`);
    const joined = numel(this.shape.slice(first, last + 1));
    return this.reshape([...this.shape.slice(0, first), joined, ...this.shape.slice(last + 1)]);
  }

  transpose(a: number, b: number): Tensor {
    return unary(this, (x) => shapes.transpose(x, a, b));
  }

  /** The transpose of a matrix. */
  get T(): Tensor {
    return unary(this, (x) => (x.shape.length < 2 ? x : shapes.transpose(x, -2, -1)));
  }

  permute(...order: ShapeArguments): Tensor {
    return unary(this, (x) => shapes.permute(x, shapeOf(order)));
  }

  /** Repeats dimensions of size 1 up to `shape`; -1 keeps a size. */
  expand(...shape: ShapeArguments): Tensor {
    return unary(this, (x) => shapes.expand(x, shapeOf(shape)));
  }

  /** Adds a dimension of size 1. */
  unsqueeze(dim: number): Tensor {
    const at = resolveDim("unsqueeze", dim, this.ndim + 1);
    return this.reshape([...this.shape.slice(0, at), 1, ...this.shape.slice(at)]);
  }

  /** Drops a dimension of size 1, or all of them. */
  squeeze(dim?: number): Tensor {
    const at = dim === undefined ? null : resolveDim("squeeze", dim, this.ndim);
    return this.reshape(this.shape.filter((size, i) => size !== 1 || (at !== null && i !== at)));
  }

  /** Elements `start`, `start + step`, … before `end` of one dimension; negative positions count from the end. */
  slice(dim: number, start?: number, end?: number, step = 1): Tensor {
    return unary(this, (x) => shapes.slice(x, dim, start, end, step));
  }

  /** One position of a dimension, which is dropped: torch's `select`. */
  select(dim: number, position: number): Tensor {
    const at = resolveDim("select", dim, this.ndim);
    const size = this.shape[at]!;
    const from = position < 0 ? position + size : position;
    if (!Number.isInteger(position) || from < 0 || from >= size)
      throw new ShapeError(
        `select: position ${position} is out of range for dimension ${dim} of size ${size}`,
      );
    return this.slice(at, from, from + 1).reshape(this.shape.filter((_, i) => i !== at));
  }

  /** Consecutive pieces along a dimension, of one size (the last may be smaller) or of the sizes given. */
  split(sizes: number | readonly number[], dim = 0): Tensor[] {
    const at = resolveDim("split", dim, this.ndim);
    const total = this.shape[at]!;
    if (typeof sizes === "number" && !(Number.isInteger(sizes) && sizes > 0))
      throw new ShapeError(`split: the size must be a positive integer, got ${sizes}`);
    const list =
      typeof sizes === "number"
        ? Array.from({ length: Math.ceil(total / sizes) }, (_, i) =>
            Math.min(sizes, total - i * sizes),
          )
        : sizes;
    return split(operand(this), list, at).map((piece) => makeTensor(piece, tracks(this)));
  }

  /** Adds `before[i]` and `after[i]` elements around dimension i. */
  pad(before: readonly number[], after: readonly number[], value = 0): Tensor {
    return unary(this, (x) => shapes.pad(x, before, after, value));
  }

  flip(dims: readonly number[]): Tensor {
    return unary(this, (x) => shapes.flip(x, dims));
  }
}
