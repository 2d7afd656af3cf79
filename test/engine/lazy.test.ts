/** Nothing runs until a value is read; pending assignments run along; graphs and programs do not grow. */

import { describe, expect, test, vi } from "vitest";
import { cat, full, ones, setDevice, tensor, type Tensor, zeros } from "../../src/index.ts";
import { executor } from "../../src/device.ts";
import { cachedPrograms } from "../../src/engine.ts";
import type { Node, Value } from "../../src/graph/node.ts";
import { mix } from "../../src/graph/node-table.ts";
import { collect, Structure } from "../../src/pending.ts";
import { settled } from "../support/memory.ts";

/** Runs of programs while `task` runs. */
async function runsDuring(task: () => Promise<void>): Promise<number> {
  const run = vi.spyOn(await executor(), "run");
  try {
    await task();
    return run.mock.calls.length;
  } finally {
    run.mockRestore();
  }
}

/** Nodes that are reachable from a value: what keeps memory. */
function reachable(value: Value): number {
  const seen = new Set<Node>();
  const stack = [value];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (seen.has(next.node)) continue;
    seen.add(next.node);
    stack.push(...next.node.inputs);
  }
  return seen.size;
}

const list = async (x: Tensor): Promise<number[]> => Array.from(await x.data(), Number);

describe("hash-consing", () => {
  const x = tensor([1, 2]);
  const y = tensor([1, 2]);

  test("equal expressions are one node", () => {
    expect(x.add(1).mul(2).value).toBe(x.add(1).mul(2).value);
    expect(x.matmul(y).value.node).toBe(x.matmul(y).value.node);
    expect(cat([x, y]).value).toBe(cat([x, y]).value);
  });

  test("different inputs, attributes, dtypes and numbers are not", () => {
    expect(x.add(1).value).not.toBe(y.add(1).value);
    expect(x.add(1).value).not.toBe(x.add(2).value);
    expect(x.add(y).value).not.toBe(y.add(x).value);
    expect(cat([x, y]).value).not.toBe(cat([y, x]).value);
    expect(x.cast("int32").value).not.toBe(x.cast("int64").value);
    expect(x.sum({ dim: 0 }).value).not.toBe(x.softmax(0).value);
  });

  test("0 and −0 are different numbers", async () => {
    const zero = x.mul(0).reciprocal();
    const negative = x.mul(-0).reciprocal();
    expect(await list(negative)).toEqual([-Infinity, -Infinity]);
    expect(await list(zero)).toEqual([Infinity, Infinity]);
    expect(
      await list(
        full([1], -0)
          .reciprocal()
          .add(full([1], 0)),
      ),
    ).toEqual([-Infinity]);
  });

  test("equal expressions are one node among thousands, until an evaluation", async () => {
    const sums = () => Array.from({ length: 3000 }, (_, i) => x.add(i).mul(y).value);
    const before = sums();
    expect(new Set(before).size).toBe(3000);
    expect(sums().every((value, i) => value === before[i])).toBe(true);
    await x.add(y).data();
    expect(sums().some((value, i) => value === before[i])).toBe(false);
  });

  test("copies are values of their own", () => {
    expect(x.clone().value).not.toBe(x.clone().value);
    expect(zeros([2], { requiresGrad: true }).value).not.toBe(
      zeros([2], { requiresGrad: true }).value,
    );
  });
});

