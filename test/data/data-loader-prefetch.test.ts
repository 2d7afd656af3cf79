/** Batches made ahead: in order, bounded, with errors in their places, and nothing left behind by loops that end early. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DataLoader } from "../../src/data/index.ts";
import { after, collect } from "./loading.ts";

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", note);
});
afterEach(async () => {
  await after(5, null);
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

/** A data set that says what is going on. */
function watched(length: number, get: (i: number) => unknown = (i) => after(3, i)) {
  const state = { running: 0, most: 0, begun: 0 };
  const dataset = {
    length,
    get: async (i: number): Promise<unknown> => {
      state.begun++;
      state.most = Math.max(state.most, ++state.running);
      try {
        return await get(i);
      } finally {
        state.running--;
      }
    },
  };
  return { state, dataset };
}
const collate = (samples: readonly unknown[]): unknown[] => [...samples];

describe("made ahead", () => {
  test("samples are waited for together, batches while the loop is busy", async () => {
    const { state, dataset } = watched(32);
    const loader = new DataLoader(dataset, { batchSize: 4, prefetch: 2, collate });
    for await (const { data, index } of loader) {
      expect(data).toEqual([0, 1, 2, 3].map((i) => 4 * index + i));
      await after(20, null);
      // This batch and two more, and not a third.
      expect(state.begun).toBe(Math.min(32, 4 * (index + 3)));
      expect(state.running).toBe(0);
    }
    expect(state.most).toBeGreaterThan(4);
  });

  test("without prefetch nothing is begun before it is asked for", async () => {
    const { state, dataset } = watched(12);
    for await (const { index } of new DataLoader(dataset, { batchSize: 4, prefetch: 0, collate })) {
      await after(10, null);
      expect(state.begun).toBe(4 * (index + 1));
    }
  });

  test.each([1, 3, 7])("no more than %i samples are waited for at once", async (concurrency) => {
    const { state, dataset } = watched(60, (i) => after(i % 5, i));
    const loader = new DataLoader(dataset, { batchSize: 8, prefetch: 3, concurrency, collate });
    const seen = (await collect(loader)).flatMap(({ data }) => data);
    expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => i));
    expect(state.most).toBe(concurrency);
  });

  test("some samples at once and some later, one at a time: no batch waits for ever", async () => {
    const dataset = { length: 64, get: (i: number) => (i % 8 < 3 ? after(2, i) : i) };
    const loader = new DataLoader(dataset, { batchSize: 4, prefetch: 5, concurrency: 1, collate });
    expect((await collect(loader)).flatMap(({ data }) => data)).toHaveLength(64);
  });

  test("a collate that takes its time keeps the order", async () => {
    const loader = new DataLoader([0, 1, 2, 3, 4, 5], {
      prefetch: 4,
      collate: ([i]) => after(10 - i!, i!),
    });
    expect((await collect(loader)).map(({ data }) => data)).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe("errors", () => {
  test.each([0, 2, 5])("prefetch %i: come in the place of their batch", async (prefetch) => {
    const cause = new RangeError("no such file");
    const fail = (i: number): unknown => {
      if (i === 9) throw cause;
      return i;
    };
    for (const get of [fail, async (i: number) => fail(await after(1, i))]) {
      const loader = new DataLoader({ length: 16, get }, { batchSize: 4, prefetch, collate });
      const seen: unknown[] = [];
      const error: unknown = await (async () => {
        for await (const { data } of loader) seen.push(...data);
      })().catch((thrown: unknown) => thrown);
      expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(error).toMatchObject({
        message: "DataLoader: sample 9 could not be read: no such file",
        cause,
      });
      expect(loader.cursor()).toMatchObject({ epoch: 0, batches: 2 });
    }
  });

  test("of collate and of streams come there too", async () => {
    const badCollate = new DataLoader([1, 2, 3], {
      collate: ([x]) => {
        if (x === 2) throw new Error("two");
        return x;
      },
    });
    await expect(collect(badCollate)).rejects.toThrow("two");
    expect(badCollate.cursor().batches).toBe(1);
    async function* lines(): AsyncGenerator<number, void> {
      yield await after(1, 1);
      yield 2;
      throw new Error("cut off");
    }
    const stream = new DataLoader(lines, { prefetch: 3 });
    await expect(collect(stream)).rejects.toThrow("cut off");
    expect(stream.cursor().batches).toBe(2);
  });

  test("after an error the loader can go on where it was", async () => {
    let broken = true;
    const get = (i: number): number => {
      if (i === 2 && broken) throw new Error("away");
      return i;
    };
    const loader = new DataLoader({ length: 4, get }, { collate });
    await expect(collect(loader)).rejects.toThrow("away");
    broken = false;
    loader.seek(loader.cursor());
    expect((await collect(loader)).flatMap(({ data }) => data)).toEqual([2, 3]);
  });
});

describe("loops that end early", () => {
  test("leave no errors and begin nothing more", async () => {
    const { state, dataset } = watched(64, async (i) => {
      await after(2, null);
      if (i > 4) throw new Error("nobody sees this");
      return i;
    });
    const loader = new DataLoader(dataset, { batchSize: 2, prefetch: 4, concurrency: 3, collate });
    for await (const { index } of loader) if (index === 1) break;
    const { begun } = state;
    await after(20, null);
    expect(state.begun).toBe(begun);
    expect(state.running).toBe(0);
  });

  test("close a stream, once", async () => {
    let [opened, closed] = [0, 0];
    async function* lines(): AsyncGenerator<number, void> {
      opened++;
      try {
        for (let i = 0; ; i++) yield await after(1, i);
      } finally {
        closed++;
      }
    }
    const loader = new DataLoader(lines, {
      batchSize: 2,
      prefetch: 3,
      shuffle: true,
      shuffleBuffer: 4,
    });
    for (let epoch = 1; epoch <= 3; epoch++) {
      for await (const { index } of loader) if (index === 2) break;
      expect([opened, closed]).toEqual([epoch, epoch]);
    }
    await expect(
      (async () => {
        for await (const _ of loader) throw new Error("the body failed");
      })(),
    ).rejects.toThrow("the body failed");
    expect([opened, closed]).toEqual([4, 4]);
  });

  test("a signal ends the wait for data that never comes", async () => {
    const never = new Promise<number>(() => undefined);
    const stopped = new Error("stopped");
    async function* stuck(): AsyncGenerator<number, void> {
      yield 1;
      yield await never;
    }
    for (const dataset of [stuck, { length: 4, get: (i: number) => (i === 0 ? 1 : never) }]) {
      const loader = new DataLoader<number>(dataset, { prefetch: 1 });
      const stop = new AbortController();
      const seen: unknown[] = [];
      const loop = (async () => {
        for await (const { index } of loader.epoch({ signal: stop.signal })) seen.push(index);
      })();
      setTimeout(() => stop.abort(stopped), 10);
      await expect(loop).rejects.toBe(stopped);
      expect(seen).toEqual([0]);
      expect(loader.cursor().batches).toBe(1);
      await expect(loader.epoch({ signal: stop.signal }).next()).rejects.toBe(stopped);
    }
  });

  test("an iterator that is never asked begins nothing", () => {
    const { state, dataset } = watched(4);
    const loader = new DataLoader(dataset, { collate });
    loader.epoch();
    expect(state.begun).toBe(0);
    expect(loader.cursor()).toMatchObject({ epoch: 0, batches: 0 });
  });
});

describe("streams", () => {
  const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

  test("each sample once, within a buffer, another order each epoch", async () => {
    const set = new Set(range(100));
    const loader = new DataLoader(set, { batchSize: 8, shuffle: true, shuffleBuffer: 10, collate });
    expect(loader.batchesPerEpoch).toBeNull();
    const orders = [];
    for (let epoch = 0; epoch < 3; epoch++) {
      const batches = await collect(loader);
      const order = batches.flatMap(({ data }) => data) as number[];
      expect([...order].sort((a, b) => a - b)).toEqual(range(100));
      expect(batches.flatMap(({ indices }) => indices)).toEqual(order);
      // A sample can come late by any number of places, early only by the buffer.
      order.forEach((sample, at) => expect(sample - at).toBeLessThanOrEqual(10));
      orders.push(order.join());
    }
    expect(new Set(orders).size).toBe(3);
  });

  test("in order, the last batch dropped or not; functions get the epoch", async () => {
    const loader = new DataLoader((epoch: number) => [epoch, 1, 2, 3, 4], {
      batchSize: 2,
      collate,
    });
    expect((await collect(loader)).map(({ data }) => data)).toEqual([[0, 1], [2, 3], [4]]);
    expect((await collect(loader))[0]!.data).toEqual([1, 1]);
    const dropped = new DataLoader(new Set(range(5)), { batchSize: 2, dropLast: true, collate });
    expect((await collect(dropped)).map(({ data }) => data)).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  test("in buckets by tokens: limits are kept and nothing is lost", async () => {
    const loader = new DataLoader(() => range(500), {
      lengthOf: (i) => 1 + (i % 50),
      maxTokens: 200,
      bucketBatches: 10,
      collate,
    });
    const batches = await collect(loader);
    expect(batches.flatMap(({ indices }) => indices).sort((a, b) => a - b)).toEqual(range(500));
    for (const { indices } of batches)
      expect(indices.length * Math.max(...indices.map((i) => 1 + (i % 50)))).toBeLessThanOrEqual(
        200,
      );
    const { real, padded } = loader.padding;
    expect(1 - real / padded).toBeLessThan(0.1);
  });

  test("what can be gone through only once, or is empty, is refused", async () => {
    function* once(): Generator<number, void> {
      yield 1;
    }
    const message = "a generator can be gone through only once; give the function that makes it";
    await expect(collect(new DataLoader(once()))).rejects.toThrow(message);
    await expect(collect(new DataLoader(new Set<number>()))).rejects.toThrow(
      "gave no batch; it is empty",
    );
    const few = new DataLoader(new Set([1]), { batchSize: 2, dropLast: true });
    await expect(collect(few)).rejects.toThrow("smaller than a batch with dropLast");
    expect(() => new DataLoader(new Set([1]), { lengths: [1] })).toThrow(
      "cannot be used with a stream",
    );
  });
});
