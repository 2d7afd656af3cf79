/** Samples of convolutions and pooling. */

import type { Tensor } from "../../../src/index.ts";
import {
  conv2d,
  convTranspose2d,
  type ConvOptions,
  type ConvTransposeOptions,
} from "../../../src/ops/conv.ts";
import { avgPool2d, type AvgPoolOptions } from "../../../src/ops/avg-pool.ts";
import { maxPool2d, type MaxPoolOptions } from "../../../src/ops/pool.ts";
import type { Pair } from "../../../src/ops/windows.ts";
import { derive } from "../../../src/tensor.ts";
import { f32, f64, given, sample, type Extra, type Input, type Sample } from "../sample.ts";

const second: Extra = { second: true };

const weights = (shape: readonly number[]): Input => f32(shape, -1, 1, 1);
const bias = (size: number): Input => f32([size], -1, 1, 2);

const conv =
  (options: ConvOptions = {}) =>
  (x: Tensor, w: Tensor, b?: Tensor): Tensor =>
    derive(b === undefined ? [x, w] : [x, w, b], ([vx, vw, vb]) =>
      conv2d(vx!, vw!, vb ?? null, options),
    );

const transposed =
  (options: ConvTransposeOptions = {}) =>
  (x: Tensor, w: Tensor, b?: Tensor): Tensor =>
    derive(b === undefined ? [x, w] : [x, w, b], ([vx, vw, vb]) =>
      convTranspose2d(vx!, vw!, vb ?? null, options),
    );

const maxPool =
  (kernel: Pair, options: MaxPoolOptions = {}) =>
  (x: Tensor): Tensor =>
    derive([x], ([v]) => maxPool2d(v!, kernel, options));
const avgPool =
  (kernel: Pair, options: AvgPoolOptions = {}) =>
  (x: Tensor): Tensor =>
    derive([x], ([v]) => avgPool2d(v!, kernel, options));

const CONV = "F.conv2d(x0, x1";
const UP = "F.conv_transpose2d(x0, x1";
const MAX = "F.max_pool2d(x0, ";
const AVG = "F.avg_pool2d(x0, ";

