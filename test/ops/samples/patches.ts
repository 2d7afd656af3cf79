/** Samples of patches of images as columns, and back. */

import { fold, unfold } from "../../../src/nn/functional/index.ts";
import { f32, f64, sample, type Extra, type Sample } from "../sample.ts";

const second: Extra = { second: true };

export const patchSamples: readonly Sample[] = [
  sample("unfold", [f32([2, 2, 3, 4])], (x) => unfold(x, 2), "F.unfold(x0, 2)", {
    ...second,
    note: "images",
  }),
  sample(
    "unfold",
    [f32([1, 2, 5, 4])],
    (x) => unfold(x, [3, 2], { stride: [2, 1], padding: 1, dilation: [1, 2] }),
    "F.unfold(x0, (3, 2), stride=(2, 1), padding=1, dilation=(1, 2))",
  ),
  sample("unfold", [f64([2, 3, 3])], (x) => unfold(x, 3), "F.unfold(x0, 3)"),
  sample("fold", [f32([1, 8, 6])], (x) => fold(x, [3, 4], 2), "F.fold(x0, (3, 4), 2)", second),
  sample(
    "fold",
    [f32([1, 12, 12])],
    (x) => fold(x, [5, 4], [3, 2], { stride: [2, 1], padding: 1, dilation: [1, 2] }),
    "F.fold(x0, (5, 4), (3, 2), stride=(2, 1), padding=1, dilation=(1, 2))",
  ),
  sample("fold", [f64([9, 4])], (x) => fold(x, 4, 3), "F.fold(x0, (4, 4), 3)"),
];
