/** Learning-rate schedules: functions of the step that set the rate of an optimizer's groups. */

interface Scheduled {
  readonly paramGroups: readonly { lr: number }[];
}

export interface ScheduleState {
  readonly step: number;
  /** Initial learning rate of each group. */
  readonly baseLrs: readonly number[];
}

/** Multiplies each group's initial learning rate by `factor(step)`: torch.optim.lr_scheduler.LambdaLR. */
export class LambdaLR {
  readonly #optimizer: Scheduled;
  readonly #factor: (step: number) => number;
  #baseLrs: readonly number[];
  #step = 0;

  constructor(optimizer: Scheduled, factor: (step: number) => number) {
    this.#optimizer = optimizer;
    this.#factor = factor;
    this.#baseLrs = optimizer.paramGroups.map((group) => group.lr);
    this.#apply();
  }

  /** Call after each optimizer step. */
  step(): void {
    this.#step++;
    this.#apply();
  }

  stateDict(): ScheduleState {
    return { step: this.#step, baseLrs: this.#baseLrs };
  }

  /** Goes on where `stateDict` was taken, with the initial rates of then. */
  loadStateDict({ step, baseLrs }: ScheduleState): void {
    if (baseLrs.length !== this.#baseLrs.length)
      throw new Error(
        `LambdaLR: the state dict has ${baseLrs.length} learning rates, the optimizer ${this.#baseLrs.length} groups`,
      );
    this.#step = step;
    this.#baseLrs = [...baseLrs];
    this.#apply();
  }

  #apply(): void {
    const factor = this.#factor(this.#step);
    this.#optimizer.paramGroups.forEach((group, i) => (group.lr = this.#baseLrs[i]! * factor));
  }
}

/** Rises linearly from 0 over `warmup` steps, then falls linearly to 0 at `total`: Transformers' linear schedule. */
export function linearWarmup(
  optimizer: Scheduled,
  { warmup, total }: { warmup: number; total: number },
): LambdaLR {
  if (!(warmup >= 0 && total > 0 && warmup <= total))
    throw new Error(
      `linearWarmup: needs 0 ≤ warmup ≤ total and total > 0, got ${warmup} and ${total}`,
    );
  return new LambdaLR(optimizer, (step) =>
    step < warmup
      ? step / Math.max(1, warmup)
      : Math.max(0, (total - step) / Math.max(1, total - warmup)),
  );
}
