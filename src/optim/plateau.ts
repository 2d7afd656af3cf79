/** Lowering the learning rate when a metric stops improving: torch.optim.lr_scheduler.ReduceLROnPlateau. */

import { checkScheduled, perGroup, restoreRates, type Scheduled } from "./lr-scheduler.ts";
import { withDefaults } from "./options.ts";
import { fromTorchNames } from "./state-dict.ts";

/** Options of {@link ReduceLROnPlateau}. */
export interface PlateauOptions {
  /** Whether the metric should fall or rise. */
  readonly mode?: "min" | "max";
  readonly factor?: number;
  /** Steps without improvement that are let pass. */
  readonly patience?: number;
  /** Improvement that counts, relative to the best metric or absolute. */
  readonly threshold?: number;
  readonly thresholdMode?: "rel" | "abs";
  /** Steps after a reduction in which nothing is counted. */
  readonly cooldown?: number;
  readonly minLr?: number | readonly number[];
  /** Changes of the rate below this are not made. */
  readonly eps?: number;
}

/** Where a {@link ReduceLROnPlateau} stands. */
export interface PlateauState {
  readonly lastEpoch: number;
  /** The best metric so far; null before the first. */
  readonly best: number | null;
  readonly numBadEpochs: number;
  readonly cooldownCounter: number;
  readonly lastLr: readonly number[];
}

const DEFAULTS: Required<PlateauOptions> = {
  mode: "min",
  factor: 0.1,
  patience: 10,
  threshold: 1e-4,
  thresholdMode: "rel",
  cooldown: 0,
  minLr: 0,
  eps: 1e-8,
};

/**
 * Multiplies the rates by `factor` when a metric has not improved for more than `patience` steps.
 * https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html
 */
export class ReduceLROnPlateau {
  readonly #optimizer: Scheduled;
  readonly #options: Required<PlateauOptions>;
  readonly #minLrs: readonly number[];
  #lastEpoch = 0;
  #best: number | null = null;
  #numBadEpochs = 0;
  #cooldownCounter = 0;
  #lastLr: readonly number[];

  constructor(optimizer: Scheduled, options: PlateauOptions = {}) {
    checkScheduled("ReduceLROnPlateau", optimizer);
    this.#optimizer = optimizer;
    this.#options = withDefaults("ReduceLROnPlateau", options, DEFAULTS);
    const { mode, factor, thresholdMode } = this.#options;
    if (!(factor < 1))
      throw new Error(`ReduceLROnPlateau: factor must be below 1, got ${String(factor)}`);
    if (mode !== "min" && mode !== "max")
      throw new Error(`ReduceLROnPlateau: mode must be "min" or "max", got ${String(mode)}`);
    if (thresholdMode !== "rel" && thresholdMode !== "abs")
      throw new Error(
        `ReduceLROnPlateau: thresholdMode must be "rel" or "abs", got ${String(thresholdMode)}`,
      );
    this.#minLrs = perGroup("ReduceLROnPlateau", "a minLr", optimizer, this.#options.minLr);
    this.#lastLr = optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** Takes note of the metric, e.g. `await loss.item()` of a validation, and lowers the rates when it is time. */
  step(metric: number): void {
    if (typeof metric !== "number")
      throw new Error(
        `ReduceLROnPlateau: step needs the metric as a number, got ${String(metric)}; await its item()`,
      );
    const { patience, cooldown } = this.#options;
    this.#lastEpoch++;
    if (this.#improves(metric)) {
      this.#best = metric;
      this.#numBadEpochs = 0;
    } else this.#numBadEpochs++;
    if (this.#cooldownCounter > 0) {
      this.#cooldownCounter--;
      this.#numBadEpochs = 0;
    }
    if (this.#numBadEpochs > patience) {
      this.#reduce();
      this.#cooldownCounter = cooldown;
      this.#numBadEpochs = 0;
    }
    this.#lastLr = this.#optimizer.paramGroups.map(({ lr }) => lr);
  }

  #improves(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const sign = mode === "min" ? 1 : -1;
    const best = this.#best ?? sign * Infinity;
    const bound = thresholdMode === "rel" ? best * (1 - sign * threshold) : best - sign * threshold;
    return mode === "min" ? metric < bound : metric > bound;
  }

  #reduce(): void {
    const { factor, eps } = this.#options;
    this.#optimizer.paramGroups.forEach((group, i) => {
      const lr = Math.max(group.lr * factor, this.#minLrs[i] ?? 0);
      if (group.lr - lr > eps) group.lr = lr;
    });
  }

  /** The learning rate of each group after the last step. */
  getLastLr(): readonly number[] {
    return this.#lastLr;
  }

  /** Plain numbers, from which a schedule made alike goes on. */
  stateDict(): PlateauState {
    return {
      lastEpoch: this.#lastEpoch,
      best: this.#best,
      numBadEpochs: this.#numBadEpochs,
      cooldownCounter: this.#cooldownCounter,
      lastLr: this.#lastLr,
    };
  }

  /** Goes on where `stateDict` was taken, here or in PyTorch; sets the rates of then. */
  loadStateDict(given: object): void {
    const state = fromTorchNames(given) as unknown as PlateauState;
    restoreRates("ReduceLROnPlateau", this.#optimizer, state.lastLr);
    this.#lastEpoch = state.lastEpoch;
    this.#best = state.best;
    this.#numBadEpochs = state.numBadEpochs;
    this.#cooldownCounter = state.cooldownCounter;
    this.#lastLr = [...state.lastLr];
  }
}
