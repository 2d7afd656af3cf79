/** Learning rates of two groups against PyTorch and Transformers, step by step; resuming; changes without a new trace. */
import { describe, expect, test } from "vitest";
import { compile, tensor, zeros } from "../../src/index.ts";
import { Parameter } from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import { readFixture } from "../nn/parity.ts";
import { expectClose } from "../support/close.ts";
import { camelCase } from "./problem.ts";

type Rates = readonly (readonly [number, number])[];

interface Fixture {
  readonly name: string;
  readonly options: Readonly<Record<string, never>>;
  readonly initial: readonly [number, number];
  /** PyTorch's state dict after 13 steps. */
  readonly middle: object;
  /** Rates of both groups before each step. */
  readonly rates: Rates;
}

const STEPS_BEFORE_MIDDLE = 13;

const optimizer = ([first, second]: readonly [number, number] = [1, 1]): optim.SGD =>
  new optim.SGD(
    [
      { params: [new Parameter(zeros([1]))], lr: first },
      { params: [new Parameter(zeros([1]))], lr: second },
    ],
    { momentum: 0.9 },
  );

/** What all schedules that step without a metric have. */
interface Schedule {
  step(): void;
  getLastLr(): readonly number[];
  stateDict(): object;
  loadStateDict(state: never): void;
}

type Options = Readonly<Record<string, never>>;

const make: Record<string, (opt: optim.Scheduled, options: Options) => Schedule> = {
  linearWarmup: (opt, options) => optim.linearWarmup(opt, options as never),
  cosineWarmup: (opt, options) => optim.cosineWarmup(opt, options as never),
  noam: (opt, options) => optim.noam(opt, options as never),
  LambdaLR: (opt) => new optim.LambdaLR(opt, [(i) => 0.9 ** i, (i) => 1 / (i + 1)]),
  MultiplicativeLR: (opt) => new optim.MultiplicativeLR(opt, [() => 0.9, (i) => 1 - 1 / (i + 1)]),
  StepLR: (opt, { stepSize, ...rest }) => new optim.StepLR(opt, stepSize!, rest),
  MultiStepLR: (opt, { milestones, ...rest }) => new optim.MultiStepLR(opt, milestones!, rest),
  ConstantLR: (opt, options) => new optim.ConstantLR(opt, options),
  LinearLR: (opt, options) => new optim.LinearLR(opt, options),
  ExponentialLR: (opt, { gamma }) => new optim.ExponentialLR(opt, gamma!),
  PolynomialLR: (opt, options) => new optim.PolynomialLR(opt, options),
  CosineAnnealingLR: (opt, { tMax, ...rest }) => new optim.CosineAnnealingLR(opt, tMax!, rest),
  CosineAnnealingWarmRestarts: (opt, { t0, ...rest }) =>
    new optim.CosineAnnealingWarmRestarts(opt, t0!, rest),
  OneCycleLR: (opt, { maxLr, ...rest }) => new optim.OneCycleLR(opt, maxLr!, rest),
  SequentialLR: (opt) =>
    new optim.SequentialLR(
      opt,
      [
        new optim.LinearLR(opt, { startFactor: 0.1, totalIters: 6 }),
        new optim.ExponentialLR(opt, 0.9),
        new optim.CosineAnnealingLR(opt, 10),
      ],
      { milestones: [6, 20] },
    ),
  ChainedScheduler: (opt) =>
    new optim.ChainedScheduler([
      new optim.ConstantLR(opt, { factor: 0.1, totalIters: 8 }),
      new optim.ExponentialLR(opt, 0.9),
      new optim.StepLR(opt, 10),
    ]),
};

const fixtures = readFixture<Fixture>("optim/schedules");

/** Relative, since rates fall by orders of magnitude. */
function expectRates(opt: optim.Scheduled, expected: readonly number[], what: string): void {
  opt.paramGroups.forEach(({ lr }, i) => {
    const error = Math.abs(lr - expected[i]!) / Math.max(Math.abs(expected[i]!), 1e-12);
    if (!(error < 1e-11)) expect(lr, what).toBe(expected[i]);
  });
}

