/** Samples of variances, norms, log-sum-exp, counts and running results. */

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

interface Options {
  readonly dim?: number | readonly number[];
  readonly keepdim?: boolean;
}
type Reduce = (x: Tensor, options?: Options) => Tensor;

/** All, one and several dimensions, kept ones, float64, 0-d and no elements. */
function usual(
  op: string,
  run: Reduce,
  torch: string,
  extra: Extra = second,
  low = -2,
  high = 2,
): void {
  const call = (rest: string): string => torch.replace("…", rest);
  samples.push(
    sample(op, [f32([2, 3, 4], low, high)], (x) => run(x), call("dim=(0, 1, 2)"), extra),
    sample(op, [f32([2, 3, 4], low, high)], (x) => run(x, { dim: 1 }), call("dim=1")),
    sample(
      op,
      [f32([2, 3, 4], low, high)],
      (x) => run(x, { dim: [0, -1] }),
      call("dim=(0, -1)"),
      extra,
    ),
    sample(
      op,
      [f32([2, 3], low, high)],
      (x) => run(x, { dim: -1, keepdim: true }),
      call("dim=-1, keepdim=True"),
    ),
    sample(op, [f64([3, 4], low, high)], (x) => run(x, { dim: 0 }), call("dim=0"), extra),
    sample(op, [f32([0, 3], low, high)], (x) => run(x, { dim: 1 }), call("dim=1")),
  );
}

for (const name of ["var", "std"] as const) {
  usual(name, (x, options) => x[name](options), `x0.${name}(…)`);
  samples.push(
    sample(
      name,
      [f32([3, 4])],
      (x) => x[name](1, { correction: 0 }),
      `x0.${name}(1, correction=0)`,
      second,
    ),
    sample(
      name,
      [f32([3, 4])],
      (x) => x[name](1, { correction: 2, keepdim: true }),
      `x0.${name}(1, correction=2, keepdim=True)`,
    ),
    sample(name, [f32([])], (x) => x[name](), `x0.${name}()`, plain),
    sample(name, [f32([2, 1])], (x) => x[name](1), `x0.${name}(1)`, {
      ...plain,
      note: "one element",
    }),
    sample(name, [f32([2, 3], 999, 1001)], (x) => x[name](1), `x0.${name}(1)`, {
      note: "far from 0",
      rtol: 1e-3,
    }),
    sample(
      name,
      [given("float32", [2, 3], [1, 1, 1, 2, 2, 2])],
      (x) => x[name](1),
      `x0.${name}(1)`,
      {
        note: "equal elements",
        noGradcheck: "no derivative at 0",
      },
    ),
    sample(
      name,
      [given("float32", [2, 2], [NaN, 1, Infinity, 1])],
      (x) => x[name](1),
      `x0.${name}(1)`,
      {
        ...plain,
        note: "special values",
      },
    ),
  );
  samples.push(
    sample(
      `${name}Mean`,
      [f32([3, 4])],
      (x) => x[`${name}Mean`](1),
      `torch.${name}_mean(x0, 1)`,
      second,
    ),
    sample(
      `${name}Mean`,
      [f64([3, 4])],
      (x) => x[`${name}Mean`](0, { keepdim: true }),
      `torch.${name}_mean(x0, 0, keepdim=True)`,
    ),
  );
}

for (const p of ["fro", 1, 2, 3, 1.5, 0.5, 0, Infinity, -Infinity] as const) {
  const text =
    p === "fro" ? "'fro'" : Number.isFinite(p) ? String(p) : `float('${p > 0 ? "inf" : "-inf"}')`;
  if (p === "fro") {
    samples.push(
      sample("norm", [f32([2, 3])], (x) => x.norm(), "x0.norm()", second),
      sample("norm", [f32([2, 3])], (x) => x.norm("fro", 1), "x0.norm(dim=1)"),
      sample("norm", [f32([])], (x) => x.norm(), "x0.norm()"),
      sample("norm", [f32([0])], (x) => x.norm(), "x0.norm()"),
    );
    continue;
  }
  usual("norm", (x, options) => x.norm(p, options), `torch.linalg.vector_norm(x0, ${text}, …)`);
  samples.push(
    sample(
      "norm",
      [f32([3, 4])],
      (x) => x.norm(p, 1, { keepdim: true }),
      `x0.norm(${text}, 1, keepdim=True)`,
    ),
    sample(
      "norm",
      [given("float32", [2, 3], [0, 0, 0, 0, 3, -4])],
      (x) => x.norm(p, 1),
      `x0.norm(${text}, 1)`,
      {
        note: "zeros",
        noGradcheck: "no derivative at 0",
      },
    ),
  );
}

