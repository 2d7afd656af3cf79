/** Adafactor: torch.optim.Adafactor. */

import { zeros, zerosLike } from "../creation.ts";
import type { DType } from "../graph/dtype.ts";
import type { Tensor } from "../tensor.ts";
import { Optimizer, type Slot } from "./optimizer.ts";
import type { CommonOptions, OptimizerParams, ParamGroup } from "./param-group.ts";

export interface AdafactorOptions extends CommonOptions {
  /** The second moment of step t forgets 1 − t^beta2Decay. */
  readonly beta2Decay: number;
  /** Least root of the second moment (null: the dtype's precision), and least root mean square of a parameter. */
  readonly eps: readonly [number | null, number];
  /** Root mean square beyond which an update is scaled down. */
  readonly d: number;
  readonly weightDecay: number;
}

const DEFAULTS: AdafactorOptions = {
  lr: 1e-2,
  beta2Decay: -0.8,
  eps: [null, 1e-3],
  d: 1,
  weightDecay: 0,
  maximize: false,
};

/** Distance from 1 to the next number: torch.finfo(dtype).eps. */
const precisionOf = (dtype: DType): number =>
  dtype === "float64" ? 2 ** -52 : dtype === "float16" ? 2 ** -10 : 2 ** -23;

const norm = (x: Tensor): Tensor => x.mul(x).sum().sqrt();

/**
 * Adafactor (Shazeer and Stern, 2018): the second moment of a matrix [..., R, C] is kept as its rows' and columns' means,
 * and steps are relative to the size of the parameter.
 * https://docs.pytorch.org/docs/stable/generated/torch.optim.Adafactor.html
 */
export class Adafactor extends Optimizer<AdafactorOptions> {
  constructor(params: OptimizerParams<AdafactorOptions>, options: Partial<AdafactorOptions> = {}) {
    super(params, DEFAULTS, options);
  }

  // Norms are taken over whole parameters.
  protected override readonly elementwise = false;

  protected check(options: AdafactorOptions): void {
    const { beta2Decay, eps, d } = options;
    if (!(beta2Decay <= 0))
      throw new Error(`Adafactor: beta2Decay must be at most 0, got ${beta2Decay}`);
    if (!((eps[0] === null || eps[0] >= 0) && eps[1] >= 0))
      throw new Error(`Adafactor: both eps must be at least 0, got ${eps.join(", ")}`);
    if (!(d >= 1)) throw new Error(`Adafactor: d must be at least 1, got ${d}`);
    this.needNonNegative(options, "weightDecay");
  }

  protected initialState(p: Tensor): Record<string, Tensor> {
    if (p.ndim < 2) return { variance: zerosLike(p) };
    const [lead, rows, columns] = [p.shape.slice(0, -2), p.shape.at(-2)!, p.shape.at(-1)!];
    return {
      row_var: zeros([...lead, rows, 1], { dtype: p.dtype }),
      col_var: zeros([...lead, 1, columns], { dtype: p.dtype }),
    };
  }

  protected update(
    { options, rate }: ParamGroup<AdafactorOptions>,
    slots: readonly Slot[],
    steps: Tensor,
  ): void {
    const { beta2Decay, eps, d, weightDecay } = options;
    const taken = steps.pow(beta2Decay);
    const kept = taken.neg().add(1);
    const relative = rate.minimum(steps.rsqrt());
    const shrink = weightDecay === 0 ? null : rate.mul(-weightDecay).add(1);
    for (const { value, grad, state, assign } of slots) {
      const least = eps[0] ?? precisionOf(value.dtype);
      const root = Math.sqrt(value.size);
      const average = (name: string, now: Tensor): Tensor =>
        state[name]!.mul(kept).add(now.mul(taken));
      const square = grad.mul(grad);
      let next: Record<string, Tensor>;
      let variance: Tensor;
      if (value.ndim < 2) {
        variance = average("variance", square);
        next = { variance };
      } else {
        const row_var = average("row_var", square.mean(-1, { keepdim: true })); // [..., R, 1]
        const col_var = average("col_var", square.mean(-2, { keepdim: true })); // [..., 1, C]
        const mean = row_var.mean(-2, { keepdim: true }).clamp(least);
        variance = row_var.div(mean).mul(col_var);
        next = { row_var, col_var };
      }
      const update = variance
        .clamp(least * least)
        .rsqrt()
        .mul(grad);
      const alpha = norm(value).div(root).clamp(eps[1]).mul(relative);
      const excess = norm(update)
        .div(root * d)
        .clamp(1);
      const decayed = shrink === null ? value : value.mul(shrink);
      assign(decayed.sub(update.mul(alpha.div(excess))), next);
    }
  }
}