export const convSamples: readonly Sample[] = [
  sample(
    "conv2d",
    [f32([2, 2, 4, 4]), weights([3, 2, 3, 3]), bias(3)],
    conv(),
    `${CONV}, x2)`,
    second,
  ),
  sample(
    "conv2d",
    [f32([1, 2, 5, 4]), weights([2, 2, 2, 3])],
    conv({ stride: 2 }),
    `${CONV}, stride=2)`,
    second,
  ),
  sample(
    "conv2d",
    [f32([1, 1, 6, 5]), weights([2, 1, 3, 3])],
    conv({ stride: [2, 3], padding: [2, 1] }),
    `${CONV}, stride=(2, 3), padding=(2, 1))`,
  ),
  sample(
    "conv2d",
    [f32([1, 1, 7, 6]), weights([1, 1, 2, 3])],
    conv({ dilation: [3, 2], padding: 1 }),
    `${CONV}, dilation=(3, 2), padding=1)`,
  ),
  sample(
    "conv2d",
    [f32([2, 4, 4, 3]), weights([4, 2, 2, 2]), bias(4)],
    conv({ groups: 2, stride: 2 }),
    `${CONV}, x2, groups=2, stride=2)`,
    second,
  ),
  sample(
    "conv2d",
    [f32([2, 3, 4, 4]), weights([3, 1, 3, 3])],
    conv({ groups: 3, padding: 1 }),
    `${CONV}, groups=3, padding=1)`,
    { ...second, note: "depthwise" },
  ),
  sample(
    "conv2d",
    [f32([1, 2, 4, 4]), weights([4, 1, 2, 2])],
    conv({ groups: 2, dilation: 2, stride: 2, padding: 1 }),
    `${CONV}, groups=2, dilation=2, stride=2, padding=1)`,
    { note: "depthwise, two a channel" },
  ),
  sample("conv2d", [f32([1, 2, 3, 3]), weights([2, 2, 1, 1]), bias(2)], conv(), `${CONV}, x2)`, {
    note: "pointwise",
  }),
  sample(
    "conv2d",
    [f32([2, 2, 4, 3]), weights([3, 2, 1, 1])],
    conv({ stride: [3, 2] }),
    `${CONV}, stride=(3, 2))`,
    { ...second, note: "pointwise" },
  ),
  sample(
    "conv2d",
    [f32([1, 2, 4, 4]), weights([2, 2, 4, 3])],
    conv({ padding: "same", dilation: [1, 2] }),
    `${CONV}, padding="same", dilation=(1, 2))`,
    second,
  ),
  sample("conv2d", [f32([1, 1, 2, 2]), weights([1, 1, 2, 2])], conv(), `${CONV})`, {
    note: "one position",
  }),
  sample("conv2d", [f64([1, 1, 3, 3]), f64([1, 1, 2, 2], -1, 1, 1)], conv(), `${CONV})`),
  sample("conv2d", [f32([0, 1, 3, 3]), weights([1, 1, 2, 2])], conv(), `${CONV})`),
  sample(
    "convTranspose2d",
    [f32([2, 2, 3, 2]), weights([2, 3, 3, 3]), bias(3)],
    transposed(),
    `${UP}, x2)`,
    second,
  ),
  sample(
    "convTranspose2d",
    [f32([1, 2, 3, 3]), weights([2, 1, 3, 2])],
    transposed({ stride: [2, 3], padding: 1, outputPadding: [1, 2] }),
    `${UP}, stride=(2, 3), padding=1, output_padding=(1, 2))`,
    second,
  ),
  sample(
    "convTranspose2d",
    [f32([1, 1, 3, 3]), weights([1, 2, 2, 3])],
    transposed({ dilation: [2, 3], padding: [1, 2] }),
    `${UP}, dilation=(2, 3), padding=(1, 2))`,
  ),
  sample(
    "convTranspose2d",
    [f32([2, 4, 2, 3]), weights([4, 1, 2, 2]), bias(2)],
    transposed({ groups: 2, stride: 2 }),
    `${UP}, x2, groups=2, stride=2)`,
    second,
  ),
  sample(
    "convTranspose2d",
    [f32([1, 3, 3, 3]), weights([3, 1, 3, 3])],
    transposed({ groups: 3, stride: 2, padding: 1 }),
    `${UP}, groups=3, stride=2, padding=1)`,
    { note: "depthwise" },
  ),
  sample(
    "convTranspose2d",
    [f64([1, 1, 2, 2]), f64([1, 1, 2, 2], -1, 1, 1)],
    transposed(),
    `${UP})`,
  ),
  sample("maxPool2d", [f32([2, 2, 4, 4])], maxPool(2), `${MAX}2)`, second),
  sample(
    "maxPool2d",
    [f32([1, 1, 5, 5])],
    maxPool(3, { stride: 1, padding: 1 }),
    `${MAX}3, stride=1, padding=1)`,
    second,
  ),
  sample(
    "maxPool2d",
    [f32([1, 2, 5, 6])],
    maxPool([2, 3], { stride: [2, 1], padding: [1, 0] }),
    `${MAX}(2, 3), stride=(2, 1), padding=(1, 0))`,
  ),
  sample(
    "maxPool2d",
    [f32([1, 1, 6, 6])],
    maxPool(2, { dilation: [2, 3], stride: 2 }),
    `${MAX}2, dilation=(2, 3), stride=2)`,
  ),
  sample("maxPool2d", [f32([1, 1, 5, 4])], maxPool(2), `${MAX}2)`, { note: "a row is left over" }),
  sample(
    "maxPool2d",
    [given("float32", [1, 1, 4, 4], [1, 1, 2, 0, 1, 1, 0, 2, 3, 5, 5, 5, 5, 3, 5, 5])],
    maxPool(2),
    `${MAX}2)`,
    { note: "ties: the first", noGradcheck: "not differentiable at ties" },
  ),
  sample(
    "maxPool2d",
    [given("float32", [1, 1, 3, 3], [1, 1, 1, 1, 1, 1, 1, 1, 1])],
    maxPool(3, { stride: 1, padding: 1 }),
    `${MAX}3, stride=1, padding=1)`,
    { note: "ties in overlapping windows", noGradcheck: "not differentiable at ties" },
  ),
  sample(
    "maxPool2d",
    [f32([1, 1, 3, 3], -9, -4)],
    maxPool(2, { padding: 1 }),
    `${MAX}2, padding=1)`,
    { note: "padding is less than everything" },
  ),
  sample("maxPool2d", [f64([1, 1, 4, 4])], maxPool(2), `${MAX}2)`),
  sample("avgPool2d", [f32([2, 2, 4, 4])], avgPool(2), `${AVG}2)`, second),
  sample(
    "avgPool2d",
    [f32([1, 2, 5, 5])],
    avgPool(3, { stride: 2, padding: 1 }),
    `${AVG}3, stride=2, padding=1)`,
  ),
  sample(
    "avgPool2d",
    [f32([1, 2, 5, 6])],
    avgPool([2, 3], { stride: [3, 1], padding: [1, 0] }),
    `${AVG}(2, 3), stride=(3, 1), padding=(1, 0))`,
  ),
  sample("avgPool2d", [f32([1, 1, 3, 3])], avgPool(3), `${AVG}3)`, { note: "global" }),
  sample("avgPool2d", [f32([1, 1, 5, 4])], avgPool(2), `${AVG}2)`, { note: "a row is left over" }),
  sample("avgPool2d", [f64([1, 1, 4, 4])], avgPool(2), `${AVG}2)`),
];
