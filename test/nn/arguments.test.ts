import { expect, test } from "vitest";
import { randn, tensor } from "../../src/index.ts";
import { Embedding, functional as F, MultiheadAttention } from "../../src/nn/index.ts";

const ids = (data: number[]) => tensor(data, { dtype: "int32" });

test("targets and ids must be integers, and the error says how to make them so", () => {
  expect(() => F.crossEntropy(randn([2, 3]), tensor([1, 2]))).toThrow(
    /crossEntropy: targets must be int32 or int64, got float32/,
  );
  expect(() => new Embedding(4, 2).forward(tensor([1, 2]))).toThrow(
    /embedding: indices must be int32/,
  );
});

test("negative targets and ids are out of range, as in PyTorch, and do not count from the end", async () => {
  await expect(F.crossEntropy(randn([1, 3]), ids([-1])).item()).rejects.toThrow(
    /Out of range value in index/,
  );
  await expect(new Embedding(4, 2).forward(ids([-1])).data()).rejects.toThrow(/bounds/);
  const logits = tensor([
    [1, 2, 3],
    [3, 2, 1],
  ]);
  const [ignoring, alone] = [
    F.crossEntropy(logits, ids([0, -1]), { ignoreIndex: -1 }),
    F.crossEntropy(logits.slice(0, 0, 1), ids([0])),
  ];
  expect(await ignoring.item()).toBeCloseTo(await alone.item(), 6);
});

test("masks must be bool or float, and fit the keys", () => {
  const attention = new MultiheadAttention(4, 2, { batchFirst: true });
  const x = randn([1, 3, 4]);
  expect(() =>
    attention.forward(x, x, x, { keyPaddingMask: tensor([[0, 0, 1]], { dtype: "int32" }) }),
  ).toThrow(/a mask must be bool .* or float .*, got int32/);
  expect(() => attention.forward(x, x, x, { keyPaddingMask: tensor([[true, false]]) })).toThrow(
    /keyPaddingMask must be \[batch, keys\] = \[1,3\], got \[1,2\]/,
  );
});

test("data that is no numbers, and a dtype that is none, are errors and not NaN", () => {
  expect(() => tensor(["a"] as never)).toThrow(/must be numbers, booleans or bigints, got string/);
  expect(() => tensor(undefined as never)).toThrow(/got undefined/);
  expect(() => tensor([1], { dtype: "float" as never })).toThrow(
    /unknown dtype "float", expected one of bool/,
  );
});
