/** Watches a metric of the evaluations: which was best, and whether it is time to stop. */

export interface WatchOptions {
  /** Name among the metrics that the evaluation returns. */
  readonly metric: string;
  /** Whether it should fall or rise; "min" unless given. */
  readonly mode?: "min" | "max";
  /** Evaluations without improvement after which training stops; never unless given. */
  readonly patience?: number;
  /** What is at least an improvement. */
  readonly minDelta?: number;
}

/** What one value means. */
export interface Judgement {
  readonly best: boolean;
  /** Whether there has been no improvement for too long. */
  readonly stop: boolean;
}

/** Early stopping, and the choice of the best, for any loop. */
export class Watch {
  readonly metric: string;
  readonly #sign: number;
  readonly #patience: number;
  readonly #minDelta: number;
  /** The best value so far; null before the first. */
  best: number | null = null;
  /** Values without improvement since the best. */
  waited = 0;

  constructor({ metric, mode = "min", patience = Infinity, minDelta = 0 }: WatchOptions) {
    if (mode !== "min" && mode !== "max")
      throw new Error(`Watch: mode must be "min" or "max", got ${String(mode)}`);
    if (!(patience >= 1))
      throw new Error(`Watch: patience must be at least 1, got ${String(patience)}`);
    this.metric = metric;
    this.#sign = mode === "min" ? 1 : -1;
    this.#patience = patience;
    this.#minDelta = minDelta;
  }

  /** Judges an evaluation's metrics. NaN is no improvement. */
  judge(metrics: Readonly<Record<string, number>>): Judgement {
    const value = metrics[this.metric];
    if (value === undefined)
      throw new Error(
        `Watch: the evaluation returned no "${this.metric}", but ${Object.keys(metrics).join(", ") || "nothing"}`,
      );
    const bound = this.best === null ? Infinity : this.#sign * this.best - this.#minDelta;
    const best = this.#sign * value < bound;
    if (best) this.best = value;
    this.waited = best ? 0 : this.waited + 1;
    return { best, stop: this.isOver };
  }

  /** Whether there has been no improvement for too long; so it may be from the start of a run that is gone on with. */
  get isOver(): boolean {
    return this.waited >= this.#patience;
  }
}
