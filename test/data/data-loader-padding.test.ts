/** Batches of like lengths: how much is wasted, how many shapes there are, what token limits promise. */

import { describe, expect, test } from "vitest";
import { DataLoader, padSequences, type DataLoaderOptions } from "../../src/data/index.ts";
import type { Tensor } from "../../src/index.ts";
import { collect, skewedLengths } from "./loading.ts";

const lengths = skewedLengths(4000);
const texts = lengths.map((length, i) => new Int32Array(length).fill(i));
const real = lengths.reduce((a, b) => a + b, 0);

const load = (options: DataLoaderOptions<Int32Array, Tensor>): DataLoader<Int32Array, Tensor> =>
  new DataLoader<Int32Array, Tensor>(texts, {
    batchSize: 32,
    shuffle: true,
    collate: padSequences<Int32Array>(),
    ...options,
  });
const lengthOf = (text: Int32Array): number => text.length;

/** Share of the elements of the batches' tensors that are padding, and the shapes that occur. */
async function measure(loader: DataLoader<Int32Array, Tensor>) {
  let padded = 0;
  const shapes = new Set<string>();
  const batches = await collect(loader);
  for (const { data } of batches) {
    padded += data.size;
    shapes.add(data.shape.join("×"));
  }
  expect(loader.padding).toEqual({ real, padded });
  expect(batches.reduce((sum, { tokens }) => sum + tokens!, 0)).toBe(real);
  return { waste: 1 - real / padded, shapes: shapes.size, batches };
}

describe("padding", () => {
  test("buckets waste a small part of what shuffled batches do", async () => {
    const plain = await measure(load({}));
    const exact = padSequences<Int32Array>({ padToMultipleOf: 1 });
    const buckets = await measure(load({ lengthOf }));
    const tight = await measure(load({ lengthOf, collate: exact }));
    // Three quarters of shuffled batches are padding here.
    expect(plain.waste).toBeGreaterThan(0.7);
    expect(tight.waste).toBeLessThan(0.1);
    // The rest is the price of few shapes: the default lengths instead of a program for each length.
    expect(buckets.waste).toBeLessThan(0.17);
    expect(buckets.shapes).toBeLessThan(28);
    expect(tight.shapes).toBeGreaterThan(60);
  });

  test("larger buckets waste less", async () => {
    const collate = padSequences<Int32Array>({ padToMultipleOf: 1 });
    const wastes: number[] = [];
    for (const bucketBatches of [0, 4, 16, 64])
      wastes.push((await measure(load({ lengthOf, bucketBatches, collate }))).waste);
    expect(wastes).toEqual([...wastes].sort((a, b) => b - a));
  });

  test("batches come in random order of length, not the longest first", async () => {
    const { batches } = await measure(load({ lengthOf }));
    const sizes = batches.map(({ data }) => data.shape[1]!);
    const steps = sizes.slice(1).filter((size, i) => size > sizes[i]!).length;
    expect(steps).toBeGreaterThan(sizes.length / 4);
  });

  test("lengths known beforehand give the same batches without reading all samples", async () => {
    let reads = 0;
    const counted = { length: texts.length, get: (i: number) => (reads++, texts[i]!) };
    const known = new DataLoader(counted, { batchSize: 32, shuffle: true, lengths, prefetch: 0 });
    const measured = load({ lengthOf, collate: padSequences({ padToMultipleOf: 1 }) });
    const ours = known[Symbol.asyncIterator]();
    // Ragged: the batch cannot be stacked, but it was read, and nothing else.
    await expect(ours.next()).rejects.toThrow("use { collate: padSequences() }");
    expect(reads).toBe(32);
    const loader = load({ lengths, collate: padSequences({ padToMultipleOf: 1 }) });
    expect((await collect(loader)).map(({ indices }) => indices)).toEqual(
      (await collect(measured)).map(({ indices }) => indices),
    );
  });

  test("maxTokens is kept, used well, and gives each length one number of rows", async () => {
    const maxTokens = 2048;
    const loader = new DataLoader<Int32Array, Tensor>(texts, {
      shuffle: true,
      collate: padSequences<Int32Array>(),
      lengthOf,
      maxTokens,
    });
    expect(loader.batchesPerEpoch).toBeNull();
    const { waste, batches } = await measure(loader);
    const rows = new Map<number, Set<number>>();
    for (const { data } of batches) {
      expect(data.size).toBeLessThanOrEqual(maxTokens);
      const [count, length] = data.shape as [number, number];
      rows.set(length, (rows.get(length) ?? new Set()).add(count));
    }
    expect(waste).toBeLessThan(0.15);
    expect(batches.length).toBeLessThan((1.3 * real) / maxTokens);
    // One batch of the epoch may be short.
    const shapes = [...rows.values()].reduce((sum, counts) => sum + counts.size, 0);
    expect(shapes).toBeLessThanOrEqual(rows.size + 1);
  });

  test("a sample that is longer than maxTokens is named", async () => {
    const loader = new DataLoader([[1], [1, 2, 3, 4]], {
      collate: padSequences<number[]>({ padToMultipleOf: 1 }),
      lengthOf: ({ length }) => length,
      maxTokens: 3,
    });
    await expect(collect(loader)).rejects.toThrow(
      "sample 1 of length 4, padded 4, does not fit into maxTokens 3; cut it or raise maxTokens",
    );
  });

  test("a length that is no length is named", async () => {
    const loader = new DataLoader([1, 2], { lengthOf: (x) => x / 2, bucketBatches: 2 });
    await expect(collect(loader)).rejects.toThrow(
      "the length of sample 0 must be an integer of at least 0, got 0.5",
    );
  });

  test("without lengths nothing is counted", async () => {
    const loader = new DataLoader([1, 2], { batchSize: 2 });
    const [batch] = await collect(loader);
    expect(batch).not.toHaveProperty("tokens");
    expect(loader.padding).toEqual({ real: 0, padded: 0 });
  });
});
