/** Gradient clipping: torch.nn.utils.clip_grad_norm_ and clip_grad_value_. */

import { tensor } from "../creation.ts";
import { stack } from "../joining.ts";
import { Module } from "../nn/module.ts";
import { Tensor } from "../tensor.ts";
import { noGrad } from "../trace.ts";
import { described } from "./param-group.ts";

/** Options of {@link clipGradNorm}. */
export interface ClipNormOptions {
  /** Order of the norm: a number above 0, or Infinity for the largest element. */
  readonly normType?: number;
  /** Make the program that clips fail when the norm is infinite or NaN. */
  readonly errorIfNonfinite?: boolean;
}

/** Parameters that have a gradient. */
function ownersOf(name: string, params: Tensor | Iterable<Tensor>): Tensor[] {
  if (params instanceof Module)
    throw new Error(`${name}: expected parameters, got a module; pass module.parameters()`);
  const all: unknown[] = params instanceof Tensor ? [params] : [...params];
  return all.flatMap((p) => {
    if (!(p instanceof Tensor))
      throw new Error(`${name}: expected parameters, got ${described(p)} among them`);
    return p.grad === null ? [] : [p];
  });
}

/** Σ |x|ᵖ over all elements, of which the norm is the p-th root. */
function powerSum(x: Tensor, p: number): Tensor {
  if (p === 1) return x.abs().sum();
  return p === 2 ? x.mul(x).sum() : x.abs().pow(p).sum();
}

function normOf(grads: readonly Tensor[], p: number): Tensor {
  if (p === Infinity) return stack(grads.map((grad) => grad.abs().amax())).amax();
  const total = stack(grads.map((grad) => powerSum(grad, p))).sum();
  return p === 1 ? total : p === 2 ? total.sqrt() : total.pow(1 / p);
}

/** The same number, by a lookup that has no answer unless it is finite. */
function finite(x: Tensor): Tensor {
  // x − x is 0 for finite x only.
  const position = x.sub(x).eq(0).logicalNot().cast("int32");
  return x
    .reshape([1])
    .indexSelect(0, position.reshape([1]))
    .reshape([]);
}

/**
 * Scales the gradients so that their norm, taken over all of them together, is at most `maxNorm`. Returns the norm
 * before, a 0-d tensor; 0 where no parameter has a gradient.
 *
 * Nothing is known of the norm when it is recorded, so `errorIfNonfinite` cannot throw here: the program fails with an
 * "out of … bounds" error of ONNX Runtime where the result is read or the compiled function is awaited, and parameters
 * keep their values. WebGPU does not check; read the norm there.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
 */
export function clipGradNorm(
  params: Tensor | Iterable<Tensor>,
  maxNorm: number,
  { normType = 2, errorIfNonfinite = false }: ClipNormOptions = {},
): Tensor {
  if (!(maxNorm >= 0))
    throw new Error(`clipGradNorm: the norm must be at least 0, got ${String(maxNorm)}`);
  if (!(normType > 0))
    throw new Error(`clipGradNorm: normType must be above 0, got ${String(normType)}`);
  const owners = ownersOf("clipGradNorm", params);
  if (owners.length === 0) return tensor(0);
  return noGrad(() => {
    const found = normOf(
      owners.map((p) => p.grad!),
      normType,
    );
    const norm = errorIfNonfinite ? finite(found) : found;
    const factor = norm.add(1e-6).reciprocal().mul(maxNorm).clamp(undefined, 1);
    for (const p of owners) p.grad = p.grad!.mul(factor);
    return norm;
  });
}

/**
 * Brings every element of the gradients into [−clipValue, clipValue].
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html
 */
export function clipGradValue(params: Tensor | Iterable<Tensor>, clipValue: number): void {
  if (!(clipValue >= 0))
    throw new Error(`clipGradValue: the value must be at least 0, got ${String(clipValue)}`);
  const owners = ownersOf("clipGradValue", params);
  noGrad(() => {
    for (const p of owners) p.grad = p.grad!.clamp(-clipValue, clipValue);
  });
}
