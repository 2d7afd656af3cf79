/** What plain JavaScript gives where a tensor is needed, and other slips, are named where they happen. */

import { expect, test } from "vitest";
import { compile, ones, tensor, where, type Tensor } from "../../src/index.ts";
import { Linear } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";

const wrong = (given: unknown): never => given as never;

test("what is no tensor is named, with what to do about it", async () => {
  const x = ones([2]);
  expect(() => x.add(wrong(undefined))).toThrow("expected a tensor, got undefined");
  expect(() => x.mul(wrong([1, 2]))).toThrow("got an array; make a tensor of it: tensor(…)");
  expect(() => x.matmul(wrong(new Float32Array(2)))).toThrow("got an array");
  expect(() => x.add(wrong("1"))).toThrow("expected a tensor, got 1");
  expect(() => x.add(wrong({}))).toThrow("expected a tensor, got another object");
  expect(() => x.add(wrong(null))).toThrow("expected a tensor, got null");
  expect(() => where(wrong(true), x, x)).toThrow("expected a tensor, got true");
  expect(() => where(x.gt(0), x, wrong(undefined))).toThrow("expected a tensor, got undefined");
  const twice = compile((t: Tensor) => t.mul(2));
  const promise = twice(x);
  expect(() => x.add(wrong(promise))).toThrow("got a promise; await it first");
  await promise;
  const sum = compile((a: Tensor, b: Tensor) => a.add(b));
  await expect(sum(x, wrong(undefined))).rejects.toThrow("got undefined");
});

test("bytes are not taken for booleans unless they may be", async () => {
  expect(() => tensor(new Uint8Array([0, 200]))).toThrow(/elements above 1; give a dtype/);
  expect(await tensor(new Uint8Array([0, 1])).toArray()).toEqual([false, true]);
  expect(await tensor(new Uint8Array([0, 200]), { dtype: "float32" }).toArray()).toEqual([0, 200]);
  expect(await tensor(new Uint8Array([0, 200]), { dtype: "bool" }).toArray()).toEqual([
    false,
    true,
  ]);
});

test("requiresGrad may be set, for leaves", async () => {
  const layer = new Linear(2, 1);
  layer.weight.requiresGrad = false;
  layer.forward(ones([1, 2])).backward();
  expect(layer.weight.grad).toBeNull();
  expect(await layer.bias!.grad!.toArray()).toEqual([1]);
  const y = layer.forward(ones([1, 2]));
  expect(() => (y.requiresGrad = false)).toThrow("the tensor has a history");
});

test("an optimizer takes frozen parameters, leaves them alone, and learns them once they are not", async () => {
  const layer = new Linear(1, 1);
  layer.weight.requiresGrad = false;
  const before = await layer.weight.item();
  const optimizer = new SGD(layer.parameters(), { lr: 0.5, momentum: 0.9, weightDecay: 0.1 });
  const step = compile((x: Tensor) => {
    optimizer.zeroGrad();
    layer.forward(x).sum().backward();
    optimizer.step();
  });
  const bias = await layer.bias!.item();
  await step(ones([1, 1]));
  expect(await layer.weight.item()).toBe(before);
  expect(await layer.bias!.item()).toBeCloseTo(bias - 0.5 * (1 + 0.1 * bias), 6);
  layer.weight.requiresGrad = true;
  await step(ones([1, 1]));
  expect(await layer.weight.item()).toBeCloseTo(before - 0.5 * (1 + 0.1 * before), 6);
  expect(() => new SGD([layer.weight.mul(2)], { lr: 1 })).toThrow("must be leaves");
});
