/** Weights kept at a norm: torch.nn.utils.parametrizations. */

import { ShapeError, formatShape, resolveDim } from "../graph/shape.ts";
import { randn } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import { noGrad } from "../trace.ts";
import type { Module } from "./module.ts";
import { Parametrization, registerParametrization } from "./parametrize.ts";

class WeightNorm extends Parametrization {
  readonly #dim: number | null;

  constructor(dim: number | null) {
    super();
    this.#dim = dim;
  }

  /** g v / ‖v‖. */
  forward(...[g, v]: Tensor[]): Tensor {
    return v!.mul(g!.div(this.#norm(v!)));
  }

  override rightInverse(weight: Tensor): readonly Tensor[] {
    return [this.#norm(weight), weight];
  }

  /** Norm over all dimensions but one, which keep size 1. */
  #norm(v: Tensor): Tensor {
    if (this.#dim === null) return v.mul(v).sum().sqrt();
    const kept = resolveDim("weightNorm", this.#dim, v.ndim);
    const dims = v.shape.map((_, i) => i).filter((i) => i !== kept);
    return v.mul(v).sum({ dim: dims, keepdim: true }).sqrt();
  }
}

/**
 * Learns the lengths g of a weight's rows apart from their directions v: w = g v / ‖v‖ (Salimans and Kingma, 2016). `dim`:
 * the dimension of rows, 0 unless given; null takes the weight as one vector.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.weight_norm.html
 */
export const weightNorm = <M extends Module>(
  module: M,
  name = "weight",
  { dim = 0 }: { dim?: number | null } = {},
): M => registerParametrization(module, name, new WeightNorm(dim));

/** Options of {@link spectralNorm}. */
export interface SpectralNormOptions {
  /** Steps of power iteration a forward pass while training. */
  readonly nPowerIterations?: number;
  /** Smallest divisor in normalizations. */
  readonly eps?: number;
  /** Dimension of outputs; 0 unless given, 1 for transposed convolutions. */
  readonly dim?: number;
}

class SpectralNorm extends Parametrization {
  readonly #iterations: number;
  readonly #eps: number;
  readonly #dim: number;
  readonly _u: Tensor | null = null;
  readonly _v: Tensor | null = null;

  constructor(weight: Tensor, { nPowerIterations = 1, eps = 1e-12, dim = 0 }: SpectralNormOptions) {
    super();
    if (!Number.isInteger(nPowerIterations) || nPowerIterations < 1)
      throw new Error(
        `spectralNorm: nPowerIterations must be a positive integer, got ${nPowerIterations}`,
      );
    if (weight.ndim === 0)
      throw new ShapeError(
        `spectralNorm: the weight needs dimensions, got ${formatShape(weight.shape)}`,
      );
    this.#iterations = nPowerIterations;
    this.#eps = eps;
    this.#dim = resolveDim("spectralNorm", dim, weight.ndim);
    if (weight.ndim === 1) return;
    const matrix = this.#matrix(weight.detach());
    const { dtype } = weight;
    const start = [0, 1].map((i) => this.#normalized(randn([matrix.shape[i]!], { dtype })));
    const [u, v] = this.#iterate(matrix, start[0]!, start[1]!, 15);
    this._u = this.registerBuffer("_u", u);
    this._v = this.registerBuffer("_v", v);
  }

  #normalized(x: Tensor): Tensor {
    return x.div(x.mul(x).sum().sqrt().clamp(this.#eps));
  }

  /** The weight as a matrix [outputs, everything else]. */
  #matrix(weight: Tensor): Tensor {
    const front = weight.movedim(this.#dim, 0);
    return front.reshape(front.shape[0]!, -1);
  }

  #iterate(matrix: Tensor, u: Tensor, v: Tensor, steps: number): [Tensor, Tensor] {
    for (let i = 0; i < steps; i++) {
      u = this.#normalized(matrix.matmul(v));
      v = this.#normalized(u.matmul(matrix));
    }
    return [u, v];
  }

  /** W / σ(W), with the largest singular value σ = uᵀ W v by power iteration, which goes on while training. */
  forward(...[weight]: Tensor[]): Tensor {
    if (this._u === null || this._v === null) return this.#normalized(weight!);
    const matrix = this.#matrix(weight!);
    let [u, v] = [this._u.detach(), this._v.detach()];
    if (this.training) {
      [u, v] = noGrad(() => this.#iterate(matrix, u, v, this.#iterations));
      this._u.assign(u);
      this._v.assign(v);
    }
    const sigma = u.mul(matrix.matmul(v)).sum();
    return weight!.div(sigma);
  }
}

/**
 * Divides a weight by its largest singular value (Miyato et al., 2018), which keeps the map it stands for from stretching
 * anything; its estimate gets better with each forward pass while training.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.spectral_norm.html
 */
export function spectralNorm<M extends Module>(
  module: M,
  name = "weight",
  options: SpectralNormOptions = {},
): M {
  const weight = (module as unknown as Record<string, Tensor>)[name]!;
  const transposed = module.constructor.name.startsWith("ConvTranspose");
  const dim = options.dim ?? (transposed ? 1 : 0);
  return registerParametrization(module, name, new SpectralNorm(weight, { ...options, dim }));
}
