/** Samples of methods that give elements another shape, order or number, made of several operations each. */

import type { Tensor } from "../../../src/index.ts";
import { bools, f32, f64, ints, sample, type Extra, type Input, type Sample } from "../sample.ts";

const second: Extra = { second: true };
const samples: Sample[] = [];

/** A method by its name in both libraries, on one tensor. */
function method(
  op: string,
  input: Input,
  run: (x: Tensor) => Tensor,
  torch: string,
  extra?: Extra,
): void {
  samples.push(sample(op, [input], run, `x0.${torch}`, extra));
}

method("view", f32([2, 3]), (x) => x.view(-1, 2), "view(-1, 2)");
method("view", f32([0, 2]), (x) => x.view(-1, 2), "view(-1, 2)");
method("ravel", f32([]), (x) => x.ravel(), "ravel()");
method("flatten", f32([]), (x) => x.flatten(), "flatten()");
method("flatten", f32([2, 3, 2]), (x) => x.flatten(0, -2), "flatten(0, -2)");
method("unflatten", f32([2, 6]), (x) => x.unflatten(1, [2, -1]), "unflatten(1, (2, -1))", second);
method("unflatten", f32([4, 2]), (x) => x.unflatten(-2, [2, 1, 2]), "unflatten(-2, (2, 1, 2))");
method("unflatten", f32([0, 2]), (x) => x.unflatten(0, [3, 0]), "unflatten(0, (3, 0))");
method("squeeze", f32([1, 2, 1]), (x) => x.squeeze([0, -1]), "squeeze((0, -1))", second);
method("squeeze", f32([1, 2, 1]), (x) => x.squeeze([0, 1]), "squeeze((0, 1))");
method("squeeze", f32([]), (x) => x.squeeze(0), "squeeze(0)");
method("unsqueeze", f32([]), (x) => x.unsqueeze(-1), "unsqueeze(-1)");
method("permute", f32([2, 3, 4]), (x) => x.permute(1, 2, 0), "permute(1, 2, 0)");
method("swapaxes", f32([2, 3, 4]), (x) => x.swapaxes(0, -1), "swapaxes(0, -1)");
method("t", f32([2, 3]), (x) => x.t(), "t()", second);
method("t", f32([3]), (x) => x.t(), "t()");
method("t", f32([]), (x) => x.t(), "t()");
method("mT", f32([2, 3, 4]), (x) => x.mT, "mT");
method("movedim", f32([2, 3, 4]), (x) => x.movedim(0, -1), "movedim(0, -1)", second);
method("movedim", f32([2, 3, 4]), (x) => x.movedim([0, 1], [-1, 0]), "movedim((0, 1), (-1, 0))");
method("movedim", f32([2, 3, 4, 1]), (x) => x.movedim([3, 0], [1, 2]), "movedim((3, 0), (1, 2))");
method("broadcastTo", f32([3]), (x) => x.broadcastTo([2, 3]), "broadcast_to((2, 3))");
method("expand", f32([2, 1]), (x) => x.expand(3, -1, 2), "expand(3, -1, 2)");
method("narrow", f32([5, 2]), (x) => x.narrow(0, 1, 3), "narrow(0, 1, 3)", second);
method("narrow", f32([5]), (x) => x.narrow(0, -2, 2), "narrow(0, -2, 2)");
method("narrow", f32([5]), (x) => x.narrow(0, 5, 0), "narrow(0, 5, 0)");
method("unfold", f32([7]), (x) => x.unfold(0, 3, 2), "unfold(0, 3, 2)", second);
method("unfold", f32([2, 4, 2]), (x) => x.unfold(1, 2, 1), "unfold(1, 2, 1)");
method("unfold", f64([2, 5]), (x) => x.unfold(-1, 5, 1), "unfold(-1, 5, 1)");
method("repeat", f32([2, 3]), (x) => x.repeat(2, 2), "repeat(2, 2)", second);
method("repeat", f32([3]), (x) => x.repeat(2, 1, 2), "repeat(2, 1, 2)");
method("repeat", f32([2]), (x) => x.repeat(0), "repeat(0)");
method("repeat", bools([2]), (x) => x.repeat([2, 1]), "repeat(2, 1)");
method("tile", f32([2, 3]), (x) => x.tile(2), "tile((2,))", second);
method("tile", f32([2]), (x) => x.tile(2, 2), "tile((2, 2))");
method("tile", f32([]), (x) => x.tile(3), "tile((3,))");
method(
  "repeatInterleave",
  f32([2, 3]),
  (x) => x.repeatInterleave(2, 1),
  "repeat_interleave(2, 1)",
  second,
);
method("repeatInterleave", f32([2, 2]), (x) => x.repeatInterleave(2), "repeat_interleave(2)");
method(
  "repeatInterleave",
  f32([3, 2]),
  (x) => x.repeatInterleave([2, 0, 1], 0),
  "repeat_interleave(torch.tensor([2, 0, 1]), 0)",
  second,
);
method("flip", f32([2, 3]), (x) => x.flip(0, -1), "flip(0, -1)", { note: "as arguments" });
method("fliplr", f32([2, 3]), (x) => x.fliplr(), "fliplr()");
method("flipud", f32([2, 3]), (x) => x.flipud(), "flipud()");
method("roll", f32([2, 5]), (x) => x.roll(2, 1), "roll(2, 1)", second);
method("roll", f32([2, 5]), (x) => x.roll(-1), "roll(-1)");
method("roll", f32([3, 2]), (x) => x.roll([4, 1], [0, 1]), "roll((4, 1), (0, 1))");
method("roll", ints("int32", [4], 0, 9), (x) => x.roll(1, -1), "roll(1, -1)");
method("roll", f32([0, 2]), (x) => x.roll(1, 0), "roll(1, 0)");
for (const k of [-1, 0, 1, 2, 3]) method("rot90", f32([2, 3]), (x) => x.rot90(k), `rot90(${k})`);
method("rot90", f32([2, 3, 2]), (x) => x.rot90(1, [2, 0]), "rot90(1, (2, 0))", second);
method("tril", f32([3, 4]), (x) => x.tril(), "tril()", second);
method("tril", f32([2, 4, 3]), (x) => x.tril(-1), "tril(-1)");
method("tril", bools([3, 3]), (x) => x.tril(1), "tril(1)");
method("tril", ints("int32", [2, 2], 1, 9), (x) => x.tril(), "tril()");
method("triu", f32([3, 4]), (x) => x.triu(1), "triu(1)", second);
method("triu", f64([2, 4, 3]), (x) => x.triu(-1), "triu(-1)");
method("triu", f32([2, 2]), (x) => x.div(0).triu(5), "div(0).triu(5)", {
  note: "of infinities",
  noGradcheck: "not finite",
  grad: false,
});
method("diagonal", f32([3, 4]), (x) => x.diagonal(), "diagonal()", second);
method("diagonal", f32([4, 3]), (x) => x.diagonal(-2), "diagonal(-2)", second);
method("diagonal", f32([3, 3]), (x) => x.diagonal(4), "diagonal(4)");
method(
  "diagonal",
  f32([2, 3, 4]),
  (x) => x.diagonal(1, { dim1: -1, dim2: 0 }),
  "diagonal(1, -1, 0)",
);
method("diagEmbed", f32([2, 3]), (x) => x.diagEmbed(), "diag_embed()", second);
method("diagEmbed", f32([2]), (x) => x.diagEmbed(-1), "diag_embed(-1)");
method(
  "diagEmbed",
  f32([2, 3]),
  (x) => x.diagEmbed(1, { dim1: 0, dim2: 2 }),
  "diag_embed(1, 0, 2)",
);
method("diag", f32([3]), (x) => x.diag(1), "diag(1)", second);
method("diag", f32([3, 4]), (x) => x.diag(-1), "diag(-1)");
method("diag", bools([2]), (x) => x.diag(), "diag()");

