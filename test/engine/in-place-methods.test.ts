/** Methods whose names end in an underscore: what changes, what keeps the old elements, where gradients flow, what is refused. */

import { describe, expect, test } from "vitest";
import {
  arange,
  compile,
  Generator,
  noGrad,
  ones,
  tensor,
  zeros,
  type Tensor,
} from "../../src/index.ts";

const leaf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true });

describe("elements", () => {
  const cases: readonly (readonly [string, (x: Tensor) => Tensor, readonly number[]])[] = [
    ["add_", (x) => x.add_(tensor([1, 1, 1]), { alpha: 3 }), [4, 1, 7]],
    ["add_ of a number", (x) => x.add_(1, { alpha: 2 }), [3, 0, 6]],
    ["sub_", (x) => x.sub_(tensor([1]), { alpha: 2 }), [-1, -4, 2]],
    ["mul_", (x) => x.mul_(tensor([1, 2, 3])), [1, -4, 12]],
    ["div_", (x) => x.div_(2), [0.5, -1, 2]],
    ["pow_", (x) => x.pow_(2), [1, 4, 16]],
    ["neg_", (x) => x.neg_(), [-1, 2, -4]],
    ["abs_", (x) => x.abs_(), [1, 2, 4]],
    ["sqrt_", (x) => x.abs_().sqrt_(), [1, Math.SQRT2, 2]],
    ["exp_ and log_", (x) => x.exp_().log_(), [1, -2, 4]],
    ["round_", (x) => x.mul_(0.4).round_(), [0, -1, 2]],
    ["relu_", (x) => x.relu_(), [1, 0, 4]],
    ["sigmoid_", (x) => x.zero_().sigmoid_(), [0.5, 0.5, 0.5]],
    ["tanh_", (x) => x.mul_(0).tanh_(), [0, 0, 0]],
    ["clamp_", (x) => x.clamp_(0, 3), [1, 0, 3]],
    ["lerp_", (x) => x.lerp_(tensor([3, 0, 0]), 0.5), [2, -1, 2]],
    ["addcmul_", (x) => x.addcmul_(x, tensor([2, 2, 2]), { value: 0.5 }), [2, -4, 8]],
    ["addcdiv_", (x) => x.addcdiv_(ones([3]), tensor([2, 4, 8])), [1.5, -1.75, 4.125]],
    ["fill_", (x) => x.fill_(7), [7, 7, 7]],
    ["zero_", (x) => x.zero_(), [0, 0, 0]],
    ["copy_", (x) => x.copy_(tensor([5], { dtype: "int32" })), [5, 5, 5]],
    ["maskedFill_", (x) => x.maskedFill_(x.lt(0), 9), [1, 9, 4]],
    ["maskedScatter_", (x) => x.maskedScatter_(x.gt(0), tensor([8, 9])), [8, -2, 9]],
    ["setAt_", (x) => x.setAt_(["1:"], tensor([5, 6])), [1, 5, 6]],
    ["scatter_", (x) => x.scatter_(0, tensor([2], { dtype: "int32" }), 3), [1, -2, 3]],
    ["indexFill_", (x) => x.indexFill_(0, tensor([0], { dtype: "int32" }), 3), [3, -2, 4]],
  ];
  test.each(cases)("%s", async (_, change, expected) => {
    const x = tensor([1, -2, 4]);
    const [before, twice] = [x.clone(), x.mul(2)];
    expect(change(x)).toBe(x);
    const got = (await x.toArray()) as number[];
    got.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
    // What was recorded before keeps the old elements.
    expect(await before.toArray()).toEqual([1, -2, 4]);
    expect(await twice.toArray()).toEqual([2, -4, 8]);
    // The same from one compiled program.
    const y = tensor([1, -2, 4]);
    await compile((t: Tensor) => void change(t))(y);
    expect(await y.toArray()).toEqual(got);
  });

  test("slices of matrices", async () => {
    const at = tensor([0, 2], { dtype: "int32" });
    const rows = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(await zeros([3, 2]).indexAdd_(0, at, rows, { alpha: 2 }).toArray()).toEqual([
      [2, 4],
      [0, 0],
      [6, 8],
    ]);
    expect(await ones([3, 2]).indexCopy_(0, at, rows).toArray()).toEqual([
      [1, 2],
      [1, 1],
      [3, 4],
    ]);
    expect(
      await zeros([2, 2])
        .scatterAdd_(1, tensor([[0, 0]], { dtype: "int32" }), tensor([[1, 2]]))
        .toArray(),
    ).toEqual([
      [3, 0],
      [0, 0],
    ]);
    expect(await ones([2, 3]).tril_().toArray()).toEqual([
      [1, 0, 0],
      [1, 1, 0],
    ]);
    expect(await ones([2, 3]).triu_(1).toArray()).toEqual([
      [0, 1, 1],
      [0, 0, 1],
    ]);
    for (const shape of [
      [2, 3],
      [3, 2],
    ]) {
      const filled = zeros(shape).fillDiagonal_(4);
      expect(await filled.diagonal().toArray()).toEqual([4, 4]);
      expect(await filled.sum().item()).toBe(8);
    }
  });

  test("the tensor keeps its dtype", async () => {
    const x = arange(3);
    expect(
      await x
        .add_(1)
        .mul_(tensor([2], { dtype: "int64" }))
        .toArray(),
    ).toEqual([2, 4, 6]);
    expect(x.dtype).toBe("int32");
    const mask = zeros([3], { dtype: "bool" }).setAt_([1], true);
    expect(await mask.toArray()).toEqual([false, true, false]);
    expect(await mask.fill_(true).toArray()).toEqual([true, true, true]);
    expect(() => arange(3).add_(0.5)).toThrow(
      "add_: the result is float32, which a tensor of int32 cannot hold; use the method without underscore",
    );
    expect(() => arange(3).div_(2)).toThrow("div_: the result is float32");
    expect(() => tensor([true]).add_(1)).toThrow(
      "add_: the result is int64, which a tensor of bool",
    );
  });

  test("the tensor keeps its shape", () => {
    expect(() => zeros([3]).add_(zeros([2, 3]))).toThrow(
      "add_: the result [2,3] does not have the shape [3] of the tensor that is changed; use the method without underscore",
    );
    expect(() => zeros([3]).copy_(zeros([2]))).toThrow("copy_: [2] does not broadcast to [3]");
  });
});

