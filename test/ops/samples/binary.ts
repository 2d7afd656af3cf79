/** Samples of operations with two or three operands, element by element, with broadcasting and promotion. */

import type { Tensor } from "../../../src/index.ts";
import { where } from "../../../src/index.ts";
import { intDiv } from "../../../src/ops/elementwise.ts";
import { derive } from "../../../src/tensor.ts";
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

type Binary = (a: Tensor, b: Tensor) => Tensor;
const second: Extra = { second: true };
const samples: Sample[] = [];

const SPECIAL_A = [NaN, 1, Infinity, -Infinity, Infinity, 0, 0, -1];
const SPECIAL_B = [1, NaN, Infinity, Infinity, 0, 0, -2, 0];

/** The usual samples: equal shapes, broadcasting both ways, 0-d, float64, no elements, NaN and infinities, integers. */
function usual(
  op: string,
  run: Binary,
  torch: string,
  b: readonly [number, number],
  integers = true,
): void {
  const [low, high] = b;
  samples.push(
    sample(op, [f32([2, 3]), f32([2, 3], low, high, 1)], run, torch, second),
    sample(op, [f32([2, 1, 3]), f32([4, 1], low, high, 1)], run, torch),
    sample(op, [f32([3]), f32([2, 3], low, high, 1)], run, torch),
    sample(op, [f32([1, 1]), f32([3], low, high, 1)], run, torch),
    sample(op, [f32([2, 2]), f32([], low, high, 1)], run, torch),
    sample(op, [f32([]), f32([], low, high, 1)], run, torch),
    sample(op, [f64([2, 3]), f64([3], low, high, 1)], run, torch, second),
    sample(op, [f32([0, 3]), f32([3], low, high, 1)], run, torch),
    sample(op, [f32([3]), f64([3], low, high, 1)], run, torch, { note: "mixed floats" }),
    sample(op, [ints("int32", [3], -4, 4), f32([3], low, high, 1)], run, torch),
    sample(op, [given("float32", [8], SPECIAL_A), given("float32", [8], SPECIAL_B)], run, torch, {
      grad: false,
      note: "special values",
    }),
  );
  if (!integers) return;
  samples.push(
    sample(op, [ints("int32", [2, 3], -9, 9), ints("int32", [3], 1, 5)], run, torch),
    sample(op, [ints("int64", [4], -9, 9), ints("int64", [4], 1, 5)], run, torch),
    sample(op, [ints("int32", [4], -9, 9), ints("int64", [4], 1, 5)], run, torch),
    sample(op, [ints("int32", [4], -9, 9), ints("int64", [], 1, 5)], run, torch),
  );
}

usual("add", (a, b) => a.add(b), "x0 + x1", [-2, 2]);
usual("sub", (a, b) => a.sub(b), "x0 - x1", [-2, 2]);
usual("mul", (a, b) => a.mul(b), "x0 * x1", [-2, 2]);
usual("div", (a, b) => a.div(b), "x0 / x1", [0.5, 2]);
usual("maximum", (a, b) => a.maximum(b), "torch.maximum(x0, x1)", [-2, 2]);
usual("minimum", (a, b) => a.minimum(b), "torch.minimum(x0, x1)", [-2, 2]);
usual("remainder", (a, b) => a.remainder(b), "torch.remainder(x0, x1)", [0.5, 1.5]);

