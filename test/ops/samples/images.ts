/** Samples of padding and resizing. */

import type { Tensor } from "../../../src/index.ts";
import * as F from "../../../src/nn/functional/index.ts";
import { interpolationMatrix } from "../../../src/ops/interpolate.ts";
import { derive } from "../../../src/tensor.ts";
import { f32, f64, sample, type Sample } from "../sample.ts";

const second = { second: true };
const resized =
  (options: F.InterpolateOptions) =>
  (x: Tensor): Tensor =>
    F.interpolate(x, options);

export const imagesSamples: readonly Sample[] = [
  sample(
    "pad",
    [f32([2, 3, 4])],
    (x) => F.pad(x, [1, 2, -1, 1], { value: 0.5 }),
    "F.pad(x0, (1, 2, -1, 1), value=0.5)",
    second,
  ),
  sample(
    "pad",
    [f32([1, 2, 3, 4])],
    (x) => F.pad(x, [3, 1, 0, 2], { mode: "reflect" }),
    'F.pad(x0, (3, 1, 0, 2), mode="reflect")',
    second,
  ),
  sample(
    "pad",
    [f64([2, 3, 4])],
    (x) => F.pad(x, [2, 5, 1, 0], { mode: "replicate" }),
    'F.pad(x0, (2, 5, 1, 0), mode="replicate")',
    second,
  ),
  sample(
    "pad",
    [f32([2, 2, 4])],
    (x) => F.pad(x, [4, 1], { mode: "circular" }),
    'F.pad(x0, (4, 1), mode="circular")',
    second,
  ),
  sample(
    "interpolationMatrix",
    [],
    () => derive([], () => interpolationMatrix(3, { size: 5, step: 3 / 5 }, "float32")),
    'F.interpolate(torch.eye(3)[None], 5, mode="linear")[0].T',
  ),
  sample(
    "interpolate",
    [f32([2, 2, 2, 3])],
    resized({ scaleFactor: 2 }),
    "F.interpolate(x0, scale_factor=2)",
    second,
  ),
  sample("interpolate", [f32([2, 2, 5])], resized({ size: 7 }), "F.interpolate(x0, 7)", second),
  sample(
    "interpolate",
    [f32([1, 2, 5, 4])],
    resized({ scaleFactor: [0.7, 1.6] }),
    "F.interpolate(x0, scale_factor=(0.7, 1.6))",
  ),
  sample(
    "interpolate",
    [f32([1, 2, 5, 4])],
    resized({ scaleFactor: [0.7, 1.6], recomputeScaleFactor: true }),
    "F.interpolate(x0, scale_factor=(0.7, 1.6), recompute_scale_factor=True)",
  ),
  sample(
    "interpolate",
    [f32([2, 2, 5])],
    resized({ size: 8, mode: "linear" }),
    'F.interpolate(x0, 8, mode="linear")',
    second,
  ),
  sample(
    "interpolate",
    [f64([1, 2, 3, 4])],
    resized({ scaleFactor: 2, mode: "bilinear" }),
    'F.interpolate(x0, scale_factor=2, mode="bilinear")',
    second,
  ),
  sample(
    "interpolate",
    [f32([1, 2, 3, 4])],
    resized({ size: [5, 3], mode: "bilinear", alignCorners: true }),
    'F.interpolate(x0, (5, 3), mode="bilinear", align_corners=True)',
    second,
  ),
  sample(
    "interpolate",
    [f32([1, 2, 5, 4])],
    resized({ scaleFactor: [0.7, 1.6], mode: "bilinear" }),
    'F.interpolate(x0, scale_factor=(0.7, 1.6), mode="bilinear")',
  ),
  sample(
    "interpolate",
    [f32([1, 2, 5, 4])],
    resized({ size: 3, mode: "area" }),
    'F.interpolate(x0, 3, mode="area")',
  ),
  sample(
    "pixelShuffle",
    [f32([2, 8, 2, 3])],
    (x) => F.pixelShuffle(x, 2),
    "F.pixel_shuffle(x0, 2)",
    second,
  ),
  sample(
    "pixelUnshuffle",
    [f32([2, 4, 6])],
    (x) => F.pixelUnshuffle(x, 2),
    "F.pixel_unshuffle(x0, 2)",
    second,
  ),
];
