/** Events for tests of loggers. */
import type { EndEvent, EvaluationEvent, StartEvent, StepEvent } from "../../src/train/events.ts";

export const started = (step: number, resumedFrom?: string): StartEvent => ({
  type: "start",
  step,
  steps: 10,
  epochs: 1,
  epoch: step / 10,
  resumedFrom: resumedFrom ?? (step > 0 ? `checkpoint-${step}` : null),
  seed: 1,
  parameters: 12,
});

export const stepAt = (
  step: number,
  loss: number,
  metrics: Readonly<Record<string, number>> = {},
): StepEvent => ({
  type: "step",
  step,
  steps: 10,
  epoch: step / 10,
  loss,
  lr: 0.5 / step,
  metrics,
  samplesPerSecond: 100,
  memoryBytes: 1e8,
  seconds: step,
  etaSeconds: 10 - step,
});

export const evaluationAt = (
  step: number,
  metrics: Readonly<Record<string, number>>,
  best = false,
): EvaluationEvent => ({
  type: "evaluation",
  step,
  epoch: step / 10,
  metrics,
  best,
  seconds: 0.5,
});

export const endedAt = (step: number, extra: Partial<EndEvent> = {}): EndEvent => ({
  type: "end",
  reason: "finished",
  step,
  epoch: step / 10,
  seconds: step,
  skipped: 0,
  bestMetric: null,
  bestCheckpoint: null,
  lastCheckpoint: null,
  ...extra,
});
