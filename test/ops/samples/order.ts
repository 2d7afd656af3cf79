/** Samples of sorting, medians, quantiles, extremes with positions, and counts. */

import type { Tensor } from "../../../src/index.ts";
import type { ValuesAndIndices } from "../../../src/tensor/ordering.ts";
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

const pair = ({ values, indices }: ValuesAndIndices): Tensor[] => [values, indices];
/** PyTorch's positions are int64. */
const both = (expression: string): string => `(lambda r: (r[0], r[1].int()))(${expression})`;
const ODD = [3, NaN, 1, Infinity, -Infinity, NaN, 2, Infinity, -0, 0, 1];
const odd = (dtype: "float32" | "float64" = "float32"): Input => given(dtype, [ODD.length], ODD);
const repeated: Input = given("float32", [2, 6], [2, 1, 2, 1, 2, 1, 0, 0, 3, 3, 0, 3]);

for (const descending of [false, true]) {
  const flag = descending ? "True" : "False";
  const run = (dim: number) => (x: Tensor) => pair(x.sort(dim, { descending }));
  const torch = (dim: number): string =>
    both(`x0.sort(dim=${dim}, descending=${flag}, stable=True)`);
  samples.push(
    sample("sort", [f32([3, 5])], run(-1), torch(-1), second),
    sample("sort", [f32([4, 2, 2])], run(0), torch(0)),
    sample("sort", [f64([2, 6])], run(1), torch(1)),
    sample("sort", [f32([])], run(0), torch(0)),
    sample("sort", [f32([0, 2])], run(0), torch(0)),
    sample("sort", [f32([3, 1])], run(1), torch(1)),
    sample("sort", [repeated], run(1), torch(1), {
      note: "ties",
      noGradcheck: "not differentiable at ties",
    }),
    sample("sort", [ints("int32", [2, 8], -3, 3)], run(1), torch(1)),
    sample("sort", [ints("int64", [8], -3, 3)], run(0), torch(0)),
    sample("sort", [given("uint32", [4], [4294967295, 1, 0, 7])], run(0), torch(0)),
    sample("sort", [bools([6])], run(0), torch(0)),
    sample("sort", [odd()], run(0), torch(0), { ...plain, note: "special values" }),
    sample("sort", [odd("float64")], run(0), torch(0), { ...plain, note: "special values" }),
  );
}
samples.push(
  sample("argsort", [f32([2, 5])], (x) => x.argsort(), "x0.argsort().int()", plain),
  sample(
    "argsort",
    [ints("int32", [7], 0, 3)],
    (x) => x.argsort(0, { stable: true }),
    "x0.argsort(dim=0, stable=True).int()",
  ),
  sample("msort", [f32([3, 2])], (x) => x.msort(), "x0.msort()", second),
  sample("kthvalue", [f32([2, 5])], (x) => pair(x.kthvalue(2)), both("x0.kthvalue(2)"), second),
  sample(
    "kthvalue",
    [f64([4, 2])],
    (x) => pair(x.kthvalue(4, 0, { keepdim: true })),
    both("x0.kthvalue(4, 0, keepdim=True)"),
  ),
  sample(
    "kthvalue",
    [ints("int64", [1], 0, 3)],
    (x) => pair(x.kthvalue(1)),
    both("x0.kthvalue(1)"),
  ),
  sample("kthvalue", [f32([])], (x) => pair(x.kthvalue(1, 0)), both("x0.kthvalue(1, 0)")),
);

for (const op of ["median", "nanmedian"] as const)
  samples.push(
    sample(op, [f32([3, 5])], (x) => x[op](), `x0.${op}()`, second),
    sample(op, [f32([3, 4])], (x) => pair(x[op](1)), both(`x0.${op}(1)`), second),
    sample(
      op,
      [f64([5, 2])],
      (x) => pair(x[op](0, { keepdim: true })),
      both(`x0.${op}(0, keepdim=True)`),
    ),
    sample(op, [f32([])], (x) => x[op](), `x0.${op}()`),
    sample(op, [ints("int32", [2, 1], 0, 5)], (x) => pair(x[op](1)), both(`x0.${op}(1)`)),
    sample(op, [ints("int64", [9], 0, 99)], (x) => x[op](), `x0.${op}()`),
    sample(
      op,
      [given("float32", [3, 4], [1, NaN, 3, 2, 4, 5, 6, 7, Infinity, 1, -Infinity, 2])],
      (x) => pair(x[op](1)),
      both(`x0.${op}(1)`),
      {
        ...plain,
        note: "special values",
      },
    ),
  );
