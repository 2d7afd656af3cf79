/** Adagrad: torch.optim.Adagrad. */

import { full } from "../creation.ts";
import type { Tensor } from "../tensor.ts";
import { Optimizer, type Slot } from "./optimizer.ts";
import type { CommonOptions, OptimizerParams, ParamGroup } from "./param-group.ts";

export interface AdagradOptions extends CommonOptions {
  /** The learning rate of step t is lr / (1 + (t − 1) · lrDecay). */
  readonly lrDecay: number;
  readonly weightDecay: number;
  /** What the sums of squares start from. */
  readonly initialAccumulatorValue: number;
  readonly eps: number;
}

const DEFAULTS: AdagradOptions = {
  lr: 1e-2,
  lrDecay: 0,
  weightDecay: 0,
  initialAccumulatorValue: 0,
  eps: 1e-10,
  maximize: false,
};

/**
 * p ← p − lr · g / (√Σg² + ε) (Duchi, Hazan and Singer, 2011).
 * https://docs.pytorch.org/docs/stable/generated/torch.optim.Adagrad.html
 */
export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(params: OptimizerParams<AdagradOptions>, options: Partial<AdagradOptions> = {}) {
    super(params, DEFAULTS, options);
  }

  protected override readonly startsAtOnce = true;

  protected check(options: AdagradOptions): void {
    this.needNonNegative(options, "lrDecay", "weightDecay", "initialAccumulatorValue", "eps");
  }

  protected initialState(p: Tensor, options: AdagradOptions): Record<string, Tensor> {
    return { sum: full(p.shape, options.initialAccumulatorValue, { dtype: p.dtype }) };
  }

  protected update(
    { options, rate }: ParamGroup<AdagradOptions>,
    slots: readonly Slot[],
    steps: Tensor,
  ): void {
    const { lrDecay, weightDecay, eps } = options;
    const decayed = lrDecay === 0 ? rate : rate.div(steps.sub(1).mul(lrDecay).add(1));
    for (const { value, grad, state, assign } of slots) {
      const direction = weightDecay === 0 ? grad : grad.add(value.mul(weightDecay));
      const sum = state["sum"]!.add(direction.mul(direction));
      const step = direction.mul(decayed).div(sum.sqrt().add(eps));
      assign(value.sub(step), { sum });
    }
  }
}
