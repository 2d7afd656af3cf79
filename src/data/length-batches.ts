/** Batches of samples of like lengths, so that little of them is padding. */

import type { BatchOrder, Sampler } from "./sampler.ts";
import { describeSampler } from "./sampler.ts";
import { drawsOf, shuffleInPlace } from "./permutation.ts";

export interface LengthRule {
  /** Most samples in a batch; null: only tokens limit it. */
  readonly batchSize: number | null;
  /** Most tokens in a batch, padding included; null: only samples limit it. */
  readonly maxTokens: number | null;
  /** How many batches are sorted together. */
  readonly bucketBatches: number;
  readonly paddedLength: (length: number) => number;
}

/** Words that say how batches are made. */
export const describeRule = ({ maxTokens, bucketBatches }: LengthRule): string =>
  `, buckets of ${bucketBatches} batches${maxTokens === null ? "" : `, at most ${maxTokens} tokens`}`;

/** Takes samples as they come; says when those taken fill a bucket. */
export function bucketFilling(rule: LengthRule): (length: number) => boolean {
  const { batchSize, maxTokens, bucketBatches, paddedLength } = rule;
  let samples = 0;
  let tokens = 0;
  return (length) => {
    samples++;
    if (maxTokens !== null) tokens += paddedLength(length);
    const full =
      (batchSize !== null && samples >= bucketBatches * batchSize) ||
      (maxTokens !== null && tokens >= bucketBatches * maxTokens);
    if (full) samples = tokens = 0;
    return full;
  };
}

/** The batches of a bucket, as places in it, and the places left over for the next bucket. */
export interface Cut {
  readonly batches: readonly Uint32Array[];
  readonly rest: Uint32Array;
}

/**
 * Sorts a bucket, longest first, and cuts it into batches. The longest of a batch, its first, says how many samples `maxTokens`
 * allows, so each padded length has one number of rows, and with it one shape; rows that do not fill a batch are the rest.
 * Throws a RangeError for a sample that is longer than `maxTokens`.
 */
export function cutBucket(
  lengths: ArrayLike<number>,
  { batchSize, maxTokens, paddedLength }: LengthRule,
  nameOf: (place: number) => number,
): Cut {
  const count = lengths.length;
  // Length and place in one number, exact below 2⁵³: sorts natively, and equal lengths keep their order.
  const keys = Float64Array.from(lengths, (length, i) => -length * count + i).sort();
  const order = Uint32Array.from(keys, (key) => key - Math.floor(key / count) * count);
  const batches: Uint32Array[] = [];
  let start = 0;
  while (start < count) {
    const first = order[start]!;
    let rows = batchSize ?? Infinity;
    if (maxTokens !== null) {
      const longest = paddedLength(lengths[first]!);
      if (longest > maxTokens)
        throw new RangeError(
          `DataLoader: sample ${nameOf(first)} of length ${lengths[first]}, padded ${longest}, does not fit into maxTokens ${maxTokens}; cut it or raise maxTokens`,
        );
      rows = Math.min(rows, Math.floor(maxTokens / Math.max(1, longest)));
    }
    if (start + rows > count) break;
    batches.push(order.subarray(start, (start += rows)));
  }
  return { batches, rest: order.subarray(start) };
}

/** A sampler's order in batches of like lengths. */
export class LengthBatches implements BatchOrder {
  readonly length: number | null;
  readonly description: string;
  readonly #sampler: Sampler;
  readonly #rule: LengthRule & { readonly dropLast: boolean; readonly shuffle: boolean };
  readonly #lengths: () => ArrayLike<number>;

  /** @param lengths the length of each sample; asked for when an epoch begins */
  constructor(
    sampler: Sampler,
    rule: LengthRule & { readonly dropLast: boolean; readonly shuffle: boolean },
    lengths: () => ArrayLike<number>,
  ) {
    this.#sampler = sampler;
    this.#rule = rule;
    this.#lengths = lengths;
    const { batchSize, maxTokens, dropLast } = rule;
    this.length =
      batchSize === null || maxTokens !== null
        ? null
        : (dropLast ? Math.floor : Math.ceil)(sampler.length / batchSize);
    this.description = `${describeSampler(sampler)}${describeRule(rule)}${dropLast ? ", last dropped" : ""}`;
  }

  batches(epoch: number, seed: number): readonly Uint32Array[] {
    const { dropLast, shuffle, batchSize, maxTokens } = this.#rule;
    const order = this.#sampler.order(epoch, seed);
    // What is dropped is what came last, not what is shortest, as long as batches are equally large.
    const taken =
      dropLast && batchSize !== null && maxTokens === null
        ? order.length - (order.length % batchSize)
        : order.length;
    const all = this.#lengths();
    const isFull = bucketFilling(this.#rule);
    const found: Uint32Array[] = [];
    let bucket: number[] = [];
    const cut = (): void => {
      const lengths = bucket.map((index) => all[index]!);
      const { batches, rest } = cutBucket(lengths, this.#rule, (place) => bucket[place]!);
      for (const places of batches) found.push(places.map((place) => bucket[place]!));
      bucket = Array.from(rest, (place) => bucket[place]!);
    };
    for (let i = 0; i < taken; i++) {
      bucket.push(order[i]!);
      if (isFull(all[order[i]!]!)) cut();
    }
    if (bucket.length > 0) cut();
    if (bucket.length > 0 && !dropLast) found.push(Uint32Array.from(bucket));
    if (shuffle) shuffleInPlace(found, drawsOf("batches", seed, epoch));
    return found;
  }
}