samples.push(
  sample(
    "nanmedian",
    [given("float32", [2, 2], [NaN, NaN, 1, NaN])],
    (x) => x.nanmedian(1).values,
    "x0.nanmedian(1)[0]",
    {
      ...plain,
      note: "nothing but NaN",
    },
  ),
);

for (const interpolation of ["linear", "lower", "higher", "nearest", "midpoint"] as const)
  samples.push(
    sample(
      "quantile",
      [f32([2, 6])],
      (x) => x.quantile(0.3, 1, { interpolation }),
      `x0.quantile(0.3, 1, interpolation='${interpolation}')`,
      second,
    ),
    sample(
      "quantile",
      [f64([7])],
      (x) => x.quantile([0, 0.25, 0.6, 1], 0, { interpolation }),
      `x0.quantile(torch.tensor([0, 0.25, 0.6, 1], dtype=torch.float64), 0, interpolation='${interpolation}')`,
    ),
  );
samples.push(
  sample("quantile", [f32([2, 3])], (x) => x.quantile(0.5), "x0.quantile(0.5)"),
  sample(
    "quantile",
    [f32([2, 3, 2])],
    (x) => x.quantile([0.1, 0.9], -2, { keepdim: true }),
    "x0.quantile(torch.tensor([0.1, 0.9]), -2, keepdim=True)",
  ),
  sample(
    "quantile",
    [f32([2, 3])],
    (x) => x.quantile(0.5, undefined, { keepdim: true }),
    "x0.quantile(0.5, keepdim=True)",
  ),
  sample(
    "quantile",
    [given("float32", [2, 3], [1, NaN, 2, 3, 4, 5])],
    (x) => x.quantile(0.5, 1),
    "x0.quantile(0.5, 1)",
    plain,
  ),
);

// ---- extremes --------------------------------------------------------------------------------------------------

for (const op of ["max", "min"] as const)
  samples.push(
    sample(op, [f32([2, 3])], (x) => x[op](), `x0.${op}()`, second),
    sample(op, [f32([2, 3])], (x) => pair(x[op](1)), both(`x0.${op}(1)`), second),
    sample(
      op,
      [f32([2, 3, 2])],
      (x) => pair(x[op](-2, { keepdim: true })),
      both(`x0.${op}(-2, keepdim=True)`),
    ),
    sample(op, [f64([2, 3])], (x) => pair(x[op](0)), both(`x0.${op}(0)`)),
    sample(op, [f32([])], (x) => pair(x[op](0)), both(`x0.${op}(0)`)),
    sample(op, [f32([2, 0])], (x) => pair(x[op](0)), both(`x0.${op}(0)`)),
    sample(op, [f32([2, 3]), f32([3], -2, 2, 1)], (x, y) => x[op](y), `x0.${op}(x1)`),
    sample(op, [ints("int32", [2, 5], 0, 3)], (x) => pair(x[op](1)), both(`x0.${op}(1)`)),
    sample(op, [ints("int64", [5], 0, 9)], (x) => x[op](), `x0.${op}()`),
    sample(op, [given("float32", [2, 3], [1, 3, 3, 2, 2, 2])], (x) => x[op](), `x0.${op}()`, {
      note: "ties share the gradient",
      noGradcheck: "not differentiable at ties",
    }),
    sample(
      op,
      [
        given(
          "float32",
          [3, 17],
          Array.from({ length: 51 }, (_, i) =>
            i === 20 || i === 23 ? NaN : i === 40 ? Infinity : i === 41 ? -Infinity : i % 7,
          ),
        ),
      ],
      (x) => pair(x[op](1)),
      both(`x0.${op}(1)`),
      { ...plain, note: "NaN among many" },
    ),
    sample(
      "aminmax",
      [f32([2, 3])],
      (x) => [x.aminmax({ dim: 1 })[op], x.aminmax()[op]],
      `(torch.aminmax(x0, dim=1).${op}, torch.aminmax(x0).${op})`,
    ),
  );
