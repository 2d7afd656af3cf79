/** Samples of arithmetic beyond the four operations: rounded division, limits, signs, interpolation, bits. */

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
const plain: Extra = { grad: false };
const samples: Sample[] = [];

type Binary = (a: Tensor, b: Tensor) => Tensor;

const A = [NaN, 1, Infinity, -Infinity, Infinity, 0, 0, -1, -0, 0, -7, 7, 1e30, -3];
const B = [1, NaN, Infinity, Infinity, 0, 0, -2, 0, -1, -0, 2, -2, 1e-30, -Infinity];
const specials = (dtype: "float32" | "float64" = "float32"): Input[] => [
  given(dtype, [A.length], A),
  given(dtype, [B.length], B),
];

/** Floats of both kinds, broadcasting, 0-d, no elements, NaN and infinities. */
function usual(
  op: string,
  run: Binary,
  torch: string,
  [low, high]: readonly [number, number],
  extra: Extra = second,
): void {
  samples.push(
    sample(op, [f32([2, 3], low, high), f32([2, 3], low, high, 1)], run, torch, extra),
    sample(op, [f32([2, 1, 3], low, high), f32([4, 1], low, high, 1)], run, torch),
    sample(op, [f32([2, 2], low, high), f32([], low, high, 1)], run, torch),
    sample(op, [f64([2, 3], low, high), f64([3], low, high, 1)], run, torch, extra),
    sample(op, [f32([0, 3], low, high), f32([3], low, high, 1)], run, torch),
    sample(op, specials(), run, torch, { ...plain, note: "special values" }),
    sample(op, specials("float64"), run, torch, { ...plain, note: "special values" }),
  );
}

usual("fmod", (a, b) => a.fmod(b), "torch.fmod(x0, x1)", [0.5, 5]);
usual("hypot", (a, b) => a.hypot(b), "torch.hypot(x0, x1)", [-2, 2]);
usual("atan2", (a, b) => a.atan2(b), "torch.atan2(x0, x1)", [-2, 2]);
usual("fmax", (a, b) => a.fmax(b), "torch.fmax(x0, x1)", [-2, 2]);
usual("fmin", (a, b) => a.fmin(b), "torch.fmin(x0, x1)", [-2, 2]);
usual("copysign", (a, b) => a.copysign(b), "torch.copysign(x0, x1)", [-2, 2]);
usual("logaddexp", (a, b) => a.logaddexp(b), "torch.logaddexp(x0, x1)", [-3, 3]);
usual("logaddexp2", (a, b) => a.logaddexp2(b), "torch.logaddexp2(x0, x1)", [-3, 3]);
usual("xlogy", (a, b) => a.xlogy(b), "torch.xlogy(x0, x1)", [0.3, 3]);
const kink: Extra = { noGradcheck: "the slope jumps there" };
samples.push(
  sample(
    "atan2",
    [given("float64", [4], [0, 0, 1, 0]), given("float64", [4], [0, -1, 0, 2])],
    (a, b) => a.atan2(b),
    "torch.atan2(x0, x1)",
    { ...kink, note: "at the origin" },
  ),
  ...(["fmax", "fmin"] as const).map((name) =>
    sample(
      name,
      [given("float64", [4], [1, NaN, 2, NaN]), given("float64", [4], [1, 2, NaN, NaN])],
      (a, b) => a[name](b),
      `torch.${name}(x0, x1)`,
      { ...kink, note: "equal ones and NaN" },
    ),
  ),
  sample(
    "xlogy",
    [given("float64", [3], [0, 0, 1]), given("float64", [3], [0.5, 2, 3])],
    (a, b) => a.xlogy(b),
    "torch.xlogy(x0, x1)",
    { ...second, note: "no times a logarithm" },
  ),
);
usual(
  "floorDivide",
  (a, b) => a.floorDivide(b),
  "torch.div(x0, x1, rounding_mode='floor')",
  [0.5, 5],
  {},
);
usual(
  "div",
  (a, b) => a.div(b, { roundingMode: "trunc" }),
  "torch.div(x0, x1, rounding_mode='trunc')",
  [0.5, 5],
  {},
);
// Heaviside's gradient is not implemented in PyTorch.
for (const inputs of [
  [f32([2, 3]), f32([3], -2, 2, 1)],
  [f64([4]), f64([])],
  specials(),
  [ints("int32", [5], -2, 2), ints("int32", [5], -9, 9, 1)],
])
  samples.push(
    sample("heaviside", inputs, (a, b) => a.heaviside(b), "torch.heaviside(x0, x1)", plain),
  );

