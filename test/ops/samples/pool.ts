/** Samples of pooling beyond the plain windows in conv.ts: rounding up, what padding counts, adaptive windows, blocks. */

import { averagingMatrix } from "../../../src/ops/adaptive-pool.ts";
import * as F from "../../../src/nn/functional/index.ts";
import { upsample } from "../../../src/ops/avg-pool.ts";
import { maxPoolWithPositions } from "../../../src/ops/pool.ts";
import { derive, deriveAll } from "../../../src/tensor.ts";
import { f32, f64, sample, type Sample } from "../sample.ts";

const second = { second: true };

export const poolSamples: readonly Sample[] = [
  sample(
    "maxPool2d",
    [f32([1, 2, 6, 5])],
    (x) => F.maxPool2d(x, 3, { stride: 2, ceilMode: true }),
    "F.max_pool2d(x0, 3, stride=2, ceil_mode=True)",
    second,
  ),
  sample(
    "maxPool2d",
    [f32([2, 5, 5])],
    (x) => F.maxPool2d(x, 2, { stride: 3, padding: 1, ceilMode: true }),
    "F.max_pool2d(x0, 2, stride=3, padding=1, ceil_mode=True)",
    { note: "a window that would start behind the padding" },
  ),
  sample(
    "maxPool1d",
    [f32([2, 3, 9])],
    (x) => F.maxPool1d(x, 3, { stride: 2, padding: 1, dilation: 2 }),
    "F.max_pool1d(x0, 3, stride=2, padding=1, dilation=2)",
    second,
  ),
  sample(
    "maxPoolPositions",
    [f32([2, 2, 5, 6])],
    (x) =>
      deriveAll([x], ([v]) => maxPoolWithPositions(v!, [2, 3], { stride: [2, 1], padding: 1 })),
    "(lambda r: (r[0], r[1].int()))(F.max_pool2d(x0, (2, 3), stride=(2, 1), padding=1, return_indices=True))",
  ),
  sample(
    "maxPoolPositions",
    [f32([3, 4, 4])],
    (x) => {
      const { output, indices } = F.maxPool2dWithIndices(x, 2);
      return [output, indices];
    },
    "(lambda r: (r[0], r[1].int()))(F.max_pool2d(x0, 2, return_indices=True))",
  ),
  sample(
    "maxPoolScatter",
    [f32([1, 2, 4, 4])],
    (x) => F.maxPool2d(x.mul(x), 2, { stride: 2 }),
    "F.max_pool2d(x0 * x0, 2)",
    second,
  ),
  sample(
    "maxPoolGather",
    [f32([1, 1, 5, 5])],
    (x) => F.maxPool2d(x.mul(x), 3, { stride: 1, padding: 1 }),
    "F.max_pool2d(x0 * x0, 3, 1, 1)",
    second,
  ),
  sample(
    "maxPoolScatter",
    [f64([1, 2, 4, 4])],
    (x) => F.maxPool2d(x.mul(x), 2),
    "F.max_pool2d(x0 * x0, 2)",
    { ...second, noGradcheck: "kernels are float32" },
  ),
  sample(
    "avgPool2d",
    [f32([1, 2, 6, 5])],
    (x) => F.avgPool2d(x, 3, { stride: 2, ceilMode: true }),
    "F.avg_pool2d(x0, 3, stride=2, ceil_mode=True)",
    second,
  ),
  sample(
    "avgPool2d",
    [f32([1, 1, 6, 5])],
    (x) => F.avgPool2d(x, 3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false }),
    "F.avg_pool2d(x0, 3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)",
  ),
  sample(
    "avgPool2d",
    [f32([1, 1, 5, 5])],
    (x) => F.avgPool2d(x, 3, { stride: 3, padding: 1, ceilMode: true }),
    "F.avg_pool2d(x0, 3, stride=3, padding=1, ceil_mode=True)",
  ),
  sample(
    "avgPool2d",
    [f32([1, 1, 4, 5])],
    (x) => F.avgPool2d(x, 2, { padding: 1, divisorOverride: 3 }),
    "F.avg_pool2d(x0, 2, padding=1, divisor_override=3)",
  ),
  sample(
    "avgPool1d",
    [f32([2, 7])],
    (x) => F.avgPool1d(x, 3, { stride: 2, padding: 1, countIncludePad: false }),
    "F.avg_pool1d(x0, 3, stride=2, padding=1, count_include_pad=False)",
    second,
  ),
  sample(
    "averagingMatrix",
    [],
    () => derive([], () => averagingMatrix(7, 3, "float32")),
    "F.adaptive_avg_pool1d(torch.eye(7)[None], 3)[0].T",
  ),
  sample(
    "adaptiveAvgPool2d",
    [f32([2, 2, 7, 5])],
    (x) => F.adaptiveAvgPool2d(x, [3, 4]),
    "F.adaptive_avg_pool2d(x0, (3, 4))",
    second,
  ),
  sample(
    "adaptiveAvgPool2d",
    [f64([2, 3, 5])],
    (x) => F.adaptiveAvgPool2d(x, [null, 7]),
    "F.adaptive_avg_pool2d(x0, (None, 7))",
    second,
  ),
  sample(
    "adaptiveAvgPool2d",
    [f32([2, 2, 4, 6])],
    (x) => F.adaptiveAvgPool2d(x, [2, 3]),
    "F.adaptive_avg_pool2d(x0, (2, 3))",
  ),
  sample(
    "adaptiveAvgPool2d",
    [f32([2, 2, 3, 5])],
    (x) => F.adaptiveAvgPool2d(x, 1),
    "F.adaptive_avg_pool2d(x0, 1)",
  ),
  sample(
    "adaptiveAvgPool1d",
    [f32([2, 3, 8])],
    (x) => F.adaptiveAvgPool1d(x, 3),
    "F.adaptive_avg_pool1d(x0, 3)",
  ),
  sample(
    "adaptiveMaxPool2d",
    [f32([1, 2, 7, 5])],
    (x) => F.adaptiveMaxPool2d(x, [3, 4]),
    "F.adaptive_max_pool2d(x0, (3, 4))",
    second,
  ),
  sample(
    "adaptiveMaxPool2d",
    [f32([2, 4, 6])],
    (x) => F.adaptiveMaxPool2d(x, [2, null]),
    "F.adaptive_max_pool2d(x0, (2, None))",
  ),
  sample(
    "adaptiveMaxPool1d",
    [f32([2, 3, 5])],
    (x) => F.adaptiveMaxPool1d(x, 4),
    "F.adaptive_max_pool1d(x0, 4)",
  ),
  sample(
    "lpPool2d",
    [f32([1, 2, 5, 4], 0.5, 2)],
    (x) => F.lpPool2d(x, 3, 2, { stride: 1 }),
    "F.lp_pool2d(x0, 3, 2, stride=1)",
    second,
  ),
  sample(
    "upsample",
    [f32([2, 2, 2, 3])],
    (x) => derive([x], ([v]) => upsample(v!, [3, 2])),
    "F.interpolate(x0, scale_factor=(3, 2))",
    second,
  ),
  sample(
    "upsample",
    [f64([1, 1, 2, 2])],
    (x) => derive([x], ([v]) => upsample(v!, [2, 1])),
    "F.interpolate(x0, scale_factor=(2, 1))",
    { noGradcheck: "kernels of its gradient are float32" },
  ),
];
