/** Samples of functions of one number beyond the elementary ones. */

import type { Tensor } from "../../../src/index.ts";
import { bools, f32, f64, given, ints, sample, type Extra, type Sample } from "../sample.ts";

interface Rule {
  readonly op: string;
  readonly run: (x: Tensor) => Tensor;
  readonly torch: string;
  readonly low?: number;
  readonly high?: number;
  readonly extra?: Extra;
  readonly special?: readonly number[];
}

const EDGES = [NaN, Infinity, -Infinity, 0, 1, -1, 1e30, -1e30];
const second: Extra = { second: true };

const rules: readonly Rule[] = [
  { op: "exp2", run: (x) => x.exp2(), torch: "x0.exp2()", extra: second },
  { op: "log2", run: (x) => x.log2(), torch: "x0.log2()", low: 0.1, high: 4, extra: second },
  { op: "log10", run: (x) => x.log10(), torch: "x0.log10()", low: 0.1, high: 4, extra: second },
  {
    op: "erf",
    run: (x) => x.erf(),
    torch: "torch.special.erf(x0)",
    low: -3,
    high: 3,
    extra: { ...second, note: "wide" },
  },
  { op: "erfc", run: (x) => x.erfc(), torch: "x0.erfc()", low: -3, high: 3, extra: second },
  {
    op: "erfinv",
    run: (x) => x.erfinv(),
    torch: "x0.erfinv()",
    low: -0.98,
    high: 0.98,
    extra: { ...second, rtol: 2e-5 },
    special: [NaN, 0, 1, -1, 2],
  },
  {
    op: "lgamma",
    run: (x) => x.lgamma(),
    torch: "x0.lgamma()",
    low: -3.4,
    high: 30,
    special: [NaN, Infinity, -Infinity, 0, 1, 2, -1, 1e10],
  },
  {
    op: "lgamma",
    run: (x) => x.lgamma(),
    torch: "torch.lgamma(x0)",
    low: 0.1,
    high: 4,
  },
  {
    op: "digamma",
    run: (x) => x.digamma(),
    torch: "x0.digamma()",
    low: 0.1,
    high: 12,
    extra: second,
    special: [NaN, Infinity, 0, 1, 2, -1, 1e10],
  },
  { op: "digamma", run: (x) => x.digamma(), torch: "torch.digamma(x0)", low: -3.4, high: -0.1 },
  {
    op: "polygamma",
    run: (x) => x.polygamma(1),
    torch: "torch.special.zeta(2, x0)",
    low: 0.3,
    high: 12,
    // PyTorch's own trigamma has an error of 3e-10, and its zeta no gradient.
    extra: { grad: false },
    special: [1, 2, 1e5],
  },
  {
    op: "polygamma",
    run: (x) => x.polygamma(2),
    torch: "x0.polygamma(2)",
    low: 0.5,
    high: 5,
    special: [1, 2],
  },
  {
    op: "sinc",
    run: (x) => x.sinc(),
    torch: "x0.sinc()",
    low: -3,
    high: 3,
    extra: second,
    special: [NaN, 0, 1],
  },
  {
    op: "logit",
    run: (x) => x.logit(),
    torch: "x0.logit()",
    low: 0.1,
    high: 0.9,
    extra: second,
    special: [NaN, 0, 1],
  },
  { op: "logit", run: (x) => x.logit(0.2), torch: "x0.logit(0.2)", low: 0.01, high: 0.99 },
  { op: "trunc", run: (x) => x.trunc(), torch: "x0.trunc()", low: -5, high: 5 },
  { op: "fix", run: (x) => x.fix(), torch: "x0.fix()", low: -5, high: 5 },
  { op: "frac", run: (x) => x.frac(), torch: "x0.frac()", low: -5, high: 5, special: [NaN, 1, -2] },
  { op: "round", run: (x) => x.round(1), torch: "x0.round(decimals=1)", low: -5, high: 5 },
  { op: "round", run: (x) => x.round(-1), torch: "x0.round(decimals=-1)", low: -50, high: 50 },
  { op: "deg2rad", run: (x) => x.deg2rad(), torch: "x0.deg2rad()", extra: second },
  { op: "rad2deg", run: (x) => x.rad2deg(), torch: "x0.rad2deg()", extra: second },
];

