/** Samples of normalization over channels and groups. */

import type { Tensor } from "../../../src/index.ts";
import * as F from "../../../src/nn/functional/index.ts";
import { f32, f64, sample, type Sample } from "../sample.ts";

const second = { second: true };
const training = { training: true };

const normal = (x: Tensor, weight: Tensor, bias: Tensor): Tensor =>
  F.batchNorm(x, null, null, { weight, bias, ...training });

export const normalizeSamples: readonly Sample[] = [
  sample(
    "batchNorm",
    [f32([3, 2, 2, 2]), f32([2], 0.5, 2, 1), f32([2], -1, 1, 2)],
    normal,
    "F.batch_norm(x0, None, None, x1, x2, True)",
    second,
  ),
  sample(
    "batchNorm",
    [f64([4, 3]), f64([3], 0.5, 2, 1), f64([3], -1, 1, 2)],
    normal,
    "F.batch_norm(x0, None, None, x1, x2, True)",
    second,
  ),
  sample(
    "batchNorm",
    [f64([2, 2, 3])],
    (x) => F.batchNorm(x, null, null, { ...training, eps: 0.1 }),
    "F.batch_norm(x0, None, None, None, None, True, eps=0.1)",
    second,
  ),
  sample(
    "batchNorm",
    [f32([2, 2, 2, 2]), f32([2]), f32([2], 0.5, 2, 3)],
    (x, mean, variance) => F.batchNorm(x, mean, variance),
    "(x0 - x1[:, None, None]) / (x2[:, None, None] + 1e-5).sqrt()",
    { ...second, note: "by given statistics" },
  ),
  sample(
    "groupNorm",
    [f32([2, 4, 3]), f32([4], 0.5, 2, 1), f32([4], -1, 1, 2)],
    (x, weight, bias) => F.groupNorm(x, 2, { weight, bias }),
    "F.group_norm(x0, 2, x1, x2)",
    second,
  ),
  sample(
    "instanceNorm",
    [f32([2, 2, 2, 3])],
    (x) => F.instanceNorm(x),
    "F.instance_norm(x0)",
    second,
  ),
  sample(
    "rmsNorm",
    [f32([2, 3, 4]), f32([3, 4], 0.5, 2, 1)],
    (x, weight) => F.rmsNorm(x, [3, 4], { weight }),
    "F.rms_norm(x0, [3, 4], x1)",
    second,
  ),
  sample(
    "localResponseNorm",
    [f32([2, 5, 2, 2])],
    (x) => F.localResponseNorm(x, 4, { alpha: 0.5, beta: 0.6, k: 2 }),
    "F.local_response_norm(x0, 4, alpha=0.5, beta=0.6, k=2)",
    second,
  ),
  sample("normalize", [f32([3, 4])], (x) => F.normalize(x), "F.normalize(x0)", second),
  sample(
    "normalize",
    [f64([2, 3, 2])],
    (x) => F.normalize(x, { p: 3, dim: -1 }),
    "F.normalize(x0, p=3, dim=-1)",
    second,
  ),
];
