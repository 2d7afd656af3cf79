/** Options that a method or function does not have are refused, in whichever form they are given. */
import { expect, test } from "vitest";
import { grad, ones, type Tensor } from "../../src/index.ts";

/** As plain JavaScript sees it. */
type Loose = Record<string, (...args: unknown[]) => unknown>;

const calls: readonly (readonly [string, ...unknown[]])[] = [
  ["add", 1, { aplha: 2 }],
  ["sub", 1, { aplha: 2 }],
  ["div", 2, { rounding_mode: "floor" }],
  ["addcmul", ones([2, 2]), ones([2, 2]), { vlaue: 2 }],
  ["addcdiv", ones([2, 2]), ones([2, 2]), { vlaue: 2 }],
  ["add_", 1, { aplha: 2 }],
  ["addcmul_", ones([2, 2]), ones([2, 2]), { vlaue: 2 }],
  ["addmm", ones([2, 2]), ones([2, 2]), { gamma: 1 }],
  ["nanToNum", { inf: 1 }],
  ["topk", 1, { axis: 0 }],
  ["searchsorted", ones([2, 1]), { side: "right" }],
  ["histc", 10, { range: 1 }],
  ["bincount", 3, { weigths: null }],
  ["isclose", ones([2, 2]), { tolerance: 1 }],
  ["cdist", ones([2, 2]), { q: 1 }],
  ["cov", { bias: true }],
  ["sum", { axis: 1 }],
  ["sum", 1, { keepdims: true }],
  ["sum", { dim: 1 }, { keepdims: true }],
  ["backward", { retainGraph: true }],
];

for (const [method, ...args] of calls)
  test(`${method} with ${Object.keys(args.at(-1) as object).join()}`, () => {
    const x = ones([2, 2]) as unknown as Loose;
    expect(() => x[method]!(...args)).toThrow(`${method}: unknown option "`);
  });

test("allclose and grad", async () => {
  const x = ones([2, 2], { requiresGrad: true });
  const odd = { epsilon: 1 } as object;
  await expect(x.allclose(x, odd)).rejects.toThrow('allclose: unknown option "epsilon"');
  expect(() => grad(x.sum(), [x], odd)).toThrow('grad: unknown option "epsilon"');
});

test("what is no object of options is refused", () => {
  const x = ones([2, 2]) as unknown as Loose;
  expect(() => x["sum"]!(1, true)).toThrow("sum: options must be an object");
  expect(() => x["std"]!("1")).toThrow("std: options must be an object");
});

test("options beside an object of options count too", () => {
  const x = ones([2, 3]);
  const sum = x.sum.bind(x) as (...args: unknown[]) => Tensor;
  expect(sum({ dim: 1 }, { keepdim: true }).shape).toEqual([2, 1]);
});
