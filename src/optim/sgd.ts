/** Stochastic gradient descent with momentum: torch.optim.SGD. */

import { where } from "../creation.ts";
import type { Tensor } from "../tensor.ts";
import { Optimizer, type ParamGroup, type ParamGroupInput } from "./optimizer.ts";

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
    { options, rate, steps }: ParamGroup<SGDOptions>,
    params: readonly Tensor[],
  ): void {
    const { momentum, dampening, weightDecay, nesterov } = options;
    for (const p of params) {
      let direction = weightDecay === 0 ? p.grad! : p.grad!.add(p.mul(weightDecay));
      if (momentum !== 0) {
        const buffer = this.stateOf(p)["momentum_buffer"]!;
        // The first step starts the buffer with the whole gradient.
        const weight = dampening === 0 ? 1 : where(steps.eq(1), 1, 1 - dampening).cast(p.dtype);
        const next = buffer.mul(momentum).add(dampening === 0 ? direction : direction.mul(weight));
        buffer.assign(next);
        direction = nesterov ? direction.add(next.mul(momentum)) : next;
      }
      p.assign(p.sub(direction.mul(rate)));
    }
  }
}
