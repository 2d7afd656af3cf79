/** Batches of samples: dtypes, structure, padding, and errors that name field and sample. */

import { describe, expect, expectTypeOf, test } from "vitest";
import {
  ArrayDataset,
  collate,
  collateAs,
  DataLoader,
  defaultPaddedLength,
  padSequences,
  TensorDataset,
} from "../../src/data/index.ts";
import { cachedPrograms } from "../../src/engine.ts";
import { compile, Tensor, tensor } from "../../src/index.ts";
import { collect } from "./loading.ts";

/** Tensors of a batch as [dtype, elements], whatever it is made of. */
async function read(batch: unknown): Promise<unknown> {
  if (batch instanceof Tensor) return [batch.dtype, await batch.toArray()];
  if (Array.isArray(batch)) return Promise.all(batch.map(read));
  if (typeof batch !== "object" || batch === null) return batch;
  const entries = Object.entries(batch).map(async ([key, item]) => [key, await read(item)]);
  return Object.fromEntries((await Promise.all(entries)) as [string, unknown][]);
}

describe("collate", () => {
  test("stacks numbers, booleans, bigints, vectors, typed arrays and tensors", async () => {
    const before = cachedPrograms();
    expect(await read(collate([1.5, 2]))).toEqual(["float32", [1.5, 2]]);
    expect(await read(collate([true, false]))).toEqual(["bool", [true, false]]);
    expect(await read(collate([1n, -2n]))).toEqual(["int64", [1, -2]]);
    expect(
      await read(
        collate([
          [1, 2],
          [3, 4],
        ]),
      ),
    ).toEqual([
      "float32",
      [
        [1, 2],
        [3, 4],
      ],
    ]);
    const rows = [Int32Array.of(1, 2), Int32Array.of(3, 4)];
    expect(await read(collate(rows))).toEqual([
      "int32",
      [
        [1, 2],
        [3, 4],
      ],
    ]);
    expect(await read(collate([tensor(5), tensor(6)]))).toEqual(["float32", [5, 6]]);
    const doubles = [Float64Array.of(1 / 3), Float64Array.of(2 / 3)];
    expect(await read(collate(doubles))).toEqual(["float64", [[1 / 3], [2 / 3]]]);
    expect(cachedPrograms()).toBe(before);
  });

  test("keeps the structure of objects and tuples; strings become a list", async () => {
    const sample = (i: number) => ({
      image: tensor([[i, i + 1]]),
      meta: { name: `s${i}`, size: [i, 2 * i] },
      pair: [Float32Array.of(i), i] as [Float32Array, number],
    });
    const batch = collate([sample(1), sample(2)]);
    expectTypeOf(batch).toEqualTypeOf<{
      image: Tensor;
      meta: { name: string[]; size: Tensor };
      pair: [Tensor, Tensor];
    }>();
    expect(await read(batch)).toEqual({
      image: ["float32", [[[1, 2]], [[2, 3]]]],
      meta: {
        name: ["s1", "s2"],
        size: [
          "float32",
          [
            [1, 2],
            [2, 4],
          ],
        ],
      },
      pair: [
        ["float32", [[1], [2]]],
        ["float32", [1, 2]],
      ],
    });
  });

  test("computed tensors and those that collect gradients are stacked, with their history", async () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const batch = collate([w, w.mul(3)]);
    expect(await batch.toArray()).toEqual([
      [1, 2],
      [3, 6],
    ]);
    batch.sum().backward();
    expect(await w.grad!.toArray()).toEqual([4, 4]);
  });

  test("dtypes by field", async () => {
    const samples = [
      { label: 3, image: new Uint8Array([255, 0]), more: [1.5, "a"] as [number, string] },
      { label: 1, image: new Uint8Array([7, 8]), more: [2.5, "b"] as [number, string] },
    ];
    const dtypes = { label: "int32", image: "float32", "more.0": "float64" } as const;
    const batch = collateAs<(typeof samples)[0]>({ dtypes })(samples, [0, 1]);
    expect(await read(batch)).toEqual({
      label: ["int32", [3, 1]],
      image: [
        "float32",
        [
          [255, 0],
          [7, 8],
        ],
      ],
      more: [
        ["float64", [1.5, 2.5]],
        ["a", "b"],
      ],
    });
    expect(() => collateAs({ dtypes: { x: "int" as never } })).toThrow('unknown dtype "int"');
  });

  test.each<[string, unknown[], string]>([
    [
      "ragged field",
      [{ a: { b: [1, 2] } }, { a: { b: [1] } }],
      'collate: field "a.b" of sample 8 has shape [1], that of sample 5 [2]; use { collate: padSequences() }',
    ],
    [
      "ragged samples",
      [Float32Array.of(1), Float32Array.of(1, 2)],
      "collate: sample 8 has shape [2], that of sample 5 [1]",
    ],
    ["missing field", [{ a: 1, b: 2 }, { a: 1 }], 'sample 8 lacks the field "b" that sample 5 has'],
    ["extra field", [{ a: 1 }, { a: 1, b: 2 }], 'sample 8 has a field "b" that sample 5 lacks'],
    [
      "kinds",
      [{ a: 1 }, { a: "1" }],
      'field "a" of sample 8 is a string, that of sample 5 a number',
    ],
    [
      "tuples",
      [
        [1, "a"],
        [1, "a", 2],
      ],
      "sample 8 has 3 items, that of sample 5 has 2",
    ],
    [
      "dtypes",
      [{ a: Int32Array.of(1) }, { a: Float32Array.of(1) }],
      'field "a" of sample 8 is float32, that of sample 5 int32',
    ],
    [
      "dates",
      [{ at: new Date(0) }, { at: new Date(1) }],
      'field "at" of sample 5 is a Date, expected numbers',
    ],
    ["missing values", [{ a: null }, { a: null }], 'field "a" of sample 5 is null, expected'],
    [
      "bytes",
      [new Uint8Array([1]), new Uint8Array([9])],
      "sample 8: bool cannot hold 9; name another dtype",
    ],
    [
      "odd arrays",
      [{ a: new Int8Array(1) }, { a: new Int8Array(1) }],
      'is a Int8Array, which is no dtype\'s array; say how to hold it, e.g. { dtypes: { "a": "float32" } }',
    ],
    [
      "tensors",
      [tensor([1, 2]).mul(2), tensor([1]).mul(2)],
      "sample 8 has shape [1], that of sample 5 [2]",
    ],
  ])("%s: the error names the place", (_, samples, message) => {
    expect(() => collate(samples, [5, 8])).toThrow(message);
  });

  test("no samples, and numbers that a dtype cannot hold", () => {
    expect(() => collate([])).toThrow("expected at least one sample");
    const collateInts = collateAs({ dtypes: { y: "int32" } });
    expect(() => collateInts([{ y: 1 }, { y: 0.5 }], [3, 4])).toThrow(
      'field "y" of sample 4: int32 cannot hold 0.5',
    );
    expect(() => collateInts([{ y: 2 ** 31 }], [3])).toThrow("out of range for int32");
  });

  test("a tensor data set gives the same batches at once and sample by sample", async () => {
    const make = () =>
      new TensorDataset(
        tensor([
          [1, 2],
          [3, 4],
          [5, 6],
        ]),
        Int32Array.of(7, 8, 9),
      );
    const options = { batchSize: 2, shuffle: true, seed: 1 };
    const whole = await collect(new DataLoader(make(), options));
    const single = await collect(
      new DataLoader(
        make().map((sample) => sample),
        options,
      ),
    );
    expectTypeOf(whole[0]!.data).toEqualTypeOf<[Tensor, Tensor]>();
    expect(await read(whole.map(({ data }) => data))).toEqual(
      await read(single.map(({ data }) => data)),
    );
  });

  test("batches feed a compiled step", async () => {
    const data = new TensorDataset(
      tensor([
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
      ]),
      Int32Array.of(0, 1, 0, 1),
    );
    const total = tensor(0);
    const step = compile((x: Tensor, y: Tensor) => {
      total.assign(total.add(x.sum(1).mul(y.cast("float32")).sum()));
    });
    for await (const batch of new DataLoader(data, { batchSize: 2, shuffle: true }))
      await step(...batch.data);
    expect(await total.item()).toBe(3 + 4 + 7 + 8);
    expect(step.traces).toBe(1);
  });
});

