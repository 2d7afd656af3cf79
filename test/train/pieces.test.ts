/** A loop written by hand has everything that the Trainer has, piece by piece, and the Trainer runs on other devices. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { compile, manualSeed, setDevice } from "../../src/index.ts";
import { ArrayDataset, DataLoader } from "../../src/data/index.ts";
import { AdamW, clipGradNorm, linearWarmup } from "../../src/optim/index.ts";
import {
  checkFinite,
  latestCheckpoint,
  loadCheckpoint,
  lossStep,
  Meters,
  namedParameters,
  readScalars,
  readSteps,
  saveCheckpoint,
  Trainer,
  Watch,
  type StepResult,
} from "../../src/train/index.ts";
import { batchOf, lossOf, makeNet, PointData, type Points } from "./tiny.ts";

const folder = mkdtempSync(join(tmpdir(), "learning-loop-pieces-"));
afterAll(() => rmSync(folder, { recursive: true }));

const loader = () =>
  new DataLoader(new ArrayDataset(Array.from({ length: 90 }, (_, i) => i)), {
    ...{ batchSize: 9, shuffle: true, seed: 1, collate: batchOf },
  });

test("a loop on compile saves, is taken up in the midst of an epoch, and goes on bit for bit", async () => {
  /** Losses of the steps up to `until`, from the last checkpoint on. */
  const train = async (output: string, until: number): Promise<number[]> => {
    const model = makeNet();
    const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
    const schedule = linearWarmup(optimizer, { warmup: 5, total: 50 });
    const parts = { model, optimizer, schedule, data: loader() };
    const loss = lossOf(model);
    const step = compile((data: Points) => {
      const found = loss(data);
      found.backward();
      clipGradNorm(model.parameters(), 1);
      optimizer.step();
      optimizer.zeroGrad();
      return found;
    });
    manualSeed(2);
    const { checkpoint } = await latestCheckpoint(output);
    if (checkpoint !== null) await loadCheckpoint(checkpoint, parts);
    let done = checkpoint?.step ?? 0;
    const losses = [];
    while (done < until)
      for await (const { data } of parts.data) {
        losses.push(await step(data));
        schedule.step();
        if (++done === until) break;
      }
    await checkFinite(namedParameters(model), { step: done, epoch: 0 });
    await saveCheckpoint(output, done, parts);
    return readScalars(losses);
  };
  const straight = await train(join(folder, "straight"), 37);
  const halves = join(folder, "halves");
  const losses = [...(await train(halves, 17)), ...(await train(halves, 37))];
  expect(losses).toEqual(straight);
});

test("lossStep and readSteps alone: the update of a loss, read many steps later", async () => {
  const model = makeNet();
  const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
  const parameters = namedParameters(model);
  const step = lossStep(lossOf(model), { optimizers: [optimizer], parameters, clipNorm: 1 });
  const results: StepResult[] = [];
  for await (const { data } of loader()) results.push(await step([data, data]));
  const numbers = await readSteps(results);
  expect(numbers.map((batches) => batches.length)).toEqual(results.map(() => 2));
  const [first, last] = numbers[0]!;
  expect(first).toMatchObject({ metrics: {}, sums: [] });
  expect(Object.keys(last!.metrics)).toEqual(["gradNorm"]);
  expect(last!.sums.length).toBe(parameters.length);
});

test("Meters and Watch", () => {
  const meters = new Meters();
  meters.add({ loss: 1, f1: [0.5] });
  meters.add({ loss: [2, 6] });
  expect(meters.stateDict()).toEqual({ loss: [1, 2, 6], f1: [0.5] });
  expect(meters.take()).toEqual({ loss: 3, f1: 0.5 });
  expect(meters.take()).toEqual({});

  const watch = new Watch({ metric: "loss", patience: 2, minDelta: 0.1 });
  const judge = (loss: number): unknown[] => Object.values(watch.judge({ loss }));
  expect([1, 0.95, 0.85, NaN, 0.8].map(judge)).toEqual([
    [true, false],
    [false, false],
    [true, false],
    [false, false],
    [false, true],
  ]);
  expect(() => watch.judge({ f1: 1 })).toThrow('Watch: the evaluation returned no "loss", but f1');
  expect(() => new Watch({ metric: "f1", mode: "up" as never })).toThrow(/"min" or "max", got up/);
});

test("a run tells how much of its batches was padding, and can be aborted while it waits for data", async () => {
  const model = makeNet();
  const optimizer = new AdamW(model.parameters());
  const samples = Array.from({ length: 8 }, (_, i) => i);
  const data = new DataLoader(new ArrayDataset(samples), {
    ...{ batchSize: 4, lengthOf: (i: number) => i + 1, bucketBatches: 0, collate: batchOf },
  });
  const run = { model, optimizer, loss: lossOf(model) };
  // 10 of 16 tokens, and 26 of 32.
  expect(await new Trainer({ ...run, data, epochs: 1 }).train()).toMatchObject({
    padding: 12 / 48,
  });

  const never = new DataLoader<number, Points>(
    { length: 8, get: (i) => (i < 4 ? i : new Promise<number>(() => undefined)) },
    { batchSize: 4, collate: batchOf, prefetch: 1 },
  );
  const signal = AbortSignal.timeout(100);
  const trainer = new Trainer({ ...run, data: never, epochs: 1, signal });
  expect(await trainer.train()).toMatchObject({ reason: "aborted", step: 1 });
});

test("the same in WebAssembly", async () => {
  const run = async () => {
    const model = makeNet();
    const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
    const change = (data: Points, batch: number): Points =>
      batch === 9 ? { ...data, x: data.x.mul(Infinity) } : data;
    const trainer = new Trainer({
      ...{ model, optimizer, loss: lossOf(model), data: new PointData({ change }) },
      ...{ maxSteps: 20, accumulate: 2, clipNorm: 1, onNonFinite: "skip", seed: 3 },
    });
    const losses: number[] = [];
    for await (const event of trainer.run()) {
      if (event.type === "step") losses.push(event.loss);
      if (event.type === "end") expect(event.skipped).toBe(1);
    }
    return losses;
  };
  const cpu = await run();
  await setDevice("wasm");
  (await run()).forEach((loss, i) => expect(loss).toBeCloseTo(cpu[i]!, 4));
});

test("a step that returns no loss is told what it returned", async () => {
  const model = makeNet();
  const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
  const message = async (returned: unknown): Promise<string> => {
    const loss = (() => returned) as never;
    const trainer = new Trainer({ model, optimizer, loss, data: new PointData(), maxSteps: 1 });
    return trainer.train().then(
      () => "",
      (error: Error) => error.message,
    );
  };
  const needed = "Trainer: the step must return its loss, a tensor, or { loss, metrics }, got ";
  expect(await message(undefined)).toBe(`${needed}undefined`);
  expect(await message(3)).toBe(`${needed}3`);
  expect(await message({ loss: 3 })).toBe(`${needed}{ loss: 3 }`);
  expect(await message(Promise.resolve())).toBe(`${needed}[object Promise]`);
});
