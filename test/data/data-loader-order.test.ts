/** Which samples a loader gives when: every one once an epoch, in orders that are random and follow from the seed. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import {
  BatchSampler,
  DataLoader,
  RandomSampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from "../../src/data/index.ts";
import { collect, indicesOf, skewedLengths } from "./loading.ts";

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const ascending = (a: number, b: number): number => a - b;

describe("order", () => {
  test("without shuffling: as they come, the last batch smaller or dropped", async () => {
    const loader = new DataLoader(range(5), { batchSize: 2 });
    expect(loader.batchesPerEpoch).toBe(3);
    expect(await indicesOf(loader)).toEqual([[0, 1], [2, 3], [4]]);
    const dropped = new DataLoader(range(5), { batchSize: 2, dropLast: true });
    expect(dropped.batchesPerEpoch).toBe(2);
    expect(await indicesOf(dropped)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(await indicesOf(new DataLoader(range(2)))).toEqual([[0], [1]]);
  });

  test("batches say epoch, place and number of samples; the epoch advances with each loop", async () => {
    const loader = new DataLoader(range(3), { batchSize: 2 });
    const [first, second] = [await collect(loader), await collect(loader)];
    const facts = [...first, ...second].map(({ epoch, index, samples }) => [epoch, index, samples]);
    expect(facts).toEqual([
      [0, 0, 2],
      [0, 1, 1],
      [1, 0, 2],
      [1, 1, 1],
    ]);
  });

  test.each([
    ["plain", {}],
    ["in buckets", { lengthOf: (x: number) => x % 17, bucketBatches: 3 }],
    ["in buckets by tokens", { lengthOf: (x: number) => x % 17, maxTokens: 40 }],
  ])(
    "%s: each sample once an epoch, other orders in other epochs and seeds",
    async (_, options) => {
      const make = (seed: number): DataLoader<number> =>
        new DataLoader(range(101), { batchSize: 8, shuffle: true, seed, ...options });
      const [a, b, other] = [make(1), make(1), make(2)];
      const seen = new Set<string>();
      for (let epoch = 0; epoch < 5; epoch++) {
        const order = await indicesOf(a);
        expect(order.flat().sort(ascending)).toEqual(range(101));
        expect(await indicesOf(b)).toEqual(order);
        seen.add(order.join());
        seen.add((await indicesOf(other)).join());
      }
      expect(seen.size).toBe(10);
    },
  );

  test("a loop that is left early ends its epoch", async () => {
    const loader = new DataLoader(range(10), { batchSize: 2, shuffle: true, seed: 3 });
    const [zero, one] = [await indicesOf(loader), await indicesOf(loader)];
    const broken = new DataLoader(range(10), { batchSize: 2, shuffle: true, seed: 3 });
    for await (const { indices } of broken) {
      expect(indices).toEqual(zero[0]);
      break;
    }
    expect(await indicesOf(broken)).toEqual(one);
  });
});

describe("chance", () => {
  /** χ² of counts against equal chances. */
  const chiSquare = (counts: readonly number[]): number => {
    const expected = counts.reduce((a, b) => a + b, 0) / counts.length;
    return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  };
  /** Wilson and Hilferty's approximation of the quantile that is exceeded once in 10⁵. */
  const limit = (freedom: number): number =>
    freedom * (1 - 2 / (9 * freedom) + 4.265 * Math.sqrt(2 / (9 * freedom))) ** 3;

  test.each([0, 1, 12345])("seed %i: a sample is in each place equally often", (seed) => {
    const [n, epochs] = [10, 4000];
    const sampler = new RandomSampler(n);
    const counts = new Array<number>(n * n).fill(0);
    for (let epoch = 0; epoch < epochs; epoch++)
      sampler.order(epoch, seed).forEach((sample, place) => counts[place * n + sample]!++);
    expect(chiSquare(counts)).toBeLessThan(limit((n - 1) ** 2));
  });

  test("over seeds, all 24 orders of four samples are equally likely", () => {
    const sampler = new RandomSampler(4);
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const order = sampler.order(3, seed).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(chiSquare([...counts.values()])).toBeLessThan(limit(23));
  });

  test("orders of neighbouring epochs have nothing to do with each other", () => {
    // Spearman's rank correlation of n places has variance 1 / (n − 1).
    const n = 10_000;
    const sampler = new RandomSampler(n);
    for (let epoch = 0; epoch < 4; epoch++) {
      const [a, b] = [sampler.order(epoch, 0), sampler.order(epoch + 1, 0)];
      let sum = 0;
      for (let i = 0; i < n; i++) sum += (a[i]! - (n - 1) / 2) * (b[i]! - (n - 1) / 2);
      expect(Math.abs(sum / ((n * (n * n - 1)) / 12))).toBeLessThan(4.5 / Math.sqrt(n - 1));
    }
  });

  test("a million samples are put in order without an array of a million numbers", () => {
    const order = new RandomSampler(1e6).order(0, 0);
    expect(order).toBeInstanceOf(Uint32Array);
    const seen = new Uint8Array(1e6);
    for (const index of order) seen[index] = 1;
    expect(seen.every((x) => x === 1)).toBe(true);
  });
});