function follow(opt: optim.Scheduled, schedule: Schedule, rates: Rates, from = 0): void {
  rates.forEach((expected, i) => {
    expectRates(opt, expected, `before step ${from + i}`);
    expect(schedule.getLastLr()).toEqual(opt.paramGroups.map(({ lr }) => lr));
    // PyTorch's cycle has no step behind its end.
    if (i < rates.length - 1) schedule.step();
  });
}

test("every schedule has fixtures", () => {
  expect(Object.keys(make)).toEqual([...new Set(fixtures.map(({ name }) => name))]);
});

describe.each(fixtures)("$name $options", ({ name, options, initial, rates, middle }) => {
  const start = () => {
    const opt = optimizer(initial);
    return [opt, make[name]!(opt, camelCase(options) as Options)] as const;
  };

  test("equals PyTorch step by step", () => {
    const [opt, schedule] = start();
    follow(opt, schedule, rates);
  });

  test("goes on from its own state, through JSON", () => {
    const [, schedule] = start();
    for (let i = 0; i < STEPS_BEFORE_MIDDLE; i++) schedule.step();
    const [opt, resumed] = start();
    resumed.loadStateDict(JSON.parse(JSON.stringify(schedule.stateDict())) as never);
    follow(opt, resumed, rates.slice(STEPS_BEFORE_MIDDLE), STEPS_BEFORE_MIDDLE);
  });

  test("goes on where PyTorch stopped", () => {
    const [opt, resumed] = start();
    resumed.loadStateDict(middle as never);
    follow(opt, resumed, rates.slice(STEPS_BEFORE_MIDDLE), STEPS_BEFORE_MIDDLE);
  });
});

interface Plateau {
  readonly options: object;
  readonly initial: readonly [number, number];
  readonly metrics: readonly number[];
  /** PyTorch's state dict after 20 steps. */
  readonly middle: object;
  readonly rates: Rates;
}

describe.each(readFixture<Plateau>("optim/plateaus"))(
  "ReduceLROnPlateau $options",
  ({ options, initial, metrics, rates, middle }) => {
    const start = () => {
      const opt = optimizer(initial);
      return [opt, new optim.ReduceLROnPlateau(opt, camelCase(options))] as const;
    };
    const run = (
      [opt, schedule]: ReturnType<typeof start>,
      from: number,
      to: number = metrics.length,
    ): void => {
      for (let i = from; i < to; i++) {
        expectRates(opt, rates[i]!, `before step ${i}`);
        schedule.step(metrics[i]!);
      }
    };

    test("equals PyTorch step by step", () => run(start(), 0));

    test("goes on from its own state, and where PyTorch stopped", () => {
      const first = start();
      run(first, 0, 20);
      for (const state of [JSON.parse(JSON.stringify(first[1].stateDict())) as object, middle]) {
        const second = start();
        second[1].loadStateDict(state);
        run(second, 20);
      }
    });

    test("goes on from a state without a best metric", () => {
      const second = start();
      second[1].loadStateDict(JSON.parse(JSON.stringify(start()[1].stateDict())) as object);
      run(second, 0);
    });
  },
);

test("one cycle moves momentum as PyTorch does", () => {
  const opt = optimizer();
  const schedule = new optim.OneCycleLR(opt, 0.1, { totalSteps: 10 });
  const seen: (number | null)[] = [];
  for (let i = 0; i < 10; i++) {
    seen.push(opt.paramGroups[0]!.momentum);
    if (i < 9) schedule.step();
  }
  // 0.85 + 0.1 · (1 + cos πx) / 2 with x = 0, ½, 1 in the rise, then back in sevenths.
  const wave = (x: number): number => 0.85 + (0.1 * (1 + Math.cos(Math.PI * x))) / 2;
  const expected = [0, 0.5, 1, ...[1, 2, 3, 4, 5, 6, 7].map((i) => 1 - i / 7)].map(wave);
  seen.forEach((momentum, i) => expect(momentum).toBeCloseTo(expected[i]!, 12));
});

