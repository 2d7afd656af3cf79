/** Events of trainings for tests of those who follow them. */
import type { EndEvent, StartEvent, StepEvent } from "../../src/train/events.ts";

export const startEvent = (fields: Partial<StartEvent> = {}): StartEvent => ({
  ...{ type: "start", step: 0, steps: 4, epochs: 1, epoch: 0, resumedFrom: null, seed: 1 },
  ...{ parameters: 10, ...fields },
});

export const stepEvent = (fields: Partial<StepEvent> = {}): StepEvent => ({
  ...{ type: "step", step: 1, steps: 4, epoch: 0.25, loss: 2, lr: 0.00123, metrics: {} },
  ...{ samplesPerSecond: 160.4, memoryBytes: 2 ** 28, seconds: 1, etaSeconds: 65, ...fields },
});

export const endEvent = (fields: Partial<EndEvent> = {}): EndEvent => ({
  ...{ type: "end", reason: "finished", step: 4, epoch: 1, seconds: 2, skipped: 0 },
  ...{ bestMetric: null, bestCheckpoint: null, lastCheckpoint: null, ...fields },
});
