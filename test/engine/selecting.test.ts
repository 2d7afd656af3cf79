/** Indexing beyond the samples: choices whose size is read on the host, positions out of range, and what is refused. */

import { describe, expect, test } from "vitest";
import {
  arange,
  cat,
  compile,
  hstack,
  meshgrid,
  multinomial,
  ones,
  ShapeError,
  stack,
  tensor,
  vstack,
  zeros,
  type Tensor,
} from "../../src/index.ts";

const x = arange(12).reshape(3, 4);
const i32 = (values: number[]): Tensor => tensor(values, { dtype: "int32" });

describe("results whose size depends on elements", () => {
  test("maskedSelect, with gradients", async () => {
    expect(await x.maskedSelect(x.gt(8).logicalOr(x.eq(2))).then((y) => y.toArray())).toEqual([
      2, 9, 10, 11,
    ]);
    const w = tensor([1, 2, 3], { requiresGrad: true });
    const picked = await w.square().maskedSelect(
      tensor([
        [true, false, true],
        [false, false, true],
      ]),
    );
    expect(await picked.toArray()).toEqual([1, 9, 9]);
    picked.sum().backward();
    expect(await w.grad!.toArray()).toEqual([2, 0, 12]);
    const none = await x.maskedSelect(x.lt(0));
    expect([none.shape, none.dtype]).toEqual([[0], "int32"]);
    await expect(x.maskedSelect(x)).rejects.toThrow(
      "maskedSelect: the mask must be bool, got int32",
    );
  });

  test("nonzero", async () => {
    const places = await x.remainder(5).eq(0).nonzero();
    expect([places.dtype, await places.toArray()]).toEqual([
      "int32",
      [
        [0, 0],
        [1, 1],
        [2, 2],
      ],
    ]);
    expect((await zeros([2, 3]).nonzero()).shape).toEqual([0, 2]);
    expect((await tensor(4).nonzero()).shape).toEqual([1, 0]);
  });

  test("unique", async () => {
    const { values, inverse, counts } = await tensor([
      [3, 1, NaN],
      [1, NaN, -2],
    ]).unique();
    expect(await values.toArray()).toEqual([-2, 1, 3, NaN, NaN]);
    expect(await inverse.toArray()).toEqual([
      [2, 1, 3],
      [1, 4, 0],
    ]);
    expect(await counts.toArray()).toEqual([1, 2, 1, 1, 1]);
    const wide = await tensor([2n ** 60n, 1n, 2n ** 60n]).unique();
    expect(await wide.values.data()).toEqual(BigInt64Array.of(1n, 2n ** 60n));
    const half = await tensor([1, 0, 1], { dtype: "float16" }).unique();
    expect([half.values.dtype, await half.counts.toArray()]).toEqual(["float16", [1, 2]]);
    expect((await zeros([0]).unique()).values.shape).toEqual([0]);
  });

  test("are refused in compiled functions", async () => {
    for (const call of [
      (t: Tensor): unknown => t.maskedSelect(t.gt(1)),
      (t: Tensor): unknown => t.nonzero(),
      (t: Tensor): unknown => t.unique(),
    ]) {
      await expect(compile((t: Tensor) => void call(t))(x)).rejects.toThrow(
        "is not known inside a compiled function",
      );
    }
  });
});

describe("positions out of range", () => {
  test("known ones are refused at once", () => {
    expect(() => x.at(3)).toThrow(
      new ShapeError("at: position 3 is out of range for dimension 0 of size 3"),
    );
    expect(() => x.at(":", -5)).toThrow(
      "at: position -5 is out of range for dimension 1 of size 4",
    );
    expect(() => x.at([0, 3])).toThrow("at: position 3 is out of range for dimension 0 of size 3");
    expect(() => x.setAt([":", 4], 1)).toThrow("setAt: position 4 is out of range");
  });

  test("those of tensors when they are computed, in each dimension for itself", async () => {
    await expect(x.at(i32([3])).data()).rejects.toThrow("out of data bounds");
    await expect(x.at(i32([-4])).data()).rejects.toThrow("out of data bounds");
    // Position 4 of row 0 would be that of row 1.
    await expect(x.at(i32([0]), i32([4])).data()).rejects.toThrow("out of data bounds");
    await expect(x.take(i32([12])).data()).rejects.toThrow("out of data bounds");
  });
});

