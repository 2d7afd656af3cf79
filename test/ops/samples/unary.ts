/** Samples of operations with one operand, element by element. */

import type { Tensor } from "../../../src/index.ts";
import { f32, f64, given, ints, sample, type Extra, type Sample } from "../sample.ts";

interface Rule {
  readonly op: string;
  readonly run: (x: Tensor) => Tensor;
  readonly torch: string;
  readonly low?: number;
  readonly high?: number;
  readonly extra?: Extra;
  /** Values whose result, infinite or no number, must be PyTorch's; null where there are none to compare. */
  readonly special?: readonly number[] | null;
  readonly integers?: boolean;
}

const EDGES = [NaN, Infinity, -Infinity, 0, 1, -1, 1e30, -1e30];
const second: Extra = { second: true };

const rules: readonly Rule[] = [
  { op: "neg", run: (x) => x.neg(), torch: "-x0", extra: second, integers: true },
  { op: "abs", run: (x) => x.abs(), torch: "x0.abs()", extra: second, integers: true },
  {
    op: "sign",
    run: (x) => x.sign(),
    torch: "x0.sign()",
    integers: true,
    special: [NaN, Infinity, -Infinity, 0, -0, 2],
  },
  { op: "exp", run: (x) => x.exp(), torch: "x0.exp()", extra: second },
  { op: "log", run: (x) => x.log(), torch: "x0.log()", low: 0.1, high: 4, extra: second },
  { op: "log1p", run: (x) => x.log1p(), torch: "x0.log1p()", low: -0.8, high: 3, extra: second },
  { op: "expm1", run: (x) => x.expm1(), torch: "x0.expm1()", extra: second },
  { op: "sqrt", run: (x) => x.sqrt(), torch: "x0.sqrt()", low: 0.2, high: 4, extra: second },
  {
    op: "reciprocal",
    run: (x) => x.reciprocal(),
    torch: "x0.reciprocal()",
    low: 0.3,
    high: 3,
    extra: second,
  },
  {
    op: "sin",
    run: (x) => x.sin(),
    torch: "x0.sin()",
    extra: second,
    special: [NaN, Infinity, 0, 1],
  },
  {
    op: "cos",
    run: (x) => x.cos(),
    torch: "x0.cos()",
    extra: second,
    special: [NaN, Infinity, 0, 1],
  },
  {
    op: "tan",
    run: (x) => x.tan(),
    torch: "x0.tan()",
    low: -1.2,
    high: 1.2,
    extra: second,
    special: [NaN, 0],
  },
  {
    op: "asin",
    run: (x) => x.asin(),
    torch: "x0.asin()",
    low: -0.9,
    high: 0.9,
    extra: second,
    special: [NaN, 2, 1, -1],
  },
  {
    op: "acos",
    run: (x) => x.acos(),
    torch: "x0.acos()",
    low: -0.9,
    high: 0.9,
    extra: second,
    special: [NaN, 2, 1, -1],
  },
  { op: "atan", run: (x) => x.atan(), torch: "x0.atan()", extra: second },
  { op: "sinh", run: (x) => x.sinh(), torch: "x0.sinh()", extra: second },
  { op: "cosh", run: (x) => x.cosh(), torch: "x0.cosh()", extra: second },
  {
    op: "asinh",
    run: (x) => x.asinh(),
    torch: "x0.asinh()",
    extra: second,
    special: [NaN, Infinity, -Infinity, 0, 1e10],
  },
  {
    op: "acosh",
    run: (x) => x.acosh(),
    torch: "x0.acosh()",
    low: 1.2,
    high: 4,
    extra: second,
    special: [NaN, Infinity, 1, 0.5],
  },
  {
    op: "atanh",
    run: (x) => x.atanh(),
    torch: "x0.atanh()",
    low: -0.9,
    high: 0.9,
    extra: second,
    special: [NaN, 1, -1, 2],
  },
  { op: "tanh", run: (x) => x.tanh(), torch: "x0.tanh()", extra: second },
  {
    op: "sigmoid",
    run: (x) => x.sigmoid(),
    torch: "x0.sigmoid()",
    low: -6,
    high: 6,
    extra: second,
  },
  { op: "erf", run: (x) => x.erf(), torch: "x0.erf()", extra: second },
  { op: "relu", run: (x) => x.relu(), torch: "x0.relu()", extra: second, integers: true },
  { op: "floor", run: (x) => x.floor(), torch: "x0.floor()", low: -5, high: 5 },
  { op: "ceil", run: (x) => x.ceil(), torch: "x0.ceil()", low: -5, high: 5 },
  {
    op: "round",
    run: (x) => x.round(),
    torch: "x0.round()",
    low: -5,
    high: 5,
    special: [NaN, Infinity, -Infinity, 0.5, 1.5, 2.5, -0.5, -1.5, 8388609, 1e30],
  },
];

