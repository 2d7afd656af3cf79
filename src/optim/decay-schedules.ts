/** Schedules given by a formula of the step: torch.optim.lr_scheduler's, chained where PyTorch chains. */

import { LRScheduler, needCount, type Moment, type Scheduled } from "./lr-scheduler.ts";
import { withDefaults } from "./options.ts";

/** Multiplies the rate by `gamma` every `stepSize` steps. https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html */
export class StepLR extends LRScheduler {
  constructor(optimizer: Scheduled, stepSize: number, options: { readonly gamma?: number } = {}) {
    const { gamma } = withDefaults("StepLR", options, { gamma: 0.1 });
    needCount("StepLR", "stepSize", stepSize);
    super(optimizer, {
      next: ({ epoch, lr }) => (epoch === 0 || epoch % stepSize !== 0 ? lr : lr * gamma),
      closed: ({ epoch, baseLr }) => baseLr * gamma ** Math.floor(epoch / stepSize),
    });
  }
}

/** Multiplies the rate by `gamma` at each milestone. https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html */
export class MultiStepLR extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    milestones: readonly number[],
    options: { readonly gamma?: number } = {},
  ) {
    const { gamma } = withDefaults("MultiStepLR", options, { gamma: 0.1 });
    if (!Array.isArray(milestones))
      throw new Error(`MultiStepLR: milestones must be an array, got ${String(milestones)}`);
    const count = (counts: (milestone: number) => boolean): number =>
      milestones.filter(counts).length;
    super(optimizer, {
      next: ({ epoch, lr }) => lr * gamma ** count((milestone) => milestone === epoch),
      closed: ({ epoch, baseLr }) => baseLr * gamma ** count((milestone) => milestone <= epoch),
    });
  }
}

/** Multiplies the rate by `factor` until `totalIters`. https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ConstantLR.html */
export class ConstantLR extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    options: { readonly factor?: number; readonly totalIters?: number } = {},
  ) {
    const { factor, totalIters } = withDefaults("ConstantLR", options, {
      factor: 1 / 3,
      totalIters: 5,
    });
    if (!(factor >= 0 && factor <= 1))
      throw new Error(`ConstantLR: factor must be in [0, 1], got ${String(factor)}`);
    super(optimizer, {
      next: ({ epoch, lr }) =>
        epoch === 0 ? lr * factor : epoch === totalIters ? lr * (1 / factor) : lr,
      closed: ({ epoch, baseLr }) => baseLr * (epoch >= totalIters ? 1 : factor),
    });
  }
}

/** Moves a factor linearly from `startFactor` to `endFactor` in `totalIters` steps. https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html */
export class LinearLR extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    options: {
      readonly startFactor?: number;
      readonly endFactor?: number;
      readonly totalIters?: number;
    } = {},
  ) {
    const { startFactor, endFactor, totalIters } = withDefaults("LinearLR", options, {
      startFactor: 1 / 3,
      endFactor: 1,
      totalIters: 5,
    });
    if (!(startFactor > 0 && startFactor <= 1))
      throw new Error(`LinearLR: startFactor must be in (0, 1], got ${String(startFactor)}`);
    if (!(endFactor >= 0 && endFactor <= 1))
      throw new Error(`LinearLR: endFactor must be in [0, 1], got ${String(endFactor)}`);
    const rise = endFactor - startFactor;
    super(optimizer, {
      next: ({ epoch, lr }) => {
        if (epoch === 0) return lr * startFactor;
        if (epoch > totalIters) return lr;
        return lr * (1 + rise / (totalIters * startFactor + (epoch - 1) * rise));
      },
      closed: ({ epoch, baseLr }) =>
        baseLr * (startFactor + (rise * Math.min(totalIters, epoch)) / totalIters),
    });
  }
}

