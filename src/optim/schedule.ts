/** Schedules that multiply the learning rate by a function of the step. */

import { LRScheduler, perGroup, type Scheduled } from "./lr-scheduler.ts";

/** A factor for each step: one function, or one for each parameter group. */
export type Factors = ((epoch: number) => number) | readonly ((epoch: number) => number)[];

/** Multiplies each group's initial learning rate by `factor(step)`: torch.optim.lr_scheduler.LambdaLR. */
export class LambdaLR extends LRScheduler {
  constructor(optimizer: Scheduled, factor: Factors) {
    const factors = perGroup("LambdaLR", "a function", optimizer, factor);
    super(optimizer, { next: ({ epoch, baseLr, group }) => baseLr * factors[group]!(epoch) });
  }
}

/** Multiplies each group's learning rate by `factor(step)` in every step: torch.optim.lr_scheduler.MultiplicativeLR. */
export class MultiplicativeLR extends LRScheduler {
  constructor(optimizer: Scheduled, factor: Factors) {
    const factors = perGroup("MultiplicativeLR", "a function", optimizer, factor);
    super(optimizer, {
      next: ({ epoch, lr, group, first }) => (first ? lr : lr * factors[group]!(epoch)),
    });
  }
}

/** Steps of a schedule that begins with a warm-up. */
export interface WarmupOptions {
  /** Steps in which the rate rises. */
  readonly warmup: number;
  /** Steps in all. */
  readonly total: number;
}

function checkWarmup(name: string, { warmup, total }: WarmupOptions): void {
  if (!(warmup >= 0 && total > 0 && warmup <= total))
    throw new Error(
      `${name}: needs 0 ≤ warmup ≤ total and total > 0, got ${String(warmup)} and ${String(total)}`,
    );
}

/** Rises linearly from 0 over `warmup` steps, then falls linearly to 0 at `total`: Transformers' linear schedule. */
export function linearWarmup(optimizer: Scheduled, options: WarmupOptions): LambdaLR {
  checkWarmup("linearWarmup", options);
  const { warmup, total } = options;
  return new LambdaLR(optimizer, (step) =>
    step < warmup
      ? step / Math.max(1, warmup)
      : Math.max(0, (total - step) / Math.max(1, total - warmup)),
  );
}

/**
 * Rises linearly from 0 over `warmup` steps, then follows `cycles` waves of a cosine, of which the usual half falls to 0
 * at `total`: Transformers' get_cosine_schedule_with_warmup. `minRate` is the share of the initial rate it falls to.
 */
export function cosineWarmup(
  optimizer: Scheduled,
  options: WarmupOptions & { readonly cycles?: number; readonly minRate?: number },
): LambdaLR {
  checkWarmup("cosineWarmup", options);
  const { warmup, total, cycles = 0.5, minRate = 0 } = options;
  return new LambdaLR(optimizer, (step) => {
    if (step < warmup) return step / Math.max(1, warmup);
    const progress = (step - warmup) / Math.max(1, total - warmup);
    const wave = 0.5 * (1 + Math.cos(Math.PI * cycles * 2 * progress));
    return Math.max(0, wave * (1 - minRate) + minRate);
  });
}

/**
 * dModel^−½ · min(n^−½, n · warmup^−1.5) for update n = 1, 2, …, times the initial learning rate, which is 1 in the
 * paper: Vaswani et al., "Attention Is All You Need", 2017, §5.3.
 */
export function noam(
  optimizer: Scheduled,
  { dModel, warmup }: { readonly dModel: number; readonly warmup: number },
): LambdaLR {
  if (!(dModel > 0 && warmup > 0))
    throw new Error(
      `noam: dModel and warmup must be above 0, got ${String(dModel)} and ${String(warmup)}`,
    );
  return new LambdaLR(
    optimizer,
    (step) => dModel ** -0.5 * Math.min((step + 1) ** -0.5, (step + 1) * warmup ** -1.5),
  );
}
