/** Semantics of gradients: leaves, detach, noGrad, accumulation, any order of derivative. Expectations are analytic. */

import { describe, expect, test } from "vitest";
import {
  enableGrad,
  grad,
  gradcheck,
  noGrad,
  ones,
  rand,
  tensor,
  where,
  zeros,
  type Tensor,
} from "../../src/index.ts";

const list = async (x: Tensor | null): Promise<number[]> => Array.from(await x!.data(), Number);
const leaf = (...values: number[]): Tensor =>
  tensor(Float64Array.from(values), { requiresGrad: true });

describe("leaves", () => {
  test("requiresGrad spreads through operations on floats only", () => {
    const x = ones([2], { requiresGrad: true });
    const y = ones([2]);
    expect([x.isLeaf, x.requiresGrad]).toEqual([true, true]);
    const z = x.mul(y);
    expect([z.isLeaf, z.requiresGrad]).toEqual([false, true]);
    expect([y.add(1).isLeaf, y.add(1).requiresGrad]).toEqual([true, false]);
    expect(x.gt(0).requiresGrad).toBe(false);
    expect(x.argmax().requiresGrad).toBe(false);
    expect(x.cast("int32").requiresGrad).toBe(false);
    expect(x.cast("float64").requiresGrad).toBe(true);
    expect(x.topk(1).values.requiresGrad).toBe(true);
    expect(x.topk(1).indices.requiresGrad).toBe(false);
    expect(where(x.gt(0), x, 0).requiresGrad).toBe(true);
  });

  test("gradients collect in leaves only, add up, and can be cleared", async () => {
    const x = leaf(1, 2);
    const y = x.mul(3);
    y.square().sum().backward();
    expect(await list(x.grad)).toEqual([18, 36]);
    expect(y.grad).toBeNull();
    x.mul(2).sum().backward();
    expect(await list(x.grad)).toEqual([20, 38]);
    x.grad = null;
    x.sum().backward();
    expect(await list(x.grad)).toEqual([1, 1]);
    expect(x.grad!.requiresGrad).toBe(false);
  });

  test("a leaf used many times gets the sum over all uses", async () => {
    const x = leaf(3);
    let y: Tensor = x;
    for (let i = 0; i < 5; i++) y = y.add(x.mul(y));
    // y = x(1 + x)⁵, y' = (1 + x)⁵ + 5x(1 + x)⁴
    y.sum().backward();
    expect(await list(x.grad)).toEqual([4 ** 5 + 15 * 4 ** 4]);
  });

  test("backward takes a gradient of the result", async () => {
    const x = leaf(1, 2);
    x.square().backward({ gradient: tensor(Float64Array.of(10, 1)) });
    expect(await list(x.grad)).toEqual([20, 4]);
    expect(() => x.square().backward({ gradient: ones([3]) })).toThrow(
      "backward: gradient [3] must have the tensor's shape [2]",
    );
  });

  test("requiresGrad_ starts with what is recorded afterwards", async () => {
    const x = tensor(Float64Array.of(2));
    const before = x.square();
    x.requiresGrad_();
    expect(before.requiresGrad).toBe(false);
    const after = x.square().add(before);
    after.sum().backward();
    expect(await list(x.grad)).toEqual([4]);
    expect(() => x.square().requiresGrad_()).toThrow(/has a history/);
    expect(() => zeros([1], { dtype: "int32" }).requiresGrad_()).toThrow(/floating/);
    x.requiresGrad_(false);
    expect(x.square().requiresGrad).toBe(false);
  });

  test("after an assignment gradients belong to the new elements", async () => {
    const w = leaf(1, 2);
    const old = w.square().sum();
    w.assign(tensor(Float64Array.of(10, 20)));
    expect(w.requiresGrad).toBe(true);
    w.square().sum().backward();
    expect(await list(w.grad)).toEqual([20, 40]);
    expect(await old.item()).toBe(5);
  });

  test("a gradient must have its tensor's shape", () => {
    expect(() => (leaf(1, 2).grad = zeros([3]))).toThrow(
      "grad: gradient [3] must have the tensor's shape [2]",
    );
  });
});

describe("detach and noGrad", () => {
  test("detach keeps elements and stops gradients", async () => {
    const x = leaf(2, 3);
    const y = x.square();
    const d = y.detach();
    expect([d.requiresGrad, d.isLeaf]).toEqual([false, true]);
    expect(await list(d)).toEqual([4, 9]);
    x.mul(d).sum().backward();
    expect(await list(x.grad)).toEqual([4, 9]);
  });

  test("noGrad records without gradients, enableGrad inside it with them", async () => {
    const x = leaf(2);
    const [y, z] = noGrad(() => [x.square(), enableGrad(() => x.mul(5))] as const);
    expect([y.requiresGrad, y.isLeaf, z.requiresGrad]).toEqual([false, true, true]);
    x.mul(y).add(z).sum().backward();
    expect(await list(x.grad)).toEqual([9]);
    expect(x.mul(2).requiresGrad).toBe(true);
  });

  test("an error inside noGrad ends it", () => {
    expect(() =>
      noGrad(() => {
        throw new Error("inside");
      }),
    ).toThrow("inside");
    expect(leaf(1).mul(2).requiresGrad).toBe(true);
  });

  test("noGrad refuses async functions", () => {
    expect(() => noGrad(() => Promise.resolve())).toThrow("noGrad: the function must not be async");
  });
});

