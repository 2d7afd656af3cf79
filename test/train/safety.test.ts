/** What is not finite ends a run with its whereabouts, or is left out without a trace; memory errors say what to lower. */
import { describe, expect, test } from "vitest";
import { where, type Tensor } from "../../src/index.ts";
import * as F from "../../src/nn/functional/index.ts";
import * as nn from "../../src/nn/index.ts";
import { AdamW, ExponentialMovingAverage, SGD } from "../../src/optim/index.ts";
import {
  NonFiniteError,
  OutOfMemoryError,
  Trainer,
  type TrainingEvent,
} from "../../src/train/index.ts";
import { FaultyFiles } from "./faulty-files.ts";
import { batchOf, lossOf, makeNet, PointData, type Points } from "./tiny.ts";

/** Data of which some batches, counted from 1, hold an infinite number. */
const withBad = (...bad: number[]): PointData =>
  new PointData({
    change: (data, batch) => (bad.includes(batch) ? { ...data, x: data.x.mul(Infinity) } : data),
  });

async function failure(trainer: { train(): Promise<unknown> }): Promise<NonFiniteError> {
  const error: unknown = await trainer.train().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(NonFiniteError);
  return error as NonFiniteError;
}

describe("stop", () => {
  test("names step, samples and parameter", async () => {
    const model = makeNet();
    const optimizer = new AdamW(model.parameters());
    const indices: (readonly number[])[] = [];
    for await (const batch of new PointData()) indices.push(batch.indices);
    const fileSystem = new FaultyFiles();
    const trainer = new Trainer({
      ...{ model, optimizer, fileSystem, output: "out" },
      loss: lossOf(model),
      data: withBad(7),
      maxSteps: 100,
      saveSteps: 2,
    });
    const error = await failure(trainer);
    expect(error).toMatchObject({
      ...{ step: 7, epoch: 0, broken: "gradient", loss: NaN, parameter: "hidden.weight" },
      indices: [indices[6]],
    });
    expect(error.parameters).toEqual([...model.namedParameters()].map(([name]) => name));
    expect(error.message).toBe(
      `train: in step 7 the loss is NaN and the gradient of hidden.weight (and of 3 more) is not finite; its samples are [${indices[6]!.join(", ")}]; lower the learning rate, clip gradients (clipNorm), or leave such updates out (onNonFinite: "skip")`,
    );
    // Step 8 was due for a checkpoint: nothing that broke is saved.
    expect(await fileSystem.list("out")).toEqual(["checkpoint-2", "checkpoint-4", "checkpoint-6"]);
  });

  test("names a gradient that breaks while the loss is finite", async () => {
    const model = makeNet();
    // √0 is 0, and its gradient infinite.
    const loss = ({ x, y }: Points): Tensor =>
      lossOf(model)({ x, y }).add(model.out.bias!.mul(0).abs().sqrt().sum());
    const optimizer = new AdamW(model.parameters());
    const trainer = new Trainer({ model, optimizer, loss, data: new PointData(), maxSteps: 1 });
    const error = await failure(trainer);
    expect(error).toMatchObject({ step: 1, broken: "gradient", parameters: ["out.bias"] });
    expect(error.loss).toBeGreaterThan(0);
  });

  test("names micro-batches, and losses that break alone", async () => {
    const model = makeNet();
    const fixed = batchOf([0, 1]);
    const loss = ({ x }: Points): Tensor => lossOf(model)(fixed).add(x.sum().mul(0));
    const optimizer = new AdamW(model.parameters());
    const trainer = new Trainer({
      model,
      optimizer,
      loss,
      data: withBad(3),
      accumulate: 2,
      maxSteps: 9,
    });
    const error = await failure(trainer);
    expect(error).toMatchObject({ step: 2, broken: "loss", parameter: null, parameters: [] });
    expect(error.indices.length).toBe(2);
  });

  test("a model that is broken before it starts, and one that an update breaks before it is saved", async () => {
    const model = makeNet();
    const optimizer = new SGD(model.parameters(), { lr: 3e38 });
    const options = { model, optimizer, loss: lossOf(model), data: new PointData() };
    const fileSystem = new FaultyFiles();
    const trainer = new Trainer({
      ...options,
      output: "out",
      fileSystem,
      maxSteps: 40,
      saveSteps: 1,
      loggingSteps: 50,
    });
    const error = await failure(trainer);
    expect(error.broken).toMatch(/value|gradient|loss/);
    expect(error.step).toBeLessThan(4);
    model.hidden.weight.assign(model.hidden.weight.detach().mul(NaN));
    const again = await failure(new Trainer({ ...options, maxSteps: 5 }));
    expect(again).toMatchObject({
      step: 0,
      broken: "value",
      parameter: "hidden.weight",
      loss: null,
    });
    expect(again.message).toMatch(/after step 0 the value of hidden.weight .*is not finite/);
  });
});