describe("structures of pending graphs", () => {
  const structure = (...targets: Tensor[]) => collect(targets.map((t) => t.value)).structure;
  const [a, b] = [tensor([1, 2]), tensor([3, 4])];

  test("are equal for other leaves and numbers", () => {
    expect(structure(a.add(b).mul(2)).equals(structure(b.add(a).mul(3)))).toBe(true);
    expect(structure(a.sub(b), a).equals(structure(b.sub(a), b))).toBe(true);
  });

  test("differ where the computation does", () => {
    const column = tensor([[1], [2]]);
    const graphs = [
      [a.add(b)],
      [a.add(a)],
      [a.sub(b)],
      [a.add(b), a],
      [a.add(b), b],
      [a.add(b), a.add(b).mul(a)],
      [a.add(b).mul(a), a.add(b)],
      [a.add(column)],
      [a.cast("int32").add(b.cast("int32"))],
      [a.cast("int64").add(b.cast("int64"))],
      [a.add(0)],
      [a.sum({ dim: 0 })],
      [a.sum({ dim: 0, keepdim: true })],
      [a.slice(0, 0, 1)],
      [a.slice(0, 1, 2)],
      [cat([a, b, a])],
      [cat([a, b, b])],
      a.split(1),
      [a.split(1)[0]!],
      [a.split(1)[1]!],
    ].map((targets) => structure(...targets));
    graphs.forEach((one, i) =>
      graphs.forEach((other, j) => expect([i, j, one.equals(other)]).toEqual([i, j, i === j])),
    );
  });

  test("are told apart where their hashes are equal", () => {
    const first = Int32Array.of(5, 6);
    const second = Int32Array.of(7, mix(0, 5) ^ 6 ^ mix(0, 7));
    const [one, other] = [new Structure(first, []), new Structure(second, [])];
    expect(one.hash).toBe(other.hash);
    expect(one.equals(other)).toBe(false);
    expect(one.equals(new Structure(first, ["a"]))).toBe(false);
  });
});

describe("lazy execution", () => {
  test("nothing runs until a value is read, and then once", async () => {
    let z: Tensor | undefined;
    expect(
      await runsDuring(async () => {
        z = tensor([1, 2]).add(1).mul(3);
        await Promise.resolve();
      }),
    ).toBe(0);
    expect(await runsDuring(async () => void (await z!.data()))).toBe(1);
    expect(await runsDuring(async () => void (await z!.data()))).toBe(0);
    expect(await list(z!)).toEqual([6, 9]);
  });

  test("reading a tensor made from data runs nothing", async () => {
    expect(await runsDuring(async () => void (await tensor([1, 2]).data()))).toBe(0);
    expect(
      await runsDuring(async () => void (await tensor([1], { requiresGrad: true }).data())),
    ).toBe(0);
  });

  test("data is a copy", async () => {
    const x = tensor([1, 2]);
    ((await x.data()) as Float32Array).fill(9);
    const y = x.add(0);
    ((await y.data()) as Float32Array).fill(9);
    expect([await list(x), await list(y)]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    const source = Float32Array.of(1, 2);
    const z = tensor(source);
    source.fill(9);
    expect(await list(z)).toEqual([1, 2]);
  });

  test("pending assignments run with the next value read", async () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const v = tensor([5]);
    w.assign(w.detach().mul(2));
    v.assign(v.add(1));
    expect(await runsDuring(async () => void (await ones([1]).add(1).data()))).toBe(1);
    expect(
      await runsDuring(async () => {
        expect(await list(w)).toEqual([2, 4]);
        expect(await list(v)).toEqual([6]);
      }),
    ).toBe(0);
  });

  test("both results of an operation with two can be read one after the other", async () => {
    const { values, indices } = tensor([3, 9, 4]).topk(2);
    expect(await list(values)).toEqual([9, 4]);
    expect(await list(indices)).toEqual([1, 2]);
    const second = tensor([3, 9, 4]).topk(2);
    expect(await list(second.indices)).toEqual([1, 2]);
    expect(await list(second.values)).toEqual([9, 4]);
    const [left, right] = tensor([1, 2, 3]).split([1, 2]);
    expect(await list(right!)).toEqual([2, 3]);
    expect(await list(left!)).toEqual([1]);
  });

  test("reads that overlap are answered each", async () => {
    const x = tensor([1, 2, 3]);
    const reads = Array.from({ length: 20 }, (_, i) => list(x.mul(i)));
    expect(await Promise.all(reads)).toEqual(
      Array.from({ length: 20 }, (_, i) => [i, 2 * i, 3 * i]),
    );
  });

  test("values recorded before an assignment keep the old elements", async () => {
    const w = tensor([1, 2]);
    const before = w.mul(10);
    w.assign(w.add(1));
    const between = w.mul(10);
    w.assign(w.add(1));
    expect(await list(w)).toEqual([3, 4]);
    expect(await list(before)).toEqual([10, 20]);
    expect(await list(between)).toEqual([20, 30]);
  });

  test("a failed evaluation undoes what was assigned for it and leaves everything usable", async () => {
    const w = tensor([1]);
    w.assign(w.add(41));
    const run = vi.spyOn(await executor(), "run").mockImplementation(() => {
      throw new Error("the device failed");
    });
    await expect(w.mul(2).data()).rejects.toThrow("the device failed");
    run.mockRestore();
    expect(await list(w)).toEqual([1]);
    w.assign(w.add(41));
    expect(await list(w.mul(2))).toEqual([84]);
  });

  test("tensors follow the device", async () => {
    const x = tensor([1, 2]).add(1);
    await x.data();
    await setDevice("cpu", { ffi: false });
    try {
      const y = x.mul(2);
      expect(await list(y)).toEqual([4, 6]);
    } finally {
      await setDevice("cpu");
    }
    expect(await list(x)).toEqual([2, 3]);
  });
});

