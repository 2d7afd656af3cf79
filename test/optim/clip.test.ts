/** Gradient clipping against PyTorch, by norms of several orders and by value, and in compiled steps. */
import { describe, expect, test } from "vitest";
import { compile, tensor, zeros } from "../../src/index.ts";
import { Linear, Parameter } from "../../src/nn/index.ts";
import { Adam, clipGradNorm, clipGradValue, SGD } from "../../src/optim/index.ts";
import { formula, readFixture } from "../nn/parity.ts";
import { expectClose, type Numbers } from "../support/close.ts";

interface Clipped {
  readonly limit: number;
  readonly kind: number | "Infinity" | "value";
  readonly norm: Numbers;
  readonly gradients: readonly [Numbers, Numbers];
}

const parameters = () => [
  new Parameter(zeros([3, 4])),
  new Parameter(zeros([5])),
  new Parameter(zeros([2, 2])),
];

test.each(readFixture<Clipped>("optim/clipped"))(
  "to $limit by $kind equals PyTorch",
  async ({ limit, kind, norm, gradients }) => {
    const given = parameters();
    gradients.forEach((_, i) => (given[i]!.grad = formula(20 + i, given[i]!.shape, i + 1)));
    if (kind === "value") clipGradValue(given, limit);
    else
      await expectClose(clipGradNorm(given, limit, { normType: Number(kind) }), norm, 1e-6, "norm");
    for (const [i, values] of gradients.entries())
      await expectClose(given[i]!.grad, values, 1e-6, `gradient ${i}`);
    expect(given[2]!.grad).toBeNull();
  },
);

test("works inside a compiled step", async () => {
  const p = new Parameter(tensor([3, 4]));
  const opt = new Adam([p], { lr: 0 });
  const step = compile(() => {
    p.mul(p).sum().mul(0.5).backward();
    const norm = clipGradNorm([p], 1);
    clipGradValue(p, 0.7);
    opt.step();
    return norm;
  });
  expect(await (await step()).item()).toBeCloseTo(5, 5);
  await expectClose(p.grad, [0.6, 0.7], 1e-6, "clipped gradient");
});

test("takes any iterable of parameters, and one parameter", async () => {
  const layer = new Linear(2, 1);
  for (const p of layer.parameters()) p.grad = zeros(p.shape).add(3);
  const values = (function* () {
    yield* layer.parameters();
  })();
  await expectClose(clipGradNorm(values, 1), [Math.sqrt(27)], 1e-6, "norm");
  await expectClose(clipGradNorm(layer.weight, 10), [Math.sqrt(2 / 3)], 1e-6, "norm");
});

test("without gradients there is nothing to do, and the norm is 0", async () => {
  expect(await clipGradNorm(parameters(), 1).item()).toBe(0);
  clipGradValue(parameters(), 1);
});

describe("errorIfNonfinite", () => {
  const start = (compiled: boolean) => {
    const p = new Parameter(tensor([1, 2]));
    const opt = new SGD([p], { lr: 1 });
    const step = (scale: ReturnType<typeof tensor>) => {
      opt.zeroGrad();
      p.mul(scale).sum().backward();
      const norm = clipGradNorm([p], 1, { errorIfNonfinite: true });
      opt.step();
      return norm;
    };
    const program = compile(step);
    return {
      p,
      run: async (scale: number) =>
        (compiled ? await program(tensor(scale)) : step(tensor(scale))).item(),
    };
  };

  test.each([true, false])("fails before anything is changed, compiled: %s", async (compiled) => {
    for (const bad of [Infinity, -Infinity, NaN]) {
      const { p, run } = start(compiled);
      expect(await run(3)).toBeCloseTo(Math.sqrt(18), 5);
      const before = await p.toArray();
      await expect(run(bad)).rejects.toThrow("out of");
      expect(await p.toArray()).toEqual(before);
    }
  });
});

test("says what is wrong", () => {
  const layer = new Linear(1, 1);
  expect(() => clipGradNorm(layer as never, 1)).toThrow("pass module.parameters()");
  expect(() => clipGradNorm([1] as never, 1)).toThrow("got 1 among them");
  expect(() => clipGradNorm([], -1)).toThrow("the norm must be at least 0, got -1");
  expect(() => clipGradNorm([], 1, { normType: 0 })).toThrow("normType must be above 0");
  expect(() => clipGradValue([], NaN)).toThrow("the value must be at least 0, got NaN");
});
