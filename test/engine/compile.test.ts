/** compile(): one trace a signature, state as in uncompiled code, clear errors, and nothing broken by them. */

import { describe, expect, test, vi } from "vitest";
import { compile, grad, noGrad, ones, rand, tensor, type Tensor, zeros } from "../../src/index.ts";
import { executor } from "../../src/device.ts";
import type { Program } from "../../src/runtime/executor.ts";
import { guard } from "../../src/trace.ts";

const list = async (x: Tensor | null): Promise<number[]> => Array.from(await x!.data(), Number);
const leaf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true });

describe("signatures", () => {
  test("traces once for equal shapes, dtypes and plain values", async () => {
    let calls = 0;
    const f = compile((x: Tensor, { scale }: { scale: number }) => {
      calls++;
      return x.mul(scale);
    });
    expect(await list(await f(tensor([1, 2]), { scale: 2 }))).toEqual([2, 4]);
    expect(await list(await f(tensor([3, 4]), { scale: 2 }))).toEqual([6, 8]);
    expect([calls, f.traces]).toEqual([1, 1]);
    expect(await list(await f(tensor([3, 4]), { scale: 3 }))).toEqual([9, 12]);
    expect(await list(await f(tensor([3]), { scale: 3 }))).toEqual([9]);
    expect(await list(await f(tensor([3], { dtype: "int32" }), { scale: 3 }))).toEqual([9]);
    expect(await list(await f(leaf(3, 4), { scale: 3 }))).toEqual([9, 12]);
    expect([calls, f.traces]).toEqual([5, 5]);
    await f(tensor([5, 6]), { scale: 3 });
    expect(f.traces).toBe(5);
  });

  test("plain values are told apart, whatever is in them", async () => {
    const seen: unknown[][] = [];
    const f = compile((x: Tensor, ...rest: unknown[]) => {
      seen.push(rest);
      return x;
    });
    const x = tensor([1]);
    const calls = [
      ["a", "b"],
      ["a,b"],
      ['a","b'],
      ["1"],
      [1],
      [1n],
      [0],
      [-0],
      [NaN],
      [true],
      ["true"],
      [null],
      [undefined],
      [[]],
      [{}],
      [{ a: 1, b: 2 }],
      [{ "a,b": [1, 2] }],
    ];
    for (const rest of [...calls, ...calls]) await f(x, ...rest);
    expect(seen).toEqual(calls);
  });

  test("the programs that are kept have a bound, the ones used last stay", async () => {
    const live = new Set<Program>();
    const on = await executor();
    const load = on.load.bind(on);
    const spy = vi.spyOn(on, "load").mockImplementation(async (...args) => {
      const program = await load(...args);
      const release = program.release.bind(program);
      live.add(program);
      vi.spyOn(program, "release").mockImplementation(() => {
        live.delete(program);
        release();
      });
      return program;
    });
    try {
      const known = (n: number): Tensor => tensor(new Float32Array(n));
      const f = compile((x: Tensor) => x.add(1));
      for (let n = 1; n <= 100; n++) {
        await f(known(n));
        await f(known(1));
      }
      expect(live.size).toBe(32);
      expect(f.traces).toBe(100);
      expect(await list(await f(known(1)))).toEqual([1]);
      expect(f.traces).toBe(100);
      expect(await list(await f(known(2)))).toEqual([1, 1]);
      expect(f.traces).toBe(101);
    } finally {
      spy.mockRestore();
    }
  });

  test("a guard that no longer holds makes another trace, and the first is used again when it does", async () => {
    let training = true;
    const f = compile((x: Tensor) => {
      const mode = training;
      guard(() => training === mode);
      return mode ? x.mul(2) : x;
    });
    const results = [];
    for (const mode of [true, true, false, false, true, false]) {
      training = mode;
      results.push(await (await f(tensor(1))).item());
    }
    expect(results).toEqual([2, 2, 1, 1, 2, 1]);
    expect(f.traces).toBe(2);
  });

  test("trees of tensors go in and come out", async () => {
    const f = compile((batch: { x: Tensor; more: [Tensor, string] }) => ({
      sum: batch.x.add(batch.more[0]),
      list: [batch.x, { label: batch.more[1], two: 2, none: null }],
    }));
    const result = await f({ x: tensor([1]), more: [tensor([2]), "a"] });
    expect(await list(result.sum)).toEqual([3]);
    expect(await list(result.list[0] as Tensor)).toEqual([1]);
    expect(result.list[1]).toEqual({ label: "a", two: 2, none: null });
  });

  test("one tensor twice among the results, and an argument given twice", async () => {
    const f = compile((a: Tensor, b: Tensor) => {
      const sum = a.add(b);
      return [sum, sum, a];
    });
    const x = tensor([1, 2]);
    const [p, q, r] = await f(x, x);
    expect([await list(p!), await list(q!), await list(r!)]).toEqual([
      [2, 4],
      [2, 4],
      [1, 2],
    ]);
  });

  test("results that need no computation: constants and captured tensors", async () => {
    const w = tensor([7]);
    const f = compile(() => ({ one: ones([2]), data: tensor([1, 2, 3]), w, s: tensor(2.5) }));
    for (let i = 0; i < 2; i++) {
      const { one, data, w: same, s } = await f();
      expect(await list(one)).toEqual([1, 1]);
      expect(await list(data)).toEqual([1, 2, 3]);
      expect(await list(same)).toEqual([7]);
      expect(await s.item()).toBe(2.5);
    }
  });

  test("pending arguments and captured tensors are computed first", async () => {
    const w = tensor([1, 2]).add(1);
    const f = compile((x: Tensor) => x.mul(w));
    expect(await list(await f(tensor([1, 1]).mul(10)))).toEqual([20, 30]);
    expect(await list(w)).toEqual([2, 3]);
  });

  test("calls that overlap run one after the other", async () => {
    const w = tensor([0]);
    const f = compile((x: Tensor) => {
      w.assign(w.add(x));
      return w.mul(1);
    });
    const results = await Promise.all([1, 2, 3, 4].map((n) => f(tensor([n]))));
    expect(await Promise.all(results.map((r) => r.item()))).toEqual([1, 3, 6, 10]);
  });

  test("a tensor that starts to require gradients is traced anew", async () => {
    const w = tensor([3]);
    const f = compile((x: Tensor) => w.mul(x));
    await f(tensor([2]));
    w.requiresGrad_();
    await f(tensor([2]));
    expect(f.traces).toBe(2);
  });

  test("tensors made from data inside are part of the program", async () => {
    const f = compile((x: Tensor) => x.add(tensor(Array.from({ length: 100 }, (_, i) => i))));
    expect((await list(await f(ones([100])))).slice(-2)).toEqual([99, 100]);
    expect((await list(await f(zeros([100])))).slice(-2)).toEqual([98, 99]);
  });
});