describe("grad", () => {
  test("leaves .grad alone and gives one gradient for each input", async () => {
    const [x, y] = [leaf(2), leaf(5)];
    const [dx, dy] = grad(x.square().mul(y), [x, y]);
    expect([await list(dx!), await list(dy!)]).toEqual([[20], [4]]);
    expect([x.grad, y.grad]).toEqual([null, null]);
  });

  test("inputs may be results, also beside what they were computed from", async () => {
    const x = leaf(3);
    const y = x.square();
    const z = y.mul(x);
    const [dx, dy] = grad(z, [x, y]);
    expect([await list(dx!), await list(dy!)]).toEqual([[27], [3]]);
    const [only] = grad(y.mul(7), [x, y]);
    expect(await list(only!)).toEqual([42]);
  });

  test("several outputs, weighed", async () => {
    const x = leaf(1, 2);
    const [g] = grad([x.mul(2), x.square()], [x], {
      gradOutputs: [tensor(Float64Array.of(1, 0)), tensor(Float64Array.of(0, 10))],
    });
    expect(await list(g!)).toEqual([2, 40]);
  });

  test("inputs whose elements have been read, or assigned and computed, since", async () => {
    const x = rand([3], { requiresGrad: true });
    const y = x.mul(2).sum();
    await x.data();
    expect(await list(grad(y, [x])[0]!)).toEqual([2, 2, 2]);

    const w = leaf(3);
    noGrad(() => w.assign(w.mul(2)));
    const z = w.square().sum();
    expect(await z.item()).toBe(36);
    expect(await list(grad(z, [w])[0]!)).toEqual([12]);
    // Recorded with both the old handle on the elements and the new one.
    expect(await list(grad(z.add(w.mul(5).sum()), [w])[0]!)).toEqual([17]);
  });

  test("inputs without influence are zeros where allowed", async () => {
    const x = leaf(1);
    const unused = leaf(1, 2, 3);
    const [, g] = grad(x.mul(2), [x, unused], { allowUnused: true });
    expect(await list(g!)).toEqual([0, 0, 0]);
  });
});

describe("higher derivatives", () => {
  const derivative = (y: Tensor, x: Tensor): Tensor =>
    grad(y.sum(), [x], { createGraph: true })[0]!;

  test("of x⁴, to the fifth", async () => {
    const x = leaf(2, -1);
    const expected = [
      [32, -4],
      [48, 12],
      [48, -24],
      [24, 24],
    ];
    let y = x.pow(4);
    for (const values of expected) {
      y = derivative(y, x);
      expect(await list(y)).toEqual(values);
    }
    const [fifth] = grad(y.sum(), [x], { allowUnused: true });
    expect(await list(fifth!)).toEqual([0, 0]);
  });

  test("of tanh, to the third", async () => {
    const points = [0.3, -1.2];
    const x = leaf(...points);
    const third = derivative(derivative(derivative(x.tanh(), x), x), x);
    const got = await list(third);
    points.forEach((p, i) => {
      const t = Math.tanh(p);
      // tanh''' = −2(1 − t²)(1 − 3t²)
      expect(got[i]).toBeCloseTo(-2 * (1 - t * t) * (1 - 3 * t * t), 12);
    });
  });

  test("a Hessian-vector product through a small network", async () => {
    const w = leaf(0.5, -0.3, 0.8, 0.1).reshape([2, 2]);
    const x = leaf(0.7, -0.2);
    const v = tensor(Float64Array.of(1, 2));
    const f = (at: Tensor): Tensor => at.matmul(w).tanh().square().sum();
    const [g] = grad(f(x), [x], { createGraph: true });
    const [hv] = grad(g!.mul(v).sum(), [x]);
    const h = 1e-5;
    const gradientAt = async (sign: number): Promise<number[]> => {
      const moved = leaf(0.7 + sign * h * 1, -0.2 + sign * h * 2);
      return list(grad(f(moved), [moved])[0]!);
    };
    const [above, below] = [await gradientAt(1), await gradientAt(-1)];
    const got = await list(hv!);
    got.forEach((value, i) => expect(value).toBeCloseTo((above[i]! - below[i]!) / (2 * h), 8));
  });

  test("backward with createGraph gives gradients that can be differentiated", async () => {
    const x = leaf(3);
    x.pow(3).sum().backward({ createGraph: true });
    const penalty = x.grad!.square().sum();
    x.grad = null;
    penalty.backward();
    // (9x⁴)' = 36x³
    expect(await list(x.grad)).toEqual([36 * 27]);
  });
});

describe("gradcheck", () => {
  test("accepts right gradients, also of several inputs", async () => {
    const fn = (a: Tensor, b: Tensor): Tensor => a.mul(b).sin().sum({ dim: 0 });
    await expect(gradcheck(fn, [leaf(1, 2), leaf(0.5, -0.5)])).resolves.toBe(true);
  });

  test("finds wrong ones, naming input and element", async () => {
    // The factor's own share of the gradient is cut off.
    const fn = (a: Tensor): Tensor => a.mul(a.detach());
    await expect(gradcheck(fn, [leaf(1, 2)])).rejects.toThrow(
      /^gradcheck: gradient of input 0 at element 0 is /,
    );
  });
});
