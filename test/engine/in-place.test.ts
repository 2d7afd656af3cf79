/** Compiled steps update variables in place, in the right order: the same elements as uncompiled steps give. */

import { describe, expect, test } from "vitest";
import { arange, compile, grad, noGrad, tensor, type Tensor, where } from "../../src/index.ts";
import { filled } from "../support/filled.ts";

interface Machine {
  readonly state: readonly Tensor[];
  readonly step: (x: Tensor) => Tensor;
}

/** A deep network, every weight tied to two layers, with momentum and second moments. */
function network(): Machine {
  const size = 16;
  const weights = Array.from({ length: 6 }, (_, i) => filled([size, size], i, 0.4).requiresGrad_());
  const biases = Array.from({ length: 6 }, (_, i) => filled([size], 10 + i).requiresGrad_());
  const parameters = [...weights, ...biases];
  const first = parameters.map((p) => filled(p.shape, 0, 0));
  const second = parameters.map((p) => filled(p.shape, 0, 0));
  const count = tensor(0);
  const step = (x: Tensor): Tensor => {
    let h = x;
    for (let i = 0; i < 12; i++)
      h = h
        .matmul(weights[i % 6]!)
        .add(biases[i % 6]!)
        .tanh()
        .add(h.mul(0.5));
    const loss = h.square().mean();
    const grads = grad(loss, parameters);
    noGrad(() => {
      count.assign(count.add(1));
      parameters.forEach((p, i) => {
        const g = grads[i]!;
        const [m, v] = [first[i]!, second[i]!];
        m.assign(m.mul(0.9).add(g.mul(0.1)));
        v.assign(v.mul(0.99).add(g.square().mul(0.01)));
        const rate = tensor(0.01).div(tensor(1).sub(tensor(0.9).pow(count)));
        p.assign(p.sub(m.mul(rate).div(v.sqrt().add(1e-3))));
      });
    });
    return loss;
  };
  return { state: [...parameters, ...first, ...second, count], step };
}

/** Plain gradient descent, where nothing on the update's way has one element. */
function descent(): Machine {
  const w = filled([8, 8], 1).requiresGrad_();
  const u = filled([8, 8], 2).requiresGrad_();
  const mask = filled([8, 8], 3).gt(0);
  const step = (x: Tensor): Tensor => {
    const h = x
      .matmul(w)
      .tanh()
      .matmul(u)
      .matmul(w.transpose(0, 1))
      .sub(w.sum({ dim: 0 }));
    const loss = h.square().mean();
    const [dw, du] = grad(loss, [w, u]);
    noGrad(() => {
      w.assign(where(mask, w.sub(dw!), w));
      u.assign(u.sub(du!));
    });
    return loss;
  };
  return { state: [w, u], step };
}

/** Readers of old elements that nothing else waits for: losses of the old weights next to the update. */
function lateReaders(): Machine {
  const w = filled([16, 16], 1);
  const step = (x: Tensor): Tensor => {
    const old = [w.matmul(w).sum(), w.exp().sum(), w.reshape([4, 64]).softmax(1).square().sum()];
    w.assign(w.mul(0.9).add(x.sum().mul(1e-3)));
    const now = w.matmul(w).sum();
    return old.reduce((a, b) => a.add(b)).sub(now);
  };
  return { state: [w], step };
}

/** Variables that feed each other's updates. */
function entangled(): Machine {
  const vars = [0, 1, 2, 3].map((i) => filled([4, 4], i));
  const step = (x: Tensor): Tensor => {
    const [a, b, c, d] = vars as [Tensor, Tensor, Tensor, Tensor];
    const next = [
      a.mul(0.5).add(d.matmul(b).mul(0.1)),
      b.sub(a.mul(0.05)),
      a.add(b).mul(0.3),
      d.mul(0.9).add(c.transpose(0, 1).mul(0.1)),
    ];
    vars.forEach((v, i) => v.assign(next[i]!));
    return a.add(x.mean()).sum().add(c.sum());
  };
  return { state: vars, step };
}

/** Integers, flags and counters, whose updates cannot wait for a floating zero. */
function counters(): Machine {
  const n = tensor([1, 2, 3], { dtype: "int32" });
  const big = tensor([1n, 2n]);
  const flag = tensor([true, false, true]);
  const words = tensor([1, 2, 4294967295], { dtype: "uint32" });
  const step = (x: Tensor): Tensor => {
    const seen = n.cast("float32").sum().add(words.cast("float32").mul(1e-9).sum());
    const noise = flag.cast("float32").sum().add(big.sum().cast("float32"));
    n.assign(n.add(1));
    big.assign(big.mul(3).remainder(1000));
    flag.assign(flag.logicalNot());
    words.assign(words.mul(69069).add(1));
    return seen.add(noise).add(x.mean());
  };
  return { state: [n, big, flag, words], step };
}

