/** A run of 1,000 steps through the Trainer loses what the same recipe loses in PyTorch. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { tensor, type Tensor } from "../../src/index.ts";
import { DataLoader, TensorDataset } from "../../src/data/index.ts";
import * as F from "../../src/nn/functional/index.ts";
import * as nn from "../../src/nn/index.ts";
import { AdamW, linearWarmup } from "../../src/optim/index.ts";
import { Trainer } from "../../src/train/index.ts";

interface Values {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

interface Fixture {
  readonly steps: number;
  readonly warmup: number;
  readonly accumulate: number;
  readonly clipNorm: number;
  readonly every: number;
  readonly batchSize: number;
  readonly strides: readonly number[];
  readonly shift: number;
  readonly x: Values;
  readonly y: readonly number[];
  readonly weights: Readonly<Record<string, Values>>;
  readonly losses: readonly number[];
  readonly norms: readonly number[];
}

const file = new URL("../fixtures/train/trainer.json", import.meta.url);
const fixture = JSON.parse(readFileSync(file, "utf8")) as Fixture;
const tensorOf = ({ values, shape }: Values): Tensor => tensor(values, { shape });

test("every 50th loss and norm of gradients", async () => {
  const { x, y, weights, strides, shift, steps, warmup, batchSize, accumulate, clipNorm } = fixture;
  const model = new nn.Sequential(new nn.Linear(6, 24), new nn.Tanh(), new nn.Linear(24, 3));
  const state = Object.entries(weights).map(([key, values]) => [key, tensorOf(values)] as const);
  model.loadStateDict(Object.fromEntries(state));
  const optimizer = new AdamW(model.parameters(), {
    lr: 0.01,
    betas: [0.9, 0.98],
    weightDecay: 0.05,
  });
  const order = (epoch: number): number[] =>
    y.map((_, i) => (i * strides[epoch % strides.length]! + shift * epoch) % y.length);
  const samples = new TensorDataset(tensorOf(x), tensor(y, { dtype: "int32" }));
  const trainer = new Trainer({
    ...{ model, optimizer, accumulate, clipNorm },
    loss: ([x, y]: Tensor[]) => F.crossEntropy(model.forward(x!), y!),
    schedule: linearWarmup(optimizer, { warmup, total: steps }),
    data: new DataLoader(samples, { batchSize, sampler: { length: y.length, order } }),
    maxSteps: steps,
    loggingSteps: 1,
  });
  const losses: number[] = [];
  const norms: number[] = [];
  for await (const event of trainer.run()) {
    if (event.type !== "step" || event.step % fixture.every !== 0) continue;
    losses.push(event.loss);
    norms.push(event.metrics["gradNorm"]!);
  }
  expect(losses.length).toBe(fixture.losses.length);
  const far = (a: readonly number[], b: readonly number[]): number =>
    Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
  // float32 sums in another order, 1,000 steps long; 2 · 10⁻⁷ and 5 · 10⁻⁷ were seen.
  expect(far(losses, fixture.losses), "largest distance to PyTorch's losses").toBeLessThan(1e-5);
  expect(far(norms, fixture.norms), "largest distance to PyTorch's norms").toBeLessThan(1e-5);
});
