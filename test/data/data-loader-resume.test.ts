/** A loader that goes on at a cursor gives what an uninterrupted one would have, from any place. */

import { describe, expect, test } from "vitest";
import {
  DataLoader,
  padSequences,
  WeightedRandomSampler,
  type Cursor,
  type DataLoaderOptions,
} from "../../src/data/index.ts";
import { collect, skewedLengths, slow } from "./loading.ts";

const N = 23;
const lengths = skewedLengths(N);

type Options = DataLoaderOptions<number, number[]>;
const options: Options = { batchSize: 4, shuffle: true, collate: (samples) => [...samples] };
const byTokens: Options = { ...options, lengths, maxTokens: 600 };

/** Ways to go through the same numbers, made anew for each run as after a restart. */
const ways: Record<string, (prefetch: number) => DataLoader<number, number[]>> = {
  "by index": (prefetch) => new DataLoader(slow(N), { ...options, prefetch }),
  "in order": (prefetch) => new DataLoader(slow(N), { ...options, shuffle: false, prefetch }),
  "last dropped": (prefetch) => new DataLoader(slow(N), { ...options, dropLast: true, prefetch }),
  "in buckets": (prefetch) =>
    new DataLoader(slow(N), {
      ...options,
      lengthOf: (i) => lengths[i]!,
      bucketBatches: 2,
      prefetch,
    }),
  "by tokens": (prefetch) => new DataLoader(slow(N), { ...byTokens, prefetch }),
  weighted: (prefetch) =>
    new DataLoader(slow(N), {
      batchSize: 4,
      collate: (samples) => [...samples],
      sampler: new WeightedRandomSampler(lengths, 17),
      prefetch,
    }),
  stream: (prefetch) => new DataLoader(numbers, { ...options, shuffleBuffer: 7, prefetch }),
  "stream in buckets": (prefetch) =>
    new DataLoader(numbers, {
      ...options,
      shuffleBuffer: 7,
      lengthOf: (i) => lengths[i]!,
      bucketBatches: 2,
      prefetch,
    }),
};

async function* numbers(): AsyncGenerator<number, void> {
  const { length, get } = slow(N);
  for (let i = 0; i < length; i++) yield await get(i);
}

const EPOCHS = 3;
const facts = ({
  data,
  indices,
  epoch,
  index,
  tokens,
}: Awaited<ReturnType<typeof collect<number[]>>>[0]) => ({
  data,
  indices,
  epoch,
  index,
  tokens,
});

describe.each(Object.entries(ways))("%s", (_, make) => {
  test.each([0, 1, 3])("prefetch %i: the same from every place", async (prefetch) => {
    const whole = make(prefetch);
    const expected: unknown[] = [];
    const cursors: string[] = [JSON.stringify(whole.cursor())];
    for (let epoch = 0; epoch < EPOCHS; epoch++)
      for await (const batch of whole) {
        expected.push(facts(batch));
        cursors.push(JSON.stringify(whole.cursor()));
      }
    const end = JSON.stringify(whole.cursor());
    for (const [done, cursor] of cursors.entries()) {
      const resumed = make(2);
      resumed.seek(JSON.parse(cursor) as Cursor);
      expect(JSON.stringify(resumed.cursor())).toBe(cursor);
      const rest: unknown[] = [];
      while (resumed.cursor().epoch < EPOCHS) rest.push(...(await collect(resumed)).map(facts));
      expect(rest).toEqual(expected.slice(done));
      expect(JSON.stringify(resumed.cursor())).toBe(end);
    }
  });
});

describe("cursors", () => {
  test("count what was delivered, not what was prefetched", async () => {
    const loader = new DataLoader(slow(N), { ...options, prefetch: 4 });
    const seen: number[] = [];
    for await (const { index } of loader) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen.push(loader.cursor().batches - index);
    }
    expect(new Set(seen)).toEqual(new Set([1]));
    expect(loader.cursor()).toMatchObject({ epoch: 1, batches: 0 });
  });

  test("at the last batch of an epoch the epoch is still to be ended", async () => {
    const loader = new DataLoader([1, 2], { collate: (samples) => samples });
    let last = loader.cursor();
    for await (const _ of loader) last = loader.cursor();
    expect(last).toMatchObject({ epoch: 0, batches: 2 });
    loader.seek(last);
    expect(await collect(loader)).toEqual([]);
    expect((await collect(loader)).map(({ epoch }) => epoch)).toEqual([1, 1]);
  });

  test("are small, whatever the data, and hold padding", async () => {
    const texts = lengths.map((length) => new Int32Array(length));
    const make = () =>
      new DataLoader(texts, { batchSize: 4, shuffle: true, collate: padSequences<Int32Array>() });
    const [whole, half] = [make(), make()];
    await collect(whole);
    for await (const { index } of half) if (index === 2) break;
    const resumed = make();
    resumed.seek(half.cursor());
    await collect(resumed);
    expect(resumed.padding).toEqual(whole.padding);
    expect(JSON.stringify(whole.cursor()).length).toBeLessThan(250);
  });

  test("seeking while a loop runs leaves the new position alone", async () => {
    const loader = new DataLoader(slow(N), options);
    const start = loader.cursor();
    for await (const { index } of loader) if (index === 1) loader.seek(start);
    expect(loader.cursor()).toEqual(start);
  });

  test("bring their seed to a loader that was given none", async () => {
    const loader = new DataLoader(slow(N), { ...options, seed: 77 });
    const resumed = new DataLoader(slow(N), options);
    resumed.seek(loader.cursor());
    expect((await collect(resumed)).map(facts)).toEqual((await collect(loader)).map(facts));
  });

  test.each<[string, (cursor: Cursor) => unknown, string]>([
    [
      "other data",
      (c) => ({ ...c, length: 24 }),
      "a data set of length 24, this one has 23; give the same data",
    ],
    ["other batches", (c) => ({ ...c, batchSize: 8 }), "batchSize 8, this one has 4"],
    [
      "other order",
      (c) => ({ ...c, order: "in order" }),
      'the order "in order", this one has "shuffled"',
    ],
    ["other seed", (c) => ({ ...c, seed: 5 }), "seed 5, this one has 1; use the same seed"],
    ["another version", (c) => ({ ...c, version: 2 }), "expected what cursor() returned"],
    ["nothing", () => null, "expected what cursor() returned"],
    ["damage", (c) => ({ ...c, batches: -1 }), "the cursor is damaged, batches must be"],
    ["more damage", (c) => ({ ...c, padding: undefined }), "the cursor is damaged, real must be"],
    ["a place beyond the end", (c) => ({ ...c, batches: 7 }), "at batch 7 of an epoch of 6"],
  ])("of %s are refused", (_, change, message) => {
    const loader = new DataLoader(slow(N), { ...options, seed: 1 });
    const before = loader.cursor();
    expect(() => loader.seek(change(before) as Cursor)).toThrow(message);
    expect(loader.cursor()).toEqual(before);
  });

  test("a stream that has become shorter is an error, not an end", async () => {
    const make = (n: number) => new DataLoader(() => [1, 2, 3, 4, 5].slice(0, n), { batchSize: 1 });
    const loader = make(5);
    for await (const { index } of loader) if (index === 3) break;
    const shorter = make(2);
    shorter.seek(loader.cursor());
    await expect(collect(shorter)).rejects.toThrow(
      "the cursor is at batch 4 of epoch 0, which has only 2; the data has changed",
    );
  });
});