samples.push(
  sample("viewAs", [f32([2, 3]), f32([3, 2])], (x, y) => x.viewAs(y), "x0.view_as(x1) + 0 * x1", {
    grad: false,
  }),
  sample(
    "reshapeAs",
    [f32([4]), ints("int32", [2, 2], 0, 9)],
    (x, y) => x.reshapeAs(y),
    "x0.reshape_as(x1)",
  ),
  sample(
    "expandAs",
    [f32([2, 1]), ints("int32", [2, 3], 0, 9)],
    (x, y) => x.expandAs(y),
    "x0.expand_as(x1)",
  ),
  sample("float", [ints("int32", [2], -9, 9)], (x) => x.float(), "x0.float()"),
  sample("double", [f32([2])], (x) => x.double(), "x0.double()"),
  sample("int", [f32([3])], (x) => x.int(), "x0.int()"),
  sample("cast", [f32([3])], (x) => x.long(), "x0.long()"),
  sample("bool", [ints("int32", [4], -1, 1)], (x) => x.bool(), "x0.bool()"),
  sample("half", [f32([3])], (x) => x.half().float(), "x0.half().float()", {
    noGradcheck: "rounds to float16",
    note: "float16",
  }),
  sample("to", [f32([3])], (x) => x.to("float64"), "x0.to(torch.float64)"),
  sample("to", [f32([3]), ints("int32", [], 0, 1)], (x, y) => x.to(y), "x0.to(x1.dtype)"),
  sample("typeAs", [ints("int32", [3], 0, 9), f64([])], (x, y) => x.typeAs(y), "x0.type_as(x1)", {
    grad: false,
  }),
);

export const rearrangingSamples: readonly Sample[] = samples;
