/** Samples of matrix products and of the fused normalizations. */

import type { Tensor } from "../../../src/index.ts";
import { linear } from "../../../src/ops/matmul.ts";
import { layerNorm } from "../../../src/ops/layer-norm.ts";
import { derive } from "../../../src/tensor.ts";
import { f32, f64, given, ints, sample, type Extra, type Input, type Sample } from "../sample.ts";

const second: Extra = { second: true };
const product = (a: Tensor, b: Tensor): Tensor => a.matmul(b);
const MATMUL = "x0 @ x1";
const both = (a: readonly number[], b: readonly number[]): Input[] => [f32(a), f32(b, -2, 2, 1)];

const withBias = (x: Tensor, w: Tensor, b: Tensor): Tensor =>
  derive([x, w, b], ([vx, vw, vb]) => linear(vx!, vw!, vb!));
const LINEAR = "F.linear(x0, x1, x2)";
const parameters = (out: number, size: number): Input[] => [
  f32([out, size], -1, 1, 1),
  f32([out], -1, 1, 2),
];

const normalized =
  (eps?: number) =>
  (x: Tensor, w: Tensor, b: Tensor): Tensor =>
    derive([x, w, b], ([vx, vw, vb]) => layerNorm(vx!, vw!, vb!, eps));

export const productSamples: readonly Sample[] = [
  sample("matmul", both([2, 3], [3, 4]), product, MATMUL, second),
  sample("matmul", [f64([2, 3]), f64([3, 2], -2, 2, 1)], product, MATMUL, second),
  sample("matmul", both([3], [3]), product, MATMUL),
  sample("matmul", both([3], [3, 2]), product, MATMUL),
  sample("matmul", both([2, 3], [3]), product, MATMUL),
  sample("matmul", both([3], [2, 3, 2]), product, MATMUL),
  sample("matmul", both([2, 2, 3], [3]), product, MATMUL),
  sample("matmul", both([2, 2, 3], [3, 2]), product, MATMUL, second),
  sample("matmul", both([2, 3], [2, 3, 2]), product, MATMUL),
  sample("matmul", both([2, 2, 3], [2, 3, 2]), product, MATMUL, second),
  sample("matmul", both([2, 1, 2, 3], [3, 3, 1]), product, MATMUL),
  sample("matmul", both([1, 2, 3], [2, 3, 1]), product, MATMUL),
  sample("matmul", both([1, 1], [1, 1]), product, MATMUL),
  sample("matmul", both([0, 3], [3, 2]), product, MATMUL),
  sample("matmul", both([2, 0], [0, 3]), product, MATMUL, { note: "sums of nothing" }),
  sample("matmul", [f32([2, 3]), f64([3, 2])], product, "x0.double() @ x1"),
  sample(
    "matmul",
    [ints("int32", [2, 3], -5, 5), ints("int32", [3, 2], -5, 5, 1)],
    product,
    MATMUL,
  ),
  sample(
    "matmul",
    [ints("int64", [2, 3], -5, 5), ints("int64", [3, 2], -5, 5, 1)],
    product,
    MATMUL,
  ),
  ...(["int32", "int64"] as const).map((dtype) =>
    sample(
      "matmul",
      [ints(dtype, [2, 3], -5, 5), ints(dtype, [2, 3], -5, 5, 1)],
      (a, b) => a.matmul(b, { transB: true, alpha: 2 }),
      "x0 @ x1.mT * 2",
    ),
  ),
  sample(
    "matmul",
    both([3, 2], [3, 4]),
    (a, b) => a.matmul(b, { transA: true }),
    "x0.mT @ x1",
    second,
  ),
  sample(
    "matmul",
    both([2, 3], [4, 3]),
    (a, b) => a.matmul(b, { transB: true, alpha: 0.3 }),
    "x0 @ x1.mT * 0.3",
    second,
  ),
  sample(
    "matmul",
    both([2, 3, 2], [2, 4, 3]),
    (a, b) => a.matmul(b, { transA: true, transB: true, alpha: 2 }),
    "x0.mT @ x1.mT * 2",
    second,
  ),
  sample("matmul", both([2, 3, 2], [3, 2]), (a, b) => a.matmul(b, { transA: true }), "x0.mT @ x1"),
  sample("matmul", both([2, 2, 3], [4, 3]), (a, b) => a.matmul(b, { transB: true }), "x0 @ x1.mT"),
  sample(
    "matmul",
    [f64([2, 3, 2]), f64([2, 4, 3], -2, 2, 1)],
    (a, b) => a.matmul(b, { transA: true, transB: true, alpha: 0.1 }),
    "x0.mT @ x1.mT * 0.1",
  ),
  sample(
    "matmul",
    [f64([3, 2]), f64([3, 2], -2, 2, 1)],
    (a, b) => a.matmul(b, { transA: true, alpha: 0.1 }),
    "x0.mT @ x1 * 0.1",
  ),
  sample(
    "matmul",
    both([3], [2, 3]),
    (a, b) => a.matmul(b, { transB: true, alpha: 0.5 }),
    "x0 @ x1.mT * 0.5",
  ),
  sample(
    "matmul",
    both([0, 3], [2, 3]),
    (a, b) => a.matmul(b, { transB: true, alpha: 0.5 }),
    "x0 @ x1.mT * 0.5",
  ),
  sample("linear", [f32([2, 3]), ...parameters(4, 3)], withBias, LINEAR, second),
  sample("linear", [f32([2, 2, 3]), ...parameters(2, 3)], withBias, LINEAR),
  sample("linear", [f32([3]), ...parameters(2, 3)], withBias, LINEAR),
  sample("linear", [f32([1, 1]), ...parameters(1, 1)], withBias, LINEAR),
  sample("linear", [f32([0, 3]), ...parameters(2, 3)], withBias, LINEAR),
  sample(
    "linear",
    [f64([2, 3]), f64([2, 3], -1, 1, 1), f64([2], -1, 1, 2)],
    withBias,
    LINEAR,
    second,
  ),
  sample(
    "matmul",
    [f32([2, 2, 3]), f32([2, 3], -1, 1, 1)],
    (x, w) => derive([x, w], ([vx, vw]) => linear(vx!, vw!, null)),
    "F.linear(x0, x1)",
  ),
  ...(["softmax", "logSoftmax"] as const).flatMap((op) => {
    const torch = op === "softmax" ? "softmax" : "log_softmax";
    return [
      sample(op, [f32([2, 3])], (x) => x[op](1), `x0.${torch}(1)`, second),
      sample(op, [f32([2, 3, 2])], (x) => x[op](0), `x0.${torch}(0)`),
      sample(op, [f32([2, 3, 2])], (x) => x[op](-2), `x0.${torch}(-2)`, second),
      sample(op, [f64([2, 3])], (x) => x[op](-1), `x0.${torch}(-1)`, second),
      sample(op, [f32([4, 1])], (x) => x[op](1), `x0.${torch}(1)`),
      sample(op, [f32([0, 3])], (x) => x[op](1), `x0.${torch}(1)`),
      sample(
        op,
        [given("float32", [2, 3], [1000, 1001, 999, -1e4, 0, 50])],
        (x) => x[op](1),
        `x0.${torch}(1)`,
        {
          note: "large",
          noGradcheck: "rounding of large numbers",
        },
      ),
      sample(
        op,
        [given("float32", [2, 3], [-Infinity, 1, 2, NaN, 0, 1])],
        (x) => x[op](1),
        `x0.${torch}(1)`,
        {
          note: "special values",
          grad: false,
        },
      ),
    ];
  }),
  sample(
    "layerNorm",
    [f32([2, 4]), f32([4], 0.5, 2, 1), f32([4], -1, 1, 2)],
    normalized(),
    "F.layer_norm(x0, (4,), x1, x2)",
    { ...second, rtol: 1e-4 },
  ),
  sample(
    "layerNorm",
    [f32([2, 3, 4]), f32([3, 4], 0.5, 2, 1), f32([3, 4], -1, 1, 2)],
    normalized(1e-2),
    "F.layer_norm(x0, (3, 4), x1, x2, 1e-2)",
    { ...second, rtol: 1e-4 },
  ),
  sample(
    "layerNorm",
    [f32([5]), f32([5], 0.5, 2, 1), f32([5], -1, 1, 2)],
    normalized(),
    "F.layer_norm(x0, (5,), x1, x2)",
    { rtol: 1e-4 },
  ),
  sample(
    "layerNorm",
    [f32([2, 2, 3], 99, 101), f32([3], 0.5, 2, 1), f32([3], -1, 1, 2)],
    normalized(),
    "F.layer_norm(x0, (3,), x1, x2)",
    {
      note: "mean far from zero",
      rtol: 1e-3,
    },
  ),
  sample(
    "layerNorm",
    [f64([2, 4]), f64([4], 0.5, 2, 1), f64([4], -1, 1, 2)],
    normalized(),
    "F.layer_norm(x0, (4,), x1, x2)",
    second,
  ),
  sample(
    "layerNorm",
    [f32([0, 4]), f32([4], 0.5, 2, 1), f32([4], -1, 1, 2)],
    normalized(),
    "F.layer_norm(x0, (4,), x1, x2)",
  ),
];