/** Multiplies the rate by `gamma` in every step. https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html */
export class ExponentialLR extends LRScheduler {
  constructor(optimizer: Scheduled, gamma: number) {
    if (!(gamma >= 0))
      throw new Error(`ExponentialLR: gamma must be at least 0, got ${String(gamma)}`);
    super(optimizer, {
      next: ({ lr, first }) => (first ? lr : lr * gamma),
      closed: ({ epoch, baseLr }) => baseLr * gamma ** epoch,
    });
  }
}

/** Falls to 0 in `totalIters` steps as a power of what is left. https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html */
export class PolynomialLR extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    options: { readonly totalIters?: number; readonly power?: number } = {},
  ) {
    const { totalIters, power } = withDefaults("PolynomialLR", options, {
      totalIters: 5,
      power: 1,
    });
    needCount("PolynomialLR", "totalIters", totalIters);
    super(optimizer, {
      next: ({ epoch, lr, first }) => {
        if (first || epoch > totalIters) return lr;
        return lr * ((1 - epoch / totalIters) / (1 - (epoch - 1) / totalIters)) ** power;
      },
      closed: ({ epoch, baseLr }) =>
        baseLr * (1 - Math.min(totalIters, epoch) / totalIters) ** power,
    });
  }
}

/** etaMin + (base − etaMin)(1 + cos πx) / 2. */
const cosine = (baseLr: number, etaMin: number, x: number): number =>
  etaMin + ((baseLr - etaMin) * (1 + Math.cos(Math.PI * x))) / 2;

/**
 * Falls as half a cosine to `etaMin` in `tMax` steps (and rises again after them), without the restarts of Loshchilov and
 * Hutter, "SGDR", 2017. https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html
 */
export class CosineAnnealingLR extends LRScheduler {
  constructor(optimizer: Scheduled, tMax: number, options: { readonly etaMin?: number } = {}) {
    const { etaMin } = withDefaults("CosineAnnealingLR", options, { etaMin: 0 });
    needCount("CosineAnnealingLR", "tMax", tMax);
    const raised = (epoch: number): number => 1 + Math.cos((Math.PI * epoch) / tMax);
    super(optimizer, {
      next: ({ epoch, lr, baseLr, first }) => {
        if (first) return lr;
        // At the lowest point the ratio below has no meaning.
        if ((epoch - 1 - tMax) % (2 * tMax) === 0)
          return lr + ((baseLr - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2;
        return (raised(epoch) / raised(epoch - 1)) * (lr - etaMin) + etaMin;
      },
      closed: ({ epoch, baseLr }) => cosine(baseLr, etaMin, epoch / tMax),
    });
  }
}

/**
 * Falls as half a cosine to `etaMin` in `t0` steps, starts again from the initial rate, and takes `tMult` times as many
 * steps in each further round: Loshchilov and Hutter, "SGDR", 2017.
 * https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  readonly #round: (epoch: number) => { tCur: number; tI: number };

  constructor(
    optimizer: Scheduled,
    t0: number,
    options: { readonly tMult?: number; readonly etaMin?: number } = {},
  ) {
    const { tMult, etaMin } = withDefaults("CosineAnnealingWarmRestarts", options, {
      tMult: 1,
      etaMin: 0,
    });
    needCount("CosineAnnealingWarmRestarts", "t0", t0);
    needCount("CosineAnnealingWarmRestarts", "tMult", tMult);
    const round = (epoch: number): { tCur: number; tI: number } => {
      if (tMult === 1) return { tCur: epoch % t0, tI: t0 };
      let [tCur, tI] = [epoch, t0];
      for (; tCur >= tI; tI *= tMult) tCur -= tI;
      return { tCur, tI };
    };
    const next = ({ epoch, baseLr }: Moment): number => {
      const { tCur, tI } = round(epoch);
      return cosine(baseLr, etaMin, tCur / tI);
    };
    super(optimizer, { next });
    this.#round = round;
  }

  /** Steps in the present round, and its length, are beside what every schedule has. */
  override stateDict() {
    const state = super.stateDict();
    return { ...state, ...this.#round(state.lastEpoch) };
  }
}
