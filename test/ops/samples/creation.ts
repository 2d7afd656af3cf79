/** Samples of functions that make tensors of numbers that follow from their arguments. */

import {
  arange,
  broadcastTensors,
  empty,
  emptyLike,
  eye,
  full,
  fullLike,
  linspace,
  logspace,
  meshgrid,
  oneHot,
  onesLike,
  trilIndices,
  triuIndices,
  zerosLike,
  cartesianProd,
} from "../../../src/index.ts";
import { f32, f64, given, ints, sample, type Extra, type Input, type Sample } from "../sample.ts";

const second: Extra = { second: true };
const alike = "x0 * 0 + ";
const i32 = (values: readonly number[], shape = [values.length]): Input =>
  given("int32", shape, values);

export const creationSamples: readonly Sample[] = [
  sample("linspace", [], () => linspace(0, 1, 5), "torch.linspace(0, 1, 5)"),
  sample("linspace", [], () => linspace(3, -10, 7), "torch.linspace(3, -10, 7)"),
  sample("linspace", [], () => linspace(2, 9, 1), "torch.linspace(2, 9, 1)"),
  sample("linspace", [], () => linspace(2, 9, 0), "torch.linspace(2, 9, 0)"),
  sample(
    "linspace",
    [],
    () => linspace(-1, 1, 6, { dtype: "float64" }),
    "torch.linspace(-1, 1, 6, dtype=torch.float64)",
  ),
  sample("logspace", [], () => logspace(-2, 2, 5), "torch.logspace(-2, 2, 5)"),
  sample("logspace", [], () => logspace(0, 8, 4, { base: 2 }), "torch.logspace(0, 8, 4, base=2)"),
  sample("eye", [], () => eye(2, 4), "torch.eye(2, 4)"),
  sample("eye", [], () => eye(3, 2, { dtype: "int32" }), "torch.eye(3, 2, dtype=torch.int32)"),
  sample("eye", [], () => eye(2, { dtype: "bool" }), "torch.eye(2, dtype=torch.bool)"),
  sample("eye", [], () => eye(0), "torch.eye(0)"),
  sample("full", [], () => full([2], true), "torch.full((2,), True)", { note: "of a boolean" }),
  sample("empty", [], () => empty([2, 0, 3]), "torch.empty(2, 0, 3)"),
  sample("zerosLike", [f64([2, 1])], zerosLike, "torch.zeros_like(x0)"),
  sample(
    "zerosLike",
    [f32([2, 1])],
    (x) => zerosLike(x, { dtype: "int32" }),
    "torch.zeros_like(x0, dtype=torch.int32)",
  ),
  sample("onesLike", [ints("int32", [3], 0, 9)], (x) => onesLike(x), "torch.ones_like(x0)"),
  sample("emptyLike", [f32([0, 2])], (x) => emptyLike(x), "torch.empty_like(x0)"),
  sample("fullLike", [f32([3])], (x) => fullLike(x, 2.5), "torch.full_like(x0, 2.5)"),
  sample("fullLike", [ints("int32", [2], 0, 9)], (x) => fullLike(x, -7), "torch.full_like(x0, -7)"),
  sample("arange", [], () => arange(7, 0, -2), "torch.arange(7, 0, -2, dtype=torch.int32)"),
  sample("trilIndices", [], () => trilIndices(3, 4), "torch.tril_indices(3, 4).int()"),
  sample("trilIndices", [], () => trilIndices(3, 2, -1), "torch.tril_indices(3, 2, -1).int()"),
  sample("triuIndices", [], () => triuIndices(3, 4, 1), "torch.triu_indices(3, 4, 1).int()"),
  sample("triuIndices", [], () => triuIndices(2, 2, 2), "torch.triu_indices(2, 2, 2).int()"),
  sample("oneHot", [i32([2, 0, 1])], (x) => oneHot(x, 4), "F.one_hot(x0.long(), 4).int()"),
  sample(
    "oneHot",
    [given("int64", [2, 2], [2, 0, 1, 1])],
    (x) => oneHot(x, 3, { dtype: "float32" }),
    "F.one_hot(x0, 3).float()",
  ),
  sample("oneHot", [i32([1], [])], (x) => oneHot(x, 2), "F.one_hot(x0.long(), 2).int()"),
  sample(
    "meshgrid",
    [f32([2]), f32([3])],
    (a, b) => meshgrid([a, b]),
    "torch.meshgrid(x0, x1, indexing='ij')",
    second,
  ),
  sample(
    "meshgrid",
    [f32([2]), f32([3]), f32([4])],
    (a, b, c) => meshgrid([a, b, c], { indexing: "xy" }),
    "torch.meshgrid(x0, x1, x2, indexing='xy')",
  ),
  sample(
    "meshgrid",
    [f32([]), f64([2])],
    (a, b) => meshgrid([a.double(), b]),
    "torch.meshgrid(x0.double(), x1, indexing='ij')",
  ),
  sample(
    "cartesianProd",
    [i32([1, 2]), i32([3, 4, 5])],
    (a, b) => cartesianProd([a, b]),
    "torch.cartesian_prod(x0, x1)",
  ),
  sample("cartesianProd", [f32([2])], (a) => cartesianProd([a]), "torch.cartesian_prod(x0)"),
  sample(
    "broadcastTensors",
    [f32([2, 1]), f32([3])],
    (a, b) => broadcastTensors([a, b]),
    "torch.broadcast_tensors(x0, x1)",
    second,
  ),
  sample("fullLike", [f32([2])], (x) => fullLike(x, 3).add(x.mul(0)), `${alike}3`),
];