describe("gradients", () => {
  test("accumulate from call to call, as without compile", async () => {
    const w = leaf(1, 2);
    const f = compile((x: Tensor) => {
      const loss = w.mul(x).sum();
      loss.backward();
      return loss;
    });
    await f(tensor([1, 10]));
    expect(await list(w.grad)).toEqual([1, 10]);
    await f(tensor([2, 20]));
    expect(await list(w.grad)).toEqual([3, 30]);
    await f(tensor([3, 30]));
    expect(await list(w.grad)).toEqual([6, 60]);
    w.grad = null;
    await f(tensor([1, 1]));
    expect(await list(w.grad)).toEqual([1, 1]);
    expect(f.traces).toBeLessThanOrEqual(3);
  });

  test("cleared inside are null afterwards", async () => {
    const w = leaf(1, 2);
    const f = compile((x: Tensor) => {
      w.mul(x).sum().backward();
      const g = w.grad!.mul(1);
      w.grad = null;
      return g;
    });
    for (let i = 1; i <= 3; i++) {
      expect(await list(await f(tensor([i, 2 * i])))).toEqual([i, 2 * i]);
      expect(w.grad).toBeNull();
    }
    expect(f.traces).toBe(1);
  });

  test("collected inside are seen outside, and go on collecting there", async () => {
    const w = leaf(1);
    const f = compile(() => w.mul(3).sum().backward());
    await f();
    w.mul(4).sum().backward();
    expect(await list(w.grad)).toEqual([7]);
    await f();
    expect(await list(w.grad)).toEqual([10]);
  });

  test("of an argument come out when returned", async () => {
    const f = compile((x: Tensor) => grad(x.square().sum(), [x])[0]!);
    expect(await list(await f(leaf(1, -3)))).toEqual([2, -6]);
  });

  test("what was recorded from a gradient, or is being read, survives the runs that replace it", async () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const step = compile((x: Tensor) => {
      w.grad = null;
      w.mul(x).sum().backward();
      return w.grad;
    });
    const returned = await step(tensor([1, 1]));
    const [doubled, detached, reading] = [w.grad!.mul(2), w.grad!.detach(), w.grad!.data()];
    const later = [2, 3, 4].map((n) => step(tensor([n, n])));
    const copy = w.grad!.clone();
    await Promise.all(later);
    for (let n = 5; n < 9; n++) await step(tensor([n, n]));
    expect(await list(w.grad)).toEqual([8, 8]);
    expect(await list(doubled)).toEqual([2, 2]);
    expect(await list(detached)).toEqual([1, 1]);
    expect([...(await reading)]).toEqual([1, 1]);
    expect(await list(copy)).toEqual([1, 1]);
    expect(await list(returned)).toEqual([1, 1]);
  });

  test("a gradient kept from before stays what it was", async () => {
    const w = leaf(1);
    const f = compile(() => w.mul(3).sum().backward());
    await f();
    const kept = w.grad!.mul(1);
    await f();
    await f();
    expect([await list(kept), await list(w.grad)]).toEqual([[3], [9]]);
  });
});