usual("logsumexp", (x, options) => x.logsumexp(options), "x0.logsumexp(…)");
samples.push(
  sample(
    "logsumexp",
    [given("float32", [3, 2], [-Infinity, 1, Infinity, 1, 1000, 1000])],
    (x) => x.logsumexp(1),
    "x0.logsumexp(1)",
    {
      ...plain,
      note: "special values",
    },
  ),
  sample(
    "logsumexp",
    [given("float32", [2, 2], [-Infinity, -Infinity, NaN, 1])],
    (x) => x.logsumexp(1),
    "x0.logsumexp(1)",
    {
      ...plain,
      note: "special values",
    },
  ),
  sample("logsumexp", [f32([2, 0])], (x) => x.logsumexp(1), "x0.logsumexp(1)", plain),
  sample("logsumexp", [f32([])], (x) => x.logsumexp(0), "x0.logsumexp(0)"),
  sample("logsumexp", [ints("int32", [3], 0, 5)], (x) => x.logsumexp(0), "x0.logsumexp(0)"),
);

const holes: Input = given("float32", [2, 3], [1, NaN, 3, 4, 5, NaN]);
samples.push(
  sample("nansum", [holes], (x) => x.nansum(), "x0.nansum()", { noGradcheck: "NaN" }),
  sample("nansum", [holes], (x) => x.nansum(1), "x0.nansum(1)", { noGradcheck: "NaN" }),
  sample(
    "nanmean",
    [holes],
    (x) => x.nanmean(0, { keepdim: true }),
    "x0.nanmean(0, keepdim=True)",
    { noGradcheck: "NaN" },
  ),
  sample(
    "nanmean",
    [given("float64", [2, 2], [NaN, NaN, 1, 2])],
    (x) => x.nanmean(1),
    "x0.nanmean(1)",
    plain,
  ),
  sample("nansum", [ints("int64", [3], 0, 5)], (x) => x.nansum(), "x0.nansum()"),

  sample(
    "countNonzero",
    [ints("int32", [3, 4], -1, 1)],
    (x) => x.countNonzero(),
    "x0.count_nonzero()",
  ),
  sample(
    "countNonzero",
    [ints("int64", [3, 4], -1, 1)],
    (x) => x.countNonzero(1),
    "x0.count_nonzero(1)",
  ),
  sample(
    "countNonzero",
    [given("float32", [2, 3], [0, NaN, 1, -0, 0, 2])],
    (x) => x.countNonzero([0, 1]),
    "x0.count_nonzero((0, 1))",
    plain,
  ),
  sample("countNonzero", [bools([5])], (x) => x.countNonzero(), "x0.count_nonzero()"),
  ...(["all", "any"] as const).flatMap((op) => [
    sample(op, [bools([2, 3])], (x) => x[op](), `x0.${op}()`),
    sample(
      op,
      [ints("int32", [4, 3], 0, 1)],
      (x) => x[op](-1, { keepdim: true }),
      `x0.${op}(-1, keepdim=True)`,
    ),
    sample(op, [bools([0])], (x) => x[op](), `x0.${op}()`),
    sample(op, [bools([2, 0])], (x) => x[op](1), `x0.${op}(1)`),
    sample(op, [bools([])], (x) => x[op](0), `x0.${op}(0)`),
  ]),
  sample(
    "prod",
    [f32([2, 3])],
    (x) => x.prod(1, { keepdim: true }),
    "x0.prod(1, keepdim=True)",
    second,
  ),
  ...(["amax", "amin"] as const).map((op) =>
    sample(
      op,
      [
        given(
          "float32",
          [3, 17],
          Array.from({ length: 51 }, (_, i) =>
            i === 20 ? NaN : i === 40 ? Infinity : i === 41 ? -Infinity : i,
          ),
        ),
      ],
      (x) => x[op](1),
      `x0.${op}(1)`,
      { ...plain, note: "NaN among many" },
    ),
  ),
  sample("sum", [f32([])], (x) => x.sum(0), "x0.sum(0)"),
  sample(
    "sum",
    [f32([0, 1]), f32([3])],
    (x, y) => x.exp().mul(y).sum(0),
    "(x0.exp() * x1).sum(0)",
    second,
  ),
  ...(["mean", "logsumexp"] as const).map((op) =>
    sample(op, [f32([0, 2])], (x) => x.exp()[op](0), `x0.exp().${op}(0)`, second),
  ),
  ...(["softmax", "logSoftmax"] as const).map((op) =>
    sample(op, [f32([])], (x) => x[op](0), `F.${op === "softmax" ? op : "log_softmax"}(x0, 0)`),
  ),
  sample("mean", [f32([])], (x) => x.mean(-1, { keepdim: true }), "x0.mean(-1, keepdim=True)"),
);

