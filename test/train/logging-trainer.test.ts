/** The Trainer's runs in a run folder and in event files: what was told is what is read, resumed runs included. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AdamW } from "../../src/optim/index.ts";
import type { TrainingEvent } from "../../src/train/events.ts";
import { Trainer } from "../../src/train/index.ts";
import { RunFolderLogger } from "../../src/train/logging/run-folder.ts";
import { readRun } from "../../src/train/logging/run-reader.ts";
import { TensorBoardLogger } from "../../src/train/logging/tensorboard.ts";
import { temporaryFolder } from "../data/temp.ts";
import { findPython, runPython } from "../support/python.ts";
import { evaluate, lossOf, makeNet, PointData } from "./tiny.ts";

const { folder } = temporaryFolder();

/** Trains to some step in one folder; `stopAt` ends it before. */
async function train(output: string, stopAt?: number): Promise<TrainingEvent[]> {
  const model = makeNet();
  const trainer = new Trainer({
    model,
    loss: lossOf(model),
    optimizer: new AdamW(model.parameters(), { lr: 0.02 }),
    data: new PointData(),
    evaluate: () => evaluate(model),
    ...{ output, seed: 3, maxSteps: 20, loggingSteps: 1, evalSteps: 5, saveSteps: 5 },
    resume: stopAt === undefined,
    loggers: [new RunFolderLogger(output, { seed: 3 }), new TensorBoardLogger(output)],
  });
  const events: TrainingEvent[] = [];
  for await (const event of trainer.run()) {
    events.push(event);
    if (event.type === "step" && event.step === stopAt) break;
  }
  return events;
}

test("a run that was left and gone on with is written as one", async () => {
  const output = join(folder, "run");
  const first = await train(output, 8);
  expect((await readRun(output)).status).not.toBe("finished");
  const events = [...first, ...(await train(output))];
  // What came after the checkpoint of step 5 is told a second time.
  const losses = new Map<number, number>();
  for (const event of events) if (event.type === "step") losses.set(event.step, event.loss);
  const run = await readRun(output);
  const curve = run.curves.get("train/loss")!;
  expect(curve.steps).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  expect(curve.values).toEqual(curve.steps.map((step) => losses.get(step)));
  const evaluations = [...run.curves].filter(([name]) => name.startsWith("eval/"));
  expect(evaluations.map(([, { steps }]) => steps)).toContainEqual([5, 10, 15, 20]);
  expect([run.status, run.step, run.config?.resumed.length]).toEqual(["finished", 20, 1]);
  const files = readdirSync(output).filter((name) => name.startsWith("events.out.tfevents."));
  expect(files).toHaveLength(2);

  const python = findPython(["tensorboard"]);
  if (python === null) return;
  const script = `
import sys, json, logging
logging.disable(logging.CRITICAL)
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
acc = EventAccumulator(sys.stdin.read(), size_guidance={"scalars": 0})
acc.Reload()
print(json.dumps([[e.step, e.value] for e in acc.Scalars("train/loss")]))`;
  expect(JSON.parse(runPython(python, script, output))).toEqual(
    curve.steps.map((step) => [step, Math.fround(losses.get(step)!)]),
  );
});