/** Flags that are computed from a variable and read after its update. */
function flags(): Machine {
  const c = tensor([0, 1, 2], { dtype: "int32" });
  const p = filled([3], 1);
  const step = (x: Tensor): Tensor => {
    const even = c.remainder(2).eq(0);
    const words = c.cast("uint32");
    c.assign(c.add(1));
    p.assign(where(even, p.mul(0.5), p.add(words.cast("float32"))));
    return p.sum().add(x.mean());
  };
  return { state: [p, c], step };
}

/** Slices are written where a variable lies, which is read before, after, and for what is written. */
function slices(): Machine {
  const rows = filled([3, 6, 4], 1);
  const single = filled([5, 4], 2);
  const at = tensor(0, { dtype: "int32" });
  const step = (x: Tensor): Tensor => {
    const before = rows.square().mean();
    const next = rows.mean({ dim: 1, keepdim: true }).add(x.mean()).tanh(); // [3, 1, 4]
    rows.assign(rows.indexCopy(1, at.remainder(6).reshape([1]), next));
    single.assign(single.indexCopy(0, at.remainder(4).add(arange(2)), single.slice(0, 3).cos()));
    at.assign(at.add(1));
    return rows.sum().add(before).add(single.mean());
  };
  return { state: [rows, single, at], step };
}

const machines = { network, descent, lateReaders, entangled, counters, flags, slices };

describe.each(Object.entries(machines))("%s", (_, make) => {
  test("50 compiled steps equal 50 uncompiled ones", async () => {
    const [plain, compiled] = [make(), make()];
    const step = compile((x: Tensor) => compiled.step(x));
    const width = plain.state[0]!.shape.at(-1)!;
    for (let i = 0; i < 50; i++) {
      const x = filled([4, width], i);
      const expected = await plain.step(x).item();
      const got = await (await step(x)).item();
      expect(Math.abs(got - expected)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(expected)));
      if (i % 10 !== 9) continue;
      for (const [k, tensor] of plain.state.entries()) {
        const [a, b] = [await tensor.data(), await compiled.state[k]!.data()];
        expect(b.length).toBe(a.length);
        a.forEach((value: number | bigint, at: number) => {
          if (typeof value === "bigint") expect(b[at]).toBe(value);
          else expect(Math.abs(Number(b[at]) - value), `state ${k}[${at}]`).toBeLessThan(1e-5);
        });
      }
    }
    expect(step.traces).toBe(1);
  });
});

test("a slice is copied into a variable without moving it", async () => {
  const cache = filled([2, 6, 4], 1);
  const step = compile((row: Tensor, at: Tensor) => {
    cache.assign(cache.indexCopy(1, at, row));
    return cache.sum();
  });
  const row = filled([2, 1, 4], 2);
  await step(row, tensor([0], { dtype: "int32" }));
  const { storage } = cache.value;
  await step(row, tensor([3], { dtype: "int32" }));
  expect(cache.value.storage).toBe(storage);
  const wanted = filled([2, 6, 4], 1).indexCopy(1, tensor([0, 3]).cast("int32"), row.expand([2, 2, 4])); // prettier-ignore
  expect(await cache.toArray()).toEqual(await wanted.toArray());
});

test.each(["mul", "div"] as const)(
  "an update waits for what a %s by one makes of old elements",
  async (by) => {
    const numbers = Array.from({ length: 192 }, (_, i) => i + 1);
    const a = tensor(numbers).reshape([8, 24]);
    const b = tensor(numbers).neg().reshape([2, 8, 12]);
    const step = compile((columns: Tensor) => {
      const old = a.reshape([2, 8, 12]);
      const swapped = b.reshape([8, 24])[by](1);
      b.assign(old[by](1));
      const [first] = b.reshape([192]).split([32, 160], 0);
      a.assign(swapped.indexCopy(1, columns, first!.reshape([8, 4])));
    });
    const columns = [3, 1, 4, 20];
    await step(tensor(columns, { dtype: "int32" }));
    const expected = numbers.map((n, i) => {
      const column = columns.indexOf(i % 24);
      return column < 0 ? -n : 4 * Math.floor(i / 24) + column + 1;
    });
    expect(Array.from((await a.data()) as Float32Array)).toEqual(expected);
    expect(Array.from((await b.data()) as Float32Array)).toEqual(numbers);
  },
);