// ---- running results -------------------------------------------------------------------------------------------

for (const [op, torch, run] of [
  ["cumprod", "cumprod", (x: Tensor, dim: number) => x.cumprod(dim)],
  ["logcumsumexp", "logcumsumexp", (x: Tensor, dim: number) => x.logcumsumexp(dim)],
] as const)
  samples.push(
    sample(op, [f32([2, 5])], (x) => run(x, 1), `x0.${torch}(1)`, second),
    sample(op, [f32([3, 2, 2])], (x) => run(x, -3), `x0.${torch}(-3)`),
    sample(op, [f64([7])], (x) => run(x, 0), `x0.${torch}(0)`, second),
    sample(op, [f32([1, 2])], (x) => run(x, 0), `x0.${torch}(0)`),
    sample(op, [f32([0, 2])], (x) => run(x, 0), `x0.${torch}(0)`),
    sample(op, [f32([])], (x) => run(x, 0), `x0.${torch}(0)`),
    sample(
      op,
      [given("float32", [5], [1, Infinity, 2, NaN, 1])],
      (x) => run(x, 0),
      `x0.${torch}(0)`,
      {
        ...plain,
        note: "special values",
      },
    ),
  );
samples.push(
  sample(
    "cumprod",
    [given("float32", [6], [2, 0, 3, 0, 1, 5])],
    (x) => x.cumprod(0),
    "x0.cumprod(0)",
    { note: "zeros" },
  ),
  sample("cumprod", [ints("int64", [6], -3, 3)], (x) => x.cumprod(0), "x0.cumprod(0)"),
  sample("cumprod", [bools([4])], (x) => x.cumprod(0), "x0.cumprod(0)"),
  sample("cumsum", [f32([])], (x) => x.cumsum(0), "x0.cumsum(0)"),
);

const indexed = (name: string): string => `(lambda r: (r[0], r[1].int()))(${name})`;
for (const op of ["cummax", "cummin"] as const) {
  const run = (dim: number) => (x: Tensor) => {
    const { values, indices } = x[op](dim);
    return [values, indices];
  };
  const torch = (dim: number): string => indexed(`x0.${op}(${dim})`);
  samples.push(
    sample(op, [f32([2, 6])], run(1), torch(1), second),
    sample(op, [f32([5, 2, 2])], run(-3), torch(-3)),
    sample(op, [f64([7])], run(0), torch(0)),
    sample(op, [f32([1])], run(0), torch(0)),
    sample(op, [f32([])], run(0), torch(0)),
    sample(op, [ints("int32", [3, 5], 0, 3)], run(1), torch(1)),
    sample(op, [ints("int64", [6], -3, 3)], run(0), torch(0)),
    sample(
      op,
      [given("float32", [7], [1, 3, NaN, 5, -Infinity, Infinity, NaN])],
      run(0),
      torch(0),
      {
        ...plain,
        note: "special values",
      },
    ),
  );
}

samples.push(
  sample("diff", [f32([2, 4])], (x) => x.diff(), "x0.diff()", second),
  sample("diff", [f32([3, 2])], (x) => x.diff({ dim: 0, n: 2 }), "x0.diff(n=2, dim=0)"),
  sample("diff", [f64([2, 3])], (x) => x.diff({ n: 4 }), "x0.diff(n=4)", plain),
  sample("diff", [f32([2, 3])], (x) => x.diff({ n: 0 }), "x0.diff(n=0)"),
  sample(
    "diff",
    [f32([4]), f32([1]), f32([2])],
    (x, a, b) => x.diff({ prepend: a, append: b }),
    "x0.diff(prepend=x1, append=x2)",
  ),
  sample("diff", [ints("int32", [4], -9, 9)], (x) => x.diff(), "x0.diff()"),
  sample("diff", [bools([5])], (x) => x.diff(), "x0.diff()"),
);

export const statisticsSamples: readonly Sample[] = samples;
