/** Data sets: samples by index (map style) or one after another (iterable style), and what can be made of them. */

import type { Collated } from "./collate.ts";
import { checkCount, checkIndex, isPromise } from "./checks.ts";
import { drawsOf, permutation } from "./permutation.ts";

/**
 * Samples by index: torch.utils.data.Dataset.
 * https://docs.pytorch.org/docs/stable/data.html#map-style-datasets
 */
export interface Dataset<T> {
  readonly length: number;
  /**
   * The sample at an index from 0 to length − 1. The same index in the same epoch must give the same sample, or a resumed
   * run differs; what is random (augmentation) should follow from both, e.g. `new Rng(`${seed}:${epoch}:${index}`)`.
   */
  get(index: number, epoch?: number): T | Promise<T>;
  /** What `collate` would make of the samples at some indices, made at once: used where no other `collate` is given. */
  getBatch?(indices: readonly number[], epoch?: number): Collated<T> | Promise<Collated<T>>;
}

/** Samples one after another, from the start at each call: an iterable, or a function of the epoch that gives one. */
export type IterableDataset<T> =
  Iterable<T> | AsyncIterable<T> | ((epoch: number) => Iterable<T> | AsyncIterable<T>);

/** A function of a sample; it also gets the sample's index and the epoch. */
export type SampleMap<T, U> = (sample: T, index: number, epoch: number) => U | Promise<U>;

/** A data set with the methods that all of them share; subclass it, or implement `Dataset` in any other way. */
export abstract class MapStyleDataset<T> implements Dataset<T> {
  abstract readonly length: number;
  abstract get(index: number, epoch?: number): T | Promise<T>;

  /** The data set whose samples are functions of these, computed whenever they are asked for. */
  map<U>(fn: SampleMap<T, U>): MapDataset<T, U> {
    return new MapDataset(this, fn);
  }

  /** The samples at some indices, in that order. */
  subset(indices: ArrayLike<number>): Subset<T> {
    return new Subset(this, indices);
  }
}

/** The elements of an array. */
export class ArrayDataset<T> extends MapStyleDataset<T> {
  readonly #samples: readonly T[];

  constructor(samples: readonly T[]) {
    super();
    if (!Array.isArray(samples))
      throw new TypeError(
        "ArrayDataset: expected an array of samples; see TensorDataset for tensors",
      );
    this.#samples = samples;
  }

  /** How many samples there are. */
  get length(): number {
    return this.#samples.length;
  }

  get(index: number): T {
    return this.#samples[checkIndex("ArrayDataset", index, this.length)]!;
  }
}

/** Samples as a function makes them from those of another data set. */
export class MapDataset<T, U> extends MapStyleDataset<U> {
  readonly #dataset: Dataset<T>;
  readonly #fn: SampleMap<T, U>;

  constructor(dataset: Dataset<T> | readonly T[], fn: SampleMap<T, U>) {
    super();
    this.#dataset = mapStyle("MapDataset", dataset);
    if (typeof fn !== "function")
      throw new TypeError(`MapDataset: expected a function of a sample, got ${typeof fn}`);
    this.#fn = fn;
  }

  /** How many samples there are. */
  get length(): number {
    return this.#dataset.length;
  }

  get(index: number, epoch = 0): U | Promise<U> {
    const fn = this.#fn;
    const sample = this.#dataset.get(index, epoch);
    return isPromise(sample)
      ? sample.then((found) => fn(found, index, epoch))
      : fn(sample, index, epoch);
  }
}

/** Some samples of a data set: torch.utils.data.Subset. Throws for indices that are out of range. */
export class Subset<T> extends MapStyleDataset<T> {
  readonly #dataset: Dataset<T>;
  readonly #indices: Uint32Array;
  /** As the whole data set's; absent where that has none, and where a subclass makes its own samples. */
  readonly getBatch?: NonNullable<Dataset<T>["getBatch"]>;

