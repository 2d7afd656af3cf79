/** How far a run has come, and its way into `trainer_state.json` and back. */

import {
  trainerState,
  type KnownState,
  type LogEntry,
  type OwnState,
  type TrainerState,
} from "./trainer-state.ts";
import type { Every, TrainerOptions } from "./trainer-options.ts";
import type { Watch } from "./watch.ts";

/** What lies outside of the counters. */
interface Surroundings<B> {
  readonly options: TrainerOptions<B>;
  readonly steps: number | null;
  readonly watch: Watch | null;
  readonly pending: Readonly<Record<string, readonly number[]>>;
}

export class RunState {
  /** Updates made. */
  step = 0;
  /** Epochs, as a fraction where their length is known. */
  epoch = 0;
  samples = 0;
  tokens = 0;
  skipped = 0;
  /** Where the data stood behind the last update. */
  cursor: unknown = null;
  bestStep: number | null = null;
  bestFolder: string | null = null;
  history: LogEntry[] = [];

  restore(state: TrainerState, own: OwnState, watch: Watch | null): void {
    const { cursor, samples, tokens, skipped, patience } = own;
    this.step = state.global_step;
    this.epoch = state.epoch;
    this.samples = samples;
    this.tokens = tokens;
    this.skipped = skipped;
    this.cursor = cursor;
    this.bestStep = state.best_global_step;
    this.bestFolder = state.best_model_checkpoint;
    this.history = [...state.log_history];
    if (watch === null) return;
    watch.best = state.best_metric;
    watch.waited = patience;
  }

  toTrainerState<B>({ options, steps, watch, pending }: Surroundings<B>): TrainerState {
    const { evalSteps, saveSteps, loggingSteps = 10, epochs, seed = null } = options;
    const { cursor, samples, tokens, skipped } = this;
    const known: KnownState = {
      best_global_step: this.bestStep,
      best_metric: watch?.best ?? null,
      best_model_checkpoint: this.bestFolder,
      epoch: this.epoch,
      eval_steps: count(evalSteps),
      global_step: this.step,
      log_history: this.history,
      logging_steps: loggingSteps,
      max_steps: steps ?? -1,
      num_input_tokens_seen: tokens,
      num_train_epochs: epochs ?? Math.ceil(this.epoch),
      save_steps: count(saveSteps),
      train_batch_size: null,
    };
    const waited = watch?.waited ?? 0;
    return trainerState(known, {
      cursor,
      samples,
      tokens,
      skipped,
      patience: waited,
      seed,
      pending,
    });
  }
}

const count = (every: Every | undefined): number | null =>
  typeof every === "number" ? every : null;