const words = (...values: number[]): Input => given("uint32", [values.length], values);
samples.push(
  sample("add", [words(1, 4294967295), words(2, 3)], (a, b) => a.add(b), "x0 + x1"),
  sample("sub", [words(1, 9), words(2, 3)], (a, b) => a.sub(b), "x0 - x1"),
  sample("mul", [words(65537, 4294967295), words(65537, 3)], (a, b) => a.mul(b), "x0 * x1"),
  sample(
    "maximum",
    [words(7, 4294967295), words(9, 3)],
    (a, b) => a.maximum(b),
    "torch.maximum(x0, x1)",
  ),
  sample(
    "minimum",
    [words(7, 4294967295), words(9, 3)],
    (a, b) => a.minimum(b),
    "torch.minimum(x0, x1)",
  ),
  sample("add", [bools([2, 2]), bools([2], 1)], (a, b) => a.add(b), "x0 + x1"),
  sample("mul", [bools([4]), bools([4], 1)], (a, b) => a.mul(b), "x0 * x1"),
  sample("maximum", [bools([4]), bools([4], 1)], (a, b) => a.maximum(b), "torch.maximum(x0, x1)"),
  sample("mul", [bools([3]), f32([3])], (a, b) => a.mul(b), "x0 * x1"),
  sample("add", [bools([3]), ints("int32", [3], 0, 5)], (a, b) => a.add(b), "x0 + x1"),
  // Numbers: the tensor's dtype, or float32 for a fraction beside integers.
  sample("add", [f32([2, 2])], (a) => a.add(1.5), "x0 + 1.5"),
  sample("add", [f64([2, 2])], (a) => a.add(0.1), "x0 + 0.1"),
  sample("add", [ints("int32", [3], 0, 5)], (a) => a.add(2), "x0 + 2"),
  sample("add", [ints("int64", [3], 0, 5)], (a) => a.add(0.5), "x0 + 0.5"),
  sample("add", [bools([3])], (a) => a.add(2), "x0 + 2"),
  sample("mul", [f32([3])], (a) => a.mul(a), "x0 * x0", second),
  sample("div", [ints("int32", [3], 1, 5)], (a) => a.div(2), "x0 / 2"),
  sample("remainder", [f32([6], -5, 5)], (a) => a.remainder(1.5), "x0 % 1.5"),
  sample("remainder", [ints("int32", [6], -9, 9)], (a) => a.remainder(-4), "x0 % -4"),
  sample(
    "maximum",
    [given("float32", [4], [1, 2, 3, 3]), given("float32", [4], [1, 3, 2, 3])],
    (a, b) => a.maximum(b),
    "torch.maximum(x0, x1)",
    { note: "ties", noGradcheck: "not differentiable at ties" },
  ),
  sample(
    "minimum",
    [given("float32", [4], [1, 2, 3, 3]), given("float32", [4], [1, 3, 2, 3])],
    (a, b) => a.minimum(b),
    "torch.minimum(x0, x1)",
    { note: "ties", noGradcheck: "not differentiable at ties" },
  ),
  sample(
    "intDiv",
    [words(7, 4294967295, 65536), words(2, 65536, 65536)],
    towardsZero,
    "torch.div(x0, x1, rounding_mode='trunc')",
  ),
  sample(
    "intDiv",
    [ints("int32", [6], -9, 9), ints("int32", [6], 1, 4)],
    towardsZero,
    "torch.div(x0, x1, rounding_mode='trunc')",
  ),
  sample(
    "pow",
    [f32([2, 3], 0.3, 2), f32([2, 3], -2, 2, 1)],
    (a, b) => a.pow(b),
    "x0 ** x1",
    second,
  ),
  sample("pow", [f32([2, 1], 0.3, 2), f32([3], -2, 2, 1)], (a, b) => a.pow(b), "x0 ** x1"),
  sample("pow", [f64([4], 0.3, 2), f64([], 1, 2)], (a, b) => a.pow(b), "x0 ** x1", second),
  sample("pow", [f32([5])], (a) => a.pow(2), "x0 ** 2", second),
  sample("pow", [f32([5])], (a) => a.pow(3), "x0 ** 3", second),
  sample("pow", [f32([5], 0.2, 2)], (a) => a.pow(-0.5), "x0 ** -0.5"),
  sample("pow", [given("float32", [4], [0, 1, -2, 3])], (a) => a.pow(2), "x0 ** 2", {
    note: "zero",
    second: true,
  }),
  sample("pow", [given("float32", [3], [0, 1, -2])], (a) => a.pow(0), "x0 ** 0", {
    note: "zero exponent",
  }),
  sample(
    "pow",
    [given("float32", [3], [0, 2, 3]), given("float32", [3], [0, 0, 1.5])],
    (a, b) => a.pow(b),
    "x0 ** x1",
    {
      note: "zero base and exponent",
      noGradcheck: "not differentiable at 0",
    },
  ),
  sample(
    "pow",
    [ints("int32", [4], -3, 3), given("int32", [4], [0, 1, 2, 3])],
    (a, b) => a.pow(b),
    "x0 ** x1",
  ),
  sample("pow", [ints("int64", [4], -3, 3)], (a) => a.pow(2), "x0 ** 2"),
  ...(["maximum", "minimum"] as const).map((op) =>
    sample(
      op,
      [
        given("int64", [4], [4294967295, -4294967296, 2 ** 52 + 1, -(2 ** 51)]),
        given("int64", [4], [0, -1, 2 ** 52, 2 ** 40]),
      ],
      (a, b) => a[op](b),
      `torch.${op}(x0, x1)`,
      { note: "beyond 32 bits" },
    ),
  ),
  sample("pow", [words(3, 65537), words(2, 2)], (a, b) => a.pow(b), "x0 ** x1"),
  sample("remainder", [words(7, 4294967295), words(4, 65536)], (a, b) => a.remainder(b), "x0 % x1"),
  sample("pow", [f32([0, 2])], (a) => a.pow(2), "x0 ** 2"),
  sample(
    "pow",
    [
      given("float32", [5], [NaN, Infinity, -Infinity, -8, 0]),
      given("float32", [5], [0, 2, 3, 0.5, -1]),
    ],
    (a, b) => a.pow(b),
    "x0 ** x1",
    {
      grad: false,
      note: "special values",
    },
  ),
);