describe("skip", () => {
  /** Weights, moments, counts and averages after a run. */
  async function train(data: PointData, steps: number, accumulate = 1) {
    const model = new Normed();
    model.loadStateDict(makeNet().stateDict(), { strict: false });
    const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
    const average = new ExponentialMovingAverage(model, { decay: 0.9 });
    const trainer = new Trainer({
      ...{ model, optimizer, average, data, accumulate },
      loss: ({ x, y }: Points) => F.crossEntropy(model.forward(x), y),
      clipNorm: 1,
      maxSteps: steps,
      onNonFinite: "skip",
    });
    const events: TrainingEvent[] = [];
    for await (const event of trainer.run()) events.push(event);
    const tensors = { ...model.stateDict(), ...average.stateDict() };
    for (const [n, entry] of Object.entries(optimizer.stateDict().state))
      for (const [key, t] of Object.entries(entry)) tensors[`${n}.${key}`] = t;
    const state: Record<string, number[]> = {};
    for (const [key, t] of Object.entries(tensors)) state[key] = Array.from(await t.data(), Number);
    return { events, state };
  }
  /** Without dropout, whose draws go on where an update is left out; with statistics, which must not see what is. */
  class Normed extends nn.Module {
    readonly hidden = new nn.Linear(4, 16);
    readonly norm = new nn.BatchNorm1d(16);
    readonly out = new nn.Linear(16, 3);
    forward(x: Tensor): Tensor {
      return this.out.forward(F.relu(this.norm.forward(this.hidden.forward(x))));
    }
  }

  /** The same data without the batches that are bad, which come at the end. */
  const without = (...bad: number[]): PointData => {
    const data = new PointData();
    const batches = data[Symbol.asyncIterator].bind(data);
    let delivered = 0;
    return Object.assign(data, {
      async *[Symbol.asyncIterator]() {
        for await (const batch of batches()) if (!bad.includes(++delivered)) yield batch;
      },
    });
  };

  test("leaves no trace but a count", async () => {
    const { events, state } = await train(withBad(3, 12), 20);
    const clean = await train(without(3, 12), 18);
    expect(state).toEqual(clean.state);
    const warnings = events.filter((event) => event.type === "warning");
    expect(warnings.map(({ kind }) => kind)).toEqual(["nonFinite", "nonFinite"]);
    expect(warnings[0]!.message).toMatch(/in step 3 .*the update was left out/);
    expect(warnings[1]!.message).toMatch(/in step 12 /);
    expect(events.at(-1)).toMatchObject({ type: "end", skipped: 2, step: 20 });
    const losses = events.flatMap((event) => (event.type === "step" ? [event.loss] : []));
    expect(losses.every(Number.isFinite)).toBe(true);
  });

  test("leaves out the whole group that a bad micro-batch is in", async () => {
    const { events, state } = await train(withBad(3), 5, 2);
    const clean = await train(without(3, 4), 4, 2);
    expect(events.at(-1)).toMatchObject({ skipped: 1 });
    expect(state["norm.num_batches_tracked"]).not.toEqual([0]);
    const kept = Object.keys(state).filter((key) => !key.includes("norm."));
    expect(kept.length).toBeGreaterThan(10);
    for (const key of kept) expect(state[key], key).toEqual(clean.state[key]);
    expect(Object.values(state).flat().every(Number.isFinite)).toBe(true);
  });

  test("works in updates recorded by hand", async () => {
    const model = makeNet();
    const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const loss = lossOf(model);
    const update = (data: Points): { loss: Tensor; metrics: { twice: Tensor } } => {
      const found = loss(data);
      found.backward();
      optimizer.step();
      optimizer.zeroGrad();
      return { loss: found, metrics: { twice: found.mul(2) } };
    };
    const run = (onNonFinite: "stop" | "skip") =>
      new Trainer({ model, optimizer, update, data: withBad(4), maxSteps: 10, onNonFinite });
    const events: TrainingEvent[] = [];
    for await (const event of run("skip").run()) events.push(event);
    expect(events.at(-1)).toMatchObject({ skipped: 1 });
    const [step] = events.filter((event) => event.type === "step");
    expect(step!.metrics["twice"]).toBeCloseTo(2 * step!.loss, 5);
    expect(
      (await model.hidden.weight.data()).every((w: number | bigint) => Number.isFinite(w)),
    ).toBe(true);
    expect(await failure(run("stop"))).toMatchObject({ step: 4, broken: "value" });
  });
});

