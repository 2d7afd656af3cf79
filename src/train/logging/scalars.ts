/** The curves that an event adds to, by name: `train/…`, `eval/…` and `system/…`. */

import type { TrainingEvent } from "../events.ts";

/** Numbers of a step or an evaluation by their curves' names; none of other events. */
export function scalarsOf(event: TrainingEvent): Record<string, number> {
  if (event.type === "evaluation") return named("eval", event.metrics);
  if (event.type !== "step") return {};
  const { loss, lr, metrics, samplesPerSecond, tokensPerSecond, memoryBytes, epoch } = event;
  return {
    ...named("train", { loss, lr, ...metrics, epoch }),
    ...named("system", {
      samplesPerSecond,
      ...(tokensPerSecond !== undefined && { tokensPerSecond }),
      memoryBytes,
    }),
  };
}

const named = (group: string, values: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${group}/${name}`, value]));
