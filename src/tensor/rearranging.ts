/** Methods of a tensor that cut, repeat, turn and frame it, by amounts known when they are called. */

import { resolveDim, ShapeError } from "../graph/shape.ts";
import * as rearrange from "../ops/rearrange.ts";
import * as shapes from "../ops/shape.ts";
import { split } from "../ops/split.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions, shapeOf, type Dims, type ShapeArguments } from "./arguments.ts";
import { makeTensor, operand, tracks, unary } from "./derive.ts";

import { ShapingMethods } from "./shaping.ts";

/** The plane of a diagonal. */
export interface DiagonalOptions {
  readonly dim1?: number;
  readonly dim2?: number;
}
const DIAGONAL_OPTIONS = ["dim1", "dim2"];

const listOf = (dims: Dims): readonly number[] => (typeof dims === "number" ? [dims] : dims);

export abstract class RearrangingMethods extends ShapingMethods {
  // ---- pieces ----------------------------------------------------------------------------------------------------

  /** Elements `start`, `start + step`, … before `end` of one dimension; negative positions count from the end. */
  slice(dim: number, start?: number, end?: number, step = 1): Tensor {
    return unary(this, (x) => shapes.slice(x, dim, start, end, step));
  }

  /** `length` positions of a dimension from `start` on. */
  narrow(dim: number, start: number, length: number): Tensor {
    const at = resolveDim("narrow", dim, this.ndim);
    const size = this.shape[at]!;
    const from = start < 0 ? start + size : start;
    const fits = Number.isInteger(start) && Number.isInteger(length) && from >= 0 && length >= 0;
    if (!fits || from + length > size)
      throw new ShapeError(
        `narrow: ${length} positions from ${start} on do not lie in dimension ${dim} of size ${size}`,
      );
    return this.slice(at, from, from + length);
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
        ? Array.from({ length: Math.max(1, Math.ceil(total / sizes)) }, (_, i) =>
            Math.min(sizes, total - i * sizes),
          )
        : sizes;
    return split(operand(this), list, at).map((piece) => makeTensor(piece, tracks(this)));
  }

  /** At most `count` pieces along a dimension, of one size but the last. */
  chunk(count: number, dim = 0): Tensor[] {
    const at = resolveDim("chunk", dim, this.ndim);
    if (!Number.isInteger(count) || count < 1)
      throw new ShapeError(`chunk: the number of pieces must be a positive integer, got ${count}`);
    // As PyTorch: of an empty dimension all the pieces asked for, elsewhere no empty ones.
    const total = this.shape[at]!;
    if (total === 0) return this.split(Array<number>(count).fill(0), at);
    return this.split(Math.ceil(total / count), at);
  }

  /** `sections` pieces along a dimension whose sizes differ by one at most, or pieces cut at the positions given. */
  tensorSplit(sections: number | readonly number[], dim = 0): Tensor[] {
    const at = resolveDim("tensorSplit", dim, this.ndim);
    const total = this.shape[at]!;
    if (typeof sections !== "number")
      return [...sections, total].map((end, i) => this.slice(at, sections[i - 1] ?? 0, end));
    if (!Number.isInteger(sections) || sections < 1)
      throw new ShapeError(
        `tensorSplit: the number of pieces must be a positive integer, got ${sections}`,
      );
    const least = Math.floor(total / sections);
    const sizes = Array.from(
      { length: sections },
      (_, i) => least + (i < total % sections ? 1 : 0),
    );
    return this.split(sizes, at);
  }

  /** The slices along a dimension, which is dropped. */
  unbind(dim = 0): Tensor[] {
    const at = resolveDim("unbind", dim, this.ndim);
    const shape = this.shape.filter((_, i) => i !== at);
    if (this.shape[at] === 0) return [];
    return this.split(1, at).map((piece) => piece.reshape(shape));
  }

  /** Windows of `size` elements, `step` apart, along a dimension, as a last dimension: Tensor.unfold. */
  unfold(dim: number, size: number, step: number): Tensor {
    return unary(this, (x) => rearrange.unfold(x, dim, size, step));
  }

