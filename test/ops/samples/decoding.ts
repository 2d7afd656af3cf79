/** Samples of what decoding does at each step. */

import { mostProbable, putRow } from "../../../src/ops/decoding.ts";
import { derive, deriveAll } from "../../../src/tensor/derive.ts";
import type { Tensor } from "../../../src/index.ts";
import { f32, f64, given, sample, type Extra, type Input, type Sample } from "../sample.ts";

const plain: Extra = { grad: false };

const put = (x: Tensor, at: Tensor, row: Tensor): Tensor =>
  derive([x, at, row], ([a, b, c]) => putRow(a!, b!, c!));
const place = (at: number): Input => given("int32", [], [at]);
const copy = "x0.index_copy(1, x1.reshape(1).long(), x2.unsqueeze(1))";

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
  sample("putRow", [f32([2, 3, 4]), place(0), f32([2, 4])], put, copy, plain),
  sample("putRow", [f32([2, 3, 4]), place(2), f32([2, 4])], put, copy, { ...plain, note: "last" }),
  sample("putRow", [f32([1, 1, 2]), place(0), f32([1, 2])], put, copy, plain),
  sample("putRow", [f64([3, 2, 1]), place(1), f64([3, 1])], put, copy, plain),
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
