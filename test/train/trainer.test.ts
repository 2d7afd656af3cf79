/** The Trainer runs what it is told, says what it did, and does what a loop written by hand would. */
import { describe, expect, test } from "vitest";
import { compile, manualSeed, tensor } from "../../src/index.ts";
import { DataLoader } from "../../src/data/index.ts";
import {
  AdamW,
  clipGradNorm,
  ExponentialMovingAverage,
  linearWarmup,
  ReduceLROnPlateau,
} from "../../src/optim/index.ts";
import { Trainer, type Logger, type TrainingEvent } from "../../src/train/index.ts";
import { evaluate, lossOf, makeNet, PointData, type Points } from "./tiny.ts";

async function eventsOf<B>(trainer: Trainer<B>): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  for await (const event of trainer.run()) events.push(event);
  return events;
}
const only = <T extends TrainingEvent["type"]>(events: readonly TrainingEvent[], type: T) =>
  events.filter((event): event is Extract<TrainingEvent, { type: T }> => event.type === type);

function setup() {
  const model = makeNet();
  const optimizer = new AdamW(model.parameters(), { lr: 0.02 });
  return { model, optimizer, loss: lossOf(model), data: new PointData() };
}

test("equals a loop written by hand: accumulation, clipping, schedule, averages", async () => {
  const ours = setup();
  const schedule = linearWarmup(ours.optimizer, { warmup: 3, total: 15 });
  const average = new ExponentialMovingAverage(ours.model, { decay: 0.9 });
  const events = await eventsOf(
    new Trainer({
      ...ours,
      schedule,
      average,
      accumulate: 2,
      clipNorm: 0.5,
      maxSteps: 12,
      loggingSteps: 1,
      seed: 3,
    }),
  );

  const { model, optimizer, loss, data } = setup();
  const rates = linearWarmup(optimizer, { warmup: 3, total: 15 });
  const ema = new ExponentialMovingAverage(model, { decay: 0.9 });
  manualSeed(3);
  const step = compile((batches: Points[]) => {
    const losses = batches.map((batch) => loss(batch).div(batches.length));
    for (const each of losses) each.backward();
    const norm = clipGradNorm(model.parameters(), 0.5);
    optimizer.step();
    optimizer.zeroGrad();
    ema.update();
    return { loss: losses.reduce((a, b) => a.add(b)), norm };
  });
  const byHand: { loss: number; norm: number; lr: number }[] = [];
  while (byHand.length < 12) {
    const batches: Points[] = [];
    for await (const batch of data) {
      batches.push(batch.data);
      if (batches.length < 2 || byHand.length === 12) continue;
      const lr = optimizer.paramGroups[0]!.lr;
      const result = await step(batches.splice(0));
      byHand.push({ loss: await result.loss.item(), norm: await result.norm.item(), lr });
      rates.step();
    }
  }
  const steps = only(events, "step");
  expect(steps.map(({ step }) => step)).toEqual(byHand.map((_, i) => i + 1));
  steps.forEach(({ loss, lr, metrics, epoch, samplesPerSecond, tokensPerSecond }, i) => {
    expect(loss).toBeCloseTo(byHand[i]!.loss, 5);
    expect(metrics["gradNorm"]).toBeCloseTo(byHand[i]!.norm, 5);
    expect(lr).toBe(byHand[i]!.lr);
    expect(epoch).toBeCloseTo((i + 1) / 5, 10);
    expect(tokensPerSecond! / samplesPerSecond).toBeCloseTo(4, 6);
  });
  const [mine, theirs] = [average.stateDict(), ema.stateDict()];
  for (const key of Object.keys(mine)) {
    const [a, b] = [await mine[key]!.data(), await theirs[key]!.data()];
    a.forEach((value: number | bigint, i: number) =>
      expect(Number(value)).toBeCloseTo(Number(b[i]), 5),
    );
  }
});

