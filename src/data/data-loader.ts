/** Batches of a data set for a training loop: in an order that follows from a seed, made ahead, and resumed exactly. */

import { ahead, unlessAborted } from "./ahead.ts";
import type { Batch, BatchSource, Cursor, Padding } from "./batch.ts";
import { checkCount } from "./checks.ts";
import { collate as stackSamples, type Collate, type Collated } from "./collate.ts";
import { checkCursor, type Identity } from "./cursor.ts";
import { isMapStyle, mapStyle, type Dataset, type IterableDataset } from "./dataset.ts";
import {
  describeOrder,
  orderOf,
  settingsOf,
  type DataLoaderOptions,
  type Settings,
} from "./loader-options.ts";
import { measureAll, Reader } from "./reader.ts";
import type { BatchOrder } from "./sampler.ts";
import { streamBatches, type Taken } from "./stream.ts";

/** Where batches of samples come from: by index, or one after another. */
type Source<T> =
  | { readonly dataset: Dataset<T>; readonly order: BatchOrder; readonly stream: null }
  | { readonly stream: IterableDataset<T>; readonly dataset: null; readonly order: null };

/** Samples still to be made into a batch, or, where the data set does that, the batch. */
type Given<T, B> =
  Taken<T> | { readonly samples: null; readonly indices: readonly number[]; readonly data: B };

/** One iteration over an epoch. */
interface Run<T, B> {
  /** Passes over a batch; false where there is none. */
  readonly skip: () => Promise<boolean>;
  readonly take: () => Promise<Given<T, B> | null>;
  readonly close: () => Promise<void>;
}

interface Ready<B> {
  readonly batch: Batch<B>;
  readonly padding: Padding;
}

/** How one epoch is gone over. */
export interface EpochOptions {
  /** Ends the wait for data, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Iterates over a data set in batches: torch.utils.data.DataLoader.
 *
 * Each `for await` goes over one epoch, the next over the next epoch, whose order follows from `seed` and the epoch's number.
 * Leaving a loop early ends the epoch; after `seek` the next loop goes on where the cursor was made. Batches are made
 * ready while the loop's body waits for its step (`prefetch`), samples that are promises are waited for together.
 * https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
 */
export class DataLoader<T, B = Collated<T>> implements BatchSource<B> {
  readonly #source: Source<T>;
  readonly #settings: Settings;
  /** How samples become a batch; null: by `collate`, or as the data set does it. */
  readonly #collate: Collate<T, B> | null;
  readonly #lengthOf: ((sample: T, index: number) => number) | null;
  readonly #seedIsFree: boolean;
  readonly #words: string;
  #seed: number;
  #lengths: ArrayLike<number> | null;
  #position = { epoch: 0, batches: 0 };
  /** Whether an iteration over the position's epoch was begun, so that the next one is over the next epoch. */
  #begun = false;
  #padding: Padding = { real: 0, padded: 0 };
  /** The latest iteration; only it moves the position. */
  #run: object | null = null;

