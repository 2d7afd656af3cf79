/** The one-cycle policy: torch.optim.lr_scheduler.OneCycleLR. */

import { LRScheduler, needCount, perGroup, type Moment, type Scheduled } from "./lr-scheduler.ts";
import { withDefaults } from "./options.ts";

/** Options of {@link OneCycleLR}. */
export interface OneCycleOptions {
  /** Steps of the cycle; or give `epochs` and `stepsPerEpoch`. */
  readonly totalSteps?: number;
  readonly epochs?: number;
  readonly stepsPerEpoch?: number;
  /** Share of the steps in which the rate rises. */
  readonly pctStart?: number;
  readonly annealStrategy?: "cos" | "linear";
  /** Move momentum (or β₁) against the rate; the optimizer must have one. */
  readonly cycleMomentum?: boolean;
  readonly baseMomentum?: number | readonly number[];
  readonly maxMomentum?: number | readonly number[];
  /** The first rate is maxLr / divFactor. */
  readonly divFactor?: number;
  /** The last rate is the first / finalDivFactor. */
  readonly finalDivFactor?: number;
  /** Fall back to the first rate as fast as it rose, and then to the last. */
  readonly threePhase?: boolean;
}

type Span = readonly [from: number, to: number];

/** A stretch of the cycle, up to a step (which may be a fraction). */
interface Phase {
  readonly end: number;
  readonly lr: Span;
  readonly momentum: Span;
}

const DEFAULTS = {
  totalSteps: undefined as number | undefined,
  epochs: undefined as number | undefined,
  stepsPerEpoch: undefined as number | undefined,
  pctStart: 0.3,
  annealStrategy: "cos" as "cos" | "linear",
  cycleMomentum: true,
  baseMomentum: 0.85 as number | readonly number[],
  maxMomentum: 0.95 as number | readonly number[],
  divFactor: 25,
  finalDivFactor: 1e4,
  threePhase: false,
};

const ANNEAL = {
  cos: ([from, to]: Span, share: number): number =>
    to + ((from - to) / 2) * (Math.cos(Math.PI * share) + 1),
  linear: ([from, to]: Span, share: number): number => (to - from) * share + from,
};

function totalOf({ totalSteps, epochs, stepsPerEpoch }: OneCycleOptions): number {
  if (totalSteps !== undefined) {
    needCount("OneCycleLR", "totalSteps", totalSteps);
    return totalSteps;
  }
  if (epochs === undefined || stepsPerEpoch === undefined)
    throw new Error("OneCycleLR: give totalSteps, or epochs and stepsPerEpoch");
  needCount("OneCycleLR", "epochs", epochs);
  needCount("OneCycleLR", "stepsPerEpoch", stepsPerEpoch);
  return epochs * stepsPerEpoch;
}

/**
 * Raises the rate to `maxLr` (one, or one for each group), then lowers it far below where it began, in `totalSteps` steps,
 * and moves momentum the other way: Smith and Topin, "Super-Convergence", 2019. Stepping beyond the end is an error.
 * https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html
 */
export class OneCycleLR extends LRScheduler {
  constructor(optimizer: Scheduled, maxLr: number | readonly number[], options: OneCycleOptions) {
    const {
      pctStart,
      annealStrategy,
      cycleMomentum,
      baseMomentum,
      maxMomentum,
      divFactor,
      finalDivFactor,
      threePhase,
    } = withDefaults("OneCycleLR", options, DEFAULTS);
    const total = totalOf(options);
    if (!(pctStart >= 0 && pctStart <= 1))
      throw new Error(`OneCycleLR: pctStart must be in [0, 1], got ${String(pctStart)}`);
    if (!(annealStrategy in ANNEAL))
      throw new Error(
        `OneCycleLR: annealStrategy must be "cos" or "linear", got ${String(annealStrategy)}`,
      );
    if (cycleMomentum && optimizer.paramGroups.some(({ momentum }) => momentum === null))
      throw new Error(
        "OneCycleLR: the optimizer has neither momentum nor betas; give { cycleMomentum: false }",
      );
    const anneal = ANNEAL[annealStrategy];
    const all = <T>(what: string, given: T | readonly T[]): readonly T[] =>
      perGroup("OneCycleLR", what, optimizer, given);
    const highs = all("a maxLr", maxLr);
    const least = all("a baseMomentum", baseMomentum);
    const most = all("a maxMomentum", maxMomentum);
    const phases = highs.map((high, i): Phase[] => {
      const low = high / divFactor;
      const last = low / finalDivFactor;
      const [slow, fast] = [least[i]!, most[i]!];
      const rise: Phase = { end: pctStart * total - 1, lr: [low, high], momentum: [fast, slow] };
      if (!threePhase) return [rise, { end: total - 1, lr: [high, last], momentum: [slow, fast] }];
      return [
        rise,
        { end: 2 * pctStart * total - 2, lr: [high, low], momentum: [slow, fast] },
        { end: total - 1, lr: [low, last], momentum: [fast, fast] },
      ];
    });
    const at =
      (key: "lr" | "momentum") =>
      ({ epoch, group }: Moment): number => {
        if (epoch > total)
          throw new Error(`OneCycleLR: step ${epoch} of a cycle of ${total} steps`);
        let start = 0;
        for (const [i, phase] of phases[group]!.entries()) {
          if (epoch <= phase.end || i === phases[group]!.length - 1)
            return anneal(phase[key], (epoch - start) / (phase.end - start));
          start = phase.end;
        }
        throw new Error("OneCycleLR: a cycle has phases");
      };
    optimizer.paramGroups.forEach((group, i) => (group.initialLr = highs[i]! / divFactor));
    super(optimizer, { next: at("lr"), ...(cycleMomentum ? { momentum: at("momentum") } : {}) });
  }
}