describe("epochs", () => {
  test.each([true, false])("with the length of the data known: %s", async (sized) => {
    const { model, ...rest } = setup();
    const modes: boolean[] = [];
    const trainer = new Trainer({
      ...rest,
      model,
      data: new PointData({ batchSize: 20, sized }),
      epochs: 3,
      accumulate: 3,
      loggingSteps: 100,
      evaluate: () => (modes.push(model.training), evaluate(model)),
    });
    const events = await eventsOf(trainer);
    // 90 samples: 4 whole batches and a half of one, so an update of three batches and one of two.
    expect(trainer.step).toBe(6);
    expect(trainer.steps).toBe(sized ? 6 : null);
    expect(only(events, "evaluation").map(({ step, epoch }) => [step, epoch])).toEqual([
      [2, 1],
      [4, 2],
      [6, 3],
    ]);
    expect(modes, "evaluated in evaluation mode").toEqual([false, false, false]);
    expect(model.training).toBe(true);
    expect(events.map(({ type }) => type)).toEqual([
      ...["start", "evaluation", "evaluation", "step", "evaluation", "end"],
    ]);
    expect(events[0]).toMatchObject({
      step: 0,
      epochs: 3,
      epoch: 0,
      parameters: 4 * 16 + 16 + 16 * 3 + 3,
    });
    expect(events.at(-1)).toMatchObject({ reason: "finished", step: 6, epoch: 3, skipped: 0 });
    expect(() => JSON.stringify(events)).not.toThrow();
  });
});

test("the same seed gives the same curve, another seed another", async () => {
  const curve = async (seed: number) => {
    const trainer = new Trainer({ ...setup(), maxSteps: 30, loggingSteps: 1, seed });
    return only(await eventsOf(trainer), "step").map(({ loss }) => loss);
  };
  const first = await curve(1);
  expect(await curve(1)).toEqual(first);
  expect(await curve(2)).not.toEqual(first);
});

test("metrics are numbers by name", async () => {
  const metrics = async (evaluate: () => unknown): Promise<unknown> =>
    new Trainer({ ...setup(), evaluate: evaluate as () => { a: number }, maxSteps: 1 }).train();
  await expect(metrics(() => 0.5)).rejects.toThrow("evaluate must give metrics by name");
  await expect(metrics(() => ({ f1: tensor(0.5) }))).rejects.toThrow(
    'the metric "f1" that evaluate gives must be a number, got a tensor; await its item()',
  );
});