  // ---- repetition ------------------------------------------------------------------------------------------------

  /** Lays the tensor `counts[i]` times along dimension i; as many counts as dimensions, or more. */
  repeat(...counts: ShapeArguments): Tensor {
    const times = shapeOf(counts);
    if (times.length < this.ndim)
      throw new ShapeError(
        `repeat: needs a count for each of ${this.ndim} dimensions, got ${times.length}; tile takes fewer`,
      );
    return unary(this, (x) => rearrange.tile(x, times, "repeat"));
  }

  /** As `repeat`, with counts for the last dimensions only if there are fewer. */
  tile(...counts: ShapeArguments): Tensor {
    return unary(this, (x) => rearrange.tile(x, shapeOf(counts)));
  }

  /** Each slice of a dimension (each element of the flattened tensor) `repeats` times in a row, or slice i `repeats[i]` times. */
  repeatInterleave(repeats: number | readonly number[], dim?: number): Tensor {
    if (dim === undefined) return this.flatten().repeatInterleave(repeats, 0);
    return unary(this, (x) => rearrange.repeatInterleave(x, repeats, dim));
  }

  // ---- order -----------------------------------------------------------------------------------------------------

  /** Reverses dimensions. */
  flip(...dims: ShapeArguments): Tensor {
    return unary(this, (x) => shapes.flip(x, shapeOf(dims)));
  }

  /** Reverses the second dimension. */
  fliplr(): Tensor {
    return this.flip([1]);
  }

  /** Reverses the first dimension. */
  flipud(): Tensor {
    return this.flip([0]);
  }

  /** Shifts elements along dimensions (along the flattened tensor unless given); what leaves one end enters at the other. */
  roll(shifts: Dims, dims?: Dims): Tensor {
    if (dims === undefined) return this.ravel().roll(shifts, 0).reshape(this.shape);
    return unary(this, (x) => rearrange.roll(x, listOf(shifts), listOf(dims)));
  }

  /** Turns the plane of two dimensions by 90° k times, from the first towards the second. */
  rot90(k = 1, dims: readonly number[] = [0, 1]): Tensor {
    return unary(this, (x) => rearrange.rot90(x, k, dims));
  }

  // ---- diagonals, triangles, frames ------------------------------------------------------------------------------

  /** The last two dimensions with zeros above diagonal `k`. */
  tril(k = 0): Tensor {
    return unary(this, (x) => rearrange.tril(x, k));
  }

  /** The last two dimensions with zeros below diagonal `k`. */
  triu(k = 0): Tensor {
    return unary(this, (x) => rearrange.triu(x, k));
  }

  /** Elements on diagonal `offset` of the plane of dimensions `dim1` and `dim2` (0 and 1), as a last dimension. */
  diagonal(offset = 0, options: DiagonalOptions = {}): Tensor {
    const { dim1 = 0, dim2 = 1 } = checkOptions("diagonal", options, DIAGONAL_OPTIONS);
    return unary(this, (x) => rearrange.diagonal(x, offset, dim1, dim2));
  }

  /** The last dimension on diagonal `offset` of a new plane `dim1`, `dim2` (the last two), zeros elsewhere. */
  diagEmbed(offset = 0, options: DiagonalOptions = {}): Tensor {
    const { dim1 = -2, dim2 = -1 } = checkOptions("diagEmbed", options, DIAGONAL_OPTIONS);
    return unary(this, (x) => rearrange.diagEmbed(x, offset, dim1, dim2));
  }

  /** The diagonal of a matrix, or the matrix of a diagonal. */
  diag(k = 0): Tensor {
    if (this.ndim !== 1 && this.ndim !== 2)
      throw new ShapeError(
        `diag: needs 1 or 2 dimensions, got ${this.ndim}; use diagonal or diagEmbed`,
      );
    return this.ndim === 1 ? this.diagEmbed(k) : this.diagonal(k);
  }

  /** Adds `before[i]` and `after[i]` elements around dimension i. */
  pad(before: readonly number[], after: readonly number[], value = 0): Tensor {
    return unary(this, (x) => shapes.pad(x, before, after, value));
  }
}
