/** Evaluates in the midst of training and leaves it as it was: modes, weights and random numbers. */

import { tensor } from "../creation.ts";
import type { Module } from "../nn/module.ts";
import type { AveragedModel } from "../optim/averaging.ts";
import { Tensor } from "../tensor.ts";
import type { Generator } from "../random.ts";

/** What an evaluation may change, and gets back. */
export interface Evaluated {
  readonly models: readonly Module[];
  /** Stand in for the weights meanwhile. */
  readonly averages: readonly AveragedModel[];
  readonly generators: readonly Generator[];
}

/** Does some work with all models in evaluation mode; modules that were in it before stay in it. */
export async function whileEvaluating<T>(
  { models, averages, generators }: Evaluated,
  work: () => T | Promise<T>,
): Promise<T> {
  const states = await Promise.all(generators.map(({ state }) => state.data()));
  const modes = models
    .flatMap((model) => model.modules())
    .map((module) => [module, module.training] as const);
  for (const each of averages) each.swap();
  for (const each of models) each.eval();
  try {
    return await work();
  } finally {
    restoreModes(modes);
    for (const each of averages) each.swap();
    generators.forEach(({ state }, i) => state.assign(tensor(states[i]!, { dtype: "uint32" })));
  }
}

/** @throws TypeError naming the metric that is no number. */
export function checkMetrics(metrics: unknown): void {
  if (typeof metrics !== "object" || metrics === null)
    throw new TypeError(
      `Trainer: evaluate must give metrics by name, e.g. { accuracy: 0.9 }, got ${String(metrics)}`,
    );
  for (const [name, value] of Object.entries(metrics))
    if (typeof value !== "number")
      throw new TypeError(
        `Trainer: the metric "${name}" that evaluate gives must be a number, got ${value instanceof Tensor ? "a tensor; await its item()" : String(value)}`,
      );
}

/** Setting a module's mode sets that of all below it, so the next one to differ is looked for after each. */
function restoreModes(modes: readonly (readonly [Module, boolean])[]): void {
  for (;;) {
    const odd = modes.find(([module, training]) => module.training !== training);
    if (odd === undefined) return;
    odd[0].train(odd[1]);
  }
}
