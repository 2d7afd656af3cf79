/** Memory stays flat however long the Trainer trains. */
import { expect, test } from "vitest";
import { AdamW, ExponentialMovingAverage } from "../../src/optim/index.ts";
import { Trainer } from "../../src/train/index.ts";
import { settled, type Memory } from "../support/memory.ts";
import { evaluate, lossOf, makeNet, PointData } from "./tiny.ts";

test("5,000 steps through the Trainer, with evaluations", async () => {
  const model = makeNet();
  const optimizer = new AdamW(model.parameters());
  const trainer = new Trainer({
    ...{ model, optimizer, loss: lossOf(model), data: new PointData() },
    average: new ExponentialMovingAverage(model),
    clipNorm: 1,
    accumulate: 2,
    maxSteps: 5000,
    evaluate: () => evaluate(model),
    evalSteps: 500,
    onNonFinite: "skip",
  });
  const at: Memory[] = [];
  for await (const event of trainer.run())
    if (event.type === "evaluation" && event.step % 1000 === 0) at.push(await settled());
  expect(trainer.step).toBe(5000);
  const [before, after] = [at[0]!, at.at(-1)!];
  expect(after.held - before.held, "MB more held").toBeLessThan(3);
  expect(after.resident - before.resident, "MB more of the process").toBeLessThan(50);
});