describe("padSequences", () => {
  const texts = [
    { ids: [5, 6, 7], tags: [1, 2, 1], score: 0.5 },
    { ids: [8], tags: [2], score: 2 },
  ];

  test("pads each field with its own value, adds a mask, counts tokens", async () => {
    const pad = padSequences<(typeof texts)[0]>({
      value: { ids: 0, tags: -100 },
      padToMultipleOf: 4,
      mask: "mask",
    });
    expect(await read(await pad(texts, [0, 1]))).toEqual({
      ids: [
        "int32",
        [
          [5, 6, 7, 0],
          [8, 0, 0, 0],
        ],
      ],
      tags: [
        "int32",
        [
          [1, 2, 1, -100],
          [2, -100, -100, -100],
        ],
      ],
      score: ["float32", [0.5, 2]],
      mask: [
        "bool",
        [
          [true, true, true, false],
          [true, false, false, false],
        ],
      ],
    });
    expect(pad.measure!(texts)).toEqual({ real: 4, padded: 8 });
  });

  test("on the left; only some fields; rows of features; tuples; empty sequences", async () => {
    const left = padSequences<number[]>({ side: "left", padToMultipleOf: 1, value: 9 });
    expect(await read(await left([[1, 2], [3], []], [0, 1, 2]))).toEqual([
      "int32",
      [
        [1, 2],
        [9, 3],
        [9, 9],
      ],
    ]);
    const some = padSequences<{ x: number[]; y: number[] }>({ fields: ["y"], padToMultipleOf: 2 });
    expect(
      await read(
        await some(
          [
            { x: [0.5], y: [1] },
            { x: [2], y: [] },
          ],
          [0, 1],
        ),
      ),
    ).toEqual({
      x: ["float32", [[0.5], [2]]],
      y: [
        "int32",
        [
          [1, 0],
          [0, 0],
        ],
      ],
    });
    const features = padSequences<Tensor>({ boundaries: [2, 3] });
    const batch = await features(
      [
        tensor([[1, 2]]),
        tensor([
          [3, 4],
          [5, 6],
        ]),
      ],
      [0, 1],
    );
    expect(await read(batch)).toEqual([
      "float32",
      [
        [
          [1, 2],
          [0, 0],
        ],
        [
          [3, 4],
          [5, 6],
        ],
      ],
    ]);
    const pairs = padSequences<[number[], number[]]>({ padToMultipleOf: 1 });
    expect(
      await read(
        await pairs(
          [
            [[1], [2, 3]],
            [[4, 5], [6]],
          ],
          [0, 1],
        ),
      ),
    ).toEqual([
      [
        "int32",
        [
          [1, 0],
          [4, 5],
        ],
      ],
      [
        "int32",
        [
          [2, 3],
          [6, 0],
        ],
      ],
    ]);
  });

  test("the default lengths are few and waste at most a fifth beyond 64", () => {
    const lengths = new Set<number>();
    for (let n = 0; n <= 2048; n++) {
      const padded = defaultPaddedLength(n);
      expect(padded).toBeGreaterThanOrEqual(n);
      expect(defaultPaddedLength(padded)).toBe(padded);
      if (n > 64) expect((padded - n) / padded).toBeLessThan(0.2);
      lengths.add(padded);
      if (n === 512) expect(lengths.size).toBe(20);
    }
    expect(lengths.size).toBe(28);
  });

  test("says what does not fit", async () => {
    const pad = padSequences<{ ids: number[] }>({ boundaries: [2] });
    expect(() => pad([{ ids: [1] }, { ids: [1, 2, 3] }], [4, 9])).toThrow(
      'padSequences: field "ids" of sample 9: a sequence of length 3 is longer than the last boundary, 2; cut it',
    );
    expect(() => padSequences<number[]>()([[1.5]], [2])).toThrow("sample 2: int32 cannot hold 1.5");
    expect(() => padSequences({ boundaries: [4, 4] })).toThrow("each boundary must be");
    expect(() => padSequences({ boundaries: [4], padToMultipleOf: 2 })).toThrow("not both");
    expect(() => padSequences({ padToMultipleOf: 0 })).toThrow("padToMultipleOf must be");
    expect(() => padSequences<number[]>({ mask: "m" })([[1]], [0])).toThrow(
      "samples that are objects",
    );
    const mixed = new ArrayDataset([tensor([[1, 2]]), tensor([[1]])]);
    const loader = new DataLoader(mixed, { batchSize: 2, collate: padSequences() });
    await expect(collect(loader)).rejects.toThrow("only the first dimension may differ");
  });
});