describe("what cannot be an index", () => {
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    ["too many", () => x.at(0, 0, 0), "at: 3 indices are too many for a tensor of shape [3,4]"],
    ["two ellipses", () => x.at("...", "..."), 'at: an index can have one "..." only'],
    [
      "text",
      () => x.at("1"),
      'at: cannot read the index "1"; expected a number, null, "...", a range such as "1:-1:2" or { start, stop, step }, or a tensor',
    ],
    [
      "undefined",
      () => x.at(undefined as never),
      'at: cannot read the index undefined; expected a number, null, "...", a range such as "1:-1:2" or { start, stop, step }, or a tensor',
    ],
    ["a fraction", () => x.at(0.5), "at: position 0.5 is out of range for dimension 0 of size 3"],
    [
      "no step",
      () => x.at("::0"),
      "at: start and stop of a range must be integers and step an integer other than 0, got 0",
    ],
    [
      "a misspelt range",
      () => x.at({ from: 1 } as never),
      'at: unknown key "from" of a range, expected start, stop, step',
    ],
    [
      "floats",
      () => x.at(tensor([0])),
      "at: an index tensor must be int32, int64 or bool, got float32",
    ],
    [
      "tensors that do not broadcast",
      () => x.at(i32([0, 1]), i32([0, 1, 2])),
      "at: shapes [2] and [3] do not broadcast, sizes 2 and 3 differ at dimension -1 and neither is 1",
    ],
    [
      "a mask to read with",
      () => x.at(x.gt(1)),
      "at: how many elements a bool mask picks is not known before they are computed; use where(mask, …), maskedFill, or await x.maskedSelect(mask)",
    ],
    [
      "a mask of another shape",
      () => x.setAt([tensor([true, false])], 1),
      "setAt: the mask [2] must have the sizes [3] of the dimensions it stands for",
    ],
    [
      "a mask and a value for each place",
      () => x.setAt([x.gt(1)], tensor([1, 2])),
      "setAt: with a bool mask the value must be one for all masked places, of at most 0 dimensions, got [2]",
    ],
    [
      "a mask beside positions",
      () => x.setAt([tensor([true, false, true]), 0], 1),
      'setAt: a bool mask can stand beside ":" and "..." only',
    ],
    [
      "no list",
      () => x.setAt(0 as never, 1),
      'setAt: the index must be a list such as [0, ":"], got number',
    ],
    [
      "a value that does not fit",
      () => x.setAt([0], ones([3])),
      "setAt: [3] does not broadcast to [4]",
    ],
  ];
  test.each(cases)("%s", (_, call, message) => {
    expect(call).toThrow(new ShapeError(message));
  });
});

