/** Data sets: samples by index, their parts, unions and maps, and tensors' rows. */

import { describe, expect, test } from "vitest";
import {
  ArrayDataset,
  ConcatDataset,
  DataLoader,
  MapDataset,
  randomSplit,
  Subset,
  TensorDataset,
} from "../../src/data/index.ts";
import { cachedPrograms } from "../../src/engine.ts";
import { tensor, type Tensor } from "../../src/index.ts";

const letters = ["a", "b", "c", "d", "e"];

describe("made of others", () => {
  test("a part has the samples it names, in that order", () => {
    const part = new Subset(letters, [3, 1, 3]);
    expect([part.length, part.get(0), part.get(1), part.get(2)]).toEqual([3, "d", "b", "d"]);
    expect(part.indices).toEqual([3, 1, 3]);
    expect(() => new Subset(letters, [0, 5])).toThrow("index 5 is out of range, expected 0 … 4");
  });

  test("a union counts through", () => {
    const union = new ConcatDataset([letters, [], ["x"], new Subset(letters, [4])]);
    const all = Array.from({ length: union.length }, (_, i) => union.get(i));
    expect(all).toEqual([..."abcdexe"]);
    expect(() => union.get(7)).toThrow("ConcatDataset: index 7 is out of range, expected 0 … 6");
    expect(() => union.get(-1)).toThrow("index -1");
    expect(() => new ConcatDataset([])).toThrow("at least one data set");
  });

  test("a map sees sample, index and epoch, and waits for promises", async () => {
    const numbers = { length: 3, get: (i: number) => Promise.resolve(i * 10) };
    const mapped = new MapDataset(numbers, (x, index, epoch) => [x, index, epoch]).map(
      async (parts) => (await Promise.resolve(parts)).join(),
    );
    expect(await mapped.get(2, 7)).toBe("20,2,7");
    const plain = new ArrayDataset(letters).subset([1]).map((x) => x.toUpperCase());
    expect(plain.get(0)).toBe("B");
  });

  test("what is no data set is refused", () => {
    expect(() => new Subset({} as never, [])).toThrow("with `length` and `get(index)`");
    expect(() => new ArrayDataset("abc" as never)).toThrow("expected an array of samples");
    expect(() => new ArrayDataset([]).get(0)).toThrow("index 0 into an empty data set");
    expect(() => new MapDataset([1], 2 as never)).toThrow("expected a function");
  });
});

describe("randomSplit", () => {
  const whole = Array.from({ length: 103 }, (_, i) => i);

  test("shares nothing, loses nothing, and follows from the seed", () => {
    const parts = randomSplit(whole, [50, 50, 3], { seed: 4 }).map((part) => part.indices);
    expect(parts.map((part) => part.length)).toEqual([50, 50, 3]);
    expect(parts.flat().sort((a, b) => a - b)).toEqual(whole);
    const again = randomSplit(whole, [50, 50, 3], { seed: 4 }).map((part) => part.indices);
    expect(again).toEqual(parts);
    expect(randomSplit(whole, [50, 50, 3], { seed: 5 })[0]!.indices).not.toEqual(parts[0]);
  });

  test("takes shares, as torch does: rounded down, what is left to the first parts", () => {
    // torch.utils.data.random_split(range(103), [0.7, 0.2, 0.1]) has lengths 73, 20, 10.
    expect(randomSplit(whole, [0.7, 0.2, 0.1]).map(({ length }) => length)).toEqual([73, 20, 10]);
    expect(randomSplit(whole, [1]).map(({ length }) => length)).toEqual([103]);
  });

  test.each([[[50, 50]], [[0.5, 0.6]], [[-3, 106]], [[Number.NaN]], [[]]])("refuses %j", (bad) => {
    expect(() => randomSplit(whole, bad)).toThrow("counts that add up to 103, or shares");
  });
});

describe("TensorDataset", () => {
  test("rows of tensors and of typed arrays keep dtype and shape, without any program", async () => {
    const before = cachedPrograms();
    const data = new TensorDataset(
      tensor([
        [
          [1, 2],
          [3, 4],
        ],
        [
          [5, 6],
          [7, 8],
        ],
      ]),
      Int32Array.of(7, 9),
      tensor([true, false]),
      BigInt64Array.of(1n, 2n ** 40n),
    );
    const sample = await data.get(1);
    expect(sample.map(({ dtype, shape }) => [dtype, shape])).toEqual([
      ["float32", [2, 2]],
      ["int32", []],
      ["bool", []],
      ["int64", []],
    ]);
    expect(await Promise.all(sample.map((x) => x.toArray()))).toEqual([
      [
        [5, 6],
        [7, 8],
      ],
      9,
      false,
      2 ** 40,
    ]);
    const [x, y] = await data.getBatch!([1, 0, 1]);
    expect(x.shape).toEqual([3, 2, 2]);
    expect(await y.toArray()).toEqual([9, 7, 9]);
    expect(cachedPrograms()).toBe(before);
  });

  test("computed tensors are read once; later changes do not show", async () => {
    const x = tensor([1, 2, 3]);
    const y = Float32Array.of(4, 5, 6);
    const data = new TensorDataset(x.mul(2), x, y);
    x.assign(tensor([0, 0, 0]));
    y.fill(0);
    const sample = await data.get(2);
    expect(await Promise.all(sample.map((t) => t.item()))).toEqual([6, 3, 6]);
    const [first] = await data.getBatch!([0, 1]);
    expect(await first.toArray()).toEqual([2, 4]);
  });

  test("parts make batches at once, unless samples are made by a subclass", async () => {
    const data = new TensorDataset(tensor([10, 20, 30]));
    const [part] = await data.subset([2, 0]).getBatch!([1, 0]);
    expect(await part.toArray()).toEqual([10, 30]);
    class Doubled extends TensorDataset<[Float32Array]> {
      override get(index: number): [ReturnType<typeof tensor>] {
        return [tensor(index * 2)];
      }
    }
    expect(new Doubled(Float32Array.of(1, 2)).getBatch).toBeUndefined();
    class Moved extends Subset<[Tensor]> {
      override async get(index: number): Promise<[Tensor]> {
        const [x] = await super.get(index);
        return [x.add(1)];
      }
    }
    const moved = new Moved(new TensorDataset(Float32Array.of(1, 2, 3)), [2, 0]);
    for await (const { data: batch } of new DataLoader(moved, { batchSize: 2 }))
      expect(await batch[0].toArray()).toEqual([4, 2]);
  });

  test("says what does not fit", () => {
    expect(() => new TensorDataset(tensor([1, 2]), tensor([1]))).toThrow(
      "tensors of one first dimension, got [2], [1]",
    );
    expect(() => new TensorDataset(tensor(1))).toThrow("got []");
    expect(() => new TensorDataset([1, 2] as never)).toThrow("expected tensors or typed arrays");
    expect(() => new TensorDataset()).toThrow("at least one");
    expect(() => new TensorDataset(tensor([1])).get(1)).toThrow("index 1 is out of range");
  });
});