describe("errors", () => {
  test("reading a value inside, where nobody waits for it", async () => {
    const readers: ((x: Tensor) => unknown)[] = [
      (x) => x.data(),
      (x) => x.item(),
      (x) => x.toArray(),
      (x) => x.print(),
    ];
    for (const read of readers) {
      const f = compile((x: Tensor) => {
        void read(x.mul(2));
        return x;
      });
      await expect(f(tensor([1]))).rejects.toThrow(
        "compile: a value was read inside a compiled function",
      );
    }
  });

  test("nothing to run", async () => {
    await expect(compile(() => 1)()).rejects.toThrow("there is nothing to run");
  });

  test("async functions", async () => {
    const f = compile(async (x: Tensor) => {
      await Promise.resolve();
      return x;
    });
    await expect(f(tensor([1]))).rejects.toThrow("compile: the function must not be async");
  });

  test("a tensor that leaks out", async () => {
    let leaked: Tensor | undefined;
    const f = compile((x: Tensor) => {
      leaked = x.mul(2);
      return x;
    });
    await f(tensor([1]));
    expect(() => leaked!.add(1)).toThrow(
      "compile: a tensor made inside a compiled function is used outside of it; return it",
    );
    await expect(leaked!.data()).rejects.toThrow("return it from the function");
    const g = compile(() => leaked!.add(1));
    await expect(g()).rejects.toThrow("return it from the function");
  });

  test("a compiled function inside another", async () => {
    const inner = compile((x: Tensor) => x);
    const outer = compile((x: Tensor) => {
      void inner(x);
      return x;
    });
    await expect(outer(tensor([1]))).rejects.toThrow(
      "a compiled function was called inside another",
    );
  });

  test("arguments that are neither tensors nor plain", async () => {
    const f = compile((x: unknown) => x);
    await expect(f(new Map())).rejects.toThrow(
      "compile: arguments must be tensors, plain values, arrays or plain objects, got Map",
    );
  });

  test("functions as arguments, which may look alike and differ", async () => {
    const f = compile((x: Tensor, g: (x: Tensor) => Tensor) => g(x));
    await expect(f(tensor([1]), (x) => x)).rejects.toThrow(
      "compile: arguments must be tensors, plain values, arrays or plain objects, got a function",
    );
  });

  test("thrown by the function pass through and leave everything usable", async () => {
    const w = leaf(1, 2);
    let fail = true;
    const f = compile((x: Tensor) => {
      w.mul(x).sum().backward();
      w.assign(noGrad(() => w.sub(w.grad!)));
      w.grad = null;
      if (fail) return x.add(ones([3]));
      return w.sum();
    });
    await expect(f(tensor([1, 1]))).rejects.toThrow("add: shapes [2] and [3] do not broadcast");
    expect(await list(w)).toEqual([1, 2]);
    expect(w.grad).toBeNull();
    fail = false;
    expect(await (await f(tensor([1, 1]))).item()).toBe(1);
    expect(await list(w)).toEqual([0, 1]);
    expect(await list(tensor([1]).add(1))).toEqual([2]);
  });
});

