/** Curves of a run: values by step, each step once. */

import type { TrainingEvent } from "../events.ts";
import { scalarsOf } from "./scalars.ts";

/** Values of one name in the order of steps; NaN where a value was not finite. */
export interface Curve {
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

/** The curves of events in the order in which they were written; where a step comes again, what follows it is void. */
export function curvesOf(events: readonly TrainingEvent[]): Map<string, Curve> {
  const curves = new Map<string, { steps: number[]; values: number[] }>();
  for (const event of events)
    for (const [name, value] of Object.entries(scalarsOf(event))) {
      const curve = curves.get(name) ?? { steps: [], values: [] };
      curves.set(name, curve);
      while ((curve.steps.at(-1) ?? -Infinity) >= event.step) {
        curve.steps.pop();
        curve.values.pop();
      }
      curve.steps.push(event.step);
      curve.values.push(value);
    }
  return curves;
}

/**
 * Exponential moving averages as TensorBoard draws them: weights fall by `weight` a value, and are divided by their sum
 * so that the first values are not drawn towards 0. Values that are not finite stay and count for nothing.
 */
export function smooth(values: readonly number[], weight: number): number[] {
  if (!(weight >= 0 && weight < 1))
    throw new Error(`smooth: weight must be at least 0 and below 1, got ${String(weight)}`);
  let [sum, weights] = [0, 0];
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    sum = sum * weight + (1 - weight) * value;
    weights = weights * weight + (1 - weight);
    return sum / weights;
  });
}

/**
 * The curve that a user means: its full name, or what follows the group, `train` before `eval` before others.
 * Undefined where there is none.
 */
export function curveName(names: Iterable<string>, wanted: string): string | undefined {
  const all = [...names];
  const candidates = [wanted, `train/${wanted}`, `eval/${wanted}`];
  return (
    candidates.find((name) => all.includes(name)) ?? all.find((name) => name.endsWith(`/${wanted}`))
  );
}
