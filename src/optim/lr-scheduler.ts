/** The base of learning-rate schedules: torch.optim.lr_scheduler.LRScheduler. */

import { described } from "./param-group.ts";
import { fromTorchNames } from "./state-dict.ts";

/** What a schedule moves: a group of an optimizer. */
export interface ScheduledGroup {
  lr: number;
  /** Set by the first schedule made for an optimizer. */
  initialLr: number | null;
  /** Momentum or β₁; null where there is none. */
  get momentum(): number | null;
  set momentum(momentum: number);
}

/** An optimizer, as schedules see it. */
export interface Scheduled {
  readonly paramGroups: readonly ScheduledGroup[];
}

/** Where a schedule stands when it is asked for the rate of a group. */
export interface Moment {
  /** Steps made so far. */
  readonly epoch: number;
  /** The group's learning rate now, which other schedules may have moved, too. */
  readonly lr: number;
  /** The group's initial learning rate. */
  readonly baseLr: number;
  /** Number of the group. */
  readonly group: number;
  /** Whether the schedule begins, not steps. */
  readonly first: boolean;
}

/** A schedule in one literal. */
export interface ScheduleRule {
  /** The learning rate after a step, or at the beginning, from the one before it where PyTorch's schedule is chained. */
  readonly next: (at: Moment) => number;
  /** The same from the initial rate alone, where there is such a form: how SequentialLR starts a schedule late. */
  readonly closed?: (at: Moment) => number;
  /** Momentum (or β₁), where it is moved too. */
  readonly momentum?: (at: Moment) => number;
}

/** Where a schedule stands. */
export interface ScheduleState {
  /** Steps made so far. */
  readonly lastEpoch: number;
  /** Initial learning rate of each group. */
  readonly baseLrs: readonly number[];
  /** Learning rate of each group. */
  readonly lastLr: readonly number[];
}

/** Throws unless schedules can move it. */
export function checkScheduled(name: string, optimizer: Scheduled): void {
  if (!Array.isArray((optimizer as Partial<Scheduled> | null)?.paramGroups))
    throw new Error(`${name}: expected an optimizer first, got ${described(optimizer)}`);
}

/** Throws unless `value` is a positive integer. */
export function needCount(name: string, what: string, value: number): void {
  if (!(Number.isInteger(value) && value > 0))
    throw new Error(`${name}: ${what} must be a positive integer, got ${String(value)}`);
}

/** One value for each group: the same, or one from a list of as many. */
export function perGroup<T>(
  name: string,
  what: string,
  optimizer: Scheduled,
  given: T | readonly T[],
): readonly T[] {
  const groups = optimizer.paramGroups.length;
  if (!Array.isArray(given)) return new Array<T>(groups).fill(given as T);
  if (given.length !== groups)
    throw new Error(
      `${name}: expected ${what} for each of ${groups} parameter groups, got ${given.length}`,
    );
  return given as readonly T[];
}

/** Puts the rates of a state dict into an optimizer's groups. */
export function restoreRates(name: string, optimizer: Scheduled, lrs: readonly number[]): void {
  const { paramGroups } = optimizer;
  if (lrs.length !== paramGroups.length)
    throw new Error(
      `${name}: the state dict has ${lrs.length} learning rates, the optimizer ${paramGroups.length} groups`,
    );
  paramGroups.forEach((group, i) => (group.lr = lrs[i]!));
}

/**
 * Moves the learning rates of an optimizer's groups from step to step. Call `step` after the optimizer's, outside of
 * compiled functions; rates are inputs of programs, so nothing is traced anew.
 * https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
 */
export abstract class LRScheduler {
  /** @internal */
  readonly optimizer: Scheduled;
  readonly #rule: ScheduleRule;
  #baseLrs: readonly number[];
  #lastEpoch = -1;
  #lastLr: readonly number[] = [];

  constructor(optimizer: Scheduled, rule: ScheduleRule) {
    checkScheduled(new.target.name, optimizer);
    this.optimizer = optimizer;
    this.#rule = rule;
    this.#baseLrs = optimizer.paramGroups.map((group) => (group.initialLr ??= group.lr));
    this.begin();
  }

  /** Call after each optimizer step, or each epoch: the unit is the caller's. */
  step(): void {
    this.#move(this.#lastEpoch + 1, this.#rule.next);
  }

  /** The learning rate of each group as this schedule has set it last. */
  getLastLr(): readonly number[] {
    return this.#lastLr;
  }

  /** @internal The first rates. */
  begin(): void {
    this.#move(0, this.#rule.next, true);
  }

  /** @internal The first rates when other schedules went before. */
  beginLate(): void {
    this.#move(0, this.#rule.closed ?? this.#rule.next);
  }

  #move(epoch: number, rule: (at: Moment) => number, first = false): void {
    const { paramGroups } = this.optimizer;
    if (paramGroups.length !== this.#baseLrs.length)
      throw new Error(
        `${this.constructor.name}: the optimizer has ${paramGroups.length} groups, the schedule began with ${this.#baseLrs.length}; make a new one after addParamGroup`,
      );
    this.#lastEpoch = epoch;
    const moments = paramGroups.map(({ lr }, group) => this.#moment(group, lr, first));
    moments.forEach((at, i) => (paramGroups[i]!.lr = rule(at)));
    this.#moveMomentum();
    this.#lastLr = paramGroups.map(({ lr }) => lr);
  }

  #moment(group: number, lr: number, first: boolean): Moment {
    return { epoch: this.#lastEpoch, lr, baseLr: this.#baseLrs[group]!, group, first };
  }

  #moveMomentum(): void {
    const { momentum } = this.#rule;
    if (momentum)
      this.optimizer.paramGroups.forEach(
        (group, i) => (group.momentum = momentum(this.#moment(i, group.lr, false))),
      );
  }

  /** Plain numbers, from which a schedule made alike goes on; `toTorchNames` spells them as PyTorch does. */
  stateDict(): ScheduleState {
    return { lastEpoch: this.#lastEpoch, baseLrs: this.#baseLrs, lastLr: this.#lastLr };
  }

  /** Goes on where `stateDict` was taken, here or in PyTorch, with the initial rates of then; sets the rates of then. */
  loadStateDict(state: object): void {
    const name = this.constructor.name;
    const { lastEpoch, baseLrs, lastLr } = fromTorchNames(state) as unknown as ScheduleState;
    if (!Number.isInteger(lastEpoch) || baseLrs?.length === undefined || !lastLr)
      throw new Error(
        `${name}: the state dict must have lastEpoch, baseLrs and lastLr, got ${Object.keys(state).join(", ")}`,
      );
    if (baseLrs.length !== lastLr.length)
      throw new Error(`${name}: the state dict's baseLrs and lastLr have different lengths`);
    restoreRates(name, this.optimizer, lastLr);
    this.#lastEpoch = lastEpoch;
    this.#baseLrs = [...baseLrs];
    this.#lastLr = [...lastLr];
    this.#moveMomentum();
  }
}