describe("assignments", () => {
  test("to arguments, and gradients that collect in them", async () => {
    const counter = tensor([1]);
    const x = leaf(2);
    const f = compile((c: Tensor, y: Tensor) => {
      c.assign(c.detach().add(1));
      y.square().sum().backward();
    });
    await f(counter, x);
    await f(counter, x);
    expect([await list(counter), await list(x.grad)]).toEqual([[3], [8]]);
    await expect(f(x.mul(1), x)).rejects.toThrow(
      "compile: an argument that the function assigns to is the result of an operation; detach() it first",
    );
  });

  test.each([
    [
      "in place",
      (w: Tensor) => w.add(1),
      [
        [2, 3],
        [3, 4],
      ],
    ],
    [
      "into another buffer",
      (w: Tensor) => w.flip([0]),
      [
        [2, 1],
        [1, 2],
      ],
    ],
  ] as const)(
    "%s, with reads that were asked for before they are made",
    async (_, next, [first, second]) => {
      const w = tensor([1, 2]);
      const step = compile(() => void w.assign(next(w)));
      await step();
      const running = step();
      const read = list(w);
      await running;
      expect(await read).toEqual(first);
      expect(await list(w)).toEqual(second);
    },
  );

  test("values recorded before a compiled update keep the old elements", async () => {
    const w = leaf(1, 2);
    const step = compile((x: Tensor) => {
      w.assign(w.detach().sub(x));
      return w.sum();
    });
    await step(tensor([0, 0]));
    const y = w.detach().mul(2);
    await step(tensor([1, 1]));
    expect(await list(y)).toEqual([2, 4]);
    expect(await list(w)).toEqual([0, 1]);
    const copy = w.clone();
    const alias = w.detach();
    await step(tensor([5, 5]));
    expect([await list(copy), await list(alias), await list(w)]).toEqual([
      [0, 1],
      [0, 1],
      [-5, -4],
    ]);
  });

  test("results are independent of later calls", async () => {
    const w = tensor([1, 2]);
    const step = compile((x: Tensor) => {
      w.assign(w.add(x));
      return { w, sum: w.sum(), old: w };
    });
    const first = await step(tensor([1, 1]));
    const second = await step(tensor([1, 1]));
    await step(tensor([1, 1]));
    expect([await list(first.w), await list(second.w), await list(w)]).toEqual([
      [2, 3],
      [3, 4],
      [4, 5],
    ]);
  });

  test("two variables swapped", async () => {
    const [a, b] = [tensor([1, 2]), tensor([3, 4])];
    const swap = compile(() => {
      const old = a.mul(1);
      a.assign(b);
      b.assign(old);
    });
    await swap();
    expect([await list(a), await list(b)]).toEqual([
      [3, 4],
      [1, 2],
    ]);
    const exchange = compile(() => {
      const [x, y] = [a.detach(), b.detach()];
      a.assign(y);
      b.assign(x);
    });
    await exchange();
    await exchange();
    await exchange();
    expect([await list(a), await list(b)]).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const mixed = compile(() => {
      const [x, y] = [a.add(b), a.sub(b)];
      a.assign(y);
      b.assign(x);
    });
    await mixed();
    expect([await list(a), await list(b)]).toEqual([
      [-2, -2],
      [4, 6],
    ]);
  });

  test("a variable assigned twice, with a read between", async () => {
    const w = tensor([1, 2]);
    const f = compile(() => {
      w.assign(w.add(1));
      const between = w.mul(10);
      w.assign(w.mul(w));
      return between;
    });
    expect(await list(await f())).toEqual([20, 30]);
    expect(await list(w)).toEqual([4, 9]);
  });

  test("an update that reads the old elements in another order", async () => {
    const w = tensor([
      [1, 2],
      [3, 4],
    ]);
    const square = compile(() => void w.assign(w.matmul(w)));
    await square();
    expect(await list(w)).toEqual([7, 10, 15, 22]);
    const turn = compile(() => void w.assign(w.transpose(0, 1).add(w)));
    await turn();
    expect(await list(w)).toEqual([14, 25, 25, 44]);
    const flip = compile(() => void w.assign(w.flip([0, 1])));
    await flip();
    expect(await list(w)).toEqual([44, 25, 25, 14]);
    const spread = compile(() => void w.assign(w.sub(w.amax({ dim: 1, keepdim: true }))));
    await spread();
    expect(await list(w)).toEqual([0, -19, 0, -11]);
  });

  test("the old elements returned beside the update", async () => {
    const w = tensor([1, 2]);
    const f = compile(() => {
      const old = w.detach();
      const viewed = w.reshape([2, 1]);
      w.assign(w.add(1));
      return { old, viewed, doubled: old.mul(2) };
    });
    for (let i = 0; i < 3; i++) {
      const { old, viewed, doubled } = await f();
      expect([await list(old), await list(viewed), await list(doubled)]).toEqual([
        [1 + i, 2 + i],
        [1 + i, 2 + i],
        [2 + 2 * i, 4 + 2 * i],
      ]);
    }
  });

  test("a variable that is also an argument", async () => {
    const w = tensor([1, 2]);
    const f = compile((x: Tensor) => {
      w.assign(w.add(1));
      return x.mul(10);
    });
    expect(await list(await f(w))).toEqual([10, 20]);
    expect(await list(await f(w))).toEqual([20, 30]);
    expect(await list(w)).toEqual([3, 4]);
  });

  test("two variables that start as one tensor", async () => {
    const data = tensor([1, 2]);
    const [a, b] = [zeros([2]), zeros([2])];
    a.assign(data);
    b.assign(data);
    const f = compile(() => {
      a.assign(a.add(1));
      b.assign(b.mul(10));
    });
    await f();
    await f();
    expect([await list(a), await list(b), await list(data)]).toEqual([
      [3, 4],
      [100, 200],
      [1, 2],
    ]);
  });

  test("two variables given one result", async () => {
    const [a, b] = [tensor([1]), tensor([2])];
    const f = compile(() => {
      const sum = a.add(b);
      a.assign(sum);
      b.assign(sum);
    });
    await f();
    expect([await list(a), await list(b)]).toEqual([[3], [3]]);
    await f();
    expect([await list(a), await list(b)]).toEqual([[6], [6]]);
  });

  test("assigned outside between calls", async () => {
    const w = tensor([1]);
    const f = compile(() => {
      w.assign(w.mul(2));
      return w;
    });
    await f();
    w.assign(tensor([10]));
    expect(await list(await f())).toEqual([20]);
    w.assign(w.add(1));
    expect(await list(await f())).toEqual([42]);
    expect(f.traces).toBe(1);
  });

  test("random numbers are drawn anew at every call", async () => {
    const f = compile(() => rand([4]));
    const [a, b] = [await list(await f()), await list(await f())];
    expect(a).not.toEqual(b);
    expect(f.traces).toBe(1);
  });
});