const samples: Sample[] = [];
for (const { op, run, torch, low, high, extra = {}, special = EDGES, integers = false } of rules) {
  samples.push(
    sample(op, [f32([2, 3], low, high)], run, torch, extra),
    sample(op, [f64([5], low, high)], run, torch, extra),
    sample(op, [f32([], low, high)], run, torch),
    sample(op, [f32([0, 3], low, high)], run, torch),
  );
  if (special !== null)
    samples.push(
      sample(op, [given("float32", [special.length], special)], run, torch, {
        grad: false,
        note: "special values",
      }),
      sample(op, [given("float64", [special.length], special)], run, torch, {
        grad: false,
        note: "special values",
      }),
    );
  if (integers)
    samples.push(
      sample(op, [ints("int32", [5], -9, 9)], run, torch),
      sample(op, [ints("int64", [5], -9, 9)], run, torch),
    );
}

samples.push(
  // Integers become float32.
  sample("exp", [ints("int32", [4], -3, 3)], (x) => x.exp(), "x0.exp()"),
  sample("tanh", [ints("int64", [4], -3, 3)], (x) => x.tanh(), "x0.tanh()"),
  sample("sqrt", [given("bool", [2], [0, 1])], (x) => x.sqrt(), "x0.sqrt()"),
  sample("neg", [given("uint32", [3], [0, 1, 4294967295])], (x) => x.neg(), "-x0"),
  sample("relu", [given("int64", [3], [4294967295, -1, 2 ** 40])], (x) => x.relu(), "x0.relu()"),
  ...(["abs", "neg", "sign"] as const).map((op) =>
    sample(
      op,
      [given("int64", [4], [4294967295, -4294967296, 2 ** 52 + 1, -(2 ** 51)])],
      (x) => x[op](),
      op === "neg" ? "-x0" : `x0.${op}()`,
      { note: "beyond 32 bits" },
    ),
  ),
  sample("sign", [given("uint32", [3], [0, 1, 4294967295])], (x) => x.sign(), "x0.sign()"),
  sample("relu", [given("uint32", [2], [0, 4294967295])], (x) => x.relu(), "x0.relu()"),
  // Small arguments, where log(1 + x) and exp(x) − 1 lose all digits.
  sample(
    "log1p",
    [given("float32", [4], [1e-6, -1e-6, 1e-12, 3e-4])],
    (x) => x.log1p(),
    "x0.log1p()",
    {
      note: "small",
      noGradcheck: "steps are larger than the arguments",
    },
  ),
  sample(
    "expm1",
    [given("float32", [5], [1e-6, -1e-6, 1e-12, 3e-4, -30])],
    (x) => x.expm1(),
    "x0.expm1()",
    {
      note: "small",
      noGradcheck: "steps are larger than the arguments",
    },
  ),
  sample("abs", [given("float32", [3], [0, -1, 2])], (x) => x.abs(), "x0.abs()", {
    note: "kink",
    noGradcheck: "not differentiable at 0",
  }),
  sample("relu", [given("float32", [3], [0, -1, 2])], (x) => x.relu(), "x0.relu()", {
    note: "kink",
    noGradcheck: "not differentiable at 0",
  }),
  sample("sqrt", [f32([2, 2], 0.5, 3)], (x) => x.rsqrt(), "x0.rsqrt()", second),
  sample("isNaN", [given("float32", [4], [NaN, 0, Infinity, -1])], (x) => x.isNaN(), "x0.isnan()", {
    grad: false,
  }),
  sample(
    "isNaN",
    [given("float64", [2, 2], [NaN, 0, Infinity, -1])],
    (x) => x.isNaN(),
    "x0.isnan()",
    { grad: false },
  ),
  sample("isNaN", [ints("int32", [2], 0, 3)], (x) => x.isNaN(), "x0.isnan()"),
  sample(
    "isInf",
    [given("float32", [4], [NaN, 0, Infinity, -Infinity])],
    (x) => x.isInf(),
    "x0.isinf()",
    { grad: false },
  ),
  sample("isInf", [given("float64", [], [-Infinity])], (x) => x.isInf(), "x0.isinf()", {
    grad: false,
  }),
  sample("isInf", [ints("int64", [2], 0, 3)], (x) => x.isInf(), "x0.isinf()"),
  sample("logicalNot", [given("bool", [2], [1, 0])], (x) => x.logicalNot(), "x0.logical_not()"),
  sample(
    "logicalNot",
    [given("float32", [4], [0, 0.5, -1, NaN])],
    (x) => x.logicalNot(),
    "x0.logical_not()",
    { grad: false },
  ),
  sample("logicalNot", [given("int64", [2, 1], [0, 7])], (x) => x.logicalNot(), "x0.logical_not()"),
);

export const unarySamples: readonly Sample[] = samples;
