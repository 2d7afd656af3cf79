/** Samples of what decoding does at each step. */

import { mostProbable } from "../../../src/ops/decoding.ts";
import { deriveAll } from "../../../src/tensor/derive.ts";
import type { Tensor } from "../../../src/index.ts";
import { f32, given, sample, type Extra, type Input, type Sample } from "../sample.ts";

const plain: Extra = { grad: false };

const likeliest =
  (k: number) =>
  (x: Tensor): Tensor[] =>
    deriveAll([x], ([v]) => mostProbable(v!, k));
/** PyTorch's positions are int64; torch.topk keeps no order of equal elements. */
const torch = (k: number): string =>
  `(lambda r: (r[0][:, :${k}], r[1][:, :${k}].int()))(x0.log_softmax(1).sort(dim=1, descending=True, stable=True))`;
const most = (input: Input, k: number, extra: Extra = {}): Sample =>
  sample("mostProbable", [input], likeliest(k), torch(k), { ...plain, ...extra });

const ties = Array.from({ length: 2 * 720 }, (_, i) => (i * 7) % 5);

export const decodingSamples: readonly Sample[] = [
  most(f32([3, 5]), 1),
  most(f32([2, 7], -80, 80), 4),
  most(f32([2, 6]), 6),
  most(f32([1, 1]), 1),
  // Enough classes for groups, of a number that can be divided and of one that cannot.
  most(f32([2, 720], -5, 5), 8),
  most(f32([3, 720], -5, 5), 1),
  most(f32([2, 719], -5, 5), 8),
  most(given("float32", [2, 720], ties), 6, { note: "ties" }),
];
