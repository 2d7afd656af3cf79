/** Methods as functions, and what reads values: comparisons of whole tensors, counts of unknown length; errors name the call. */

import { describe, expect, test } from "vitest";
import * as torch from "../../src/index.ts";
import * as functions from "../../src/functions.ts";
import { ShapeError, tensor, Tensor } from "../../src/index.ts";

test("every function but einsum is the method of its name, and is exported", async () => {
  const x = tensor([
    [1, 2],
    [3, 4.5],
  ]);
  for (const name of Object.keys(functions)) {
    expect(name in torch, name).toBe(true);
    if (name !== "einsum") expect(name in Tensor.prototype, name).toBe(true);
  }
  expect(await torch.exp(tensor([0, -Infinity])).toArray()).toEqual([1, 0]);
  expect(await torch.max(x, 1).indices.toArray()).toEqual([1, 1]);
  expect(await torch.max(x).item()).toBe(4.5);
  expect(await torch.add(x, 1, { alpha: 2 }).toArray()).toEqual([
    [3, 4],
    [5, 6.5],
  ]);
  expect(await torch.polygamma(0, tensor([1], { dtype: "float64" })).item()).toBeCloseTo(
    -0.5772156649,
    9,
  );
});

test("what is no tensor is refused under the function's name", () => {
  const exp = torch.exp as (x: unknown) => Tensor;
  expect(() => exp([1, 2])).toThrow("exp: expected a tensor, got an array; make a tensor of it");
  expect(() => exp(1)).toThrow("exp: expected a tensor, got 1");
});

describe("whole tensors", () => {
  test("allclose", async () => {
    const a = tensor([1, 2, NaN]);
    expect(await a.allclose(tensor([1, 2.000001, NaN]))).toBe(false);
    expect(await a.allclose(tensor([1, 2.000001, NaN]), { equalNan: true })).toBe(true);
    expect(await tensor([1]).allclose(tensor([1.1]), { rtol: 0.2 })).toBe(true);
    expect(await tensor([], { shape: [0] }).allclose(tensor([], { shape: [0] }))).toBe(true);
    await expect(a.allclose(a, { rtol: -1 })).rejects.toThrow(/^isclose: tolerances/);
  });

  test("equal", async () => {
    expect(await tensor([1, 2]).equal(tensor([1, 2]))).toBe(true);
    expect(await tensor([1, 2]).equal(tensor([1, 3]))).toBe(false);
    expect(await tensor([1, 2]).equal(tensor([[1, 2]]))).toBe(false);
    expect(await tensor([NaN]).equal(tensor([NaN]))).toBe(false);
  });
});

describe("bincount", () => {
  const x = tensor([1, 3, 1], { dtype: "int32" });

  test("without a length reads the largest element", async () => {
    expect(await (await x.bincount()).toArray()).toEqual([0, 2, 0, 1]);
    expect(await (await x.bincount({ minlength: 6 })).toArray()).toEqual([0, 2, 0, 1, 0, 0]);
    const weights = tensor([0.5, 1, 2]);
    expect(await (await x.bincount({ weights })).toArray()).toEqual([0, 2.5, 0, 1]);
    const none = tensor([], { dtype: "int32", shape: [0] });
    expect((await none.bincount()).shape).toEqual([0]);
  });

  test("with a length is recorded, also inside compile", async () => {
    const count = torch.compile((t: Tensor) => t.bincount(5));
    expect(await (await count(x)).toArray()).toEqual([0, 2, 0, 1, 0]);
    await expect(torch.compile((t: Tensor) => void t.bincount())(x)).rejects.toThrow(
      /read inside a compiled function/,
    );
  });
});

describe("errors name the call", () => {
  const m = torch.ones([2, 3]);
  test.each<readonly [string, () => unknown]>([
    ["einsum", () => torch.einsum("ij,jk->ik", m)],
    ["einsum", () => torch.einsum("ijk->k", m)],
    ["einsum", () => torch.einsum("i1->i", m)],
    ["einsum", () => torch.einsum("ij->k", m)],
    ["einsum", () => torch.einsum("ij->ii", m)],
    ["einsum", () => torch.einsum("ij,ij->i", m, torch.ones([2, 4]))],
    ["einsum", () => torch.einsum("ii->i", m)],
    ["einsum", () => torch.einsum("......", m)],
    ["mm", () => m.mm(m)],
    ["mv", () => m.mv(m)],
    ["bmm", () => m.bmm(m)],
    ["dot", () => m.dot(m)],
    ["outer", () => m.outer(m)],
    ["inner", () => m.inner(torch.ones([2]))],
    ["addmm", () => m.addmm(m, m)],
    ["tensordot", () => m.tensordot(m, 3)],
    ["tensordot", () => m.tensordot(m, [[0], [1]])],
    ["tensordot", () => m.tensordot(m, [[0], []])],
    ["cross", () => torch.ones([2, 4]).cross(torch.ones([2, 4]))],
    ["trace", () => torch.ones([3]).trace()],
    ["matrixPower", () => m.matrixPower(2)],
    ["matrixPower", () => torch.ones([2, 2]).matrixPower(-1)],
    ["cdist", () => m.cdist(torch.ones([2, 4]))],
    ["cdist", () => m.cdist(m, { p: -1 })],
    ["cov", () => torch.ones([2, 2, 2]).cov()],
    ["div", () => m.div(2, { roundingMode: "up" as "floor" })],
    ["clamp", () => m.clamp()],
    ["round", () => m.round(0.5)],
    ["bitwiseAnd", () => m.bitwiseAnd(1)],
    ["bitwiseLeftShift", () => m.bitwiseLeftShift(1)],
    ["polygamma", () => m.polygamma(-1)],
    ["var", () => tensor([1], { dtype: "int32" }).var()],
    ["norm", () => tensor([1], { dtype: "int32" }).norm()],
    ["norm", () => m.norm("nuc" as "fro")],
    ["prod", () => m.prod({ dim: [0, 1] })],
    ["sort", () => m.sort(2)],
    ["kthvalue", () => m.kthvalue(4)],
    ["median", () => torch.ones([0]).median()],
    ["quantile", () => m.quantile(1.5)],
    ["quantile", () => m.quantile(0.5, 0, { interpolation: "cubic" as "linear" })],
    ["searchsorted", () => m.searchsorted(torch.ones([3, 2]))],
    ["bucketize", () => m.bucketize(m)],
    ["bincount", () => m.bincount(3)],
    ["histc", () => m.histc(0)],
    ["histc", () => m.histc(3, { min: 1, max: 0 })],
    ["argmax", () => torch.ones([2, 0]).argmax(1)],
    ["amax", () => torch.ones([0]).max()],
    ["cummax", () => m.cummax(2)],
    ["logcumsumexp", () => tensor([1], { dtype: "int32" }).logcumsumexp(0)],
    ["diff", () => tensor(1).diff()],
    ["diff", () => m.diff({ n: -1 })],
  ])("%s", (op, call) => {
    expect(call).toThrow(ShapeError);
    expect(call).toThrow(new RegExp(`^${op}: `));
  });

  test("of what has no such option", () => {
    expect(() => m.sort(0, { reverse: true } as object)).toThrow(
      new TypeError('sort: unknown option "reverse", expected descending, stable'),
    );
  });
});
