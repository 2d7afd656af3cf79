/** The data set of tensors whose first dimension counts the samples; rows are taken on the host, without any program. */

import { fromTypedArray } from "../from-data.ts";
import { hostArray, type DType, type TypedArray } from "../graph/dtype.ts";
import { formatShape, numel, ShapeError, type Shape } from "../graph/shape.ts";
import { Tensor } from "../tensor.ts";
import { checkIndex, isPromise } from "./checks.ts";
import type { Collated } from "./collate.ts";
import { MapStyleDataset } from "./dataset.ts";
import { hostElements, hostTensor } from "./elements.ts";

/** One tensor's rows. */
interface Rows {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly size: number;
  /** The elements, or who reads them. */
  data: TypedArray | Promise<TypedArray>;
}

/**
 * Sample i is [a[i], b[i], …] of tensors a [N, …], b [N, …], …, or of typed arrays with one number a sample:
 * torch.utils.data.TensorDataset. The elements are those at the time of the call; tensors on a device are read
 * once, in the background. Throws a ShapeError unless all have the same first dimension.
 */
export class TensorDataset<
  A extends readonly (Tensor | TypedArray)[] = readonly Tensor[],
> extends MapStyleDataset<{ -readonly [K in keyof A]: Tensor }> {
  readonly length: number;
  readonly #rows: readonly Rows[];
  /** The rows at some indices as tensors [batch, …], each copied once; absent where a subclass makes its own samples. */
  readonly getBatch?: (
    indices: readonly number[],
  ) => Collated<Sample<A>> | Promise<Collated<Sample<A>>>;

  constructor(...tensors: A) {
    super();
    if (tensors.length === 0)
      throw new TypeError("TensorDataset: expected at least one tensor or typed array");
    const snapshots = tensors.map(snapshot);
    const lengths = snapshots.map(({ shape }) => shape[0]);
    if (lengths[0] === undefined || lengths.some((length) => length !== lengths[0]))
      throw new ShapeError(
        `TensorDataset: expected tensors of one first dimension, got ${snapshots.map(({ shape }) => formatShape(shape)).join(", ")}`,
      );
    this.length = lengths[0];
    this.#rows = snapshots.map(({ dtype, shape, data }) => {
      const rest = shape.slice(1);
      return { dtype, shape: rest, size: numel(rest), data };
    });
    if (this.get === TensorDataset.prototype.get)
      this.getBatch = (indices) => this.#take(indices, true) as Collated<Sample<A>>;
  }

  get(index: number): Sample<A> | Promise<Sample<A>> {
    return this.#take([index], false) as Sample<A> | Promise<Sample<A>>;
  }

  #take(indices: readonly number[], batched: boolean): Tensor[] | Promise<Tensor[]> {
    for (const index of indices) checkIndex("TensorDataset", index, this.length);
    const take = (): Tensor[] =>
      this.#rows.map(({ data, dtype, shape, size }) => {
        const host = hostArray(dtype, indices.length * size);
        const from = data as TypedArray;
        indices.forEach((index, i) =>
          host.set(from.subarray(index * size, (index + 1) * size) as never, i * size),
        );
        return hostTensor(host, dtype, batched ? [indices.length, ...shape] : shape);
      });
    return this.#rows.some(({ data }) => isPromise(data)) ? this.#read().then(take) : take();
  }

  async #read(): Promise<void> {
    for (const rows of this.#rows) rows.data = await rows.data;
  }
}

/** A sample of tensors or typed arrays: one row of each, as tensors. */
export type Sample<A extends readonly unknown[]> = { -readonly [K in keyof A]: Tensor };

function snapshot(given: Tensor | TypedArray): {
  dtype: DType;
  shape: Shape;
  data: Rows["data"];
} {
  if (given instanceof Tensor) {
    const { dtype, shape } = given;
    const known = hostElements(given);
    if (known !== null) return { dtype, shape, data: known };
    const data = given.data();
    // Whoever asks for a sample is told.
    data.catch(() => undefined);
    return { dtype, shape, data };
  }
  if (!ArrayBuffer.isView(given))
    throw new TypeError(
      `TensorDataset: expected tensors or typed arrays, got ${typeof given}; see ArrayDataset for other samples`,
    );
  const { dtype, shape } = fromTypedArray(given);
  return { dtype, shape, data: given.slice() };
}