function towardsZero(a: Tensor, b: Tensor): Tensor {
  return derive([a, b], ([x, y]) => intDiv(x!, y!));
}

const compared: readonly (readonly [string, Binary, string])[] = [
  ["eq", (a, b) => a.eq(b), "x0 == x1"],
  ["lt", (a, b) => a.lt(b), "x0 < x1"],
  ["le", (a, b) => a.le(b), "x0 <= x1"],
  ["gt", (a, b) => a.gt(b), "x0 > x1"],
  ["ge", (a, b) => a.ge(b), "x0 >= x1"],
  ["eq", (a, b) => a.ne(b), "x0 != x1"],
];
const plain = { grad: false };
for (const [op, run, torch] of compared) {
  samples.push(
    sample(
      op,
      [given("float32", [2, 3], [1, 2, 3, 4, 5, 6]), given("float32", [3], [1, 5, 3])],
      run,
      torch,
      plain,
    ),
    sample(
      op,
      [given("float64", [2], [1, 2]), given("float64", [2, 1], [2, 1])],
      run,
      torch,
      plain,
    ),
    sample(
      op,
      [
        given("float32", [5], [NaN, NaN, Infinity, -Infinity, -0]),
        given("float32", [5], [NaN, 1, Infinity, Infinity, 0]),
      ],
      run,
      torch,
      { ...plain, note: "special values" },
    ),
    sample(op, [ints("int32", [5], -2, 2), ints("int32", [5], -2, 2, 1)], run, torch),
    sample(op, [ints("int64", [5], -2, 2), ints("int32", [], 0, 1)], run, torch),
    sample(op, [words(1, 4294967295, 7), words(2, 2147483648, 7)], run, torch),
    sample(op, [given("bool", [4], [0, 0, 1, 1]), given("bool", [4], [0, 1, 0, 1])], run, torch),
    sample(op, [ints("int32", [3], -2, 2), f32([3])], run, torch, plain),
    sample(op, [f32([0]), f32([1])], run, torch, plain),
  );
}

const logical: readonly (readonly [string, Binary, string])[] = [
  ["logicalAnd", (a, b) => a.logicalAnd(b), "torch.logical_and(x0, x1)"],
  ["logicalOr", (a, b) => a.logicalOr(b), "torch.logical_or(x0, x1)"],
  ["logicalOr", (a, b) => a.logicalXor(b), "torch.logical_xor(x0, x1)"],
];
for (const [op, run, torch] of logical) {
  samples.push(
    sample(op, [given("bool", [4], [0, 0, 1, 1]), given("bool", [4], [0, 1, 0, 1])], run, torch),
    sample(
      op,
      [given("bool", [2, 1], [0, 1]), given("float32", [3], [0, 0.5, NaN])],
      run,
      torch,
      plain,
    ),
    sample(op, [given("int64", [3], [0, 2, -1]), given("int32", [], [3])], run, torch),
  );
}