describe("gradients", () => {
  test("a leaf that requires them is changed in noGrad only", async () => {
    const w = leaf(1, 2);
    const message =
      "mul_: a leaf that requires gradients cannot be changed while gradients are recorded; use noGrad(() => …)";
    expect(() => w.mul_(2)).toThrow(message);
    expect(() => w.fill_(2)).toThrow("fill_: a leaf that requires gradients");
    noGrad(() => w.mul_(2));
    expect([await w.toArray(), w.isLeaf, w.requiresGrad]).toEqual([[2, 4], true, true]);
    w.square().sum().backward();
    expect(await w.grad!.toArray()).toEqual([4, 8]);
  });

  test("flow through what is written into a buffer", async () => {
    const x = leaf(3, 5);
    const out = zeros([3, 2]);
    for (let i = 0; i < 3; i++) out.setAt_([i], x.pow(i + 1));
    expect([out.requiresGrad, out.isLeaf]).toEqual([true, false]);
    out.mul_(2);
    out.sum().backward();
    // Σᵢ 2 xⁱ has the derivative 2 (1 + 2x + 3x²).
    expect(await x.grad!.toArray()).toEqual([2 * (1 + 6 + 27), 2 * (1 + 10 + 75)]);
    expect(await out.toArray()).toEqual([
      [6, 10],
      [18, 50],
      [54, 250],
    ]);
  });

  test("flow through a copy, and stop at elements that were overwritten", async () => {
    const x = leaf(1, 2, 3);
    const y = x.mul(10);
    y.setAt_([0], 0);
    y.backward({ gradient: ones([3]) });
    expect(await x.grad!.toArray()).toEqual([0, 10, 10]);
    const copy = zeros([3]).copy_(x);
    expect(copy.requiresGrad).toBe(true);
    x.grad = null;
    copy.sum().backward();
    expect(await x.grad!.toArray()).toEqual([1, 1, 1]);
    const cleared = x.mul(2).zero_();
    x.grad = null;
    cleared.sum().backward();
    expect(x.grad === null || (await (x.grad as Tensor).sum().item()) === 0).toBe(true);
  });

  test("are those of the elements recorded with, where PyTorch would throw", async () => {
    const x = leaf(2);
    const y = x.exp();
    const z = y.square();
    y.add_(100);
    z.sum().backward();
    const expected = 2 * Math.exp(2) ** 2;
    expect((await x.grad!.item()) / expected).toBeCloseTo(1, 6);
  });

  test("flow in compiled functions too", async () => {
    const step = compile((x: Tensor) => {
      const out = zeros([2, 2]);
      out.setAt_([1], x.square());
      out.sum().backward();
      return out;
    });
    const x = leaf(3, 4);
    expect(await (await step(x)).toArray()).toEqual([
      [0, 0],
      [9, 16],
    ]);
    expect(await x.grad!.toArray()).toEqual([6, 8]);
  });

  test("a result does not silently lose its history", () => {
    const y = leaf(1).mul(2);
    expect(() => noGrad(() => y.add_(1))).toThrow(
      "add_: the tensor is the result of an operation whose gradient it would lose; detach() it first",
    );
  });

  test("a tensor from outside takes no history in a compiled function", async () => {
    const outside = zeros([1]);
    const x = leaf(1);
    await expect(compile(() => void outside.add_(x))()).rejects.toThrow(
      "add_: a tensor from outside of a compiled function cannot take a result that requires gradients; detach() the result",
    );
    await compile(() => void outside.add_(x.detach()))();
    expect(await outside.item()).toBe(1);
  });

  test("an assignment that was pending is part of the history", async () => {
    const x = leaf(2);
    const y = tensor([1]);
    y.add_(1);
    y.mul_(x);
    const other = await tensor([1]).add(1).item();
    y.sum().backward();
    expect([other, await y.item(), await x.grad!.item()]).toEqual([2, 4, 2]);
  });
});

