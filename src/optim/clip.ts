/** Gradient clipping: torch.nn.utils.clip_grad_norm_. */

import { stack } from "../creation.ts";
import type { Tensor } from "../tensor.ts";
import { noGrad } from "../trace.ts";

/**
 * Scales the gradients so that their norm, taken over all of them together, is at most `maxNorm`. Returns the norm
 * before, a 0-d tensor.
 */
export function clipGradNorm(params: readonly Tensor[], maxNorm: number): Tensor {
  if (!(maxNorm > 0)) throw new Error(`clipGradNorm: the norm must be above 0, got ${maxNorm}`);
  const owners = params.filter((p) => p.grad !== null);
  if (owners.length === 0)
    throw new Error("clipGradNorm: no parameter has a gradient; call backward() first");
  return noGrad(() => {
    const squares = owners.map((p) => p.grad!.mul(p.grad!).sum());
    const norm = stack(squares).sum().sqrt();
    const factor = norm.add(1e-6).reciprocal().mul(maxNorm).clamp(undefined, 1);
    for (const p of owners) p.grad = p.grad!.mul(factor);
    return norm;
  });
}
