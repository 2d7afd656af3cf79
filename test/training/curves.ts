/** Trains a workload and compares its losses with those of PyTorch's run. */
import { compile } from "../../src/index.ts";
import { expect } from "vitest";
import { readFixture } from "../nn/parity.ts";
import { distance } from "../support/close.ts";
import { startTraining } from "./workload.ts";

interface Curve {
  readonly name: "mlp" | "encoder-tiny";
  readonly losses: readonly number[];
}

export const curves = readFixture<Curve>("training/curves");

/** Losses of the first steps. */
export async function train(
  name: Curve["name"],
  steps: number,
  { compiled = true } = {},
): Promise<number[]> {
  const { x, y, step } = startTraining(name);
  const run = compile(step);
  const losses: number[] = [];
  for (let i = 0; i < steps; i++)
    losses.push(await (compiled ? await run(x, y) : step(x, y)).item());
  if (compiled) expect(run.traces).toBe(1);
  return losses;
}

/** Fails unless every loss is within 10⁻⁴ of PyTorch's. */
export function expectCurve(losses: readonly number[], { losses: expected }: Curve): void {
  const error = distance(losses, expected.slice(0, losses.length));
  expect(error, "largest distance to PyTorch's losses").toBeLessThan(1e-4);
}
