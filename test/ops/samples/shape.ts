/** Samples of operations that move, repeat and join elements, and of filled tensors. */

import { arange, cat, eye, full, stack, type Tensor } from "../../../src/index.ts";
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
const samples: Sample[] = [];

/** Same operation on every dtype. */
function everyDtype(
  op: string,
  shape: readonly number[],
  run: (x: Tensor) => Tensor,
  torch: string,
): void {
  const inputs: Input[] = [
    f64(shape),
    ints("int32", shape, -9, 9),
    ints("int64", shape, -9, 9),
    ints("uint32", shape, 0, 9),
    bools(shape),
  ];
  for (const input of inputs) samples.push(sample(op, [input], run, torch));
}

everyDtype("reshape", [2, 3], (x) => x.reshape([3, 2]), "x0.reshape(3, 2)");
everyDtype("permute", [2, 3], (x) => x.transpose(0, 1), "x0.transpose(0, 1)");
everyDtype("expand", [2, 1], (x) => x.expand([2, 3]), "x0.expand(2, 3)");
everyDtype("slice", [4, 2], (x) => x.slice(0, 1, 4, 2), "x0[1:4:2]");
everyDtype("slice", [3, 2], (x) => x.flip([0]), "x0.flip(0)");
everyDtype("pad", [2, 2], (x) => x.pad([1, 0], [0, 2]), "F.pad(x0, (0, 2, 1, 0))");
everyDtype("concat", [2, 2], (x) => cat([x, x], 1), "torch.cat([x0, x0], 1)");

const slice = (dim: number, start?: number, end?: number, step?: number) => (x: Tensor) =>
  x.slice(dim, start, end, step);

