/** Lion: the sign of an average of gradients. */

import { zerosLike } from "../creation.ts";
import type { Tensor } from "../tensor.ts";
import { Optimizer, type Slot } from "./optimizer.ts";
import type { CommonOptions, OptimizerParams, ParamGroup } from "./param-group.ts";

export interface LionOptions extends CommonOptions {
  readonly betas: readonly [number, number];
  readonly weightDecay: number;
}

const DEFAULTS: LionOptions = { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, maximize: false };

/**
 * Lion (Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023, Algorithm 2):
 * p ← p − lr (sign(β₁m + (1 − β₁)g) + λp), then m ← β₂m + (1 − β₂)g. PyTorch has no Lion; the state is named as its
 * authors' code names it.
 */
export class Lion extends Optimizer<LionOptions> {
  constructor(params: OptimizerParams<LionOptions>, options: Partial<LionOptions> = {}) {
    super(params, DEFAULTS, options);
  }

  protected override readonly keepsStep = false;

  protected check(options: LionOptions): void {
    this.needBetas(options.betas);
    this.needNonNegative(options, "weightDecay");
  }

  protected initialState(p: Tensor): Record<string, Tensor> {
    return { exp_avg: zerosLike(p) };
  }

  // m' = m / (1 − β₂) takes one pass less: m' ← β₂m' + g.
  protected override unitOf(_name: string, { betas }: LionOptions): number {
    return 1 - betas[1];
  }

  protected update(group: ParamGroup<LionOptions>, slots: readonly Slot[]): void {
    const { options, rate, movingMomentum } = group;
    const { betas, weightDecay } = options;
    const [beta1, beta2] = betas;
    // sign(β₁m + (1 − β₁)g) = sign(β₁(1 − β₂)/(1 − β₁) m' + g)
    const weight =
      movingMomentum?.mul(1 - beta2).div(movingMomentum.neg().add(1)) ??
      (beta1 * (1 - beta2)) / (1 - beta1);
    const shrink = weightDecay === 0 ? null : rate.mul(-weightDecay).add(1);
    for (const { value, grad, state, assign } of slots) {
      const direction = state["exp_avg"]!.mul(weight).add(grad).sign();
      const decayed = shrink === null ? value : value.mul(shrink);
      assign(decayed.sub(direction.mul(rate)), {
        exp_avg: state["exp_avg"]!.mul(beta2).add(grad),
      });
    }
  }
}
