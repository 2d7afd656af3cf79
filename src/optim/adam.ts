/** Adam and AdamW: torch.optim.Adam and AdamW. */

import { zerosLike } from "../creation.ts";
import type { Tensor } from "../tensor.ts";
import { Optimizer, type Slot } from "./optimizer.ts";
import type { CommonOptions, OptimizerParams, ParamGroup } from "./param-group.ts";

export interface AdamOptions extends CommonOptions {
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
  /** Divide by the largest second moment so far (Reddi, Kale and Kumar, 2018). */
  readonly amsgrad: boolean;
}

const DEFAULTS: AdamOptions = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  amsgrad: false,
  maximize: false,
};

/** 1 − βᵗ without cancellation: −expm1(t log β). */
const biasCorrection = (beta: number, steps: Tensor): Tensor =>
  beta === 0 ? steps.mul(0).add(1) : steps.mul(Math.log(beta)).expm1().neg();

/**
 * Adam (Kingma and Ba, 2015): weight decay is added to the gradient.
 * https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html
 */
export class Adam extends Optimizer<AdamOptions> {
  constructor(params: OptimizerParams<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, DEFAULTS, options);
  }

  protected check(options: AdamOptions): void {
    this.needBetas(options.betas);
    this.needNonNegative(options, "eps", "weightDecay");
  }

  protected initialState(p: Tensor, { amsgrad }: AdamOptions): Record<string, Tensor> {
    return {
      exp_avg: zerosLike(p),
      exp_avg_sq: zerosLike(p),
      ...(amsgrad ? { max_exp_avg_sq: zerosLike(p) } : {}),
    };
  }

  // The moments are kept divided by 1 − β: m' ← β₁m' + g and v' ← β₂v' + g² take one pass less each.
  protected override unitOf(name: string, { betas }: AdamOptions): number {
    return 1 - (name === "exp_avg" ? betas[0] : betas[1]);
  }

  protected update(group: ParamGroup<AdamOptions>, slots: readonly Slot[], steps: Tensor): void {
    const { options, rate, movingMomentum: moving } = group;
    const [beta1, beta2] = options.betas;
    // p − lr/c₁ · m / (√v/√c₂ + ε) = p − (lr (1 − β₁) k / c₁) · m' / (√v' + εk) with k = √(c₂ / (1 − β₂)):
    // all scalars once, not once an element.
    const k = biasCorrection(beta2, steps)
      .div(1 - beta2)
      .sqrt();
    const correction =
      moving === null ? biasCorrection(beta1, steps) : moving.log().mul(steps).expm1().neg();
    const scaledRate = rate
      .mul(k)
      .mul(1 - beta1)
      .div(correction);
    const floor = k.mul(options.eps);
    // Where a schedule moves β₁, m' stays divided by the first 1 − β₁: m' ← β₁m' + (1 − β₁)/(1 − first β₁) g.
    const gain = moving
      ?.neg()
      .add(1)
      .div(1 - beta1);
    for (const slot of slots) {
      const { value, state } = slot;
      const grad = this.gradient(slot, options);
      const exp_avg = state["exp_avg"]!.mul(moving ?? beta1).add(gain ? grad.mul(gain) : grad);
      const exp_avg_sq = state["exp_avg_sq"]!.mul(beta2).add(grad.mul(grad));
      const max_exp_avg_sq = options.amsgrad
        ? state["max_exp_avg_sq"]!.maximum(exp_avg_sq)
        : undefined;
      const step = exp_avg.mul(scaledRate).div((max_exp_avg_sq ?? exp_avg_sq).sqrt().add(floor));
      slot.assign(this.decayed(value, options, rate).sub(step), {
        exp_avg,
        exp_avg_sq,
        ...(max_exp_avg_sq ? { max_exp_avg_sq } : {}),
      });
    }
  }

  /** The gradient that the moments follow. */
  protected gradient({ value, grad }: Slot, { weightDecay }: AdamOptions): Tensor {
    return weightDecay === 0 ? grad : grad.add(value.mul(weightDecay));
  }

  /** The parameter before the step is taken away. */
  protected decayed(value: Tensor, _options: AdamOptions, _rate: Tensor): Tensor {
    return value;
  }
}

/**
 * AdamW (Loshchilov and Hutter, 2019): weight decay shrinks the parameter itself.
 * https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html
 */
export class AdamW extends Adam {
  constructor(params: OptimizerParams<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, { weightDecay: 0.01, ...options });
  }

  protected override gradient({ grad }: Slot): Tensor {
    return grad;
  }

  protected override decayed(value: Tensor, { weightDecay }: AdamOptions, rate: Tensor): Tensor {
    return weightDecay === 0 ? value : value.mul(rate.mul(-weightDecay).add(1));
  }
}
