/** Samples of operations that write at positions given by tensors. */

import type { Tensor } from "../../../src/index.ts";
import {
  bools,
  f32,
  f64,
  given,
  ints,
  sample,
  type Extra,
  type Input,
  type Sample,
} from "../sample.ts";

const second: Extra = { second: true };
const at = (shape: readonly number[], values: readonly number[]): Input =>
  given("int32", shape, values);
const samples: Sample[] = [];

const index = at([2, 3], [0, 2, 1, 1, 0, 2]);
const meeting = at([2, 3], [0, 0, 2, 0, 2, 2]);
const src = f32([2, 3], -2, 2, 1);

samples.push(
  sample(
    "scatter",
    [f32([3, 3]), index, src],
    (x, i, s) => x.scatter(0, i, s),
    "x0.scatter(0, x1.long(), x2)",
    second,
  ),
  sample(
    "scatter",
    [f32([2, 4]), index, f32([3, 4], -2, 2, 1)],
    (x, i, s) => x.scatter(-1, i, s),
    "x0.scatter(-1, x1.long(), x2)",
    // PyTorch has no gradient for a source larger than the index.
    { grad: false },
  ),
  sample(
    "scatter",
    [f64([2, 4]), index],
    (x, i) => x.scatter(1, i, 1.5),
    "x0.scatter(1, x1.long(), 1.5)",
    second,
  ),
  sample(
    "scatter",
    [f32([3]), at([0], [])],
    (x, i) => x.scatter(0, i, 1),
    "x0.scatter(0, x1.long(), 1)",
  ),
);
for (const [x, s] of [
  [ints("int32", [4], 0, 9), ints("int32", [2], 0, 9)],
  [ints("int64", [4], 0, 9), ints("int64", [2], 0, 9)],
  [ints("uint32", [4], 0, 9), ints("uint32", [2], 0, 9)],
  [bools([4]), bools([2], 1)],
] as const)
  samples.push(
    sample(
      "scatter",
      [x, at([2], [3, 1]), s],
      (a, i, b) => a.scatter(0, i, b),
      "x0.scatter(0, x1.long(), x2)",
    ),
  );

for (const reduce of ["sum", "prod", "mean", "amax", "amin"] as const)
  for (const includeSelf of [true, false]) {
    const self = includeSelf ? "True" : "False";
    samples.push(
      sample(
        "scatterReduce",
        [f32([3, 3]), meeting, src],
        (x, i, s) => x.scatterReduce(0, i, s, reduce, { includeSelf }),
        `x0.scatter_reduce(0, x1.long(), x2, "${reduce}", include_self=${self})`,
        second,
      ),
      sample(
        "scatterReduce",
        [f64([2, 4]), at([2, 3], [3, 3, 0, 1, 1, 1]), f64([2, 3], -2, 2, 1)],
        (x, i, s) => x.scatterReduce(1, i, s, reduce, { includeSelf }),
        `x0.scatter_reduce(1, x1.long(), x2, "${reduce}", include_self=${self})`,
      ),
    );
    if (reduce !== "mean")
      samples.push(
        sample(
          "scatterReduce",
          [ints("int32", [3], -9, 9), at([4], [0, 0, 2, 2]), ints("int32", [4], -9, 9)],
          (x, i, s) => x.scatterReduce(0, i, s, reduce, { includeSelf }),
          `x0.scatter_reduce(0, x1.long(), x2, "${reduce}", include_self=${self})`,
        ),
      );
  }

const reduced =
  (reduce: "prod" | "amax") =>
  (x: Tensor, i: Tensor, s: Tensor): Tensor =>
    x.scatterReduce(0, i, s, reduce);
const REDUCED = (reduce: string): string => `x0.scatter_reduce(0, x1.long(), x2, "${reduce}")`;

samples.push(
  sample(
    "scatterReduce",
    [
      given("float32", [4], [0, 2, 3, 4]),
      at([5], [0, 1, 1, 2, 2]),
      given("float32", [5], [3, 0, 5, 0, 0]),
    ],
    reduced("prod"),
    REDUCED("prod"),
    { note: "zeros" },
  ),
  sample(
    "scatterReduce",
    [given("float32", [3], [1, 5, 3]), at([4], [0, 0, 1, 1]), given("float32", [4], [1, 1, 5, 4])],
    reduced("amax"),
    REDUCED("amax"),
    { note: "ties", noGradcheck: "a kink" },
  ),
  sample(
    "indexAdd",
    [f32([3, 2]), at([4], [0, 2, 0, 1]), f32([4, 2], -2, 2, 1)],
    (x, i, s) => x.indexAdd(0, i, s, { alpha: 0.5 }),
    "x0.index_add(0, x1.long(), x2, alpha=0.5)",
    second,
  ),
  sample(
    "indexAdd",
    [ints("int32", [2, 3], 0, 9), at([2], [2, 2]), ints("int32", [2, 2], 0, 9)],
    (x, i, s) => x.indexAdd(-1, i, s),
    "x0.index_add(-1, x1.long(), x2)",
  ),
  sample(
    "indexCopy",
    [f32([3, 2]), at([2], [2, 0]), f32([2, 2], -2, 2, 1)],
    (x, i, s) => x.indexCopy(0, i, s),
    "x0.index_copy(0, x1.long(), x2)",
    second,
  ),
  sample(
    "indexCopy",
    [f64([2, 3, 2]), at([2], [1, 0]), f64([2, 2, 2], -2, 2, 1)],
    (x, i, s) => x.indexCopy(1, i, s),
    "x0.index_copy(1, x1.long(), x2)",
  ),
  sample(
    "indexCopy",
    [f32([2, 2, 3, 2]), at([1], [2]), f32([2, 2, 1, 2], -2, 2, 1)],
    (x, i, s) => x.indexCopy(2, i, s),
    "x0.index_copy(2, x1.long(), x2)",
    second,
  ),
  sample(
    "indexCopy",
    [f32([2, 3]), at([2], [2, 0]), f32([2, 2], -2, 2, 1)],
    (x, i, s) => x.indexCopy(-1, i, s),
    "x0.index_copy(-1, x1.long(), x2)",
    second,
  ),
  sample(
    "indexCopy",
    [ints("bool", [3, 2], 0, 1), at([1], [1]), ints("bool", [1, 2], 0, 1)],
    (x, i, s) => x.indexCopy(0, i, s),
    "x0.index_copy(0, x1.long(), x2)",
  ),
  sample(
    "indexFill",
    [f32([3, 2]), at([2], [2, 0])],
    (x, i) => x.indexFill(0, i, -1),
    "x0.index_fill(0, x1.long(), -1)",
    second,
  ),
  sample(
    "indexFill",
    [f32([2, 3]), at([2], [2, 2]), f32([])],
    (x, i, v) => x.indexFill(1, i, v),
    "x0.index_fill(1, x1.long(), x2)",
    second,
  ),
);

export const scatteringSamples: readonly Sample[] = samples;
