/** Batches of samples that come one after another: shuffled within a buffer, cut, or bucketed by length. */

import type { IterableDataset } from "./dataset.ts";
import { bucketFilling, cutBucket, type LengthRule } from "./length-batches.ts";
import { drawsOf, shuffleInPlace } from "./permutation.ts";

/** Samples that make a batch, with their indices. */
export interface Taken<T> {
  readonly samples: readonly T[];
  readonly indices: readonly number[];
}

export interface StreamRule<T> {
  readonly batchSize: number | null;
  readonly dropLast: boolean;
  /** How many samples are held to choose from; 0: they come in their order. */
  readonly shuffleBuffer: number;
  /** How batches of like lengths are made; null: samples are batched as they come. */
  readonly buckets: LengthRule | null;
  readonly lengthOf: ((sample: T, index: number) => number) | null;
}

interface Indexed<T> {
  readonly sample: T;
  readonly index: number;
}

/** The batches of one epoch of a stream. */
export async function* streamBatches<T>(
  source: IterableDataset<T>,
  epoch: number,
  seed: number,
  rule: StreamRule<T>,
): AsyncGenerator<Taken<T>, void> {
  const samples = numbered(open(source, epoch));
  const mixed = rule.shuffleBuffer === 0 ? samples : mix(samples, epoch, seed, rule.shuffleBuffer);
  const cut = rule.buckets === null ? chunks(mixed, rule) : buckets(mixed, epoch, seed, rule);
  for await (const items of cut)
    yield { samples: items.map(({ sample }) => sample), indices: items.map(({ index }) => index) };
}

/** Starts a stream from its beginning. Throws for one that has no other beginning. */
function open<T>(source: IterableDataset<T>, epoch: number): Iterable<T> | AsyncIterable<T> {
  if (typeof source === "function") return source(epoch);
  if (Symbol.asyncIterator in source) {
    const iterator = source[Symbol.asyncIterator]();
    if ((iterator as unknown) === source) throw onceOnly();
    return { [Symbol.asyncIterator]: () => iterator };
  }
  const iterator = source[Symbol.iterator]();
  if ((iterator as unknown) === source) throw onceOnly();
  return { [Symbol.iterator]: () => iterator };
}

const onceOnly = (): TypeError =>
  new TypeError(
    "DataLoader: a generator can be gone through only once; give the function that makes it, new DataLoader(() => lines(), …)",
  );

async function* numbered<T>(
  source: Iterable<T> | AsyncIterable<T>,
): AsyncGenerator<Indexed<T>, void> {
  let index = 0;
  for await (const sample of source) yield { sample, index: index++ };
}

/** Gives one of the samples held at random whenever another comes, and those left in random order. */
async function* mix<T>(
  source: AsyncIterable<T>,
  epoch: number,
  seed: number,
  size: number,
): AsyncGenerator<T, void> {
  const draw = drawsOf("stream", seed, epoch);
  const held: T[] = [];
  for await (const item of source) {
    if (held.length < size) {
      held.push(item);
      continue;
    }
    const at = Math.floor(draw() * size);
    yield held[at]!;
    held[at] = item;
  }
  shuffleInPlace(held, draw);
  yield* held;
}

async function* chunks<T>(
  source: AsyncIterable<Indexed<T>>,
  { batchSize, dropLast }: StreamRule<T>,
): AsyncGenerator<readonly Indexed<T>[], void> {
  let items: Indexed<T>[] = [];
  for await (const item of source) {
    items.push(item);
    if (items.length !== batchSize) continue;
    yield items;
    items = [];
  }
  if (items.length > 0 && !dropLast) yield items;
}

async function* buckets<T>(
  source: AsyncIterable<Indexed<T>>,
  epoch: number,
  seed: number,
  { buckets, lengthOf, shuffleBuffer, dropLast }: StreamRule<T>,
): AsyncGenerator<readonly Indexed<T>[], void> {
  const rule = buckets!;
  const draw = drawsOf("batches", seed, epoch);
  const isFull = bucketFilling(rule);
  let bucket: (Indexed<T> & { readonly length: number })[] = [];
  const cut = (): (readonly Indexed<T>[])[] => {
    const held = bucket;
    const { batches, rest } = cutBucket(
      held.map(({ length }) => length),
      rule,
      (place) => held[place]!.index,
    );
    const found = batches.map((places) => Array.from(places, (place) => held[place]!));
    bucket = Array.from(rest, (place) => held[place]!);
    return found;
  };
  const inOrder = (found: (readonly Indexed<T>[])[]): (readonly Indexed<T>[])[] => {
    if (shuffleBuffer > 0) shuffleInPlace(found, draw);
    return found;
  };
  for await (const item of source) {
    const length = lengthOf!(item.sample, item.index);
    bucket.push({ ...item, length });
    if (isFull(length)) yield* inOrder(cut());
  }
  if (bucket.length === 0) return;
  const found = cut();
  if (bucket.length > 0 && !dropLast) found.push(bucket);
  yield* inOrder(found);
}
