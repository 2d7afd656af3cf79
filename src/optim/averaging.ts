/** Averages of a model's weights over its training: torch.optim.swa_utils. */

import { tensor } from "../creation.ts";
import { isFloat } from "../graph/dtype.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { Module } from "../nn/module.ts";
import type { Tensor } from "../tensor.ts";
import { noGrad } from "../trace.ts";
import { parametersOf, type Parameters } from "./param-group.ts";

/** Options of averages of weights. */
export interface AveragingOptions {
  /** Average a module's buffers too, instead of copying them. */
  readonly useBuffers?: boolean;
}

/** A tensor that is followed, and its average. */
interface Followed {
  readonly own: Tensor;
  readonly average: Tensor;
  /** Whether the average is the latest elements. */
  readonly copied: boolean;
}

/**
 * The equal average of weights, for stochastic weight averaging (Izmailov et al., 2018): torch.optim.swa_utils's
 * AveragedModel. Takes a module, or parameters. Call `update` after optimizer steps, inside a compiled step too, and
 * `swap` to evaluate with the averages and to go back. Integer buffers are always copied; a shared parameter has its first
 * name only.
 * https://docs.pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema
 */
export class AveragedModel {
  /** By state-dict key. */
  readonly #followed = new Map<string, Followed>();
  /** How often `update` has run, a 0-d float: int64 is not computed with on every device. */
  readonly #count: Tensor;

  constructor(source: Module | Parameters, { useBuffers = false }: AveragingOptions = {}) {
    const name = this.constructor.name;
    const follow = (key: string, own: Tensor, copied: boolean): void =>
      void this.#followed.set(key, {
        own,
        average: own.detach(),
        copied: copied || !isFloat(own.dtype),
      });
    if (source instanceof Module) {
      for (const [key, p] of source.namedParameters()) follow(`module.${key}`, p, false);
      for (const [key, b] of source.namedBuffers()) follow(`module.${key}`, b, !useBuffers);
    } else {
      const { params, names } = parametersOf(name, source);
      params.forEach((p, i) => follow(`module.${names?.[i] ?? i}`, p, false));
    }
    if (this.#followed.size === 0) throw new Error(`${name}: got no parameters`);
    const wide = [...this.#followed.values()].some(({ own }) => own.dtype === "float64");
    this.#count = tensor(0, { dtype: wide ? "float64" : "float32" });
  }

  /** What the latest weights count for in the average, given how many came before; a 0-d tensor. */
  protected share(before: Tensor): Tensor {
    return before.add(1).reciprocal();
  }

  /** Takes the weights of now into the average; the first time they are the average. */
  update(): void {
    noGrad(() => {
      const share = this.share(this.#count);
      const rest = share.neg().add(1);
      for (const { own, average, copied } of this.#followed.values())
        average.assign(copied ? own.detach() : average.mul(rest).add(own.mul(share)));
      this.#count.assign(this.#count.add(1));
    });
  }

  /** Exchanges the weights and their averages: once to evaluate or save the averaged model, once more to train on. */
  swap(): void {
    noGrad(() => {
      for (const { own, average } of this.#followed.values()) {
        const kept = own.detach();
        own.assign(average.detach());
        average.assign(kept);
      }
    });
  }

  /** Snapshot of the averages under `module.…` and of `n_averaged`, as AveragedModel's in PyTorch. */
  stateDict(): Record<string, Tensor> {
    const averages = Array.from(
      this.#followed,
      ([key, { average }]) => [key, average.detach()] as const,
    );
    return { n_averaged: this.#count.detach().cast("int64"), ...Object.fromEntries(averages) };
  }

  /** Goes on where `stateDict` was taken, here or in PyTorch. Nothing is loaded when a tensor is missing or misshapen. */
  loadStateDict(state: Readonly<Record<string, Tensor>>): void {
    const wanted: [string, Tensor][] = [["n_averaged", this.#count]];
    for (const [key, { average }] of this.#followed) wanted.push([key, average]);
    const found = wanted.map(([key, own]) => {
      const given = state[key];
      if (given === undefined || !sameShape(given.shape, own.shape))
        throw new Error(
          `${this.constructor.name}: ${key} is ${given === undefined ? "missing" : formatShape(given.shape)}, expected ${formatShape(own.shape)}`,
        );
      return given.cast(own.dtype);
    });
    wanted.forEach(([, own], i) => own.assign(found[i]!));
  }
}

/** Options of {@link ExponentialMovingAverage}. */
export interface EMAOptions extends AveragingOptions {
  /** What of the average is kept in an update, in [0, 1]. */
  readonly decay?: number;
}

/**
 * Exponential moving average of weights: a ← decay · a + (1 − decay) · p, starting with the weights of the first update.
 * PyTorch's AveragedModel with get_ema_multi_avg_fn(decay).
 */
export class ExponentialMovingAverage extends AveragedModel {
  readonly decay: number;

  constructor(source: Module | Parameters, { decay = 0.999, ...options }: EMAOptions = {}) {
    super(source, options);
    if (!(decay >= 0 && decay <= 1))
      throw new Error(`ExponentialMovingAverage: decay must be in [0, 1], got ${String(decay)}`);
    this.decay = decay;
  }

  protected override share(before: Tensor): Tensor {
    // 1, then 1 − decay.
    const later = before.clamp(undefined, 1);
    return later
      .neg()
      .add(1)
      .add(later.mul(1 - this.decay));
  }
}
