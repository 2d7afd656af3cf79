/** Keeps the weights of a training's best evaluation, for the model that comes out of it. */
import { fromSafetensors, toSafetensors } from "../hub/safetensors.ts";
import type { Module } from "../nn/module.ts";
import { readCheckpoint } from "../train/checkpoint-folder.ts";
import type { EndEvent, TrainingEvent } from "../train/events.ts";
import type { Callback, TrainerOptions } from "../train/trainer-options.ts";

/** What of the Trainer's options is left to whoever runs a task's training. */
export type TaskTrainerOptions<B> = Pick<
  TrainerOptions<B>,
  | "accumulate"
  | "evalSteps"
  | "output"
  | "saveSteps"
  | "keep"
  | "resume"
  | "overwrite"
  | "loggers"
  | "callbacks"
  | "loggingSteps"
  | "onNonFinite"
  | "signal"
>;

/** A callback of the Trainer that remembers the weights of the best evaluation so far. */
export class BestWeights implements Callback {
  readonly #model: Module;
  #best: Uint8Array | null = null;

  constructor(model: Module) {
    this.#model = model;
  }

  async onEvent(event: TrainingEvent): Promise<void> {
    if (event.type === "evaluation" && event.best)
      this.#best = await toSafetensors(this.#model.stateDict());
  }

  /** Gives the model the best weights of a run that has ended, where there was an evaluation. */
  async take({ bestCheckpoint }: EndEvent): Promise<void> {
    // Of an earlier session there is only the checkpoint.
    if (this.#best === null && bestCheckpoint !== null)
      this.#best = (await readCheckpoint(bestCheckpoint))["model.safetensors"] ?? null;
    if (this.#best !== null) this.#model.loadStateDict(fromSafetensors(this.#best).tensors);
  }
}