test("stops early, evaluates averaged weights, and lowers the rate on a plateau", async () => {
  const { model, optimizer, ...rest } = setup();
  const average = new ExponentialMovingAverage(model, { decay: 0.5 });
  const schedule = new ReduceLROnPlateau(optimizer, { patience: 0, factor: 0.5 });
  const values = [3, 2, 2.5, 2.4, 2.3, 1];
  const seen: string[] = [];
  const trained = async () => (await model.out.bias!.data()).join();
  const trainer = new Trainer({
    ...rest,
    ...{ model, optimizer, average, schedule },
    maxSteps: 100,
    evalSteps: 5,
    watch: { metric: "error", patience: 3 },
    evaluate: async () => (seen.push(await trained()), { error: values[seen.length - 1]! }),
  });
  const events = await eventsOf(trainer);
  expect(only(events, "evaluation").map(({ best }) => best)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(events.at(-1)).toMatchObject({ reason: "earlyStopping", step: 25, bestMetric: 2 });
  expect(optimizer.paramGroups[0]!.lr).toBeCloseTo(0.02 / 8, 8);
  expect(seen.at(-1)).not.toBe(await trained());
  average.swap();
  expect(seen.at(-1)).toBe(await trained());
});

test("modules that stay in evaluation mode stay in it after an evaluation", async () => {
  const { model, ...rest } = setup();
  model.dropout.eval();
  const modes = () => model.modules().map((module) => module.training);
  const before = modes();
  const seen: boolean[][] = [];
  const evaluate = () => (seen.push(modes()), { nothing: 0 });
  const options = { ...rest, model, evaluate, evalSteps: 1, maxSteps: 2 };
  await new Trainer(options).train();
  expect(modes()).toEqual(before);
  expect(before).toContain(false);
  model.eval();
  model.hidden.train();
  await new Trainer({ ...options, evaluate: () => (seen.push(modes()), { nothing: 0 }) }).train();
  expect(modes().filter(Boolean)).toHaveLength(1);
  expect(seen.flat()).not.toContain(true);
});

test("what ended a run is thrown, also where a logger then cannot be closed", async () => {
  const { loss: _, ...rest } = setup();
  const logger: Logger = { onEvent: () => undefined, close: () => Promise.reject(new Error("no")) };
  const broken = (): never => {
    throw new Error("a step that cannot be");
  };
  const options = { ...rest, loggers: [logger], maxSteps: 1 };
  await expect(new Trainer({ ...options, loss: broken }).train()).rejects.toThrow("cannot be");
});

describe("from outside", () => {
  test("pause, resume and stop, with the event loop free", async () => {
    const trainer = new Trainer({ ...setup(), maxSteps: 1e6, loggingSteps: 5 });
    const events: TrainingEvent[] = [];
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    for await (const event of trainer.run()) {
      events.push(event);
      if (event.type === "step" && event.step === 10) {
        trainer.pause();
        setTimeout(() => trainer.resume(), 30);
      }
      if (event.type === "step" && event.seconds > 0.5) trainer.stop();
    }
    clearInterval(timer);
    const types = events.map(({ type }) => type);
    expect(types.slice(0, 5)).toEqual(["start", "step", "step", "paused", "resumed"]);
    expect(events[3]).toEqual({ type: "paused", step: 10 });
    expect(events.at(-1)).toMatchObject({ type: "end", reason: "stopped", step: trainer.step });
    expect(ticks).toBeGreaterThan(5);
  });

  test("a paused run can be stopped; an AbortSignal ends one", async () => {
    const trainer = new Trainer({ ...setup(), maxSteps: 1e6 });
    for await (const event of trainer.run()) {
      if (event.type === "start") trainer.pause();
      if (event.type === "paused") setTimeout(() => trainer.stop(), 5);
      expect(event.type).not.toBe("resumed");
    }
    const aborting = new Trainer({ ...setup(), maxSteps: 1e6, signal: AbortSignal.timeout(50) });
    expect(await aborting.train()).toMatchObject({ reason: "aborted" });
    const early = new Trainer({ ...setup(), maxSteps: 5, signal: AbortSignal.abort() });
    expect(await early.train()).toMatchObject({ reason: "aborted", step: 0 });
  });

  test("leaving the loop closes the data and the loggers", async () => {
    let closed = 0;
    const logger: Logger = {
      onEvent: () => undefined,
      close: () => Promise.resolve(void closed++),
    };
    const { data, ...rest } = setup();
    let returned = 0;
    const watched = Object.assign(Object.create(data) as PointData, {
      async *[Symbol.asyncIterator]() {
        try {
          yield* data;
        } finally {
          returned++;
        }
      },
      cursor: () => data.cursor(),
      batchesPerEpoch: 10,
    });
    const trainer = new Trainer({ ...rest, data: watched, maxSteps: 50, loggers: [logger] });
    for await (const event of trainer.run()) if (event.type === "step") break;
    expect([closed, returned]).toEqual([1, 1]);
    expect(trainer.step).toBe(10);
    await expect(trainer.train()).rejects.toThrow(/can run once/);
  });
});

test("a logger that fails is left out with a warning; the others get everything", async () => {
  const told: string[] = [];
  const good: Logger = {
    onEvent: ({ type }) => void told.push(type),
    text: (step, name, text) => void told.push(`${step} ${name} ${text}`),
    close: () => Promise.resolve(void told.push("closed")),
  };
  const bad: Logger = {
    onEvent: ({ type }) => {
      if (type === "step") throw new Error("no more space");
    },
    close: () => Promise.resolve(),
  };
  const trainer: Trainer<unknown> = new Trainer({
    ...setup(),
    maxSteps: 20,
    loggers: [bad, good],
    callbacks: [
      { onUpdate: ({ step }) => (step === 15 ? trainer.text("note", "half") : undefined) },
    ],
  }) as never;
  const events = await eventsOf(trainer);
  expect(only(events, "warning")).toEqual([
    {
      type: "warning",
      step: 10,
      kind: "logger",
      message: expect.stringContaining("no more space") as string,
    },
  ]);
  expect(told).toEqual(["start", "step", "warning", "15 note half", "step", "end", "closed"]);
});

test("options are checked", () => {
  const make = (options: object) => () => new Trainer({ ...setup(), ...options } as never);
  expect(make({})).toThrow("needs epochs or maxSteps");
  expect(make({ epoch: 1 })).toThrow(/unknown option "epoch"/);
  expect(make({ maxSteps: 0 })).toThrow(/maxSteps must be an integer of at least 1, got 0/);
  expect(make({ epochs: 1, loss: undefined })).toThrow(/one of loss, update and run, got none/);
  expect(make({ epochs: 1, update: () => undefined })).toThrow(/got loss and update/);
  expect(make({ epochs: 1, keep: 2 })).toThrow(/keep needs output/);
  expect(make({ epochs: 1, watch: { metric: "f1" } })).toThrow(/watch needs evaluate/);
  expect(make({ epochs: 1, evalSteps: 3 })).toThrow(/evalSteps needs evaluate/);
  expect(make({ epochs: 1, scheduleEvery: "epochs" })).toThrow(
    /scheduleEvery must be "step" or "epoch", got epochs/,
  );
  expect(make({ epochs: 1, scheduleEvery: "epoch" })).toThrow(/scheduleEvery needs schedule/);
  expect(make({ epochs: 1, onNonFinite: "warn" })).toThrow(/"stop" or "skip", got warn/);
  const schedule = new ReduceLROnPlateau(setup().optimizer);
  expect(make({ epochs: 1, schedule })).toThrow(/ReduceLROnPlateau needs watch/);
  expect(make({ epochs: 1, evalSteps: "often" })).toThrow(/evalSteps must be .* or "epoch"/);
});

test("strings in batches, which would make a program of each, are refused", async () => {
  const { model, optimizer } = setup();
  const samples = Array.from({ length: 8 }, (_, i) => ({ x: [i, 0, 0, 1], about: { id: `${i}` } }));
  const trainer = new Trainer({
    ...{ model, optimizer, data: new DataLoader(samples, { batchSize: 2 }), epochs: 1 },
    loss: ({ x }) => model.forward(x).mean(),
  });
  await expect(trainer.train()).rejects.toThrow(/strings \(about.id\), .* DataLoader's collate/);
});

test("a step whose loss is no number says so", async () => {
  const { model, ...rest } = setup();
  const loss = ({ x }: { x: never }) => model.forward(x);
  const trainer = new Trainer({ ...rest, model, loss: loss as never, maxSteps: 1 });
  await expect(trainer.train()).rejects.toThrow(
    /loss must have one element, got shape \[9,3\]; take its mean/,
  );
  const named = ({ x }: Points) => ({ loss: x.mean(), metrics: { loss: x.mean() } });
  await expect(new Trainer({ ...rest, model, loss: named, maxSteps: 1 }).train()).rejects.toThrow(
    /metric cannot be named "loss"/,
  );
  const empty = new PointData();
  empty.seek({ epoch: 0, index: 99 });
  const nothing = {
    ...rest,
    model,
    maxSteps: 1,
    data: Object.assign(empty, { async *[Symbol.asyncIterator]() {} }),
  };
  await expect(new Trainer(nothing as never).train()).rejects.toThrow("gives no batches");
});
