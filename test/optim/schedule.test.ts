/** Learning rates: Transformers' linear schedule, changes without a new trace, resuming; clipping against PyTorch. */
import { describe, expect, test } from "vitest";
import { compile, tensor, zeros } from "../../src/index.ts";
import { Parameter } from "../../src/nn/index.ts";
import { Adam, clipGradNorm, LambdaLR, linearWarmup, SGD } from "../../src/optim/index.ts";
import { formula, readFixture } from "../nn/parity.ts";
import { expectClose, type Numbers } from "../support/close.ts";

interface Schedule {
  readonly warmup: number;
  readonly total: number;
  readonly initial: readonly [number, number];
  /** Rates of both groups before each step. */
  readonly rates: readonly (readonly [number, number])[];
}

interface Clipped {
  readonly limit: number;
  readonly norm: Numbers;
  readonly gradients: readonly [Numbers, Numbers];
}

const optimizer = ([first, second]: readonly [number, number]): SGD =>
  new SGD([
    { params: [new Parameter(zeros([1]))], lr: first },
    { params: [new Parameter(zeros([1]))], lr: second },
  ]);

describe("linearWarmup", () => {
  test.each(readFixture<Schedule>("optim/schedules"))(
    "$warmup of $total steps equals Transformers'",
    ({ warmup, total, initial, rates }) => {
      const opt = optimizer(initial);
      const schedule = linearWarmup(opt, { warmup, total });
      for (const expected of rates) {
        opt.paramGroups.forEach(({ lr }, i) => expect(lr).toBeCloseTo(expected[i]!, 12));
        schedule.step();
      }
    },
  );

  test("refuses what is no schedule", () => {
    const opt = optimizer([1, 1]);
    expect(() => linearWarmup(opt, { warmup: 6, total: 5 })).toThrow("0 ≤ warmup ≤ total");
  });
});

test("a schedule goes on from its state, with the rates it began with", () => {
  const first = optimizer([1, 2]);
  const schedule = linearWarmup(first, { warmup: 2, total: 10 });
  for (let i = 0; i < 5; i++) schedule.step();
  // Made when the optimizer has its scaled rates already, as after loading its state.
  const second = optimizer([first.paramGroups[0]!.lr, first.paramGroups[1]!.lr]);
  const resumed = linearWarmup(second, { warmup: 2, total: 10 });
  resumed.loadStateDict(schedule.stateDict());
  schedule.step();
  resumed.step();
  expect(second.paramGroups.map(({ lr }) => lr)).toEqual(first.paramGroups.map(({ lr }) => lr));
  expect(() => resumed.loadStateDict({ step: 1, baseLrs: [1] })).toThrow("1 learning rates");
});

test("a changed learning rate needs no new trace", async () => {
  const p = new Parameter(tensor([0, 0]));
  const opt = new SGD([p], { lr: 1 });
  const schedule = new LambdaLR(opt, (step) => 1 / (step + 1));
  const step = compile(() => {
    p.sum().backward();
    opt.step();
    opt.zeroGrad();
  });
  for (let i = 0; i < 3; i++) {
    await step();
    schedule.step();
  }
  await expectClose(p, [-11 / 6, -11 / 6], 1e-6, "p");
  opt.paramGroups[0]!.lr = 0;
  await step();
  await expectClose(p, [-11 / 6, -11 / 6], 1e-6, "p");
  expect(step.traces).toBe(1);
  expect(() => (opt.paramGroups[0]!.lr = -1)).toThrow("the learning rate must be at least 0");
});

describe("clipGradNorm", () => {
  const parameters = () => [
    new Parameter(zeros([3, 4])),
    new Parameter(zeros([5])),
    new Parameter(zeros([2, 2])),
  ];

  test.each(readFixture<Clipped>("optim/clipped"))(
    "to $limit equals PyTorch",
    async ({ limit, norm, gradients }) => {
      const given = parameters();
      gradients.forEach((_, i) => (given[i]!.grad = formula(20 + i, given[i]!.shape, i + 1)));
      await expectClose(clipGradNorm(given, limit), norm, 1e-6, "norm");
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
      opt.step();
      return norm;
    });
    expect(await (await step()).item()).toBeCloseTo(5, 5);
    await expectClose(p.grad, [0.6, 0.8], 1e-6, "clipped gradient");
  });

  test("says when there is nothing to clip", () => {
    expect(() => clipGradNorm(parameters(), 1)).toThrow("no parameter has a gradient");
    expect(() => clipGradNorm(parameters(), 0)).toThrow("the norm must be above 0");
  });
});
