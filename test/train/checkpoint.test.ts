/** Checkpoints have Hugging Face's layout; the best and the last are kept; a run that cannot save ends with one clear error. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { defaultGenerator, Generator, rand } from "../../src/index.ts";
import { Rng } from "../../src/data/rng.ts";
import { loadFile } from "../../src/hub/index.ts";
import { AdamW, SGD, StepLR } from "../../src/optim/index.ts";
import {
  CheckpointError,
  latestCheckpoint,
  loadCheckpoint,
  ownState,
  saveCheckpoint,
  Trainer,
  type TrainerOptions,
  type TrainerState,
  type TrainingEvent,
} from "../../src/train/index.ts";
import { FaultyFiles } from "./faulty-files.ts";
import { evaluate, lossOf, makeNet, Net, PointData, type Points } from "./tiny.ts";

const folder = mkdtempSync(join(tmpdir(), "learning-loop-checkpoint-"));
afterAll(() => rmSync(folder, { recursive: true }));

function options(more: Partial<TrainerOptions<Points>> = {}): TrainerOptions<Points> {
  const model = makeNet();
  const optimizer = new AdamW(model.parameters());
  return { model, optimizer, loss: lossOf(model), data: new PointData(), output: "out", ...more };
}

async function eventsOf(trainer: Trainer<Points>): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  for await (const event of trainer.run()) events.push(event);
  return events;
}

async function stateIn(fileSystem: FaultyFiles, step: number): Promise<TrainerState> {
  const bytes = await fileSystem.read(`out/checkpoint-${step}/trainer_state.json`);
  return JSON.parse(new TextDecoder().decode(bytes)) as TrainerState;
}

test("the best one and the newest ones are kept", async () => {
  const fileSystem = new FaultyFiles();
  const scores = [0.1, 0.7, 0.3, 0.2, 0.4, 0.5];
  const trainer = new Trainer(
    options({
      ...{ fileSystem, maxSteps: 60, evalSteps: 10, saveSteps: 5, keep: 2, loggingSteps: 20 },
      evaluate: () => ({ f1: scores.shift()! }),
      watch: { metric: "f1", mode: "max" },
      files: () => ({ "config.json": "{}" }),
    }),
  );
  const events = await eventsOf(trainer);
  expect(await fileSystem.list("out")).toEqual(["checkpoint-20", "checkpoint-55", "checkpoint-60"]);
  expect(events.at(-1)).toMatchObject({
    ...{
      bestMetric: 0.7,
      bestCheckpoint: "out/checkpoint-20",
      lastCheckpoint: "out/checkpoint-60",
    },
  });
  const saved = events.flatMap((event) => (event.type === "checkpoint" ? [event] : []));
  expect(saved.filter(({ best }) => best).map(({ step }) => step)).toEqual([10, 20]);
  expect(saved.at(-1)!.removed).toEqual(["out/checkpoint-50"]);
  expect(await fileSystem.list("out/checkpoint-20")).toEqual([
    ...["checksums.json", "config.json", "model.safetensors", "optimizer.json"],
    ...["optimizer.safetensors", "rng_state.json", "trainer_state.json"],
  ]);
  const state = await stateIn(fileSystem, 60);
  expect(state).toMatchObject({
    ...{ global_step: 60, epoch: 6, max_steps: 60, best_metric: 0.7, best_global_step: 20 },
    ...{ best_model_checkpoint: "out/checkpoint-20", logging_steps: 20, save_steps: 5 },
  });
  expect(ownState(state)).toMatchObject({
    ...{ samples: 540, tokens: 2160, skipped: 0, cursor: { epoch: 5, index: 10 } },
  });
  const history = state.log_history.map(({ step, loss, eval_f1: f1 }) => [step, f1 ?? typeof loss]);
  expect(history.slice(0, 4)).toEqual([
    [10, 0.1],
    [20, "number"],
    [20, 0.7],
    [30, 0.3],
  ]);
});

test("a run is not written among another one's checkpoints unless it is told to", async () => {
  const fileSystem = new FaultyFiles();
  const run = (more: Partial<TrainerOptions<Points>>) =>
    new Trainer(options({ fileSystem, maxSteps: 7, ...more })).train();
  await run({ resume: true });
  await expect(run({})).rejects.toThrow(
    /^out: has checkpoints of another run, up to step 7; .*resume.*overwrite/,
  );
  expect(await run({ resume: true, maxSteps: 9 })).toMatchObject({ step: 9 });
  expect(await run({ overwrite: true, maxSteps: 4 })).toMatchObject({ step: 4 });
  expect(await fileSystem.list("out")).toEqual(["checkpoint-4"]);
  // It is done: nothing is left to do.
  expect(await run({ resume: true, maxSteps: 4 })).toMatchObject({ step: 4, reason: "finished" });
  const other = { resume: "out/checkpoint-4", output: "elsewhere", maxSteps: 6 };
  expect(await run(other)).toMatchObject({ lastCheckpoint: "elsewhere/checkpoint-6" });
  await expect(run({ resume: "out/checkpoint-5" })).rejects.toThrow(
    /checkpoint-5\/checksums.json: is missing/,
  );
});

test("going back to an earlier checkpoint asks what is to become of the later ones", async () => {
  const fileSystem = new FaultyFiles();
  const run = (more: Partial<TrainerOptions<Points>>) =>
    new Trainer(options({ fileSystem, maxSteps: 12, saveSteps: 4, keep: 3, ...more })).train();
  await run({});
  const back = { resume: "out/checkpoint-4", saveSteps: 3, keep: 1, maxSteps: 7 };
  await expect(run(back)).rejects.toThrow(
    /^out: has checkpoints of steps after 4, up to step 12; .*overwrite/,
  );
  expect(await run({ ...back, overwrite: true })).toMatchObject({ step: 7 });
  expect(await fileSystem.list("out")).toEqual(["checkpoint-7"]);
});

test("a damaged checkpoint that was passed over does not push out the whole ones before it", async () => {
  const fileSystem = new FaultyFiles();
  const run = (more: Partial<TrainerOptions<Points>>) =>
    new Trainer(options({ fileSystem, saveSteps: 10, keep: 2, ...more })).train();
  await run({ maxSteps: 20 });
  await fileSystem.remove("out/checkpoint-20/model.safetensors");
  await run({ maxSteps: 12, keep: 1, resume: true });
  expect(await fileSystem.list("out")).toEqual(["checkpoint-12", "checkpoint-20"]);
  expect(await run({ maxSteps: 21, resume: true })).toMatchObject({ step: 21 });
});

test("the best checkpoint is kept when the folder is named in another way", async () => {
  const fileSystem = new FaultyFiles();
  const scores = [0.1, 0.7, 0.6, 0.5, 0.4, 0.3];
  const run = (more: Partial<TrainerOptions<Points>>) =>
    new Trainer(
      options({
        ...{ fileSystem, evalSteps: 5, saveSteps: 5, keep: 1, ...more },
        evaluate: () => ({ f1: scores.shift()! }),
        watch: { metric: "f1", mode: "max" },
      }),
    ).train();
  await run({ maxSteps: 15 });
  await fileSystem.rename("out", "moved");
  const end = await run({ maxSteps: 25, output: "moved", resume: true });
  expect(end).toMatchObject({ bestCheckpoint: "moved/checkpoint-10" });
  expect(await fileSystem.list("moved")).toEqual(["checkpoint-10", "checkpoint-25"]);
});

test("a run that was stopped early goes on only with more patience", async () => {
  const fileSystem = new FaultyFiles();
  const run = (patience: number) =>
    new Trainer(
      options({
        ...{ fileSystem, resume: true, maxSteps: 40, evalSteps: 5, saveSteps: 5 },
        evaluate: ({ step }) => ({ loss: step }),
        watch: { metric: "loss", patience },
      }),
    ).train();
  expect(await run(2)).toMatchObject({ step: 15, reason: "earlyStopping" });
  expect(await run(2)).toMatchObject({ step: 15, reason: "earlyStopping" });
  expect(await run(3)).toMatchObject({ step: 20, reason: "earlyStopping" });
});

test("stopping saves where the run stands", async () => {
  const fileSystem = new FaultyFiles();
  const trainer: Trainer<Points> = new Trainer(
    options({
      ...{ fileSystem, maxSteps: 100, saveSteps: 50 },
      callbacks: [{ onUpdate: ({ step }) => (step === 13 ? trainer.stop() : undefined) }],
    }),
  );
  expect(await trainer.train()).toMatchObject({ reason: "stopped", step: 13 });
  expect(ownState(await stateIn(fileSystem, 13))!.pending["loss"]!.length).toBe(3);
});

describe("where nothing can be written", () => {
  test("a full disk ends the run; the last good checkpoint is there, and the run can go on", async () => {
    const fileSystem = new FaultyFiles();
    let writes = 0;
    fileSystem.fault = (_, name) =>
      name === "write" && ++writes > 20 ? { throws: "ENOSPC" } : undefined;
    const run = (resume: boolean) =>
      new Trainer(options({ fileSystem, maxSteps: 60, saveSteps: 5, resume }));
    const failed = run(false).train();
    await expect(failed).rejects.toThrow(CheckpointError);
    await expect(failed).rejects.toThrow(
      /^out\/checkpoint-\d+: cannot be written \(ENOSPC: the disk is full; free some space, or keep fewer checkpoints\)$/,
    );
    fileSystem.fault = () => undefined;
    const { checkpoint, damaged } = await latestCheckpoint("out", { fileSystem });
    expect([checkpoint!.step, damaged]).toEqual([15, []]);
    expect(fileSystem.paths.filter((path) => path.includes("/."))).toEqual([]);
    const [start] = await eventsOf(run(true));
    expect(start).toMatchObject({ step: 15, resumedFrom: "out/checkpoint-15" });
  });

  test("a folder that cannot be written to ends the run before its first step", async () => {
    const fileSystem = new FaultyFiles();
    fileSystem.fault = () => ({ throws: "EROFS" });
    const readOnly = new Trainer(options({ fileSystem, maxSteps: 5 }));
    await expect(readOnly.train()).rejects.toThrow(
      /^out: cannot be written to \(EROFS: the file system is read-only; name another folder\)$/,
    );
    expect(readOnly.step).toBe(0);
    const file = join(folder, "file");
    writeFileSync(file, "");
    const under = new Trainer(options({ output: `${file}/out`, maxSteps: 5 }));
    await expect(under.train()).rejects.toThrow(/cannot be written to \((ENOTDIR|EEXIST)/);
    const nowhere = new Trainer(options({ output: "/proc/nowhere/out", maxSteps: 5 }));
    if (process.platform === "linux")
      await expect(nowhere.train()).rejects.toThrow(CheckpointError);
  });

  test("old checkpoints that cannot be removed are a warning", async () => {
    const fileSystem = new FaultyFiles();
    fileSystem.fault = (_, name, path) =>
      name === "rename" && path.endsWith(".tmp") ? { throws: "EIO" } : undefined;
    const trainer = new Trainer(options({ fileSystem, maxSteps: 3, saveSteps: 1, keep: 1 }));
    const warnings = (await eventsOf(trainer)).filter((event) => event.type === "warning");
    expect(warnings[0]).toMatchObject({ kind: "checkpoint" });
    expect(warnings[0]!.message).toMatch(/older checkpoints cannot be removed/);
  });
});

describe("pieces", () => {
  const output = join(folder, "pieces");

  test("several models, generators and random numbers of the host, without a Trainer", async () => {
    const make = () => {
      const [a, b] = [makeNet(), new Net()];
      const optimizer = {
        a: new AdamW(a.parameters()),
        b: new SGD(b.parameters(), { momentum: 0.9, lr: 0.1 }),
      };
      const host = new Rng("host");
      const state = (host: Rng) => ({
        stateDict: () => ({ next: host.uint32() }),
        loadStateDict: () => void host.uint32(),
      });
      return {
        ...{ model: { a, b }, optimizer, schedule: new StepLR(optimizer.a, 3) },
        ...{ generators: { noise: new Generator(4) }, host: { rng: state(host) } },
      };
    };
    const parts = make();
    rand([2]);
    await rand([3], { generator: parts.generators.noise }).data();
    const words = (generator: Generator) => generator.state.data();
    const kept = [await words(defaultGenerator), await words(parts.generators.noise)];
    const at = await saveCheckpoint(output, 3, parts);
    expect(at).toBe(`${output}/checkpoint-3`);
    const loaded = make();
    defaultGenerator.manualSeed(0);
    expect(await loadCheckpoint(at, loaded)).toBeNull();
    expect([await words(defaultGenerator), await words(loaded.generators.noise)]).toEqual(kept);
    const weight = (net: Net) => net.hidden.weight.data();
    expect(await weight(loaded.model.b)).toEqual(await weight(parts.model.b));
    const file = await loadFile(join(at, "model.b.safetensors"));
    expect(Object.keys(file).sort()).toEqual(Object.keys(parts.model.b.stateDict()).sort());
  });

  test("what does not fit is named", async () => {
    const at = `${output}/checkpoint-3`;
    await expect(loadCheckpoint(at, { model: makeNet() })).rejects.toThrow(
      /checkpoint-3\/model.safetensors: is missing/,
    );
    const net = makeNet();
    const wrong = { model: { a: net.hidden } };
    await expect(loadCheckpoint(at, wrong)).rejects.toThrow(
      /model.a.safetensors: does not fit: loadStateDict: .*keys?/,
    );
    const generators = { other: new Generator() };
    await expect(loadCheckpoint(at, { generators })).rejects.toThrow(
      /rng_state.json: does not fit: .*"other"/,
    );
    await saveCheckpoint(output, 9, { model: net });
    const resumed = new Trainer(options({ output, resume: true, model: net, maxSteps: 20 }));
    await expect(resumed.train()).rejects.toThrow(/optimizer.safetensors: is missing/);
  });
});

test("evaluations in between do not change the training, whatever they draw", async () => {
  const generator = new Generator(8);
  const curve = async (evalSteps: number) => {
    const model = makeNet();
    generator.manualSeed(8);
    const loss = ({ x, y }: Points) =>
      lossOf(model)({ x: x.add(rand(x.shape, { generator }).mul(0.1)), y });
    const given = { model, loss, optimizer: new AdamW(model.parameters()) };
    const { output: _, ...rest } = options(given);
    const trainer = new Trainer({
      ...rest,
      evaluate: async () => ({
        ...(await evaluate(model)),
        drawn: await rand([2])
          .add(rand([2], { generator }))
          .sum()
          .item(),
      }),
      generators: { noise: generator },
      evalSteps,
      maxSteps: 30,
      seed: 1,
    });
    return (await eventsOf(trainer)).flatMap((event) =>
      event.type === "step" ? [event.loss] : [],
    );
  };
  expect(await curve(4)).toEqual(await curve(1000));
});
