/** Methods of a tensor that read or write parts of it: Python's indexing, and choices by index tensors and masks. */

import { hostStorage } from "../engine.ts";
import { hostArray, type TypedArray } from "../graph/dtype.ts";
import { broadcast, resolveDim, ShapeError, strides, type Shape } from "../graph/shape.ts";
import { where } from "../ops/compare.ts";
import { cast } from "../ops/elementwise-rules.ts";
import { gather, indexSelect } from "../ops/indexing.ts";
import { full, source } from "../ops/leaf.ts";
import { maskedScatter } from "../ops/scatter.ts";
import { at, put, type IndexItem, type IndexRange } from "../ops/select.ts";
import { reshape } from "../ops/shape.ts";
import type { Tensor } from "../tensor.ts";
import { activeTrace } from "../trace.ts";
import { checkOptions } from "./arguments.ts";
import { TensorCore } from "./core.ts";
import { derive, makeTensor, operand, unary, type TensorLike } from "./derive.ts";

import { RearrangingMethods } from "./rearranging.ts";

/**
 * One entry of an index: a position; a range as text ("1:-1", "::2", ":") or object; "..." for all dimensions not named;
 * null for a new one; an integer tensor or a list of positions; when writing also a bool mask.
 */
export type Index = number | null | string | IndexRange | readonly number[] | TensorCore;

/** How elements are written. */
export interface PutOptions {
  /** Add to what is there instead of replacing it; repeated positions add up. */
  readonly accumulate?: boolean;
}

/** Distinct elements, with the place of each element among them and how often each occurs. */
export interface Unique {
  readonly values: Tensor;
  /** int32, in the tensor's shape. */
  readonly inverse: Tensor;
  /** int32, one for each of `values`. */
  readonly counts: Tensor;
}

const itemOf = (index: Index): IndexItem => (index instanceof TensorCore ? operand(index) : index);

export abstract class SelectingMethods extends RearrangingMethods {
  // ---- indexing --------------------------------------------------------------------------------------------------

  /**
   * Python's `x[…]`: `x.at(0, "1:-1", "...", null)`. Negative positions count from the end, steps may be negative; index
   * tensors broadcast with one another, and what they make stands in their place, as in PyTorch.
   */
  at(...index: readonly Index[]): Tensor {
    return unary(this, (x) => at(x, index.map(itemOf)));
  }

  /**
   * This tensor with `value`, which broadcasts, at `x.at(...index)`: torch.index_put. `setAt_` changes the tensor itself.
   * A bool mask takes a value that is the same at every masked place.
   */
  setAt(index: readonly Index[], value: TensorLike | boolean, options: PutOptions = {}): Tensor {
    return placed("setAt", this, index, value, options);
  }

  /** out[i][j] = this[index[i][j]][j] for dim 0: torch.gather. */
  gather(dim: number, index: Tensor): Tensor {
    return derive([this, index], ([x, i]) => gather(x!, dim, i!));
  }

  /** Slices along `dim` picked by an index of any shape, whose dimensions take that one's place. */
  indexSelect(dim: number, index: Tensor): Tensor {
    return derive([this, index], ([x, i]) => indexSelect(x!, dim, i!));
  }

  /** Elements of the flattened tensor at the positions of `index`, which may be negative, in its shape: torch.take. */
  take(index: Tensor): Tensor {
    return derive([this, index], ([x, i]) => indexSelect(reshape(x!, [this.size]), 0, i!, "take"));
  }

  /** As `gather`, where tensor and index broadcast in all other dimensions; without `dim` both are flattened. */
  takeAlongDim(index: Tensor, dim?: number): Tensor {
    if (dim === undefined) return this.ravel().gather(0, index.ravel());
    const axis = resolveDim("takeAlongDim", dim, this.ndim);
    if (index.ndim !== this.ndim)
      throw new ShapeError(
        `takeAlongDim: the index must have ${this.ndim} dimensions as the tensor, got ${index.ndim}`,
      );
    const open = (shape: Shape): Shape => shape.map((size, i) => (i === axis ? 1 : size));
    const shared = broadcast("takeAlongDim", open(this.shape), open(index.shape));
    const sized = (like: Shape): Shape => shared.map((size, i) => (i === axis ? like[i]! : size));
    return this.expand(sized(this.shape)).gather(dim, index.expand(sized(index.shape)));
  }

  /** `value`, a number or a 0-d tensor, where the mask (bool, broadcast) holds, this tensor elsewhere. */
  maskedFill(mask: Tensor, value: TensorLike): Tensor {
    if (typeof value === "number") return derive([this, mask], ([x, m]) => where(m!, value, x!));
    if (value.ndim > 0)
      throw new ShapeError(
        `maskedFill: the value must be a number or a 0-d tensor, got [${value.shape.join()}]; use where`,
      );
    return derive([this, mask, value], ([x, m, v]) => where(m!, cast(v!, x!.dtype), x!));
  }

