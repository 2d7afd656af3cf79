/** Schedules made of schedules: torch.optim.lr_scheduler's SequentialLR and ChainedScheduler. */

import { checkScheduled, LRScheduler, type Scheduled, type ScheduleState } from "./lr-scheduler.ts";
import { fromTorchNames } from "./state-dict.ts";

/** State of the parts; PyTorch keeps it under `_schedulers`. */
export interface CompositeState {
  readonly lastEpoch: number;
  readonly schedulers: readonly ScheduleState[];
}

function checkParts(name: string, parts: readonly LRScheduler[]): Scheduled {
  const [first] = parts;
  if (first === undefined) throw new Error(`${name}: expected at least one schedule, got none`);
  for (const part of parts) {
    if (!(part instanceof LRScheduler))
      throw new Error(
        `${name}: only schedules that depend on nothing but the step can be parts, got ${String((part as object | null)?.constructor.name)}`,
      );
    if (part.optimizer !== first.optimizer)
      throw new Error(`${name}: all schedules must belong to the same optimizer`);
  }
  return first.optimizer;
}

function loadParts(name: string, parts: readonly LRScheduler[], states: readonly object[]): void {
  if (states.length !== parts.length)
    throw new Error(
      `${name}: the state dict has ${states.length} schedules, expected ${parts.length}`,
    );
  parts.forEach((part, i) => part.loadStateDict(states[i]!));
}

/**
 * Schedules one after the other: the next one begins at each milestone, from the initial rates.
 * https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html
 */
export class SequentialLR {
  readonly #parts: readonly LRScheduler[];
  readonly #milestones: readonly number[];
  #lastEpoch = 0;

  constructor(
    optimizer: Scheduled,
    schedulers: readonly LRScheduler[],
    { milestones }: { readonly milestones: readonly number[] },
  ) {
    checkScheduled("SequentialLR", optimizer);
    if (checkParts("SequentialLR", schedulers) !== optimizer)
      throw new Error("SequentialLR: all schedules must belong to the optimizer given");
    if (milestones.length !== schedulers.length - 1)
      throw new Error(
        `SequentialLR: ${schedulers.length} schedules need ${schedulers.length - 1} milestones, got ${milestones.length}`,
      );
    this.#parts = schedulers;
    this.#milestones = milestones;
    // Each part has set its first rates when it was made.
    for (const group of optimizer.paramGroups) group.lr = group.initialLr!;
    this.#active().begin();
  }

  #active(): LRScheduler {
    return this.#parts[this.#milestones.filter((at) => at <= this.#lastEpoch).length]!;
  }

  /** Moves the rates one step on. */
  step(): void {
    this.#lastEpoch++;
    if (this.#milestones.includes(this.#lastEpoch)) this.#active().beginLate();
    else this.#active().step();
  }

  /** The learning rate of each group. */
  getLastLr(): readonly number[] {
    return this.#active().getLastLr();
  }

  /** Where the schedule and its parts stand. */
  stateDict(): CompositeState {
    return { lastEpoch: this.#lastEpoch, schedulers: this.#parts.map((part) => part.stateDict()) };
  }

  /** Goes on where `stateDict` was taken, here or in PyTorch. */
  loadStateDict(state: object): void {
    const { lastEpoch, schedulers } = fromTorchNames(state) as unknown as CompositeState;
    const rates = this.#parts[0]!.optimizer.paramGroups;
    loadParts("SequentialLR", this.#parts, schedulers);
    this.#lastEpoch = lastEpoch;
    this.getLastLr().forEach((lr, i) => (rates[i]!.lr = lr));
  }
}

/**
 * Schedules at the same time: each moves the rate that the one before it leaves, so parts must be chained ones.
 * https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ChainedScheduler.html
 */
export class ChainedScheduler {
  readonly #parts: readonly LRScheduler[];

  constructor(schedulers: readonly LRScheduler[]) {
    checkParts("ChainedScheduler", schedulers);
    this.#parts = schedulers;
  }

  /** Moves the rates one step on. */
  step(): void {
    for (const part of this.#parts) part.step();
  }

  /** The learning rate of each group. */
  getLastLr(): readonly number[] {
    return this.#parts.at(-1)!.getLastLr();
  }

  /** Where the schedule and its parts stand. */
  stateDict(): { readonly schedulers: readonly ScheduleState[] } {
    return { schedulers: this.#parts.map((part) => part.stateDict()) };
  }

  /** Goes on where `stateDict` was taken, here or in PyTorch. */
  loadStateDict(state: object): void {
    const { schedulers } = fromTorchNames(state) as unknown as CompositeState;
    loadParts("ChainedScheduler", this.#parts, schedulers);
  }
}
