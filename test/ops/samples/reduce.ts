/** Samples of reductions, positions of extremes and running sums. */

import type { Tensor } from "../../../src/index.ts";
import { bools, f32, f64, given, ints, sample, type Extra, type Sample } from "../sample.ts";

const second: Extra = { second: true };
const samples: Sample[] = [];

type Reduce = (
  x: Tensor,
  options?: { dim?: number | readonly number[]; keepdim?: boolean },
) => Tensor;

const reductions: readonly (readonly [string, string, Reduce])[] = [
  ["sum", "sum", (x, options) => x.sum(options)],
  ["mean", "mean", (x, options) => x.mean(options)],
  ["amax", "amax", (x, options) => x.amax(options)],
  ["amin", "amin", (x, options) => x.amin(options)],
];
for (const [op, name, run] of reductions) {
  samples.push(
    sample(op, [f32([2, 3, 4])], (x) => run(x), `x0.${name}()`, second),
    sample(op, [f32([2, 3, 4])], (x) => run(x, { dim: 1 }), `x0.${name}(1)`),
    sample(op, [f32([2, 3, 4])], (x) => run(x, { dim: [0, -1] }), `x0.${name}((0, -1))`, second),
    sample(
      op,
      [f32([2, 3, 4])],
      (x) => run(x, { dim: -1, keepdim: true }),
      `x0.${name}(-1, keepdim=True)`,
    ),
    sample(op, [f32([2, 3])], (x) => run(x, { keepdim: true }), `x0.${name}((0, 1), keepdim=True)`),
    sample(op, [f32([1, 3, 1])], (x) => run(x, { dim: [0, 2] }), `x0.${name}((0, 2))`),
    sample(op, [f64([2, 3])], (x) => run(x, { dim: 0 }), `x0.${name}(0)`, second),
    sample(op, [f32([])], (x) => run(x), `x0.${name}()`),
    sample(op, [f32([0, 3])], (x) => run(x, { dim: 1 }), `x0.${name}(1)`),
    sample(
      op,
      [given("float32", [2, 2], [NaN, 1, Infinity, 3])],
      (x) => run(x, { dim: 1 }),
      `x0.${name}(1)`,
      {
        grad: false,
        note: "special values",
      },
    ),
  );
}
samples.push(
  sample("sum", [f32([0, 3])], (x) => x.sum(), "x0.sum()"),
  sample("sum", [f32([2, 0])], (x) => x.sum({ dim: 1 }), "x0.sum(1)"),
  sample(
    "sum",
    [ints("int32", [2, 3], -9, 9)],
    (x) => x.sum({ dim: 1 }),
    "x0.sum(1, dtype=torch.int32)",
  ),
  sample("sum", [ints("int64", [2, 3], -9, 9)], (x) => x.sum(), "x0.sum()"),
  sample("sum", [bools([2, 3])], (x) => x.sum(), "x0.sum()"),
  sample("sum", [given("uint32", [3], [4294967295, 4294967295, 7])], (x) => x.sum(), "x0.sum()"),
  sample("mean", [f32([2, 0])], (x) => x.mean({ dim: 1 }), "x0.mean(1)", { note: "nothing: nan" }),
  sample("mean", [f32([3, 4])], (x) => x.var(), "x0.var()", second),
  sample("mean", [f32([3, 4])], (x) => x.var({ dim: 1, correction: 0 }), "x0.var(1, correction=0)"),
  sample(
    "mean",
    [f64([3, 4])],
    (x) => x.std({ dim: -1, keepdim: true }),
    "x0.std(-1, keepdim=True)",
    second,
  ),
  ...(["int32", "int64"] as const).flatMap((dtype) => [
    sample("amax", [ints(dtype, [2, 3], -9, 9)], (x) => x.amax({ dim: 1 }), "x0.amax(1)"),
    sample("amin", [ints(dtype, [2, 3], -9, 9)], (x) => x.amin(), "x0.amin()"),
  ]),
  sample("amax", [given("uint32", [3], [1, 4294967295, 2])], (x) => x.amax(), "x0.amax()"),
  sample("amin", [given("uint32", [3], [3, 4294967295, 2])], (x) => x.amin(), "x0.amin()"),
  ...(["amax", "amin", "sum"] as const).map((op) =>
    sample(
      op,
      [given("int64", [3, 3], [4294967295, 0, 1, -4294967296, -1, -2, 2 ** 52 + 1, 2 ** 51, 1])],
      (x) => x[op]({ dim: 1 }),
      `x0.${op}(1)`,
      { note: "beyond 32 bits" },
    ),
  ),
  ...(["argmax", "argmin"] as const).map((op) =>
    sample(
      op,
      [given("int64", [3, 3], [4294967295, 0, 1, -4294967296, -1, -2, 2 ** 52 + 1, 2 ** 51, 1])],
      (x) => x[op](1),
      `x0.${op}(1).int()`,
      { note: "beyond 32 bits" },
    ),
  ),
  sample("amax", [bools([2, 3])], (x) => x.any({ dim: 1 }), "x0.any(1)"),
  sample("amin", [bools([2, 3])], (x) => x.all({ dim: 0 }), "x0.all(0)"),
  sample(
    "amax",
    [given("float32", [2, 2], [0, 0, 0, 0.5])],
    (x) => x.any({ dim: 1, keepdim: true }),
    "x0.any(1, keepdim=True)",
    { grad: false },
  ),
  sample(
    "amax",
    [given("float32", [2, 3], [1, 3, 3, 2, 2, 2])],
    (x) => x.amax({ dim: 1 }),
    "x0.amax(1)",
    {
      note: "ties",
      noGradcheck: "not differentiable at ties",
    },
  ),
  sample(
    "amin",
    [given("float32", [2, 3], [1, 1, 3, 2, 2, 2])],
    (x) => x.amin({ dim: 1 }),
    "x0.amin(1)",
    {
      note: "ties",
      noGradcheck: "not differentiable at ties",
    },
  ),
  sample("prod", [f32([2, 3], 0.5, 2)], (x) => x.prod(), "x0.prod()", second),
  sample("prod", [f32([2, 3, 2])], (x) => x.prod(1), "x0.prod(1)", second),
  sample("prod", [f32([2, 5])], (x) => x.prod(-1), "x0.prod(-1)"),
  sample("prod", [f64([4])], (x) => x.prod(0), "x0.prod(0)", second),
  sample("prod", [f32([1, 3])], (x) => x.prod(0), "x0.prod(0)"),
  sample("prod", [f32([])], (x) => x.prod(), "x0.prod()"),
  sample("prod", [f32([0, 3])], (x) => x.prod(0), "x0.prod(0)"),
  sample(
    "prod",
    [given("float32", [3, 3], [0, 2, 3, 0, 5, 0, 1, 2, 3])],
    (x) => x.prod(1),
    "x0.prod(1)",
    { note: "zeros" },
  ),
  sample("prod", [ints("int32", [2, 3], -3, 3)], (x) => x.prod(1), "x0.prod(1, dtype=torch.int32)"),
  sample("prod", [ints("int64", [2, 3], -3, 3)], (x) => x.prod(), "x0.prod()"),
  sample("prod", [given("uint32", [3], [65537, 65537, 3])], (x) => x.prod(), "x0.prod()"),
  sample("prod", [bools([3])], (x) => x.prod(), "x0.prod()"),
);