for (const op of ["argmax", "argmin"] as const)
  samples.push(
    sample(
      op,
      [f32([3, 4])],
      (x) => x[op](1, { keepdim: true }),
      `x0.${op}(1, keepdim=True).int()`,
      plain,
    ),
    sample(
      op,
      [f32([3, 4])],
      (x) => x[op](undefined, { keepdim: true }),
      `x0.${op}(keepdim=True).int()`,
      plain,
    ),
    sample(op, [f32([])], (x) => x[op](0), `x0.${op}(0).int()`, plain),
    sample(op, [odd()], (x) => x[op](), `x0.${op}().int()`, { ...plain, note: "special values" }),
    sample(op, [odd("float64")], (x) => x[op](0), `x0.${op}(0).int()`, {
      ...plain,
      note: "special values",
    }),
  );

// ---- places and counts -----------------------------------------------------------------------------------------

const steps = (dtype: "float32" | "int32" | "int64"): Input =>
  given(dtype, [6], [-2, -1, 0, 0, 1, 3]);
for (const right of [false, true]) {
  const flag = `right=${right ? "True" : "False"}`;
  samples.push(
    sample(
      "searchsorted",
      [steps("float32"), f32([2, 4], -4, 5)],
      (s, v) => s.searchsorted(v, { right }),
      `torch.searchsorted(x0, x1, ${flag}).int()`,
      plain,
    ),
    sample(
      "searchsorted",
      [steps("int64"), ints("int64", [7], -4, 5)],
      (s, v) => s.searchsorted(v, { right }),
      `torch.searchsorted(x0, x1, ${flag}).int()`,
    ),
    sample(
      "searchsorted",
      [
        given("float32", [2, 3], [1, 2, 3, 4, 4, 9]),
        given("float32", [2, 4], [0, 2, 5, NaN, 4, 3, 9, 10]),
      ],
      (s, v) => s.searchsorted(v, { right }),
      `torch.searchsorted(x0, x1, ${flag}).int()`,
      plain,
    ),
    sample(
      "searchsorted",
      [steps("float32")],
      (s) => s.searchsorted(0, { right }),
      `torch.searchsorted(x0, 0, ${flag}).int()`,
      plain,
    ),
    sample(
      "searchsorted",
      [f32([0]), f32([2])],
      (s, v) => s.searchsorted(v, { right }),
      `torch.searchsorted(x0, x1, ${flag}).int()`,
      plain,
    ),
    sample(
      "bucketize",
      [f32([2, 3], -3, 4), steps("float32")],
      (v, s) => v.bucketize(s, { right }),
      `torch.bucketize(x0, x1, ${flag}).int()`,
      plain,
    ),
    sample(
      "bucketize",
      [ints("int32", [5], -3, 4), steps("int32")],
      (v, s) => v.bucketize(s, { right }),
      `torch.bucketize(x0, x1, ${flag}).int()`,
    ),
  );
}
samples.push(
  sample(
    "bincount",
    [given("int64", [7], [1, 3, 1, 0, 3, 3, 5])],
    (x) => x.bincount(6),
    "x0.bincount(minlength=6)",
  ),
  sample(
    "bincount",
    [given("int32", [3], [1, 3, 1])],
    (x) => x.bincount(6),
    "x0.bincount(minlength=6)",
  ),
  sample(
    "bincount",
    [given("int64", [5], [1, 3, 1, 0, 3]), f64([5])],
    (x, weights) => x.bincount(4, { weights }),
    "x0.bincount(x1)",
    plain,
  ),
  sample(
    "histc",
    [f32([4, 6])],
    (x) => x.histc(5, { min: -1, max: 1.5 }),
    "x0.histc(5, -1, 1.5)",
    plain,
  ),
  sample("histc", [f32([24], 0, 9)], (x) => x.histc(4), "x0.histc(4)", plain),
  sample("histc", [given("float32", [3], [2, 2, 2])], (x) => x.histc(4), "x0.histc(4)", plain),
  sample(
    "histc",
    [given("float32", [5], [0, 1, 2, 3, 4])],
    (x) => x.histc(4, { min: 0, max: 4 }),
    "x0.histc(4, 0, 4)",
    {
      ...plain,
      note: "edges",
    },
  ),
  sample("histc", [f64([12])], (x) => x.histc(3, { min: -1, max: 1 }), "x0.histc(3, -1, 1)", plain),
);

export const orderSamples: readonly Sample[] = samples;