const samples: Sample[] = [];
for (const { op, run, torch, low, high, extra = {}, special = EDGES } of rules) {
  samples.push(
    sample(op, [f32([2, 3], low, high)], run, torch, extra),
    sample(op, [f64([5], low, high)], run, torch, extra),
    sample(
      op,
      [f32([], low, high)],
      run,
      torch,
      extra.rtol === undefined ? {} : { rtol: extra.rtol },
    ),
    sample(op, [f32([0, 3], low, high)], run, torch),
    ...(["float32", "float64"] as const).map((dtype) =>
      sample(op, [given(dtype, [special.length], special)], run, torch, {
        grad: false,
        note: "special values",
      }),
    ),
  );
}

samples.push(
  sample("lgamma", [f32([4], 0.2, 5)], (x) => x.lgamma(), "x0.lgamma()", second),
  sample("polygamma", [f32([4], 0.5, 5)], (x) => x.polygamma(1), "x0.polygamma(1)"),
);

// Where the functions' formulas meet, and far out.
const wide: readonly (readonly [string, (x: Tensor) => Tensor, readonly number[]])[] = [
  ["tan", (x) => x.tan(), [0.5, 3, -4, 100]],
  ["asin", (x) => x.asin(), [0, -0.5, 0.999, -1]],
  ["acos", (x) => x.acos(), [0, -0.5, 0.999, -1]],
  ["atan", (x) => x.atan(), [0.5, 1, -1, 3, -1e8, 1e200]],
  ["sinh", (x) => x.sinh(), [1e-9, 0.999, 1.001, -20, 700]],
  ["cosh", (x) => x.cosh(), [1e-9, 0.999, 1.001, -20, 700]],
  ["asinh", (x) => x.asinh(), [1e-9, -0.5, 3, 1e10, -1e200]],
  ["acosh", (x) => x.acosh(), [1, 1.0000001, 3, 1e10, 1e200]],
  ["atanh", (x) => x.atanh(), [1e-9, -0.5, 0.999999]],
  ["erf", (x) => x.erf(), [1e-9, 0.999, 1.001, -2, 5]],
  ["erfc", (x) => x.erfc(), [1e-9, 0.999, 1.001, -2, 5]],
];
for (const [op, run, values] of wide)
  samples.push(
    sample(op, [given("float64", [values.length], values)], run, `torch.${op}(x0)`, {
      grad: false,
      note: "wide",
    }),
  );

// Integers: rounding keeps them, other functions make them float32.
for (const dtype of ["int32", "int64"] as const)
  samples.push(
    ...(["floor", "ceil", "trunc", "round"] as const).map((op) =>
      sample(op, [ints(dtype, [4], -9, 9)], (x) => x[op](), `x0.${op}()`),
    ),
    sample("erfinv", [ints(dtype, [3], 0, 0)], (x) => x.erfinv(), "x0.erfinv()"),
    sample("log2", [ints(dtype, [3], 1, 9)], (x) => x.log2(), "x0.log2()"),
    sample("lgamma", [ints(dtype, [3], 1, 9)], (x) => x.lgamma(), "x0.lgamma()"),
    sample("deg2rad", [ints(dtype, [3], 1, 9)], (x) => x.deg2rad(), "x0.deg2rad()"),
  );

// Tests.
for (const name of ["isfinite", "isposinf", "isneginf"] as const)
  samples.push(
    sample(
      name,
      [given("float32", [5], [NaN, 0, Infinity, -Infinity, 1e38])],
      (x) => x[name](),
      `x0.${name}()`,
      { grad: false },
    ),
    sample(
      name,
      [given("float64", [2, 2], [NaN, 0, Infinity, -Infinity])],
      (x) => x[name](),
      `x0.${name}()`,
      { grad: false },
    ),
    sample(name, [ints("int32", [3], -3, 3)], (x) => x[name](), `x0.${name}()`),
    sample(name, [bools([2])], (x) => x[name](), `x0.${name}()`),
  );

export const functionSamples: readonly Sample[] = samples;