for (const [op, run] of [
  ["argmax", (x: Tensor, dim?: number) => x.argmax(dim)],
  ["argmin", (x: Tensor, dim?: number) => x.argmin(dim)],
] as const) {
  samples.push(
    sample(op, [f32([3, 4])], (x) => run(x), `x0.${op}().int()`, { grad: false }),
    sample(op, [f32([3, 4])], (x) => run(x, 0), `x0.${op}(0).int()`, { grad: false }),
    sample(op, [f64([2, 3, 2])], (x) => run(x, -2), `x0.${op}(-2).int()`, { grad: false }),
    sample(op, [ints("int32", [2, 5], -9, 9)], (x) => run(x, 1), `x0.${op}(1).int()`),
    sample(op, [given("int64", [4], [3, 1, 4, 2])], (x) => run(x, 0), `x0.${op}(0).int()`),
    sample(
      op,
      [given("float32", [2, 3], [1, 2, 2, 0, 0, 1])],
      (x) => run(x, 1),
      `x0.${op}(1).int()`,
      {
        grad: false,
        note: "ties: the first",
      },
    ),
    sample(op, [bools([5])], (x) => run(x), `x0.int().${op}().int()`),
    sample(op, [given("uint32", [3], [5, 4294967295, 1])], (x) => run(x), `x0.${op}().int()`),
    sample(op, [f32([])], (x) => run(x), `x0.${op}().int()`, { grad: false }),
    sample(op, [f32([0, 3])], (x) => run(x, 1), `x0.${op}(1).int()`, { grad: false }),
  );
}

samples.push(
  sample("cumsum", [f32([2, 3])], (x) => x.cumsum(1), "x0.cumsum(1)", second),
  sample("cumsum", [f32([2, 3, 2])], (x) => x.cumsum(-2), "x0.cumsum(-2)"),
  sample("cumsum", [f64([5])], (x) => x.cumsum(0), "x0.cumsum(0)"),
  sample("cumsum", [f32([0, 3])], (x) => x.cumsum(0), "x0.cumsum(0)"),
  sample("cumsum", [f32([1])], (x) => x.cumsum(0), "x0.cumsum(0)"),
  sample(
    "cumsum",
    [ints("int32", [2, 3], -9, 9)],
    (x) => x.cumsum(0),
    "x0.cumsum(0, dtype=torch.int32)",
  ),
  sample("cumsum", [ints("int64", [4], -9, 9)], (x) => x.cumsum(0), "x0.cumsum(0)"),
  sample("cumsum", [given("uint32", [3], [4294967295, 2, 7])], (x) => x.cumsum(0), "x0.cumsum(0)"),
  sample("cumsum", [bools([5])], (x) => x.cumsum(0), "x0.cumsum(0)"),
);

export const reduceSamples: readonly Sample[] = samples;
