/** A training run with everything that must survive a crash; as a script, `resume-run.ts FOLDER` takes it up and ends it. */
import { pathToFileURL } from "node:url";
import { tensor } from "../../src/index.ts";
import { ArrayDataset, DataLoader } from "../../src/data/index.ts";
import { AdamW, ExponentialMovingAverage, linearWarmup } from "../../src/optim/index.ts";
import { Trainer } from "../../src/train/index.ts";
import { batchOf, evaluate, lossOf, makeNet, type Points } from "./tiny.ts";

export const STEPS = 200;

export function makeRun(output: string, maxSteps = STEPS): Trainer<Points> {
  const model = makeNet();
  const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
  const samples = new ArrayDataset(Array.from({ length: 90 }, (_, i) => i));
  return new Trainer({
    ...{ model, optimizer, output },
    loss: lossOf(model),
    schedule: linearWarmup(optimizer, { warmup: 20, total: STEPS + 20 }),
    data: new DataLoader(samples, { batchSize: 8, shuffle: true, seed: 4, collate: batchOf }),
    average: new ExponentialMovingAverage(model, { decay: 0.95 }),
    accumulate: 2,
    clipNorm: 1,
    maxSteps,
    loggingSteps: 3,
    saveSteps: 4,
    evalSteps: 25,
    evaluate: () => evaluate(model),
    watch: { metric: "loss" },
    keep: 2,
    files: { "config.json": "{}\n" },
    resume: true,
    seed: 9,
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const trainer = makeRun(process.argv[2]!);
  // Whoever is to kill this process counts from here.
  await tensor([0]).add(1).item();
  process.stdout.write("training\n");
  await trainer.train();
}
