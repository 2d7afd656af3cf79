/** Averages of weights against PyTorch's AveragedModel, compiled and not; exchanging and resuming. */
import { describe, expect, test } from "vitest";
import { compile, tensor, zeros, type Tensor } from "../../src/index.ts";
import { Linear, Module, Parameter } from "../../src/nn/index.ts";
import { AveragedModel, ExponentialMovingAverage, SGD } from "../../src/optim/index.ts";
import { formula, readFixture } from "../nn/parity.ts";
import { expectClose, type Numbers } from "../support/close.ts";

interface Fixture {
  /** null: the equal average. */
  readonly decay: number | null;
  readonly use_buffers: boolean;
  /** State dict after each update. */
  readonly steps: readonly Readonly<Record<string, Numbers>>[];
}

class Small extends Module {
  readonly weight = new Parameter(zeros([2, 3]));
  readonly mean = this.registerBuffer("mean", zeros([3]));
  readonly count: Tensor | null;

  constructor(counts: boolean) {
    super();
    this.count = counts ? this.registerBuffer("count", tensor(0, { dtype: "int64" })) : null;
  }

  forward(): void {}

  move(step: number): void {
    this.weight.assign(formula(100 + step, [2, 3]));
    this.mean.assign(formula(200 + step, [3]));
    this.count?.assign(tensor(step, { dtype: "int64" }));
  }
}

const numbers = async (t: Tensor): Promise<Tensor> =>
  tensor(Array.from(await t.data(), Number), { shape: t.shape });

describe.each(readFixture<Fixture>("optim/averages"))(
  "decay $decay, buffers averaged: $use_buffers",
  ({ decay, use_buffers: useBuffers, steps }) => {
    const start = () => {
      const model = new Small(!useBuffers);
      const average =
        decay === null
          ? new AveragedModel(model, { useBuffers })
          : new ExponentialMovingAverage(model, { decay, useBuffers });
      return { model, average };
    };
    const expectState = async (average: AveragedModel, at: number): Promise<void> => {
      const state = average.stateDict();
      expect(Object.keys(state).toSorted()).toEqual(Object.keys(steps[at]!).toSorted());
      for (const [key, values] of Object.entries(steps[at]!))
        await expectClose(await numbers(state[key]!), values, 1e-6, key);
    };

    test.each([true, false])("equals PyTorch, compiled: %s", async (compiled) => {
      const { model, average } = start();
      const update = compile(() => average.update());
      for (const i of steps.keys()) {
        model.move(i);
        if (compiled) await update();
        else average.update();
        await expectState(average, i);
      }
    });

    test("goes on from a state dict", async () => {
      const { model, average } = start();
      for (let i = 0; i < 3; i++) {
        model.move(i);
        average.update();
      }
      const resumed = new (average.constructor as typeof ExponentialMovingAverage)(model, {
        useBuffers,
        ...(decay === null ? {} : { decay }),
      });
      resumed.loadStateDict(average.stateDict());
      for (let i = 3; i < steps.length; i++) {
        model.move(i);
        resumed.update();
      }
      await expectState(resumed, steps.length - 1);
    });
  },
);

test("follows training in the same program, and is exchanged with the weights", async () => {
  const p = new Parameter(tensor([0, 0]));
  const opt = new SGD([p], { lr: 1 });
  const average = new ExponentialMovingAverage([p], { decay: 0.5 });
  const step = compile((target: Tensor) => {
    p.sub(target).mul(p.sub(target)).sum().mul(0.5).backward();
    opt.step();
    opt.zeroGrad();
    average.update();
  });
  for (const target of [1, 2, 3]) await step(tensor(target));
  expect(step.traces).toBe(1);
  expect(await p.toArray()).toEqual([3, 3]);
  // 1, then 1.5, then 2.25.
  average.swap();
  expect(await p.toArray()).toEqual([2.25, 2.25]);
  expect(p.requiresGrad && p.isLeaf).toBe(true);
  average.swap();
  expect(await p.toArray()).toEqual([3, 3]);
  await step(tensor(4));
  expect(await average.stateDict()["module.0"]!.toArray()).toEqual([3.125, 3.125]);
});

test("names come from named parameters; what does not fit is refused", () => {
  const layer = new Linear(2, 1);
  const average = new ExponentialMovingAverage(layer.namedParameters());
  expect(Object.keys(average.stateDict())).toEqual(["n_averaged", "module.weight", "module.bias"]);
  expect(() => average.loadStateDict({})).toThrow("n_averaged is missing, expected []");
  expect(() =>
    average.loadStateDict({ ...average.stateDict(), "module.weight": zeros([3]) }),
  ).toThrow("ExponentialMovingAverage: module.weight is [3], expected [1,2]");
  expect(() => new ExponentialMovingAverage(layer, { decay: 2 })).toThrow(
    "decay must be in [0, 1]",
  );
  expect(() => new AveragedModel([])).toThrow("AveragedModel: got no parameters");
  expect(() => new AveragedModel([1] as never)).toThrow("parameters must be tensors, got 1");
});
