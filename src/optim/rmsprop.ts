/** RMSprop: torch.optim.RMSprop. */

import { zerosLike } from "../creation.ts";
import type { Tensor } from "../tensor.ts";
import { Optimizer, type Slot } from "./optimizer.ts";
import type { CommonOptions, OptimizerParams, ParamGroup } from "./param-group.ts";

export interface RMSpropOptions extends CommonOptions {
  /** Smoothing of the second moment. */
  readonly alpha: number;
  readonly eps: number;
  readonly weightDecay: number;
  readonly momentum: number;
  /** Divide by the deviation from the mean gradient rather than from 0. */
  readonly centered: boolean;
}

const DEFAULTS: RMSpropOptions = {
  lr: 1e-2,
  alpha: 0.99,
  eps: 1e-8,
  weightDecay: 0,
  momentum: 0,
  centered: false,
  maximize: false,
};

/**
 * p ← p − lr · g / (√v + ε) with v ← αv + (1 − α)g² (Hinton, 2012; Graves, 2013, for `centered`).
 * https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
 */
export class RMSprop extends Optimizer<RMSpropOptions> {
  constructor(params: OptimizerParams<RMSpropOptions>, options: Partial<RMSpropOptions> = {}) {
    super(params, DEFAULTS, options);
  }

  protected check(options: RMSpropOptions): void {
    this.needNonNegative(options, "momentum", "alpha", "eps", "weightDecay");
    if (options.alpha >= 1)
      throw new Error(
        `RMSprop: alpha must be below 1, got ${options.alpha}, which would take up no gradient`,
      );
  }

  protected initialState(
    p: Tensor,
    { momentum, centered }: RMSpropOptions,
  ): Record<string, Tensor> {
    return {
      square_avg: zerosLike(p),
      ...(momentum > 0 ? { momentum_buffer: zerosLike(p) } : {}),
      ...(centered ? { grad_avg: zerosLike(p) } : {}),
    };
  }

  // With s = 1 − α, averages are kept divided by s, and momentum by 1/√s, which saves a pass each.
  protected override unitOf(name: string, { alpha }: RMSpropOptions): number {
    return name === "momentum_buffer" ? 1 / Math.sqrt(1 - alpha) : 1 - alpha;
  }

  protected update(group: ParamGroup<RMSpropOptions>, slots: readonly Slot[]): void {
    const { options, movingMomentum } = group;
    const { alpha, eps, weightDecay, centered } = options;
    const momentum = movingMomentum ?? options.momentum;
    const s = 1 - alpha;
    // g / (√v + ε) = g / (√v' + ε/√s) / √s, where v = s v'; centred, v − m² = s (v' − s m'²).
    const rate = group.rate.div(Math.sqrt(s));
    for (const { value, grad, state, assign } of slots) {
      const direction = weightDecay === 0 ? grad : grad.add(value.mul(weightDecay));
      const next: Record<string, Tensor> = {};
      const square = state["square_avg"]!.mul(alpha).add(direction.mul(direction));
      next["square_avg"] = square;
      let spread = square;
      if (centered) {
        const mean = state["grad_avg"]!.mul(alpha).add(direction);
        next["grad_avg"] = mean;
        spread = square.sub(mean.mul(mean).mul(s));
      }
      let step = direction.div(spread.sqrt().add(eps / Math.sqrt(s)));
      if (momentum !== 0) {
        step = state["momentum_buffer"]!.mul(momentum).add(step);
        next["momentum_buffer"] = step;
      }
      assign(value.sub(step.mul(rate)), next);
    }
  }
}