describe("other refusals", () => {
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    [
      "stack",
      () => stack([zeros([2]), zeros([3])]),
      "stack: needs tensors of one shape, got [2], [3]",
    ],
    ["stack of nothing", () => stack([]), "stack: needs tensors of one shape, got none"],
    ["cat of a tensor", () => cat(x as never), "cat: needs a list of tensors, e.g. cat([a, b])"],
    [
      "vstack",
      () => vstack([zeros([2]), zeros([3])]),
      "vstack: shapes [1,2] and [1,3] must agree in all dimensions but 0",
    ],
    [
      "hstack",
      () => hstack([zeros([2, 1]), zeros([3, 1])]),
      "hstack: shapes [2,1] and [3,1] must agree in all dimensions but 1",
    ],
    [
      "meshgrid",
      () => meshgrid([arange(2)], { indexing: "yx" as never }),
      'meshgrid: indexing must be "ij" or "xy", got "yx"',
    ],
    [
      "meshgrid of matrices",
      () => meshgrid([x]),
      "meshgrid: needs tensors of one dimension, got [3,4]",
    ],
    ["view", () => x.view(5, -1), "view: [3,4] has 12 elements, which do not fill [5,-1]"],
    [
      "view of nothing",
      () => zeros([0]).view(0, -1),
      "view: [0] has 0 elements, which do not fill [0,-1]",
    ],
    [
      "text as shape",
      () => x.reshape("a" as never),
      "reshape: the shape must be an array of sizes, e.g. [2, 3], got a",
    ],
    ["a fraction as size", () => x.reshape(1.5, 8), "reshape: sizes must be integers, got [1.5,8]"],
    ["NaN as size", () => x.expand(NaN, 4), "expand: sizes must be integers, got [NaN,4]"],
    ["broadcastTo", () => x.broadcastTo([2, 4]), "broadcastTo: [3,4] does not broadcast to [2,4]"],
    [
      "t",
      () => zeros([1, 1, 1]).t(),
      "t: needs at most 2 dimensions, got 3; use transpose or permute",
    ],
    [
      "unflatten",
      () => x.unflatten(1, [3, -1]),
      "unflatten: sizes [3,-1] do not make up 4, dimension 1",
    ],
    [
      "narrow",
      () => x.narrow(0, 2, 2),
      "narrow: 2 positions from 2 on do not lie in dimension 0 of size 3",
    ],
    ["chunk", () => x.chunk(0), "chunk: the number of pieces must be a positive integer, got 0"],
    [
      "repeat",
      () => x.repeat(2),
      "repeat: needs a count for each of 2 dimensions, got 1; tile takes fewer",
    ],
    [
      "roll",
      () => x.roll([1], [0, 1]),
      "roll: needs a shift for each dimension, got [1] and [0,1]",
    ],
    ["rot90", () => x.rot90(1, [1, -1]), "rot90: needs two different dimensions, got [1,-1]"],
    ["tril", () => zeros([3]).tril(), "tril: needs at least 2 dimensions, got [3]"],
    [
      "diag",
      () => zeros([1, 1, 1]).diag(),
      "diag: needs 1 or 2 dimensions, got 3; use diagonal or diagEmbed",
    ],
    ["unfold", () => x.unfold(1, 5, 1), "unfold: the size must be 0 … 4, dimension 1, got 5"],
    [
      "movedim",
      () => x.movedim([0, 1], 0),
      "movedim: needs as many places as dimensions, got [0,1] and [0]",
    ],
    [
      "scatter",
      () => x.scatter(0, x, zeros([3, 4])),
      "scatter: the source must be int32 like the tensor, got float32",
    ],
    [
      "scatterReduce",
      () => x.scatterReduce(0, x, x, "max" as never),
      'scatterReduce: unknown reduction "max", expected sum, prod, mean, amax, amin',
    ],
    [
      "indexAdd",
      () => x.indexAdd(0, i32([0]), x),
      "indexAdd: the source must be [1,4], the tensor's shape with one slice for each index, got [3,4]",
    ],
    [
      "multinomial",
      () => multinomial(ones([2]), 3),
      "multinomial: the number of samples must be a positive integer, without replacement at most 2, got 3",
    ],
  ];
  test.each(cases)("%s", (_, call, message) => {
    expect(call).toThrow(new ShapeError(message));
  });

  test("an option that there is not", () => {
    expect(() => x.diagonal(0, { dim: 1 } as never)).toThrow(
      new TypeError('diagonal: unknown option "dim", expected dim1, dim2'),
    );
  });
});

describe("a tensor is no number and no text", () => {
  test("operators throw", () => {
    expect(() => (x as unknown as number) + 1).toThrow(
      "Tensor: operators such as + and < do not work on tensors; use methods as in a.add(b) and a.lt(b), or a number: await a.item()",
    );
    expect(() => (x as unknown as number) < 1).toThrow("use methods");
    expect(() => -(x as unknown as number)).toThrow("use methods");
    expect(`${x as unknown as string}`).toBe("Tensor(shape=[3,4], dtype=int32)");
  });

  test("JSON throws", () => {
    expect(() => JSON.stringify({ x })).toThrow(
      "Tensor: JSON needs elements that are known; write await x.toArray(), or save tensors as safetensors",
    );
  });

  test("dtypes are checked, devices are explained", () => {
    expect(() => x.to("float" as never)).toThrow(
      'to: unknown dtype "float", expected one of bool, uint32, int32, int64, float16, float32, float64',
    );
    expect(() => x.to("cuda" as never)).toThrow(
      'to: tensors have no device of their own, got "cuda"; use await setDevice("cpu" | "webgpu" | "wasm") for all of them',
    );
  });
});