  /** The elements of `source`, one after the other, where the mask (bool, broadcast) holds: torch.masked_scatter. */
  maskedScatter(mask: Tensor, source: Tensor): Tensor {
    return derive([this, mask, source], ([x, m, s]) => maskedScatter(x!, m!, s!));
  }

  // ---- results whose size depends on elements: read on the host --------------------------------------------------

  /** The elements where the mask (bool, broadcast with the tensor) holds, in one dimension; gradients pass. */
  maskedSelect(mask: Tensor): Promise<Tensor> {
    return outside("maskedSelect", async () => {
      if (mask.dtype !== "bool")
        throw new ShapeError(`maskedSelect: the mask must be bool, got ${mask.dtype}`);
      const shape = broadcast("maskedSelect", this.shape, mask.shape);
      // Before anything is waited for: meanwhile the tensor may be changed in place.
      const elements = this.expand(shape).ravel();
      const held = await mask.expand(shape).data();
      return elements.indexSelect(0, known(positionsOf(held), [-1]));
    });
  }

  /** The positions of elements other than 0, int32 [count, dimensions], in row-major order. */
  nonzero(): Promise<Tensor> {
    return outside("nonzero", async () => {
      const places = positionsOf(await this.cast("bool").data());
      const steps = strides(this.shape);
      const rows = hostArray("int32", places.length * this.ndim);
      places.forEach((place, i) =>
        steps.forEach((step, dim) => {
          rows[i * this.ndim + dim] = Math.floor(place / step) % this.shape[dim]!;
        }),
      );
      return known(rows as Int32Array, [places.length, this.ndim]);
    });
  }

  /** The distinct elements in ascending order, NaN last and each for itself. */
  unique(): Promise<Unique> {
    return outside("unique", async () => {
      const x = this.detach()
        .ravel()
        .cast(this.dtype === "float16" ? "float32" : this.dtype);
      const data = await x.data();
      const order = Uint32Array.from({ length: data.length }, (_, i) => i).sort((a, b) =>
        ascending(data[a]!, data[b]!),
      );
      const inverse = hostArray("int32", data.length) as Int32Array;
      const firsts: number[] = [];
      const counts: number[] = [];
      for (const place of order) {
        const last = firsts.at(-1);
        if (last === undefined || data[place] !== data[last]) {
          firsts.push(place);
          counts.push(0);
        }
        counts[counts.length - 1]!++;
        inverse[place] = firsts.length - 1;
      }
      return {
        values: x.indexSelect(0, known(Int32Array.from(firsts), [-1])).cast(this.dtype),
        inverse: known(inverse, this.shape),
        counts: known(Int32Array.from(counts), [-1]),
      };
    });
  }
}

/** The tensor with `value` at an index; `setAt` and `setAt_` differ in what they do with it. */
export function placed(
  op: string,
  x: TensorCore,
  index: readonly Index[],
  value: TensorLike | boolean,
  options: PutOptions,
): Tensor {
  if (!Array.isArray(index))
    throw new ShapeError(`${op}: the index must be a list such as [0, ":"], got ${typeof index}`);
  const { accumulate = false } = checkOptions(op, options, ["accumulate"]);
  const inputs = value instanceof TensorCore ? [x, value] : [x];
  return derive(inputs, ([target, given]) =>
    put(
      target!,
      index.map(itemOf),
      given ?? full([], Number(value), target!.dtype),
      accumulate,
      op,
    ),
  );
}

/** Reads elements on the host. Inside `compile` it throws at once: nobody would wait there for a promise that is rejected. */
function outside<T>(op: string, read: () => Promise<T>): Promise<T> {
  if (activeTrace() !== null)
    throw new Error(
      `${op}: how many elements it gives is not known inside a compiled function, where nothing is computed yet; use where or maskedFill, or call it outside`,
    );
  return read();
}

function positionsOf(held: TypedArray): Int32Array {
  const places: number[] = [];
  held.forEach((on: number | bigint, i: number) => {
    if (on) places.push(i);
  });
  return Int32Array.from(places);
}

/** An int32 tensor of elements known on the host. */
function known(places: Int32Array, shape: Shape): Tensor {
  const host = hostArray("int32", places.length) as Int32Array;
  host.set(places);
  const sizes = shape[0] === -1 ? [places.length] : shape;
  return makeTensor(source({ dtype: "int32", shape: sizes }, hostStorage(host, "int32", sizes)));
}

function ascending(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1;
  if (a > b) return 1;
  // NaN behind all numbers.
  return Number(a !== a) - Number(b !== b);
}
