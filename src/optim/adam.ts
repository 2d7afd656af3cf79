/** Adam and AdamW: torch.optim.Adam and AdamW. */

import type { Tensor } from "../tensor.ts";
import { Optimizer, type ParamGroup, type ParamGroupInput } from "./optimizer.ts";

export interface AdamOptions {
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
}

/** 1 − βᵗ without cancellation: −expm1(t log β). */
const biasCorrection = (beta: number, steps: Tensor): Tensor =>
  steps.mul(Math.log(beta)).expm1().neg();

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

  protected update(group: ParamGroup<AdamOptions>, params: readonly Tensor[]): void {
    const [beta1, beta2] = group.options.betas;
    const { eps } = group.options;
    // p − lr/c₁ · m / (√v / √c₂ + ε) = p − (lr √c₂ / c₁) · m / (√v + ε √c₂): the scalars once, not for each element.
    const root2 = beta2 === 0 ? null : biasCorrection(beta2, group.steps).sqrt();
    const scaled = root2 === null ? group.rate : group.rate.mul(root2);
    const rate = beta1 === 0 ? scaled : scaled.div(biasCorrection(beta1, group.steps));
    const floor = root2 === null ? eps : root2.mul(eps);
    for (const p of params) {
      const grad = this.gradient(p, group.options);
      const { exp_avg, exp_avg_sq } = this.stateOf(p) as { exp_avg: Tensor; exp_avg_sq: Tensor };
      const m = exp_avg.mul(beta1).add(grad.mul(1 - beta1));
      const v = exp_avg_sq.mul(beta2).add(grad.mul(grad).mul(1 - beta2));
      exp_avg.assign(m);
      exp_avg_sq.assign(v);
      p.assign(this.decayed(p, group).sub(m.div(v.sqrt().add(floor)).mul(rate)));
    }
  }

  /** The gradient that the moments follow. */
  protected gradient(p: Tensor, { weightDecay }: AdamOptions): Tensor {
    return weightDecay === 0 ? p.grad! : p.grad!.add(p.mul(weightDecay));
  }

  /** The parameter before the step is taken away. */
  protected decayed(p: Tensor, _group: ParamGroup<AdamOptions>): Tensor {
    return p;
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

  protected override gradient(p: Tensor): Tensor {
    return p.grad!;
  }

  protected override decayed(p: Tensor, { options, rate }: ParamGroup<AdamOptions>): Tensor {
    return options.weightDecay === 0 ? p : p.mul(rate.mul(-options.weightDecay).add(1));
  }
}
