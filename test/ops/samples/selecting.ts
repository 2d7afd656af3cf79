/** Samples of Python's indexing, reading and writing, and of choices at positions given by tensors. */

import type { Index, Tensor } from "../../../src/index.ts";
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
const i32 = (values: readonly number[], shape = [values.length]): Input =>
  given("int32", shape, values);

const at =
  (...index: Index[]) =>
  (x: Tensor): Tensor =>
    x.at(...index);
const one = i32([0, 2, -1]);

/** x.at(…) of one tensor against PyTorch's x0[…]. */
const reads = (shape: readonly number[], index: Index[], torch: string, extra?: Extra): Sample =>
  sample("at", [f32(shape)], at(...index), `x0[${torch}]`, extra);

/** x.at(…) with the further inputs as index tensors, put in place of "a" and "b". */
const picks = (
  shape: readonly number[],
  tensors: readonly Input[],
  index: readonly Index[],
  torch: string,
  extra?: Extra,
): Sample =>
  sample(
    "at",
    [f32(shape), ...tensors],
    (x, a, b) => x.at(...index.map((item) => (item === "a" ? a : item === "b" ? b : item))),
    `x0[${torch.replace("a", "x1.long()").replace("b", "x2.long()")}]`,
    extra,
  );

const WRITE = (target: string, value: string): string =>
  `(lambda y, i, v: (y.__setitem__(i, v), y)[1])(x0.clone(), ${target}, ${value})`;