describe("random fills", () => {
  test("follow the generator, have their moments, and keep the dtype", async () => {
    const n = 1 << 14;
    const fill = async (
      make: (generator: Generator) => Tensor,
    ): Promise<readonly [number, number]> => {
      const x = make(new Generator(5));
      const again = await make(new Generator(5)).toArray();
      expect(await x.toArray()).toEqual(again);
      return [await x.mean().item(), await x.std().item()];
    };
    const [mean, std] = await fill((generator) => zeros([n]).normal_(3, 2, { generator }));
    expect(Math.abs(mean - 3)).toBeLessThan((5 * 2) / Math.sqrt(n));
    expect(Math.abs(std - 2)).toBeLessThan(0.1);
    const [middle, width] = await fill((generator) => zeros([n]).uniform_(-1, 3, { generator }));
    expect(Math.abs(middle - 1)).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(width - 4 / Math.sqrt(12))).toBeLessThan(0.05);
    const [share] = await fill((generator) => zeros([n]).bernoulli_(0.25, { generator }));
    expect(Math.abs(share - 0.25)).toBeLessThan(5 * Math.sqrt(0.1875 / n));
    expect(zeros([2], { dtype: "float64" }).normal_().dtype).toBe("float64");
    expect(zeros([2], { dtype: "int32" }).bernoulli_(1).dtype).toBe("int32");
  });

  test("refuse what they cannot do", () => {
    expect(() => arange(3).normal_()).toThrow("normal_: needs a floating dtype, got int32");
    expect(() => zeros([1]).bernoulli_(2)).toThrow("the probability must be in [0, 1], got 2");
    expect(() => leaf(1).uniform_()).toThrow("uniform_: a leaf that requires gradients");
    expect(() => zeros([1]).uniform_(0, 1, { seed: 1 } as never)).toThrow(
      'uniform_: unknown option "seed", expected generator',
    );
  });
});