describe("samplers", () => {
  test("an order of one's own", async () => {
    const sampler = { length: 3, order: (epoch: number) => [epoch, 2, 2] };
    const loader = new DataLoader(range(4), { sampler, batchSize: 2 });
    expect(await indicesOf(loader)).toEqual([[0, 2], [2]]);
    expect(await indicesOf(loader)).toEqual([[1, 2], [2]]);
  });

  test("batches of one's own", async () => {
    const batchSampler = new BatchSampler(new SequentialSampler(5), 2, { dropLast: true });
    const loader = new DataLoader("abcde".split(""), { batchSampler });
    expect(loader.batchesPerEpoch).toBe(2);
    expect((await collect(loader)).map(({ data }) => data)).toEqual([
      ["a", "b"],
      ["c", "d"],
    ]);
  });

  test("replacement, more draws than samples, parts, seeds of their own", () => {
    const twice = [...new RandomSampler(5, { numSamples: 12 }).order(0, 0)];
    expect(twice).toHaveLength(12);
    expect(twice.slice(0, 5).sort(ascending)).toEqual(range(5));
    expect(twice.slice(5, 10).sort(ascending)).toEqual(range(5));
    const drawn = new RandomSampler(4, { replacement: true, numSamples: 4000 }).order(0, 0);
    for (const i of range(4))
      expect(Math.abs(drawn.filter((x) => x === i).length - 1000)).toBeLessThan(130);
    const part = new SubsetRandomSampler([3, 7, 9]);
    expect([...part.order(0, 0)].sort(ascending)).toEqual([3, 7, 9]);
    const own = new RandomSampler(50, { seed: 8 });
    expect(own.order(1, 2)).toEqual(own.order(1, 3));
    expect(own.order(1, 2)).toEqual(new RandomSampler(50).order(1, 8));
  });

  test("weights are chances", () => {
    const weights = [1, 0, 3, 6];
    const counts = [0, 0, 0, 0];
    for (const i of new WeightedRandomSampler(weights, 10_000).order(0, 0)) counts[i]!++;
    // Four standard deviations of a binomial.
    weights.forEach((weight, i) => {
      const p = weight / 10;
      expect(Math.abs(counts[i]! - 1e4 * p)).toBeLessThanOrEqual(4 * Math.sqrt(1e4 * p * (1 - p)));
    });
    // Without replacement the first of two is drawn in proportion to the weights, too.
    const sampler = new WeightedRandomSampler(weights, 3, { replacement: false });
    const firsts = [0, 0, 0, 0];
    for (let epoch = 0; epoch < 10_000; epoch++) {
      const order = [...sampler.order(epoch, 0)];
      if (epoch < 20) expect([...order].sort(ascending)).toEqual([0, 2, 3]);
      firsts[order[0]!]!++;
    }
    weights.forEach((weight, i) => {
      const p = weight / 10;
      expect(Math.abs(firsts[i]! - 1e4 * p)).toBeLessThanOrEqual(4 * Math.sqrt(1e4 * p * (1 - p)));
    });
  });

  test("what cannot be drawn is refused", () => {
    expect(() => new WeightedRandomSampler([0, 0], 1)).toThrow("at least one weight above 0");
    expect(() => new WeightedRandomSampler([1, -1], 1)).toThrow("finite numbers of at least 0");
    expect(() => new WeightedRandomSampler([1, 0], 2, { replacement: false })).toThrow(
      "2 samples cannot be drawn without replacement from 1",
    );
    expect(() => new RandomSampler(0)).toThrow("the number of samples must be");
    expect(() => new RandomSampler(3, { seeds: 1 } as never)).toThrow('unknown option "seeds"');
  });
});

describe("refused at once", () => {
  const lengthOf = (x: number): number => x;
  test.each([
    [{ batchSize: 0 }, "batchSize must be an integer of at least 1, got 0"],
    [{ batchSize: 1.5 }, "batchSize must be an integer of at least 1, got 1.5"],
    [{ seed: -1 }, "seed must be an integer of at least 0, got -1"],
    [{ prefetch: -1 }, "prefetch must be"],
    [{ batchsize: 2 }, 'unknown option "batchsize"'],
    [{ batchSize: 8, dropLast: true }, "dropLast leaves no batch of 3 samples with batchSize 8"],
    [{ maxTokens: 8 }, "maxTokens needs lengthOf or lengths"],
    [{ bucketBatches: 8 }, "bucketBatches needs lengthOf or lengths"],
    [{ lengthOf, maxTokens: 8, bucketBatches: 0 }, "maxTokens needs bucketBatches"],
    [{ lengths: [1, 2] }, "expected 3 lengths, one for each sample, got 2"],
    [{ shuffle: true, sampler: new SequentialSampler(3) }, "shuffle cannot be used with sampler"],
    [
      { batchSampler: new BatchSampler(new SequentialSampler(3), 1), batchSize: 2 },
      "batchSize cannot be used with batchSampler",
    ],
    [
      { shuffleBuffer: 5 },
      "shuffleBuffer cannot be used with a data set that has samples by index",
    ],
  ])("%j", (options, message) => {
    expect(() => new DataLoader([1, 2, 3], options as never)).toThrow(message);
  });

  test("no data", () => {
    expect(() => new DataLoader([])).toThrow("the data set is empty");
    expect(() => new DataLoader(7 as never)).toThrow("expected a data set with");
  });

  test("a sampler that leaves the data set names the index", async () => {
    const sampler = { length: 1, order: () => [9] };
    await expect(collect(new DataLoader([1, 2], { sampler }))).rejects.toThrow(
      "DataLoader: index 9 is out of range, expected 0 … 1",
    );
  });
});

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

test("memory stays flat over many epochs", async () => {
  const lengths = skewedLengths(2000);
  const loader = new DataLoader(range(2000), {
    batchSize: 16,
    shuffle: true,
    lengths,
    collate: (samples) => samples.length,
  });
  const used = async (epochs: number): Promise<number> => {
    for (let i = 0; i < epochs; i++)
      for await (const { samples } of loader) expect(samples).toBe(16);
    gc();
    return process.memoryUsage().heapUsed;
  };
  await used(10);
  const early = await used(1);
  const late = await used(60);
  // 60 epochs have 7500 batches; their indices alone take a megabyte.
  expect(late - early).toBeLessThan(1e6);
});
