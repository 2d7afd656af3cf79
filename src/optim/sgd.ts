/** Stochastic gradient descent with momentum: torch.optim.SGD. */

import { tensor, zerosLike } from "../creation.ts";
import { where } from "../joining.ts";
import type { Tensor } from "../tensor.ts";
import { Optimizer, type Slot } from "./optimizer.ts";
import type { CommonOptions, OptimizerParams, ParamGroup } from "./param-group.ts";

export interface SGDOptions extends CommonOptions {
  readonly momentum: number;
  readonly dampening: number;
  readonly weightDecay: number;
  readonly nesterov: boolean;
}

const DEFAULTS: SGDOptions = {
  lr: 1e-3,
  momentum: 0,
  dampening: 0,
  weightDecay: 0,
  nesterov: false,
  maximize: false,
};

/** p ← p − lr · b with b ← momentum · b + (1 − dampening) · g. https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html */
export class SGD extends Optimizer<SGDOptions> {
  constructor(params: OptimizerParams<SGDOptions>, options: Partial<SGDOptions> = {}) {
    super(params, DEFAULTS, options);
  }

  protected override readonly keepsStep = false;

  protected check(options: SGDOptions): void {
    this.needNonNegative(options, "momentum", "weightDecay");
    if (options.nesterov && (options.momentum === 0 || options.dampening !== 0))
      throw new Error("SGD: nesterov needs a momentum above 0 and no dampening");
  }

  protected initialState(p: Tensor, { momentum }: SGDOptions): Record<string, Tensor> {
    return momentum === 0 ? {} : { momentum_buffer: zerosLike(p) };
  }

  protected update(group: ParamGroup<SGDOptions>, slots: readonly Slot[], steps: Tensor): void {
    const { options, rate, movingMomentum } = group;
    const { dampening, weightDecay, nesterov } = options;
    const momentum = movingMomentum ?? options.momentum;
    for (const { value, grad, state, assign } of slots) {
      const direction = weightDecay === 0 ? grad : grad.add(value.mul(weightDecay));
      if (momentum === 0) {
        assign(value.sub(direction.mul(rate)), {});
        continue;
      }
      // The first step starts the buffer with the whole gradient.
      const added =
        dampening === 0
          ? direction
          : direction.mul(where(steps.eq(1), tensor(1, { dtype: steps.dtype }), 1 - dampening));
      const momentum_buffer = state["momentum_buffer"]!.mul(momentum).add(added);
      const step = nesterov ? direction.add(momentum_buffer.mul(momentum)) : momentum_buffer;
      assign(value.sub(step.mul(rate)), { momentum_buffer });
    }
  }
}