for (const dtype of ["int32", "int64"] as const) {
  const whole = [ints(dtype, [8], -9, 9), given(dtype, [8], [1, -1, 2, -2, 3, -3, 4, -5])];
  samples.push(
    sample("fmod", whole, (a, b) => a.fmod(b), "torch.fmod(x0, x1)"),
    sample(
      "floorDivide",
      whole,
      (a, b) => a.floorDivide(b),
      "torch.div(x0, x1, rounding_mode='floor')",
    ),
    sample("floorDivide", [whole[0]!], (a) => a.floorDivide(-4), "x0 // -4"),
    sample(
      "div",
      whole,
      (a, b) => a.div(b, { roundingMode: "trunc" }),
      "torch.div(x0, x1, rounding_mode='trunc')",
    ),
    ...(["And", "Or", "Xor"] as const).map((name) =>
      sample(
        `bitwise${name}`,
        [ints(dtype, [2, 4], -99, 99), ints(dtype, [4], -99, 99, 1)],
        (a, b) => a[`bitwise${name}`](b),
        `torch.bitwise_${name.toLowerCase()}(x0, x1)`,
      ),
    ),
    sample("bitwiseNot", [ints(dtype, [5], -9, 9)], (a) => a.bitwiseNot(), "~x0"),
    sample("bitwiseLeftShift", [ints(dtype, [5], -9, 9)], (a) => a.bitwiseLeftShift(3), "x0 << 3"),
    sample(
      "bitwiseLeftShift",
      [ints(dtype, [5], -9, 9), ints(dtype, [5], 0, 9)],
      (a, b) => a.bitwiseLeftShift(b),
      "x0 << x1",
    ),
    sample(
      "bitwiseRightShift",
      [ints(dtype, [5], -99, 99)],
      (a) => a.bitwiseRightShift(2),
      "x0 >> 2",
    ),
    sample(
      "bitwiseRightShift",
      [ints(dtype, [5], -99, 99), ints(dtype, [5], 0, 9)],
      (a, b) => a.bitwiseRightShift(b),
      "x0 >> x1",
    ),
  );
}
samples.push(
  sample("fmod", [f32([6], -5, 5)], (a) => a.fmod(1.5), "torch.fmod(x0, 1.5)"),
  sample("bitwiseAnd", [bools([4]), bools([4], 1)], (a, b) => a.bitwiseAnd(b), "x0 & x1"),
  sample("bitwiseOr", [bools([4]), bools([4], 1)], (a, b) => a.bitwiseOr(b), "x0 | x1"),
  sample("bitwiseXor", [bools([4]), bools([4], 1)], (a, b) => a.bitwiseXor(b), "x0 ^ x1"),
  sample("bitwiseNot", [bools([4])], (a) => a.bitwiseNot(), "~x0"),
  sample("bitwiseAnd", [ints("int32", [4], 0, 9)], (a) => a.bitwiseAnd(3), "x0 & 3"),

  // Factors.
  sample(
    "add",
    [f32([2, 3]), f32([3])],
    (a, b) => a.add(b, { alpha: 2 }),
    "torch.add(x0, x1, alpha=2)",
    second,
  ),
  sample(
    "sub",
    [f32([2, 3]), f32([3])],
    (a, b) => a.sub(b, { alpha: 0.5 }),
    "torch.sub(x0, x1, alpha=0.5)",
    second,
  ),
  sample(
    "add",
    [ints("int32", [3], 0, 5)],
    (a) => a.add(2, { alpha: 3 }),
    "torch.add(x0, 2, alpha=3)",
  ),
  sample(
    "addcmul",
    [f32([2, 3]), f32([3], -2, 2, 1), f32([2, 1], -2, 2, 2)],
    (x, a, b) => x.addcmul(a, b, { value: 0.3 }),
    "torch.addcmul(x0, x1, x2, value=0.3)",
    second,
  ),
  sample(
    "addcdiv",
    [f64([2, 3]), f64([3], -2, 2, 1), f64([2, 1], 1, 2, 2)],
    (x, a, b) => x.addcdiv(a, b, { value: -2 }),
    "torch.addcdiv(x0, x1, x2, value=-2)",
    second,
  ),
  sample(
    "addcmul",
    [f32([3]), f32([3]), f32([3], 0, 1)],
    (x, a, b) => x.addcmul(a, b),
    "torch.addcmul(x0, x1, x2)",
  ),
  ...[0.25, 0.75, 1].map((w) =>
    sample(
      "lerp",
      [f32([2, 3]), f32([3], -2, 2, 1)],
      (a, b) => a.lerp(b, w),
      `torch.lerp(x0, x1, ${w})`,
      second,
    ),
  ),
  sample(
    "lerp",
    [f32([2, 3]), f32([3], -2, 2, 1), f32([2, 1], 0, 1)],
    (a, b, w) => a.lerp(b, w),
    "torch.lerp(x0, x1, x2)",
    second,
  ),

  // Powers with a number for the exponent.
  ...[0, 1, 0.5, -1, 2.5].map((n) =>
    sample("pow", [f32([4], 0.3, 2)], (x) => x.pow(n), `x0 ** ${n}`, { ...second, note: "number" }),
  ),
  sample("pow", [given("float32", [3], [0, 0, 2])], (x) => x.pow(0), "x0 ** 0", {
    note: "zero to the zero",
  }),

  // Limits.
  sample("clamp", [f32([2, 3])], (x) => x.clamp(-0.5, 0.7), "x0.clamp(-0.5, 0.7)", second),
  sample("clamp", [f64([5])], (x) => x.clamp(-0.5), "x0.clamp(-0.5)", second),
  sample("clamp", [f32([])], (x) => x.clamp(undefined, 0.5), "x0.clamp(max=0.5)"),
  sample("clamp", [f32([0, 2])], (x) => x.clamp(0, 1), "x0.clamp(0, 1)"),
  sample("clamp", [f32([4])], (x) => x.clamp(1, -1), "x0.clamp(1, -1)", { note: "crossed" }),
  sample(
    "clamp",
    [given("float32", [6], [NaN, Infinity, -Infinity, 0, -0, 2])],
    (x) => x.clamp(-1, 1),
    "x0.clamp(-1, 1)",
    {
      ...plain,
      note: "special values",
    },
  ),
  sample(
    "clamp",
    [given("float64", [6], [NaN, Infinity, -Infinity, 0, -0, 2])],
    (x) => x.clamp(-1, 1),
    "x0.clamp(-1, 1)",
    {
      ...plain,
      note: "special values",
    },
  ),
  sample("clamp", [given("float32", [3], [-1, 0, 1])], (x) => x.clamp(-1, 1), "x0.clamp(-1, 1)", {
    note: "at the bounds",
    noGradcheck: "not differentiable there",
  }),
  sample("clamp", [ints("int32", [6], -9, 9)], (x) => x.clamp(-3, 4), "x0.clamp(-3, 4)"),
  sample("clamp", [ints("int64", [6], -9, 9)], (x) => x.clamp(-3), "x0.clamp(-3)"),
  sample("clamp", [ints("int32", [3], -9, 9)], (x) => x.clamp(0.5), "x0.clamp(0.5)"),
  sample("clampMin", [f32([4])], (x) => x.clampMin(0.1), "x0.clamp_min(0.1)"),
  sample("clampMax", [f32([4])], (x) => x.clampMax(0.1), "x0.clamp_max(0.1)"),
  sample(
    "clamp",
    [f32([2, 3]), f32([3], -1, 0, 1), f32([2, 1], 0, 1, 2)],
    (x, low, high) => x.clamp(low, high),
    "x0.clamp(x1, x2)",
    second,
  ),

  // Signs and replaced values.
  sample(
    "signbit",
    [given("float32", [6], [NaN, -0, 0, -1, -Infinity, 2])],
    (x) => x.signbit(),
    "x0.signbit()",
    plain,
  ),
  sample("signbit", [ints("int32", [4], -2, 2)], (x) => x.signbit(), "x0.signbit()"),
  sample("sgn", [f32([4])], (x) => x.sgn(), "x0.sgn()"),
  ...(["float32", "float64"] as const).flatMap((dtype) => [
    sample(
      "nanToNum",
      [given(dtype, [4], [NaN, Infinity, -Infinity, 1])],
      (x) => x.nanToNum(),
      "x0.nan_to_num()",
      plain,
    ),
    sample(
      "nanToNum",
      [given(dtype, [4], [NaN, Infinity, -Infinity, 1])],
      (x) => x.nanToNum({ nan: 1, posinf: 2, neginf: -3 }),
      "x0.nan_to_num(1, 2, -3)",
      { noGradcheck: "no finite differences of infinities" },
    ),
  ]),
  sample("nanToNum", [ints("int32", [4], -2, 2)], (x) => x.nanToNum(), "x0.nan_to_num()"),

  // Nearness.
  ...[{}, { equalNan: true }, { rtol: 0.5 }, { atol: 2 }].map((options) =>
    sample(
      "isclose",
      [
        given("float32", [8], [1, 1, NaN, Infinity, Infinity, 1000, 0, 2]),
        given("float32", [8], [1, 1.00001, NaN, Infinity, -Infinity, 1001, 1e-9, 3]),
      ],
      (a, b) => a.isclose(b, options),
      `torch.isclose(x0, x1, ${Object.entries(options)
        .map(
          ([name, value]) =>
            `${name.replace("N", "_n")}=${value === true ? "True" : String(value)}`,
        )
        .join(", ")})`,
      plain,
    ),
  ),
  sample(
    "isclose",
    [ints("int64", [4], 0, 3), ints("int64", [4], 0, 3, 1)],
    (a, b) => a.isclose(b),
    "torch.isclose(x0, x1)",
  ),
);

export const arithmeticSamples: readonly Sample[] = samples;
