/** Samples of functions that join tensors, and of methods that take them apart. */

import {
  atLeast1d,
  atLeast2d,
  atLeast3d,
  cat,
  concat,
  dstack,
  hstack,
  stack,
  vstack,
} from "../../../src/index.ts";
import { bools, f32, f64, ints, sample, type Extra, type Sample } from "../sample.ts";

const second: Extra = { second: true };
const pair = [f32([2, 3]), f32([2, 3], -2, 2, 1)] as const;

export const joiningSamples: readonly Sample[] = [
  sample("cat", [f32([0]), f32([2, 2])], (a, b) => cat([a, b], 1), "torch.cat([x0, x1], 1)"),
  sample("cat", [f32([0]), f32([0])], (a, b) => cat([a, b]), "torch.cat([x0, x1])"),
  sample("cat", [f64([0]), f32([2, 1])], (a, b) => cat([a, b]), "torch.cat([x0, x1])"),
  sample(
    "cat",
    [bools([2]), ints("int32", [1], 0, 9)],
    (a, b) => cat([a, b]),
    "torch.cat([x0, x1])",
  ),
  sample("concat", [...pair], (a, b) => concat([a, b], -2), "torch.concat([x0, x1], -2)"),
  sample("stack", [...pair], (a, b) => stack([a, b], -1), "torch.stack([x0, x1], -1)", second),
  sample("stack", [...pair], (a, b) => stack([a, b], -3), "torch.stack([x0, x1], -3)"),
  sample("stack", [f32([0, 2])], (a) => stack([a, a], 1), "torch.stack([x0, x0], 1)"),
  sample(
    "stack",
    [ints("int32", [2], 0, 9), f64([2])],
    (a, b) => stack([a, b]),
    "torch.stack([x0, x1])",
  ),
  sample("hstack", [...pair], (a, b) => hstack([a, b]), "torch.hstack([x0, x1])", second),
  sample("hstack", [f32([2]), f32([3])], (a, b) => hstack([a, b]), "torch.hstack([x0, x1])"),
  sample("hstack", [f32([]), f32([])], (a, b) => hstack([a, b]), "torch.hstack([x0, x1])"),
  sample("vstack", [...pair], (a, b) => vstack([a, b]), "torch.vstack([x0, x1])", second),
  sample("vstack", [f32([3]), f32([2, 3])], (a, b) => vstack([a, b]), "torch.vstack([x0, x1])"),
  sample("dstack", [...pair], (a, b) => dstack([a, b]), "torch.dstack([x0, x1])", second),
  sample("dstack", [f32([3]), f32([3])], (a, b) => dstack([a, b]), "torch.dstack([x0, x1])"),
  sample("atLeast1d", [f32([])], (x) => atLeast1d(x), "torch.atleast_1d(x0)"),
  sample("atLeast2d", [f32([])], (x) => atLeast2d(x), "torch.atleast_2d(x0)"),
  sample("atLeast2d", [f32([3])], (x) => atLeast2d(x), "torch.atleast_2d(x0)"),
  sample("atLeast3d", [f32([])], (x) => atLeast3d(x), "torch.atleast_3d(x0)"),
  sample("atLeast3d", [f32([3])], (x) => atLeast3d(x), "torch.atleast_3d(x0)"),
  sample("atLeast3d", [f32([3, 2])], (x) => atLeast3d(x), "torch.atleast_3d(x0)"),
  sample("atLeast3d", [f32([1, 3, 2])], (x) => atLeast3d(x), "torch.atleast_3d(x0)"),
  sample("chunk", [f32([7, 2])], (x) => x.chunk(3), "x0.chunk(3)", second),
  sample("chunk", [f32([2, 5])], (x) => x.chunk(4, -1), "x0.chunk(4, -1)"),
  sample("chunk", [f32([2])], (x) => x.chunk(5), "x0.chunk(5)"),
  sample("chunk", [f32([0, 2])], (x) => x.chunk(2), "x0.chunk(2)"),
  sample("split", [f32([0, 2])], (x) => x.split(2), "x0.split(2)", { note: "of nothing" }),
  sample("tensorSplit", [f32([7])], (x) => x.tensorSplit(3), "x0.tensor_split(3)", second),
  sample("tensorSplit", [f32([2])], (x) => x.tensorSplit(3), "x0.tensor_split(3)"),
  sample(
    "tensorSplit",
    [f32([2, 6])],
    (x) => x.tensorSplit([1, 4], 1),
    "x0.tensor_split((1, 4), 1)",
  ),
  sample("tensorSplit", [f32([5])], (x) => x.tensorSplit([-2, 9]), "x0.tensor_split((-2, 9))"),
  sample("unbind", [f32([3, 2])], (x) => x.unbind(), "x0.unbind()", second),
  sample("unbind", [f32([2, 3, 2])], (x) => x.unbind(-2), "x0.unbind(-2)"),
  sample("unbind", [bools([3])], (x) => x.unbind(), "x0.unbind()"),
];