samples.push(
  sample("reshape", [f32([2, 3, 2])], (x) => x.reshape([-1, 4]), "x0.reshape(-1, 4)", second),
  sample("reshape", [f32([])], (x) => x.reshape([1, 1]), "x0.reshape(1, 1)"),
  sample("reshape", [f32([1, 1])], (x) => x.reshape([]), "x0.reshape(())"),
  sample("reshape", [f32([0, 3])], (x) => x.reshape([3, 0]), "x0.reshape(3, 0)"),
  sample("reshape", [f32([2, 3, 2])], (x) => x.reshape([6, 2]).reshape([3, 4]), "x0.reshape(3, 4)"),
  sample("reshape", [f32([2, 3, 2])], (x) => x.flatten(1), "x0.flatten(1)"),
  sample("reshape", [f32([2, 3])], (x) => x.unsqueeze(-2), "x0.unsqueeze(-2)"),
  sample("reshape", [f32([1, 3, 1])], (x) => x.squeeze(), "x0.squeeze()"),
  sample("reshape", [f32([1, 3, 1])], (x) => x.squeeze(-1), "x0.squeeze(-1)"),
  sample("permute", [f32([2, 3, 4])], (x) => x.permute([2, 0, 1]), "x0.permute(2, 0, 1)", second),
  sample("permute", [f32([2, 3, 4])], (x) => x.permute([-1, 1, 0]), "x0.permute(-1, 1, 0)"),
  sample("permute", [f32([2, 3, 1])], (x) => x.transpose(-1, -2), "x0.transpose(-1, -2)"),
  sample("permute", [f32([0, 3])], (x) => x.T, "x0.T"),
  sample("expand", [f32([3, 1])], (x) => x.expand([2, 3, 4]), "x0.expand(2, 3, 4)", second),
  sample("expand", [f32([])], (x) => x.expand([2, 2]), "x0.expand(2, 2)"),
  sample("expand", [f32([1])], (x) => x.mul(2).expand(0).sum(), "(x0 * 2).expand(0).sum()"),
  sample("expand", [f32([1, 3])], (x) => x.expand([2, -1]), "x0.expand(2, -1)"),
  sample("expand", [f32([1, 3])], (x) => x.expand([0, 3]), "x0.expand(0, 3)"),
  sample("slice", [f32([5, 2])], slice(0, 1, 4), "x0[1:4]", second),
  sample("slice", [f32([2, 5])], slice(-1, 1, undefined, 2), "x0[:, 1::2]", second),
  sample("slice", [f32([7])], slice(0, 0, 6, 3), "x0[0:6:3]"),
  sample("slice", [f32([7])], slice(0, -5, -1), "x0[-5:-1]"),
  sample("slice", [f32([3])], slice(0, -9, 9), "x0[-9:9]"),
  sample("slice", [f32([3, 2])], slice(0, 2, 1), "x0[2:2]", { note: "nothing" }),
  sample("slice", [f32([0, 2])], slice(1, 0, 1), "x0[:, 0:1]"),
  sample("slice", [f32([6])], slice(0, undefined, undefined, -2), "x0.flip(0)[::2]", second),
  sample("slice", [f32([6])], slice(0, 4, 0, -3), "x0.flip(0)[1:5:3]"),
  sample("slice", [f32([6])], slice(0, 4, -6, -1), "x0[1:5].flip(0)"),
  sample("slice", [f32([2, 3])], (x) => x.flip([0, -1]), "x0.flip(0, -1)"),
  sample("slice", [f32([2, 3, 2])], (x) => x.select(1, -1), "x0.select(1, -1)"),
  sample("split", [f32([5, 2])], (x) => x.split(2), "x0.split(2)"),
  sample("split", [f32([2, 6])], (x) => x.split([1, 2, 3], 1), "x0.split([1, 2, 3], 1)", second),
  sample("split", [f64([4])], (x) => x.split([1, 3]).slice(1), "x0.split([1, 3])[1:]"),
  sample("split", [f32([3, 2])], (x) => x.split([3, 0]), "x0.split([3, 0])"),
  sample("split", [ints("int64", [4], -9, 9)], (x) => x.split(3), "x0.split(3)"),
  sample("split", [bools([3])], (x) => x.split(2), "x0.split(2)"),
  sample("split", [ints("uint32", [3], 0, 9)], (x) => x.split(2), "x0.split(2)"),
  sample("split", [f32([2])], (x) => x.split(2), "x0.split(2)"),
  sample(
    "pad",
    [f32([2, 3])],
    (x) => x.pad([0, 1], [2, 0], 1.5),
    "F.pad(x0, (1, 0, 0, 2), value=1.5)",
    second,
  ),
  sample(
    "pad",
    [f32([2])],
    (x) => x.pad([1], [1], -Infinity),
    "F.pad(x0, (1, 1), value=float('-inf'))",
    { noGradcheck: "not finite" },
  ),
  sample("pad", [f32([0, 2])], (x) => x.pad([1, 0], [1, 0], 3), "F.pad(x0, (0, 0, 1, 1), value=3)"),
  sample("pad", [bools([2])], (x) => x.pad([1], [1], 1), "F.pad(x0, (1, 1), value=True)"),
  sample(
    "concat",
    [f32([2, 2]), f32([1, 2], -2, 2, 1), f32([3, 2], -2, 2, 2)],
    (a, b, c) => cat([a, b, c]),
    "torch.cat([x0, x1, x2])",
    second,
  ),
  sample(
    "concat",
    [f32([2, 1]), f32([2, 3])],
    (a, b) => cat([a, b], -1),
    "torch.cat([x0, x1], -1)",
  ),
  sample("concat", [f32([0, 2]), f32([1, 2])], (a, b) => cat([a, b]), "torch.cat([x0, x1])"),
  sample(
    "concat",
    [f32([2]), ints("int64", [3], 0, 9)],
    (a, b) => cat([a, b]),
    "torch.cat([x0, x1])",
  ),
  sample("concat", [f32([2]), f64([3])], (a, b) => cat([a, b]), "torch.cat([x0, x1])"),
  sample(
    "concat",
    [f32([2, 2]), f32([2, 2], -2, 2, 1)],
    (a, b) => stack([a, b], 1),
    "torch.stack([x0, x1], 1)",
    second,
  ),
  sample("concat", [f32([]), f32([], -2, 2, 1)], (a, b) => stack([a, b]), "torch.stack([x0, x1])"),
  sample("full", [], () => full([2, 3], 2.5), "torch.full((2, 3), 2.5)"),
  sample(
    "full",
    [],
    () => full([], NaN, { dtype: "float64" }),
    "torch.full((), float('nan'), dtype=torch.float64)",
  ),
  sample("full", [], () => full([2], -Infinity), "torch.full((2,), float('-inf'))"),
  sample("full", [], () => full([2], -0).reciprocal(), "torch.full((2,), -0.0).reciprocal()", {
    note: "negative zero",
  }),
  sample("full", [], () => full([0, 2], 1), "torch.full((0, 2), 1.0)"),
  sample(
    "full",
    [],
    () => full([3], -7, { dtype: "int32" }),
    "torch.full((3,), -7, dtype=torch.int32)",
  ),
  sample(
    "full",
    [],
    () => full([3], -7, { dtype: "int64" }),
    "torch.full((3,), -7, dtype=torch.int64)",
  ),
  sample("full", [], () => full([3], 1, { dtype: "bool" }), "torch.full((3,), True)"),
  sample("full", [given("float32", [2], [3, 4])], (x) => x.mul(0).add(full([2], 4)), "x0 * 0 + 4"),
  sample("iota", [], () => arange(5), "torch.arange(5, dtype=torch.int32)"),
  sample("iota", [], () => arange(0), "torch.arange(0, dtype=torch.int32)"),
  sample("iota", [], () => arange(2, 11, 3), "torch.arange(2, 11, 3, dtype=torch.int32)"),
  sample("iota", [], () => arange(1, -1, -0.25), "torch.arange(1, -1, -0.25)"),
  sample("iota", [], () => arange(0, 3, 1, { dtype: "int64" }), "torch.arange(0, 3)"),
  sample("iota", [], () => eye(3), "torch.eye(3)"),
);

export const shapeSamples: readonly Sample[] = samples;