test("tensors that nobody holds are freed, computed or not", async () => {
  const before = await settled();
  for (let i = 0; i < 100; i++) tensor(new Float32Array(1e6).fill(i));
  const after = await settled();
  expect(after.held - before.held).toBeLessThan(40);
});

describe("a thousand uncompiled steps", () => {
  test("neither graph nor programs grow", async () => {
    const w = tensor([1, -2, 3], { requiresGrad: true });
    const x = tensor([0.5, 0.25, 1]);
    let expected = [1, -2, 3];
    const step = (rate: number): Tensor => {
      const loss = w.mul(x).square().sum();
      w.grad = null;
      loss.backward();
      w.assign(w.detach().sub(w.grad!.mul(rate)));
      return loss;
    };
    const early: number[] = [];
    for (let i = 0; i < 1000; i++) {
      const rate = 0.1 + 1e-4 * i;
      const loss = step(rate);
      const analytic = expected.reduce((sum, e, k) => sum + (e * [0.5, 0.25, 1][k]!) ** 2, 0);
      expected = expected.map((e, k) => e - rate * 2 * e * [0.25, 0.0625, 1][k]!);
      const got = await loss.item();
      if (i < 20) expect(got).toBeCloseTo(analytic, 4);
      if (i % 100 === 10) early.push(cachedPrograms());
      expect(reachable(w.value)).toBeLessThan(5);
    }
    expect(new Set(early).size).toBe(1);
  }, 30_000);

  test("nor do they with gradients that are never cleared or read", async () => {
    const w = tensor([1, -2, 3], { requiresGrad: true });
    const load = vi.spyOn(await executor(), "load");
    try {
      for (let i = 0; i < 20; i++) {
        const loss = w.square().sum();
        loss.backward();
        await loss.item();
        expect(reachable(w.grad!.value)).toBeLessThan(30);
      }
      // A first step, one that adds to what is pending, and one that adds to what is known.
      expect(load.mock.calls.length).toBeLessThanOrEqual(3);
    } finally {
      load.mockRestore();
    }
    expect(await list(w.grad!)).toEqual([40, -80, 120]);
  });

  test("numbers that change from step to step do not make new programs", async () => {
    const x = tensor([1, 2]);
    await x.mul(1).add(0.5).exp().data();
    await x.mul(2).add(1.5).exp().data();
    const programs = cachedPrograms();
    const load = vi.spyOn(await executor(), "load");
    try {
      for (let i = 1; i < 50; i++) {
        const got = await list(
          x
            .mul(i / 8)
            .add(i / 4)
            .exp(),
        );
        expect(got[1]! / Math.exp(i / 2)).toBeCloseTo(1, 4);
      }
      expect(load.mock.calls.length).toBeLessThanOrEqual(1);
    } finally {
      load.mockRestore();
    }
    expect(cachedPrograms()).toBe(programs);
  });

  test("the programs that are kept have a bound", async () => {
    for (let i = 1; i <= 150; i++) await zeros([i]).add(1).data();
    expect(cachedPrograms()).toBeLessThanOrEqual(128);
  });
});
