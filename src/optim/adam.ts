/** Adam and AdamW: torch.optim.Adam and AdamW. */

import type { Tensor } from "../tensor.ts";
import { Optimizer, type ParamGroup, type ParamGroupInput, type Slot } from "./optimizer.ts";

export interface AdamOptions {
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
}

/** 1 − βᵗ without cancellation: −expm1(t log β). */
const biasCorrection = (beta: number, steps: Tensor): Tensor =>
  beta === 0 ? steps.mul(0).add(1) : steps.mul(Math.log(beta)).expm1().neg();

/** Adam (Kingma and Ba, 2015): weight decay is added to the gradient. */
export class Adam extends Optimizer<AdamOptions> {
  constructor(
    params: readonly Tensor[] | readonly ParamGroupInput<AdamOptions>[],
    options: Partial<AdamOptions> = {},
  ) {
    super(params, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, ...options });
  }

  protected check({ betas, eps, weightDecay }: AdamOptions): void {
    if (betas.some((beta) => !(beta >= 0 && beta < 1)))
      throw new Error(`${this.constructor.name}: betas must be in [0, 1), got ${betas.join(", ")}`);
    if (!(eps >= 0))
      throw new Error(`${this.constructor.name}: eps must be at least 0, got ${eps}`);
    if (!(weightDecay >= 0))
      throw new Error(
        `${this.constructor.name}: weightDecay must be at least 0, got ${weightDecay}`,
      );
  }

  protected slots(): readonly string[] {
    return ["exp_avg", "exp_avg_sq"];
  }

  // The moments are kept divided by 1 − β: m' ← β₁m' + g and v' ← β₂v' + g² take one pass less each.
  protected override unitOf(name: string, { betas }: AdamOptions): number {
    return 1 - (name === "exp_avg" ? betas[0] : betas[1]);
  }

  protected update(group: ParamGroup<AdamOptions>, slots: readonly Slot[], steps: Tensor): void {
    const [beta1, beta2] = group.options.betas;
    // p − lr/c₁ · m / (√v/√c₂ + ε) = p − (lr (1 − β₁) k / c₁) · m' / (√v' + εk) with k = √(c₂ / (1 − β₂)):
    // all scalars once, not once an element.
    const k = biasCorrection(beta2, steps)
      .div(1 - beta2)
      .sqrt();
    const rate = group.rate
      .mul(k)
      .mul(1 - beta1)
      .div(biasCorrection(beta1, steps));
    const floor = k.mul(group.options.eps);
    for (const slot of slots) {
      const { value, state } = slot;
      const grad = this.gradient(slot, group.options);
      const exp_avg = state["exp_avg"]!.mul(beta1).add(grad);
      const exp_avg_sq = state["exp_avg_sq"]!.mul(beta2).add(grad.mul(grad));
      const step = exp_avg.mul(rate).div(exp_avg_sq.sqrt().add(floor));
      slot.assign(this.decayed(value, group).sub(step), { exp_avg, exp_avg_sq });
    }
  }

  /** The gradient that the moments follow. */
  protected gradient({ value, grad }: Slot, { weightDecay }: AdamOptions): Tensor {
    return weightDecay === 0 ? grad : grad.add(value.mul(weightDecay));
  }

  /** The parameter before the step is taken away. */
  protected decayed(value: Tensor, _group: ParamGroup<AdamOptions>): Tensor {
    return value;
  }
}

/** AdamW (Loshchilov and Hutter, 2019): weight decay shrinks the parameter itself. */
export class AdamW extends Adam {
  constructor(
    params: readonly Tensor[] | readonly ParamGroupInput<AdamOptions>[],
    options: Partial<AdamOptions> = {},
  ) {
    super(params, { weightDecay: 0.01, ...options });
  }

  protected override gradient({ grad }: Slot): Tensor {
    return grad;
  }

  protected override decayed(value: Tensor, { options, rate }: ParamGroup<AdamOptions>): Tensor {
    return options.weightDecay === 0 ? value : value.mul(rate.mul(-options.weightDecay).add(1));
  }
}