  constructor(
    dataset: Dataset<T> | readonly T[] | IterableDataset<T>,
    options: DataLoaderOptions<T, B> = {},
  ) {
    const byIndex = isMapStyle(dataset) ? mapStyle("DataLoader", dataset) : null;
    this.#settings = settingsOf(options, byIndex?.length ?? null);
    const { seed, lengths, lengthOf } = options;
    this.#seed = checkCount("DataLoader", "seed", seed ?? 0, 0);
    this.#seedIsFree = seed === undefined;
    this.#lengths = lengths ?? null;
    this.#lengthOf = lengthOf ?? null;
    this.#collate = options.collate ?? null;
    if (byIndex === null) {
      const stream = dataset as IterableDataset<T>;
      checkStream(stream);
      this.#source = { stream, dataset: null, order: null };
    } else {
      const order = orderOf(options, this.#settings, byIndex.length, () => this.#lengths!);
      this.#source = { dataset: byIndex, order, stream: null };
    }
    this.#words = describeOrder(this.#source.order, this.#settings);
  }

  get batchesPerEpoch(): number | null {
    return this.#source.order?.length ?? null;
  }

  get padding(): Padding {
    return this.#padding;
  }

  cursor(): Cursor {
    return { version: 1, ...this.#position, ...this.#identity(), padding: this.#padding };
  }

  /** Makes the next loop go on at a cursor's position; throws if it was made with other data or other options. */
  seek(cursor: Cursor): void {
    const { batchesPerEpoch } = this;
    checkCursor(cursor, this.#identity(), { seedIsFree: this.#seedIsFree, batchesPerEpoch });
    const { epoch, batches, seed, padding } = cursor;
    this.#position = { epoch, batches };
    this.#seed = seed;
    this.#padding = { real: padding.real, padded: padding.padded };
    this.#begun = false;
    this.#run = null;
  }

  /** Goes over one epoch, the next one each time. */
  [Symbol.asyncIterator](): AsyncGenerator<Batch<B>, void> {
    return this.epoch();
  }

  async *epoch({ signal }: EpochOptions = {}): AsyncGenerator<Batch<B>, void> {
    signal?.throwIfAborted();
    if (this.#begun) this.#position = { epoch: this.#position.epoch + 1, batches: 0 };
    this.#begun = true;
    const { epoch, batches: first } = this.#position;
    const run = (this.#run = {});
    if (this.#settings.buckets !== null) await unlessAborted(this.#measure(), signal);
    const { skip, take, close } = this.#open(epoch);
    let next = first;
    const start = async (): Promise<Ready<B> | null> => {
      const index = next++;
      const taken = await take();
      if (taken === null && index === 0)
        throw new RangeError(
          "DataLoader: the data set gave no batch; it is empty, was gone through before, or smaller than a batch with dropLast",
        );
      return taken && this.#finish(taken, epoch, index);
    };
    try {
      for (let i = 0; i < first; i++) {
        if (!(await unlessAborted(skip(), signal)))
          throw new Error(
            `DataLoader: the cursor is at batch ${first} of epoch ${epoch}, which has only ${i}; the data has changed`,
          );
      }
      for await (const { batch, padding } of ahead(start, this.#settings.prefetch, signal)) {
        if (this.#run === run) {
          this.#position = { epoch, batches: batch.index + 1 };
          const { real, padded } = this.#padding;
          this.#padding = { real: real + padding.real, padded: padded + padding.padded };
        }
        yield batch;
      }
      if (this.#run === run) {
        this.#position = { epoch: epoch + 1, batches: 0 };
        this.#begun = false;
      }
    } finally {
      const closing = close();
      // A source that does not answer must not keep an aborted loop.
      if (signal?.aborted) closing.catch(() => undefined);
      else await closing;
    }
  }

  #identity(): Identity {
    const { batchSize } = this.#settings;
    const length = this.#source.dataset?.length ?? null;
    return { seed: this.#seed, length, batchSize, order: this.#words };
  }

  #open(epoch: number): Run<T, B> {
    const { dataset, order, stream } = this.#source;
    if (stream !== null) {
      const lengthOf = this.#lengthOf && this.#checkedLength;
      const rule = { ...this.#settings, lengthOf };
      const batches = streamBatches(stream, epoch, this.#seed, rule);
      return {
        skip: async () => !(await batches.next()).done,
        take: async () => (await batches.next()).value ?? null,
        close: async () => void (await batches.return()),
      };
    }
    const batches = order.batches(epoch, this.#seed)[Symbol.iterator]();
    const reader = new Reader(dataset, this.#settings.concurrency, epoch);
    // Samples are also needed where their lengths are not known yet.
    const atOnce = this.#collate === null && (this.#lengthOf === null || this.#lengths !== null);
    return {
      skip: () => Promise.resolve(batches.next().done !== true),
      take: async () => {
        const next = batches.next();
        if (next.done === true) return null;
        const indices = Array.from(next.value);
        if (atOnce && dataset.getBatch !== undefined)
          return { indices, samples: null, data: (await dataset.getBatch(indices, epoch)) as B };
        return { indices, samples: await reader.read(indices) };
      },
      close: () => {
        reader.close();
        batches.return?.();
        return Promise.resolve();
      },
    };
  }

  /** The lengths of all samples, read once. */
  async #measure(): Promise<void> {
    const { dataset } = this.#source;
    if (dataset === null || this.#lengths !== null) return;
    this.#lengths = await measureAll(dataset, this.#settings.concurrency, this.#checkedLength);
  }

  readonly #checkedLength = (sample: T, index: number): number => {
    const length = this.#lengths === null ? this.#lengthOf!(sample, index) : this.#lengths[index];
    return checkCount("DataLoader", `the length of sample ${index}`, length, 0);
  };

  async #finish(given: Given<T, B>, epoch: number, index: number): Promise<Ready<B>> {
    const { samples, indices } = given;
    // Without a `collate`, B is what `collate` makes.
    const collate = this.#collate ?? (stackSamples as unknown as Collate<T, B>);
    const data = samples === null ? given.data : await collate(samples, indices);
    const padding = this.#paddingOf(samples, indices);
    const tokens = padding === null ? {} : { tokens: padding.real };
    return {
      batch: { data, indices, epoch, index, samples: indices.length, ...tokens },
      padding: padding ?? { real: 0, padded: 0 },
    };
  }

  #paddingOf(samples: readonly T[] | null, indices: readonly number[]): Padding | null {
    const { measure, paddedLength } = this.#collate ?? {};
    if (measure !== undefined && samples !== null) return measure(samples);
    if (this.#lengthOf === null && this.#lengths === null) return null;
    let real = 0;
    let longest = 0;
    indices.forEach((index, i) => {
      const length = this.#checkedLength(samples?.[i] as T, index);
      real += length;
      longest = Math.max(longest, length);
    });
    return { real, padded: indices.length * (paddedLength?.(longest) ?? longest) };
  }
}

function checkStream(stream: unknown): void {
  const iterable =
    typeof stream === "object" &&
    stream !== null &&
    (Symbol.asyncIterator in stream || Symbol.iterator in stream);
  if (typeof stream !== "function" && !iterable)
    throw new TypeError(
      "DataLoader: expected a data set with `length` and `get(index)`, an array, an iterable, or a function that gives one",
    );
}