const choose = (c: Tensor, a: Tensor, b: Tensor): Tensor => where(c, a, b);
const CHOOSE = "torch.where(x0, x1, x2)";
samples.push(
  sample("where", [bools([2, 3]), f32([2, 3]), f32([2, 3], -2, 2, 1)], choose, CHOOSE, second),
  sample("where", [bools([2, 1, 3]), f32([4, 1]), f32([], -2, 2, 1)], choose, CHOOSE),
  sample("where", [bools([]), f64([3]), f64([2, 1], -2, 2, 1)], choose, CHOOSE),
  sample("where", [bools([4]), ints("int32", [4], 0, 9), ints("int32", [], 0, 9)], choose, CHOOSE),
  sample(
    "where",
    [bools([4]), ints("int64", [4], 0, 9), ints("int64", [4], 0, 9, 1)],
    choose,
    CHOOSE,
  ),
  sample("where", [bools([4]), bools([4], 1), bools([4], 2)], choose, CHOOSE),
  sample("where", [bools([2]), words(4294967295, 1), words(2, 4294967294)], choose, CHOOSE),
  sample("where", [bools([0, 2]), f32([2]), f32([1], -2, 2, 1)], choose, CHOOSE),
  sample(
    "where",
    [
      given("bool", [3], [1, 0, 1]),
      given("float32", [3], [1, NaN, 3]),
      given("float32", [3], [NaN, 2, Infinity]),
    ],
    choose,
    CHOOSE,
    {
      note: "what is not chosen does not spread",
      noGradcheck: "not finite",
    },
  ),
  sample(
    "where",
    [bools([4]), f32([4])],
    (c, a) => where(c, a, -Infinity),
    "torch.where(x0, x1, float('-inf'))",
    {
      noGradcheck: "not finite",
    },
  ),
  sample(
    "where",
    [bools([2, 3]), f32([2, 3])],
    (m, x) => x.maskedFill(m, 7),
    "x1.masked_fill(x0, 7)",
  ),
  sample("where", [bools([4])], (c) => where(c, 1, 2), "torch.where(x0, 1, 2)"),
  sample("where", [bools([4])], (c) => where(c, 1, 0.5), "torch.where(x0, 1.0, 0.5)"),
  sample("where", [ints("int32", [6], -9, 9)], (x) => x.clamp(-3), "x0.clamp(min=-3)"),
);

const casts: readonly (readonly ["float32" | "float64" | "int32" | "int64" | "bool", string])[] = [
  ["float32", "torch.float32"],
  ["float64", "torch.float64"],
  ["int32", "torch.int32"],
  ["int64", "torch.int64"],
  ["bool", "torch.bool"],
];
for (const [dtype, torch] of casts) {
  const run = (x: Tensor): Tensor => x.cast(dtype);
  for (const input of [
    given("float32", [2, 2], [-1.5, 0, 2.5, 0.25]),
    given("float64", [3], [-1.5, 0, 1e6]),
    given("int32", [3], [-5, 0, 2147483647]),
    given("int64", [3], [-5, 0, 16777217]),
    given("bool", [2], [0, 1]),
    given("uint32", [2], [0, 7]),
  ])
    samples.push(
      sample("cast", [input], run, `x0.to(${torch})`, {
        ...(input.dtype.startsWith("float") && dtype.startsWith("float")
          ? { noGradcheck: "rounds" }
          : { grad: false }),
      }),
    );
}
samples.push(
  sample(
    "cast",
    [f32([5], -9, 9)],
    (x) => x.cast("float16").cast("float32"),
    "x0.to(torch.float16).to(torch.float32)",
    {
      noGradcheck: "rounds",
    },
  ),
  sample(
    "cast",
    [given("int64", [3], [1, 4294967295, 4294967296])],
    (x) => x.cast("uint32"),
    "x0 & 0xFFFFFFFF",
    {
      note: "keeps the low bits",
    },
  ),
  sample(
    "cast",
    [given("float32", [3], [NaN, Infinity, -Infinity])],
    (x) => x.cast("bool"),
    "x0.to(torch.bool)",
    {
      grad: false,
      note: "special values",
    },
  ),
);

export const binarySamples: readonly Sample[] = samples;