test("two optimizers: a generator and a discriminator in one step", async () => {
  const [generator, discriminator] = [new nn.Linear(4, 4), new nn.Linear(4, 1)];
  const optimizer = {
    generator: new AdamW(generator.parameters(), { lr: 0.01 }),
    discriminator: new AdamW(discriminator.parameters(), { lr: 0.01 }),
  };
  const judge = (x: Tensor, real: number): Tensor => {
    const logits = discriminator.forward(x);
    return F.binaryCrossEntropyWithLogits(logits, logits.detach().mul(0).add(real));
  };
  const update = ({ x }: Points) => {
    const fake = generator.forward(x.mul(0.1));
    const loss = judge(x, 1).add(judge(fake.detach(), 0));
    loss.backward();
    optimizer.discriminator.step();
    optimizer.discriminator.zeroGrad();
    const fooled = judge(fake, 1);
    fooled.backward();
    optimizer.generator.step();
    optimizer.generator.zeroGrad();
    optimizer.discriminator.zeroGrad();
    return { loss, metrics: { generator: fooled } };
  };
  const fileSystem = new FaultyFiles();
  const options = {
    model: { generator, discriminator },
    optimizer,
    update,
    output: "out",
    fileSystem,
    loggingSteps: 1,
    saveSteps: 6,
  };
  const losses = async (
    data: PointData,
    maxSteps: number,
    resume: boolean,
  ): Promise<number[][]> => {
    const found: number[][] = [];
    for await (const event of new Trainer({
      ...options,
      data,
      maxSteps,
      resume,
      overwrite: !resume,
    }).run())
      if (event.type === "step") found.push([event.loss, event.metrics["generator"]!]);
    return found;
  };
  await losses(new PointData(), 6, false);
  const files = await fileSystem.list("out/checkpoint-6");
  for (const name of ["generator", "discriminator"])
    expect(files).toEqual(
      expect.arrayContaining([`model.${name}.safetensors`, `optimizer.${name}.json`]),
    );
  const rest = await losses(new PointData(), 12, true);
  expect(rest.length).toBe(6);
  // From the same checkpoint, the same again.
  await fileSystem.remove("out/checkpoint-12");
  expect(await losses(new PointData(), 12, true)).toEqual(rest);
});

describe("out of memory", () => {
  const message =
    "Non-zero status code returned while running MatMul node. Failed to allocate memory for requested buffer of size 34359738368";
  test.each([message, "std::bad_alloc", "Array buffer allocation failed", "GPU: Out of memory"])(
    "%s",
    async (text) => {
      const model = makeNet();
      const optimizer = new AdamW(model.parameters());
      const run = () => Promise.reject(new Error(text));
      const trainer = new Trainer({ model, optimizer, run, data: new PointData(), maxSteps: 3 });
      const error: unknown = await trainer.train().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(OutOfMemoryError);
      expect((error as OutOfMemoryError).message).toMatch(
        /out of memory in step 1, with 9 samples: lower batchSize/,
      );
      expect((error as OutOfMemoryError).cause).toMatchObject({ message: text });
    },
  );

  test("what ONNX Runtime itself says", async () => {
    const model = makeNet();
    const optimizer = new AdamW(model.parameters());
    const huge = ({ x }: Points): Tensor => {
      const loss = lossOf(model)(batchOf([0]));
      // 10¹⁵ bytes.
      const wide = x.flatten().slice(0, 0, 1).reshape([1, 1]).expand([16_000_000, 16_000_000]);
      return loss.add(where(wide.gt(2), wide.mul(wide), wide).cumsum(0).sum().mul(0));
    };
    const trainer = new Trainer({
      model,
      optimizer,
      loss: huge,
      data: new PointData(),
      maxSteps: 1,
    });
    await expect(trainer.train()).rejects.toThrow(OutOfMemoryError);
  });

  test("other errors are left alone", async () => {
    const model = makeNet();
    const optimizer = new AdamW(model.parameters());
    const run = () => Promise.reject(new Error("a bug"));
    const trainer = new Trainer({ model, optimizer, run, data: new PointData(), maxSteps: 3 });
    await expect(trainer.train()).rejects.toThrow(/^a bug$/);
  });
});
