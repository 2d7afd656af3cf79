/** Samples of operations that read and add at positions given by tensors. */

import type { Tensor } from "../../../src/index.ts";
import { f32, f64, given, ints, sample, type Extra, type Input, type Sample } from "../sample.ts";

const second: Extra = { second: true };
const at = (shape: readonly number[], values: readonly number[]): Input =>
  given("int64", shape, values);

const gather = (dim: number) => (x: Tensor, index: Tensor) => x.gather(dim, index);
const scatter = (dim: number) => (x: Tensor, index: Tensor, src: Tensor) =>
  x.scatterAdd(dim, index, src);
const select = (dim: number) => (x: Tensor, index: Tensor) => x.indexSelect(dim, index);
const topk =
  (k: number, options?: { dim?: number; largest?: boolean }) =>
  (x: Tensor): Tensor[] => {
    const { values, indices } = x.topk(k, options);
    return [values, indices];
  };
const TOPK = (args: string): string => `(lambda r: (r.values, r.indices.int()))(x0.topk(${args}))`;

export const indexingSamples: readonly Sample[] = [
  sample(
    "gather",
    [f32([3, 4]), at([2, 4], [0, 2, 1, 0, 2, 2, 0, 1])],
    gather(0),
    "x0.gather(0, x1)",
    second,
  ),
  sample("gather", [f32([3, 4]), at([3, 2], [0, 3, 1, 1, 2, 0])], gather(-1), "x0.gather(-1, x1)"),
  sample(
    "gather",
    [f64([2, 3]), at([2, 5], [0, 0, 0, 2, 2, 1, 1, 1, 1, 1])],
    gather(1),
    "x0.gather(1, x1)",
  ),
  sample(
    "gather",
    [f32([5]), given("int32", [3], [4, 0, 4])],
    gather(0),
    "x0.gather(0, x1.long())",
  ),
  sample("gather", [f32([2, 2, 3]), at([1, 2, 2], [0, 2, 1, 0])], gather(2), "x0.gather(2, x1)"),
  sample("gather", [f32([2, 3]), at([0, 3], [])], gather(0), "x0.gather(0, x1)"),
  sample("gather", [ints("int64", [4], -9, 9), at([2], [3, 1])], gather(0), "x0.gather(0, x1)"),
  sample("gather", [ints("int32", [4], -9, 9), at([2], [3, 1])], gather(0), "x0.gather(0, x1)"),
  sample("gather", [given("bool", [3], [1, 0, 0]), at([2], [0, 1])], gather(0), "x0.gather(0, x1)"),
  sample("gather", [ints("uint32", [4], 0, 9), at([2], [3, 1])], gather(0), "x0.gather(0, x1)"),
  sample(
    "scatterAdd",
    [f32([3, 3]), at([2, 3], [0, 0, 0, 2, 0, 2]), f32([2, 3], -2, 2, 1)],
    scatter(0),
    "x0.scatter_add(0, x1, x2)",
    second,
  ),
  sample(
    "scatterAdd",
    [f32([2, 3]), at([2, 4], [0, 0, 1, 1, 2, 2, 2, 2]), f32([2, 4], -2, 2, 1)],
    scatter(-1),
    "x0.scatter_add(-1, x1, x2)",
  ),
  sample(
    "scatterAdd",
    [f64([4]), at([3], [3, 3, 0]), f64([3], -2, 2, 1)],
    scatter(0),
    "x0.scatter_add(0, x1, x2)",
  ),
  sample(
    "scatterAdd",
    [f32([4]), given("int32", [3], [3, 3, 0]), f32([3], -2, 2, 1)],
    scatter(0),
    "x0.scatter_add(0, x1.long(), x2)",
  ),
  sample("scatterAdd", [f32([4]), at([0], []), f32([0])], scatter(0), "x0.scatter_add(0, x1, x2)"),
  sample(
    "scatterAdd",
    [ints("int32", [4], 0, 9), at([3], [3, 3, 0]), ints("int32", [3], 0, 9)],
    scatter(0),
    "x0.scatter_add(0, x1, x2)",
  ),
  sample(
    "scatterAdd",
    [ints("int64", [4], 0, 9), at([3], [3, 3, 0]), ints("int64", [3], 0, 9)],
    scatter(0),
    "x0.scatter_add(0, x1, x2)",
  ),
  sample(
    "indexSelect",
    [f32([4, 3]), at([3], [2, 0, 2])],
    select(0),
    "x0.index_select(0, x1)",
    second,
  ),
  sample(
    "indexSelect",
    [f32([2, 4]), at([5], [3, 3, 0, 1, 3])],
    select(-1),
    "x0.index_select(-1, x1)",
  ),
  sample(
    "indexSelect",
    [f32([2, 3, 2]), at([2], [1, 1])],
    select(1),
    "x0.index_select(1, x1)",
    second,
  ),
  sample("indexSelect", [f32([5, 2]), at([2, 3], [4, 0, 0, 1, 4, 4])], select(0), "x0[x1]"),
  sample("indexSelect", [f32([2, 3]), at([2, 2], [2, 0, 1, 2])], select(1), "x0[:, x1]"),
  sample("indexSelect", [f32([4]), at([], [2])], select(0), "x0[x1]"),
  sample(
    "indexSelect",
    [f64([4, 2]), given("int32", [3], [1, 1, 1])],
    select(0),
    "x0.index_select(0, x1)",
  ),
  sample("indexSelect", [f32([4, 2]), at([0], [])], select(0), "x0.index_select(0, x1)"),
  sample(
    "indexSelect",
    [ints("int64", [4], 0, 9), at([2], [3, 0])],
    select(0),
    "x0.index_select(0, x1)",
  ),
  sample(
    "indexSelect",
    [ints("uint32", [4], 0, 9), at([2], [3, 0])],
    select(0),
    "x0.index_select(0, x1)",
  ),
  // indexAdd is the gradient of a selection: its values are first derivatives, its own gradient second ones.
  sample(
    "indexAdd",
    [f32([5, 2]), at([4], [4, 0, 0, 4])],
    (x, i) => x.square().indexSelect(0, i),
    "(x0 * x0)[x1]",
    second,
  ),
  sample(
    "indexAdd",
    [f64([3, 2]), at([4], [2, 0, 0, 1])],
    (x, i) => x.square().indexSelect(0, i),
    "(x0 * x0)[x1]",
    second,
  ),
  sample("topk", [f32([2, 5])], topk(2), TOPK("2"), second),
  sample("topk", [f32([4, 3])], topk(3, { dim: 0, largest: false }), TOPK("3, 0, False")),
  sample("topk", [f64([5])], topk(1), TOPK("1")),
  sample("topk", [f32([3])], topk(3), TOPK("3")),
  sample("topk", [f32([2, 3])], topk(0), TOPK("0"), { grad: false }),
  sample("topk", [given("uint32", [4], [7, 4294967295, 1, 9])], topk(2), TOPK("2")),
  sample(
    "topk",
    [given("int64", [4], [4294967295, 0, -4294967296, 2 ** 52 + 1])],
    topk(3),
    TOPK("3"),
    { note: "beyond 32 bits" },
  ),
  sample("topk", [given("int32", [5], [3, 1, 4, 5, 9])], topk(2), TOPK("2")),
  sample("topk", [f32([])], topk(1), TOPK("1")),
  ...[true, false].map((largest) =>
    sample(
      "topk",
      [given("float32", [6], [3, NaN, 1, Infinity, -Infinity, 2])],
      topk(5, { largest }),
      TOPK(`5, largest=${largest ? "True" : "False"}`),
      { grad: false, note: "special values" },
    ),
  ),
  sample(
    "topk",
    [given("int64", [5], [3, 1, 4, 5, 9])],
    topk(2, { largest: false }),
    TOPK("2, largest=False"),
  ),
];