  constructor(dataset: Dataset<T> | readonly T[], indices: ArrayLike<number>) {
    super();
    const whole = mapStyle("Subset", dataset);
    this.#dataset = whole;
    if (whole.getBatch !== undefined && this.get === Subset.prototype.get)
      this.getBatch = (places, epoch) =>
        whole.getBatch!(
          places.map((place) => this.#indices[checkIndex("Subset", place, this.length)]!),
          epoch,
        );
    for (let i = 0; i < indices.length; i++)
      checkIndex("Subset", indices[i]!, this.#dataset.length);
    this.#indices = Uint32Array.from(indices);
  }

  /** How many samples there are. */
  get length(): number {
    return this.#indices.length;
  }

  /** Indices into the data set that this is a part of. */
  get indices(): readonly number[] {
    return Array.from(this.#indices);
  }

  get(index: number, epoch = 0): T | Promise<T> {
    const at = this.#indices[checkIndex("Subset", index, this.length)]!;
    return this.#dataset.get(at, epoch);
  }
}

/** Data sets one behind another: torch.utils.data.ConcatDataset. */
export class ConcatDataset<T> extends MapStyleDataset<T> {
  readonly #datasets: readonly Dataset<T>[];
  /** Where each data set ends. */
  readonly #ends: readonly number[];

  constructor(datasets: readonly (Dataset<T> | readonly T[])[]) {
    super();
    if (!Array.isArray(datasets) || datasets.length === 0)
      throw new TypeError("ConcatDataset: expected a list of at least one data set");
    this.#datasets = datasets.map((dataset: Dataset<T> | readonly T[]) =>
      mapStyle("ConcatDataset", dataset),
    );
    let end = 0;
    this.#ends = this.#datasets.map(({ length }) => (end += length));
  }

  /** How many samples there are. */
  get length(): number {
    return this.#ends.at(-1)!;
  }

  get(index: number, epoch = 0): T | Promise<T> {
    checkIndex("ConcatDataset", index, this.length);
    const which = this.#ends.findIndex((end) => index < end);
    const dataset = this.#datasets[which]!;
    return dataset.get(index - (this.#ends[which]! - dataset.length), epoch);
  }
}

/**
 * Splits a data set at random into parts that share no sample: torch.utils.data.random_split. `lengths` are counts that
 * add up to its length, or shares that add up to 1, of which what rounding leaves goes to the first parts.
 */
export function randomSplit<T>(
  dataset: Dataset<T> | readonly T[],
  lengths: readonly number[],
  { seed = 0 }: { readonly seed?: number } = {},
): Subset<T>[] {
  const whole = mapStyle("randomSplit", dataset);
  checkCount("randomSplit", "seed", seed, 0);
  const counts = partLengths(lengths, whole.length);
  const order = permutation(whole.length, drawsOf("split", seed, 0));
  let start = 0;
  return counts.map((count) => new Subset(whole, order.subarray(start, (start += count))));
}

function partLengths(lengths: readonly number[], total: number): number[] {
  const sum = lengths.reduce((a, b) => a + b, 0);
  const negative = lengths.some((length) => !(length >= 0));
  if (!negative && lengths.every(Number.isInteger) && sum === total) return [...lengths];
  if (negative || Math.abs(sum - 1) > 1e-6 || lengths.some((share) => share > 1))
    throw new RangeError(
      `randomSplit: expected counts that add up to ${total}, or shares that add up to 1, got ${lengths.join(", ")}, together ${sum}`,
    );
  const counts = lengths.map((share) => Math.floor(share * total));
  const left = total - counts.reduce((a, b) => a + b, 0);
  return counts.map((count, i) => count + (i < left ? 1 : 0));
}

/** Whether samples can be had by index. */
export const isMapStyle = <T>(
  dataset: Dataset<T> | readonly T[] | IterableDataset<T>,
): dataset is Dataset<T> | readonly T[] =>
  Array.isArray(dataset) || typeof (dataset as Partial<Dataset<T>> | null)?.get === "function";

/** A data set of samples by index; arrays are ones. */
export function mapStyle<T>(op: string, dataset: Dataset<T> | readonly T[]): Dataset<T> {
  if (Array.isArray(dataset)) return new ArrayDataset(dataset as readonly T[]);
  const { length, get } = (dataset ?? {}) as Partial<Dataset<T>>;
  if (typeof get !== "function" || !Number.isInteger(length))
    throw new TypeError(
      `${op}: expected a data set with \`length\` and \`get(index)\`, or an array of samples`,
    );
  return dataset as Dataset<T>;
}