export const selectingSamples: readonly Sample[] = [
  reads([3, 4], [1], "1"),
  reads([3, 4], [-1, 0], "-1, 0", second),
  reads([3, 4], [], "()"),
  reads([], ["..."], "..."),
  reads([], [null], "None"),
  reads([3, 4], ["1:", ":-1"], "1:, :-1", second),
  reads([5, 2], ["::2"], "::2"),
  reads([5, 2], [{ start: -4, stop: 9, step: 3 }], "-4:9:3"),
  reads([5], [" 3 : 1 "], "3:1"),
  sample("at", [f32([5])], at("::-1"), "x0.flip(0)", second),
  sample("at", [f32([5, 2])], at("3:0:-2", 1), "x0.flip(0)[1:4:2, 1]", second),
  reads([2, 3, 4], ["...", 0], "..., 0"),
  reads([2, 3, 4], [1, "...", "1:3"], "1, ..., 1:3"),
  reads([2, 3], [null, "...", null], "None, ..., None"),
  reads([2, 3], [":", null, 1], ":, None, 1", second),
  reads([3, 0], [":", "..."], ":, ..."),
  sample("at", [bools([3, 2])], at("1:", 0), "x0[1:, 0]"),
  sample("at", [ints("int32", [3, 2], 0, 9)], at(-1), "x0[-1]"),
  reads([3, 4], [[2, 0, -1]], "[2, 0, -1]", second),
  reads([3, 4], [":", [1, 1]], ":, [1, 1]", second),
  reads(
    [3, 4],
    [
      [0, -1],
      [3, 1],
    ],
    "[0, -1], [3, 1]",
    second,
  ),
  reads([3, 4], [[]], "torch.zeros(0, dtype=torch.long)"),
  picks([3, 4], [one], ["a"], "a", second),
  picks([3, 4], [i32([1], [])], ["a"], "a"),
  picks([3, 4], [i32([-1], [])], [":", "a"], ":, a", second),
  picks([3, 4], [i32([0, 2, 1, 1], [2, 2])], ["a", "1:"], "a, 1:"),
  picks([3, 4], [i32([0, 2, 1, 1], [2, 2])], [1, "a"], "1, a"),
  picks([2, 3, 4], [i32([0, 1])], [0, ":", "a"], "0, :, a"),
  picks([2, 3, 4], [i32([0, 1]), i32([2, -3])], ["a", "b"], "a, b", second),
  picks([2, 3, 4], [i32([0, 1]), i32([2, -3])], [":", "a", "b"], ":, a, b"),
  picks([2, 3, 4], [i32([0, 1]), i32([2, -3])], ["a", ":", "b"], "a, :, b", second),
  picks([2, 3, 4], [i32([0, 1], [2, 1]), i32([2, 1, 0])], ["a", "b"], "a, b"),
  picks([2, 3, 4], [i32([1], []), i32([2, 1])], ["a", ":", "b"], "a, :, b"),
  picks([2, 3, 4], [i32([1], []), i32([2, 1])], [":", "a", "b"], ":, a, b"),
  picks([2, 3, 4], [i32([0, 1]), i32([2, 1])], [null, "a", "...", "b"], "None, a, ..., b"),
  picks([2, 3, 4], [i32([0, 1]), i32([2, 1])], ["a", null, "b"], "a, None, b"),
  picks([3, 4], [i32([0, 1]), i32([2, 1])], ["a", "b", null], "a, b, None"),
  sample(
    "at",
    [f64([3, 4]), given("int64", [2], [-1, 0]), given("int64", [2], [3, -4])],
    (x, a, b) => x.at(a, b),
    "x0[x1, x2]",
  ),

  // ---- writing ---------------------------------------------------------------------------------------------------
  sample(
    "setAt",
    [f32([3, 4]), f32([2])],
    (x, v) => x.setAt([1, "1:3"], v),
    WRITE("(1, slice(1, 3))", "x1"),
    second,
  ),
  sample("setAt", [f32([3, 4])], (x) => x.setAt([-1], 7), WRITE("-1", "7"), second),
  sample("setAt", [f32([2])], (x) => x.setAt(["..."], 7), WRITE("...", "7")),
  sample("setAt", [f32([]), f32([])], (x, v) => x.setAt([], v), WRITE("()", "x1")),
  sample(
    "setAt",
    [f32([3, 4]), f32([4])],
    (x, v) => x.setAt(["1:"], v),
    WRITE("slice(1, None)", "x1"),
  ),
  sample(
    "setAt",
    [f32([3, 4]), f32([1, 1, 4])],
    (x, v) => x.setAt(["1:"], v),
    WRITE("slice(1, None)", "x1"),
  ),
  sample(
    "setAt",
    [f32([5, 2]), f32([3, 1])],
    (x, v) => x.setAt(["::2"], v),
    WRITE("slice(None, None, 2)", "x1"),
    second,
  ),
  sample(
    "setAt",
    [f32([4]), f32([4], -2, 2, 1)],
    (x, v) => x.setAt(["::-1"], v),
    "x1.flip(0) + 0 * x0",
  ),
  sample(
    "setAt",
    [f32([2, 3]), f32([2, 1])],
    (x, v) => x.setAt([":", null, 1], v),
    WRITE("(slice(None), None, 1)", "x1"),
  ),
  sample("setAt", [f32([3, 2])], (x) => x.setAt(["3:"], 1), WRITE("slice(3, None)", "1")),
  sample(
    "setAt",
    [ints("int32", [3, 2], 0, 9), f32([2])],
    (x, v) => x.setAt([0], v),
    WRITE("0", "x1"),
    { grad: false },
  ),
  sample(
    "setAt",
    [bools([3]), bools([], 1)],
    (x, v) => x.setAt(["1:"], v),
    WRITE("slice(1, None)", "x1"),
  ),
  sample(
    "setAt",
    [f32([3, 4]), i32([2, 0]), f32([2, 4])],
    (x, i, v) => x.setAt([i], v),
    WRITE("x1.long()", "x2"),
    second,
  ),
  sample(
    "setAt",
    [f32([3, 4]), i32([2, 0]), i32([-1, 1]), f32([2])],
    (x, i, j, v) => x.setAt([i, j], v),
    WRITE("(x1.long(), x2.long())", "x3"),
    second,
  ),
  sample(
    "setAt",
    [f32([3, 4]), i32([2, 0]), f32([3, 2])],
    (x, i, v) => x.setAt([":", i], v),
    WRITE("(slice(None), x1.long())", "x2"),
  ),
  sample(
    "setAt",
    [f32([3, 4]), i32([1, 1, 0]), f32([3, 4])],
    (x, i, v) => x.setAt([i], v, { accumulate: true }),
    "x0.index_put((x1.long(),), x2, accumulate=True)",
    second,
  ),
  sample(
    "setAt",
    [f32([3, 4]), f32([4])],
    (x, v) => x.setAt([1], v, { accumulate: true }),
    "x0.index_put((torch.tensor(1),), x1, accumulate=True)",
  ),
  sample(
    "setAt",
    [f32([2, 3]), bools([2, 3])],
    (x, m) => x.setAt([m], -1),
    WRITE("x1", "-1"),
    second,
  ),
  sample(
    "setAt",
    [f32([3, 2]), given("bool", [3], [1, 0, 1]), f32([2])],
    (x, m, v) => x.setAt([m], v),
    WRITE("x1", "x2"),
    second,
  ),
  sample(
    "setAt",
    [f32([2, 3, 2]), given("bool", [3], [1, 0, 1]), f32([])],
    (x, m, v) => x.setAt([":", m, "..."], v),
    WRITE("(slice(None), x1, ...)", "x2"),
  ),

  sample(
    "maskedScatter",
    [f32([2, 3]), given("bool", [2, 3], [0, 1, 1, 0, 0, 1]), f32([4], -2, 2, 1)],
    (x, m, s) => x.maskedScatter(m, s),
    "x0.masked_scatter(x1, x2)",
    second,
  ),
  sample(
    "maskedScatter",
    [f32([2, 3]), given("bool", [3], [1, 0, 1]), f32([2, 2], -2, 2, 1)],
    (x, m, s) => x.maskedScatter(m, s),
    "x0.masked_scatter(x1, x2)",
  ),

  sample(
    "maskedFill",
    [f32([2, 3]), given("bool", [3], [1, 0, 1]), f32([], -2, 2, 1)],
    (x, m, v) => x.maskedFill(m, v),
    "x0.masked_fill(x1, x2)",
    second,
  ),

  // ---- by tensors ------------------------------------------------------------------------------------------------
  sample(
    "take",
    [f32([2, 3]), i32([5, 0, -1, 0], [2, 2])],
    (x, i) => x.take(i),
    "x0.take(x1.long())",
    second,
  ),
  sample("take", [f32([4]), i32([], [0])], (x, i) => x.take(i), "x0.take(x1.long())"),
  sample(
    "takeAlongDim",
    [f32([3, 4]), i32([2, 0, 1], [3, 1])],
    (x, i) => x.takeAlongDim(i, 1),
    "x0.take_along_dim(x1.long(), 1)",
    second,
  ),
  sample(
    "takeAlongDim",
    [f32([1, 4]), i32([2, 0, 1], [3, 1])],
    (x, i) => x.takeAlongDim(i, -1),
    "x0.take_along_dim(x1.long(), -1)",
  ),
  sample(
    "takeAlongDim",
    [f32([2, 2]), i32([3, 0, 0])],
    (x, i) => x.takeAlongDim(i),
    "x0.take_along_dim(x1.long())",
  ),
];
