/** Creation beyond the samples: arguments that are refused, options, and random tensors against their distributions. */

import { describe, expect, test } from "vitest";
import {
  bernoulli,
  compile,
  empty,
  eye,
  full,
  Generator,
  linspace,
  multinomial,
  normal,
  oneHot,
  ones,
  rand,
  randint,
  randLike,
  randn,
  randnLike,
  randperm,
  ShapeError,
  tensor,
  zeros,
  type Tensor,
} from "../../src/index.ts";

const list = async (x: Tensor): Promise<number[]> => Array.from(await x.data(), Number);
const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

describe("arguments", () => {
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    [
      "sizes without an array",
      () => (zeros as unknown as (...sizes: number[]) => Tensor)(2, 3),
      "zeros: the shape must be an array of sizes, e.g. [2, 3], got 2",
    ],
    [
      "sizes without an array for random numbers",
      () => (rand as unknown as (...sizes: number[]) => Tensor)(2, 3),
      "rand: the shape must be an array of sizes, e.g. [2, 3], got 2",
    ],
    ["a fraction", () => ones([1.5]), "ones: sizes must be non-negative integers, got [1.5]"],
    ["NaN", () => empty([NaN]), "empty: sizes must be non-negative integers, got [NaN]"],
    ["a negative size", () => eye(-1), "eye: sizes must be non-negative integers, got [-1,-1]"],
    [
      "no steps",
      () => linspace(0, 1, 1.5),
      "linspace: needs two finite ends and a number of steps that is an integer of at least 0, got 0, 1 and 1.5",
    ],
    [
      "classes",
      () => oneHot(tensor([1], { dtype: "int32" }), -1),
      "oneHot: the number of classes must be a positive integer, got -1; it is part of the shape and cannot be read from the elements",
    ],
    [
      "classes of floats",
      () => oneHot(tensor([1]), 2),
      "oneHot: the indices must be integers, got float32",
    ],
    ["randperm", () => randperm(-1), "randperm: n must be an integer from 0 to 2²⁴, got -1"],
    [
      "random numbers like integers",
      () => randLike(zeros([1], { dtype: "int32" })),
      "randLike: needs a floating dtype, got int32; give { dtype }",
    ],
    [
      "multinomial of integers",
      () => multinomial(ones([2], { dtype: "int32" }), 1),
      "multinomial: the weights must be floats of one or two dimensions, got int32 [2]",
    ],
    ["normal without a shape", () => normal(0, 1), "normal: two numbers need a shape"],
  ];
  test.each(cases)("%s", (_, call, message) => {
    expect(call).toThrow(new ShapeError(message));
  });

  const misspelt: [string, () => unknown, string][] = [
    [
      "of a shape",
      () => zeros([2], { dType: "int32" } as never),
      'zeros: unknown option "dType", expected dtype, requiresGrad',
    ],
    [
      "of tensor",
      () => tensor([1], { requires_grad: true } as never),
      'tensor: unknown option "requires_grad", expected dtype, requiresGrad, shape',
    ],
    [
      "of random numbers",
      () => randn([1], { seed: 1 } as never),
      'randn: unknown option "seed", expected dtype, requiresGrad, generator',
    ],
  ];
  test.each(misspelt)("a misspelt option %s", (_, call, message) => {
    expect(call).toThrow(new TypeError(message));
  });

  test("unknown dtypes", () => {
    const message =
      'zeros: unknown dtype "float", expected one of bool, uint32, int32, int64, float16, float32, float64';
    expect(() => zeros([1], { dtype: "float" as never })).toThrow(new TypeError(message));
  });

  test("only floats require gradients", () => {
    expect(() => full([1], true, { requiresGrad: true })).toThrow(
      "requiresGrad: only floating tensors have gradients, got bool",
    );
    expect(() => randint(3, [1], { requiresGrad: true })).toThrow(
      "requiresGrad: only floating tensors have gradients, got int32",
    );
    expect(rand([1], { requiresGrad: true }).isLeaf).toBe(true);
  });
});

