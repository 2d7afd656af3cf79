/** Stochastic gradient descent with momentum: torch.optim.SGD. */

import { where } from "../creation.ts";
import type { Tensor } from "../tensor.ts";
import { Optimizer, type ParamGroup, type ParamGroupInput, type Slot } from "./optimizer.ts";

export interface SGDOptions {
  readonly lr: number;
  readonly momentum: number;
  readonly dampening: number;
  readonly weightDecay: number;
  readonly nesterov: boolean;
}

/** p ← p − lr · b with b ← momentum · b + (1 − dampening) · g. https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html */
export class SGD extends Optimizer<SGDOptions> {
  constructor(
    params: readonly Tensor[] | readonly ParamGroupInput<SGDOptions>[],
    options: Partial<SGDOptions> = {},
  ) {
    super(params, {
      lr: 1e-3,
      momentum: 0,
      dampening: 0,
      weightDecay: 0,
      nesterov: false,
      ...options,
    });
  }

  protected override readonly keepsStep = false;

  protected check({ momentum, dampening, weightDecay, nesterov }: SGDOptions): void {
    if (!(momentum >= 0)) throw new Error(`SGD: momentum must be at least 0, got ${momentum}`);
    if (!(weightDecay >= 0))
      throw new Error(`SGD: weightDecay must be at least 0, got ${weightDecay}`);
    if (nesterov && (momentum === 0 || dampening !== 0))
      throw new Error("SGD: nesterov needs a momentum above 0 and no dampening");
  }

  protected slots({ momentum }: SGDOptions): readonly string[] {
    return momentum === 0 ? [] : ["momentum_buffer"];
  }

  protected update(
    { options, rate }: ParamGroup<SGDOptions>,
    slots: readonly Slot[],
    steps: Tensor,
  ): void {
    const { momentum, dampening, weightDecay, nesterov } = options;
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
          : direction.mul(where(steps.eq(1), 1, 1 - dampening).cast(value.dtype));
      const momentum_buffer = state["momentum_buffer"]!.mul(momentum).add(added);
      const step = nesterov ? direction.add(momentum_buffer.mul(momentum)) : momentum_buffer;
      assign(value.sub(step.mul(rate)), { momentum_buffer });
    }
  }
}
