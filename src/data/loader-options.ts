/** The options of a DataLoader, checked, and the way through the data that follows from them. */

import { checkOptions } from "../tensor/arguments.ts";
import { checkCount } from "./checks.ts";
import type { Collate } from "./collate.ts";
import { describeRule, LengthBatches, type LengthRule } from "./length-batches.ts";
import {
  BatchSampler,
  describeSampler,
  RandomSampler,
  SequentialSampler,
  type BatchOrder,
  type Sampler,
} from "./sampler.ts";

/** How a loader makes batches: their size and order, and what is made ahead. */
export interface DataLoaderOptions<T, B> {
  /** Samples in a batch; 1 unless given. With `maxTokens` the most there may be, any number unless given. */
  readonly batchSize?: number;
  /** Another order in each epoch; streams are shuffled within a buffer. */
  readonly shuffle?: boolean;
  /** What the orders of all epochs follow from; 0 unless given. */
  readonly seed?: number;
  /** An order of samples in place of `shuffle`. */
  readonly sampler?: Sampler;
  /** Batches of samples in place of `batchSize`, `shuffle`, `sampler` and `dropLast`. */
  readonly batchSampler?: BatchOrder;
  /** Leave out a last batch that would be smaller. */
  readonly dropLast?: boolean;
  /** Makes a batch of samples; `collate` unless given. */
  readonly collate?: Collate<T, B>;
  /**
   * Tokens of a sample: batches are then made of samples of like lengths. All samples of a data set by index are read once
   * for it before the first epoch; give `lengths` to avoid that.
   */
  readonly lengthOf?: (sample: T, index: number) => number;
  /** Tokens of each sample, in place of `lengthOf`. */
  readonly lengths?: ArrayLike<number>;
  /** How many batches, shuffled, are sorted by length together; 100 unless given, 0: none, tokens are only counted. */
  readonly bucketBatches?: number;
  /** Most tokens in a batch, padding included; needs lengths. */
  readonly maxTokens?: number;
  /** Batches made ready while the loop is busy with one; 2 unless given. */
  readonly prefetch?: number;
  /** Most samples waited for at once; 64 unless given. */
  readonly concurrency?: number;
  /** Samples of a stream held to choose from; 1000 unless given, if `shuffle` is on. */
  readonly shuffleBuffer?: number;
}

const KNOWN: readonly (keyof DataLoaderOptions<unknown, unknown>)[] = [
  "batchSize",
  "shuffle",
  "seed",
  "sampler",
  "batchSampler",
  "dropLast",
  "collate",
  "lengthOf",
  "lengths",
  "bucketBatches",
  "maxTokens",
  "prefetch",
  "concurrency",
  "shuffleBuffer",
];
const DEFAULT_BUCKET_BATCHES = 100;
const DEFAULT_SHUFFLE_BUFFER = 1000;

/** Options as a loader uses them. */
export interface Settings {
  readonly batchSize: number | null;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  readonly buckets: LengthRule | null;
  readonly prefetch: number;
  readonly concurrency: number;
  readonly shuffleBuffer: number;
}

/** Checks options; `length` is that of the data set, null for a stream. */
export function settingsOf<T, B>(
  options: DataLoaderOptions<T, B>,
  length: number | null,
): Settings {
  const op = "DataLoader";
  checkOptions(op, options, KNOWN);
  const { batchSampler, sampler, lengthOf, lengths, maxTokens, bucketBatches } = options;
  const without = (what: string, names: readonly (keyof DataLoaderOptions<T, B>)[]): void => {
    const odd = names.find((name) => options[name] !== undefined && options[name] !== false);
    if (odd !== undefined) throw new TypeError(`${op}: ${odd} cannot be used with ${what}`);
  };
  if (batchSampler !== undefined)
    without("batchSampler", [
      "batchSize",
      "shuffle",
      "sampler",
      "dropLast",
      "bucketBatches",
      "maxTokens",
    ]);
  if (sampler !== undefined) without("sampler, which is the order of samples", ["shuffle"]);
  if (length === null) without("a stream", ["sampler", "batchSampler", "lengths"]);
  else without("a data set that has samples by index; use shuffle", ["shuffleBuffer"]);
  if (lengths !== undefined) without("lengths", ["lengthOf"]);
  const measured = lengthOf !== undefined || lengths !== undefined;
  if (!measured && (maxTokens !== undefined || bucketBatches !== undefined))
    throw new TypeError(
      `${op}: ${maxTokens === undefined ? "bucketBatches" : "maxTokens"} needs lengthOf or lengths`,
    );
  if (lengths !== undefined && lengths.length !== length)
    throw new RangeError(
      `${op}: expected ${length} lengths, one for each sample, got ${lengths.length}`,
    );
  const size = options.batchSize ?? (maxTokens === undefined ? 1 : null);
  const batchSize =
    batchSampler !== undefined || size === null ? null : checkCount(op, "batchSize", size, 1);
  const inBuckets = checkCount(op, "bucketBatches", bucketBatches ?? DEFAULT_BUCKET_BATCHES, 0);
  if (maxTokens !== undefined) {
    checkCount(op, "maxTokens", maxTokens, 1);
    if (inBuckets === 0) throw new RangeError(`${op}: maxTokens needs bucketBatches of at least 1`);
  }
  const { shuffle = false, dropLast = false, shuffleBuffer } = options;
  const buffer = shuffleBuffer ?? (shuffle ? DEFAULT_SHUFFLE_BUFFER : 0);
  return {
    batchSize,
    shuffle,
    dropLast,
    buckets:
      measured && inBuckets > 0 && batchSampler === undefined
        ? {
            batchSize,
            maxTokens: maxTokens ?? null,
            bucketBatches: inBuckets,
            paddedLength: options.collate?.paddedLength ?? ((tokens) => tokens),
          }
        : null,
    prefetch: checkCount(op, "prefetch", options.prefetch ?? 2, 0),
    concurrency: checkCount(op, "concurrency", options.concurrency ?? 64, 1),
    shuffleBuffer: length === null ? checkCount(op, "shuffleBuffer", buffer, 0) : 0,
  };
}

/** The batches of a data set by index; `lengths` are asked for when an epoch begins. */
export function orderOf<T, B>(
  options: DataLoaderOptions<T, B>,
  settings: Settings,
  length: number,
  lengths: () => ArrayLike<number>,
): BatchOrder {
  if (options.batchSampler !== undefined) return options.batchSampler;
  const { batchSize, shuffle, dropLast, buckets } = settings;
  if (length === 0) throw new RangeError("DataLoader: the data set is empty");
  const sampler =
    options.sampler ?? (shuffle ? new RandomSampler(length) : new SequentialSampler(length));
  if (dropLast && batchSize !== null && sampler.length < batchSize)
    throw new RangeError(
      `DataLoader: dropLast leaves no batch of ${sampler.length} samples with batchSize ${batchSize}`,
    );
  if (buckets === null) return new BatchSampler(sampler, batchSize!, { dropLast });
  const mixed = shuffle || options.sampler !== undefined;
  return new LengthBatches(sampler, { ...buckets, dropLast, shuffle: mixed }, lengths);
}

/** What a loader's way through its data depends on, in words. */
export function describeOrder(order: BatchOrder | null, settings: Settings): string {
  if (order !== null) return describeSampler(order);
  const { shuffleBuffer, buckets, dropLast } = settings;
  return `stream${shuffleBuffer > 0 ? ` shuffled in a buffer of ${shuffleBuffer}` : ""}${buckets === null ? "" : describeRule(buckets)}${dropLast ? ", last dropped" : ""}`;
}
