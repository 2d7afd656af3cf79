/** A training for the tests of workers; the module that a worker imports. */
import { Trainer } from "../../src/train/trainer.ts";
import type { EndEvent, TrainingEvent } from "../../src/train/events.ts";
import type { RunControl } from "../../src/train/worker-serve.ts";
import { DataLoader } from "../../src/data/data-loader.ts";
import { AdamW } from "../../src/optim/adam.ts";
import { batchOf, lossOf, makeNet } from "./tiny.ts";

/** A small training of so many steps. */
export async function* train(
  { maxSteps, output }: { maxSteps: number; output?: string },
  control: RunControl,
): AsyncGenerator<TrainingEvent, { steps: number; reason: string }> {
  const model = makeNet();
  const trainer = control.steer(
    new Trainer({
      ...{ model, maxSteps, loss: lossOf(model), loggingSteps: 5, seed: 3 },
      optimizer: new AdamW(model.parameters(), { lr: 0.01 }),
      data: new DataLoader(
        Array.from({ length: 64 }, (_, i) => i),
        { batchSize: 8, shuffle: true, collate: batchOf },
      ),
      signal: control.signal,
      ...(output !== undefined && { output, saveSteps: 10 ** 9 }),
    }),
  );
  let end: EndEvent | undefined;
  for await (const event of trainer.run()) {
    if (event.type === "end") end = event;
    yield event;
  }
  return { steps: trainer.step, reason: end!.reason };
}
