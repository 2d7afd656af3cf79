/** Training with dropout that can be saved to a file and taken up again, in another process too. */
import { readFileSync, writeFileSync } from "node:fs";
import { compile, defaultGenerator, manualSeed, type Tensor } from "../../src/index.ts";
import { fromSafetensors, toSafetensors } from "../../src/hub/safetensors.ts";
import type { OptimizerState } from "../../src/optim/index.ts";
import { linearWarmup, type ScheduleState } from "../../src/optim/index.ts";
import { startTraining } from "./workload.ts";

/** What of a checkpoint is no tensor. */
interface Rest {
  readonly paramGroups: OptimizerState["paramGroups"];
  readonly schedule: ScheduleState;
}

export class Run {
  readonly #training = startTraining("encoder-tiny", { dropout: 0.1 });
  readonly #schedule = linearWarmup(this.#training.optimizer, { warmup: 20, total: 220 });
  readonly #step = compile(this.#training.step);

  constructor() {
    manualSeed(7);
  }

  /** Losses of that many more steps. */
  async train(steps: number): Promise<number[]> {
    const losses: number[] = [];
    for (let i = 0; i < steps; i++) {
      losses.push(await (await this.#step(this.#training.x, this.#training.y)).item());
      this.#schedule.step();
    }
    return losses;
  }

  async save(file: string): Promise<void> {
    const { state, paramGroups } = this.#training.optimizer.stateDict();
    const tensors: Record<string, Tensor> = { generator: defaultGenerator.state };
    for (const [key, t] of Object.entries(this.#training.model.stateDict()))
      tensors[`model.${key}`] = t;
    for (const [n, entry] of Object.entries(state))
      for (const [key, t] of Object.entries(entry)) tensors[`state.${n}.${key}`] = t;
    const rest: Rest = { paramGroups, schedule: this.#schedule.stateDict() };
    writeFileSync(file, await toSafetensors(tensors, { rest: JSON.stringify(rest) }));
  }

  load(file: string): void {
    const { tensors, metadata } = fromSafetensors(readFileSync(file));
    const { paramGroups, schedule } = JSON.parse(metadata["rest"]!) as Rest;
    const model: Record<string, Tensor> = {};
    const state: Record<number, Record<string, Tensor>> = {};
    for (const [key, t] of Object.entries(tensors)) {
      const [part, n, ...name] = key.split(".");
      if (part === "model") model[key.slice("model.".length)] = t;
      else if (part === "state") (state[Number(n)] ??= {})[name.join(".")] = t;
    }
    this.#training.model.loadStateDict(model);
    this.#training.optimizer.loadStateDict({ state, paramGroups });
    this.#schedule.loadStateDict(schedule);
    defaultGenerator.state.assign(tensors["generator"]!);
  }
}