describe("random tensors", () => {
  test("like others take shape and dtype", () => {
    const like = zeros([2, 3], { dtype: "float64" });
    for (const x of [randLike(like), randnLike(like)])
      expect([x.shape, x.dtype]).toEqual([[2, 3], "float64"]);
    expect(randnLike(zeros([2], { dtype: "int32" }), { dtype: "float32" }).dtype).toBe("float32");
  });

  test("randint starts at 0 unless told", async () => {
    const drawn = await list(randint(3, [1000], { generator: new Generator(1) }));
    expect(new Set(drawn)).toEqual(new Set([0, 1, 2]));
  });

  test("randperm: every order is equally likely, and the same for the same seed", async () => {
    const generator = new Generator(7);
    const counts = new Map<string, number>();
    const rounds = 600;
    const shuffle = compile(() => randperm(3, { generator }));
    for (let i = 0; i < rounds; i++) {
      const order = (await list(await shuffle())).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    const expected = rounds / 6;
    const chi = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // The 99.99 % point of χ² with 5 degrees of freedom.
    expect(chi).toBeLessThan(25.7);
    const large = randperm(5000, { generator: new Generator(3) });
    expect(large.dtype).toBe("int32");
    const order = await list(large);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
    expect(await list(randperm(5000, { generator: new Generator(3) }))).toEqual(order);
    expect(order).not.toEqual(await list(randperm(5000, { generator: new Generator(4) })));
    expect((await randperm(0).data()).length).toBe(0);
    expect(randperm(4, { dtype: "int64" }).dtype).toBe("int64");
  });

  test("multinomial with replacement follows the weights of each row", async () => {
    const weights = tensor([
      [0, 1, 3, 0],
      [2, 2, 0, 4],
    ]);
    const n = 4000;
    const drawn = multinomial(weights, n, { replacement: true, generator: new Generator(11) });
    expect([drawn.shape, drawn.dtype]).toEqual([[2, n], "int32"]);
    const rows = (await drawn.toArray()) as number[][];
    const shares = [
      [0, 0.25, 0.75, 0],
      [0.25, 0.25, 0, 0.5],
    ];
    rows.forEach((row, r) =>
      shares[r]!.forEach((p, k) => {
        const share = row.filter((drawn) => drawn === k).length / n;
        if (p === 0) expect(share).toBe(0);
        else expect(Math.abs(share - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / n));
      }),
    );
    const again = multinomial(weights, n, { replacement: true, generator: new Generator(11) });
    expect(await again.toArray()).toEqual(rows);
  });

  test("multinomial without replacement draws none twice, first by weight", async () => {
    const n = 3000;
    const weights = tensor([1, 0, 2, 5]).expand(n, 4);
    const rows = (await multinomial(weights, 3, {
      generator: new Generator(2),
    }).toArray()) as number[][];
    for (const row of rows) expect([...row].sort()).toEqual([0, 2, 3]);
    const firsts = rows.map((row) => row[0]!);
    for (const [k, p] of [
      [0, 1 / 8],
      [2, 2 / 8],
      [3, 5 / 8],
    ] as const) {
      const share = mean(firsts.map((drawn) => Number(drawn === k)));
      expect(Math.abs(share - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / n));
    }
    // After a 3 (weight 5) the others are drawn as 1 to 2.
    const seconds = rows.filter((row) => row[0] === 3).map((row) => Number(row[1] === 2));
    expect(Math.abs(mean(seconds) - 2 / 3)).toBeLessThan(5 * Math.sqrt(2 / 9 / seconds.length));
    expect(await multinomial(tensor([0, 1]), 1).toArray()).toEqual([1]);
  });

  test("bernoulli with a probability for each element", async () => {
    const p = tensor([0, 0.2, 1]).expand(5000, 3);
    const drawn = bernoulli(p, { generator: new Generator(4) });
    expect([drawn.shape, drawn.dtype, drawn.requiresGrad]).toEqual([[5000, 3], "float32", false]);
    const [none, some, all] = (await drawn.mean(0).toArray()) as number[];
    expect([none, all]).toEqual([0, 1]);
    expect(Math.abs(some! - 0.2)).toBeLessThan(5 * Math.sqrt(0.16 / 5000));
    expect(() => bernoulli(zeros([1], { dtype: "int32" }))).toThrow(
      "bernoulli: needs a floating dtype, got int32",
    );
  });

  test("normal with means and deviations as tensors, and gradients to them", async () => {
    const loc = tensor([0, 100], { requiresGrad: true });
    const scale = tensor([[1], [3]], { requiresGrad: true });
    const drawn = normal(loc, scale, { generator: new Generator(6) });
    expect(drawn.shape).toEqual([2, 2]);
    const noise = drawn.detach().sub(loc.detach()).div(scale.detach());
    drawn.sum().backward();
    expect(await loc.grad!.toArray()).toEqual([2, 2]);
    const expected = (await noise.sum(1, { keepdim: true }).toArray()) as number[][];
    const got = (await scale.grad!.toArray()) as number[][];
    got.forEach((row, i) => expect(row[0]).toBeCloseTo(expected[i]![0]!, 3));
    const many = await list(
      normal(tensor([5]).expand(10000), 0.5, { generator: new Generator(8) }),
    );
    expect(Math.abs(mean(many) - 5)).toBeLessThan((5 * 0.5) / 100);
    expect(() => normal(loc, 1, [2] as never)).toThrow("the shape is that of the tensors");
  });
});