test("a changed learning rate or momentum needs no new trace", async () => {
  const p = new Parameter(tensor([0, 0]));
  const opt = new optim.SGD([p], { lr: 1 });
  const schedule = new optim.LambdaLR(opt, (step) => 1 / (step + 1));
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
  // Momentum: the first time it becomes a number that programs read.
  for (const momentum of [0.9, 0.8, 0.7]) {
    opt.paramGroups[0]!.momentum = momentum;
    await step();
  }
  expect(step.traces).toBe(2);
});

test("rates cannot be set by a program", async () => {
  const p = new Parameter(tensor([0]));
  const opt = new optim.SGD([p], { lr: 1 });
  const schedule = new optim.StepLR(opt, 2);
  const step = compile(() => {
    p.sum().backward();
    opt.step();
    schedule.step();
  });
  await expect(step()).rejects.toThrow("cannot be set inside a compiled function");
});

test("what is no schedule is refused", () => {
  const opt = optimizer();
  const bad: [() => unknown, string][] = [
    [() => optim.linearWarmup(opt, { warmup: 6, total: 5 }), "linearWarmup: needs 0 ≤ warmup"],
    [() => optim.noam(opt, { dModel: 0, warmup: 1 }), "noam: dModel and warmup"],
    [() => new optim.LambdaLR(opt, [() => 1]), "LambdaLR: expected a function for each of 2"],
    [() => new optim.StepLR(opt, 0), "StepLR: stepSize must be a positive integer, got 0"],
    [
      () => new optim.StepLR(opt, 2, { gama: 1 } as never),
      'StepLR: unknown option "gama"; there are gamma',
    ],
    [() => new optim.StepLR({} as never, 2), "StepLR: expected an optimizer first"],
    [() => new optim.ConstantLR(opt, { factor: 2 }), "ConstantLR: factor must be in [0, 1]"],
    [() => new optim.LinearLR(opt, { startFactor: 0 }), "LinearLR: startFactor"],
    [() => new optim.LinearLR(opt, { endFactor: 2 }), "LinearLR: endFactor"],
    [() => new optim.OneCycleLR(opt, 1, {}), "OneCycleLR: give totalSteps"],
    [() => new optim.OneCycleLR(opt, 1, { totalSteps: 3, pctStart: 2 }), "pctStart"],
    [() => new optim.ReduceLROnPlateau(opt, { factor: 1 }), "factor must be below 1"],
    [() => new optim.ReduceLROnPlateau(opt, { mode: "low" as never }), 'mode must be "min"'],
    [() => new optim.ReduceLROnPlateau(opt).step(tensor(1) as never), "await its item()"],
    [() => new optim.SequentialLR(opt, [], { milestones: [] }), "at least one schedule"],
    [
      () => new optim.SequentialLR(opt, [new optim.StepLR(opt, 1)], { milestones: [1] }),
      "1 schedules need 0 milestones, got 1",
    ],
    [
      () => new optim.ChainedScheduler([new optim.ReduceLROnPlateau(opt) as never]),
      "got ReduceLROnPlateau",
    ],
    [
      () => new optim.StepLR(opt, 1).loadStateDict({ lastEpoch: 1, baseLrs: [1], lastLr: [1] }),
      "the state dict has 1 learning rates, the optimizer 2 groups",
    ],
    [() => new optim.StepLR(opt, 1).loadStateDict({}), "must have lastEpoch, baseLrs"],
  ];
  for (const [attempt, message] of bad) expect(attempt).toThrow(message);
  const cycle = new optim.OneCycleLR(opt, 1, { totalSteps: 2 });
  cycle.step();
  cycle.step();
  expect(() => cycle.step()).toThrow("step 3 of a cycle of 2 steps");
  const adagrad = new optim.Adagrad([new Parameter(zeros([1]))]);
  expect(() => new optim.OneCycleLR(adagrad, 1, { totalSteps: 3 })).toThrow("cycleMomentum: false");
});
