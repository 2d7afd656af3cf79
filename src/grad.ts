/** Gradients as a function, and their check against finite differences. */

import { findLeaves, gradients } from "./autograd/backward.ts";
import { tensor, zerosLike } from "./creation.ts";
import { formatShape, sameShape, ShapeError } from "./graph/shape.ts";
import { add } from "./ops/elementwise.ts";
import { detach, onesLike } from "./ops/leaf.ts";
import { Tensor } from "./tensor.ts";
import { checkOptions } from "./tensor/arguments.ts";
import { leafOf } from "./trace.ts";

/** Options of {@link grad}. */
export interface GradOptions {
  /** Gradient of the objective with respect to each output; 1 for outputs of one element. */
  readonly gradOutputs?: readonly Tensor[];
  /** Make the gradients differentiable themselves. */
  readonly createGraph?: boolean;
  /** Give zeros for inputs the outputs do not depend on, instead of an error. */
  readonly allowUnused?: boolean;
}

/**
 * Gradients of the sum of `outputs` with respect to `inputs`, without touching `.grad`: torch.autograd.grad.
 * Throws for an output of more than one element without `gradOutputs`, and for an input without influence. Equal
 * expressions recorded since the last evaluation are one: a gradient with respect to such an intermediate counts them all.
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options: GradOptions = {},
): Tensor[] {
  const {
    gradOutputs,
    createGraph = false,
    allowUnused = false,
  } = checkOptions("grad", options, ["gradOutputs", "createGraph", "allowUnused"]);
  const list = outputs instanceof Tensor ? [outputs] : outputs;
  const seeds = list.map((output, i) => {
    const given = gradOutputs?.[i];
    if (given === undefined && output.size !== 1) {
      throw new ShapeError(
        `grad: output ${i} must have one element, got shape ${formatShape(output.shape)}; reduce it or give { gradOutputs }`,
      );
    }
    if (given !== undefined && !sameShape(given.shape, output.shape)) {
      throw new ShapeError(
        `grad: gradOutputs[${i}] ${formatShape(given.shape)} must have the output's shape ${formatShape(output.shape)}`,
      );
    }
    return given?.value ?? onesLike(output.value);
  });
  const values = list.map((output) => output.value);
  // Once computed, a leaf gets another value; what was recorded before starts from the one it had then.
  const wanted = new Set<unknown>(inputs);
  const leaves = findLeaves(values, (value) => wanted.has(leafOf(value)));
  const wrt = inputs.map((input) => [
    ...new Set([input.value, ...leaves.filter((value) => leafOf(value) === input)]),
  ]);
  const found = gradients(values, seeds, wrt.flat(), add);
  return wrt.map(({ length }, i) => {
    const parts = found.splice(0, length).filter((part) => part !== null);
    const value = parts.length === 0 ? null : parts.reduce(add);
    if (value !== null)
      return new Tensor(createGraph ? value : detach(value), createGraph, !createGraph);
    if (!allowUnused)
      throw new Error(
        `grad: no output depends on input ${i}; give { allowUnused: true } for zeros`,
      );
    return zerosLike(inputs[i]!);
  });
}

/** Options of {@link gradcheck}. */
export interface GradcheckOptions {
  /** Half the distance between the two points of a difference. */
  readonly eps?: number;
  readonly atol?: number;
  readonly rtol?: number;
}

/**
 * Compares gradients of `fn` at `inputs` (float64 for sharp results) with central differences, element by element, for
 * a random weighting of its output. Throws an error naming the worst element; resolves to true: torch's gradcheck.
 */
export async function gradcheck(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  { eps = 1e-6, atol = 1e-5, rtol = 1e-3 }: GradcheckOptions = {},
): Promise<true> {
  const arrays = await Promise.all(inputs.map((input) => input.data()));
  const leaf = (i: number, data: ArrayLike<number>): Tensor =>
    tensor(Float64Array.from(data), {
      shape: inputs[i]!.shape,
      dtype: inputs[i]!.dtype,
      requiresGrad: true,
    });
  const leaves = inputs.map((_, i) => leaf(i, arrays[i] as Float64Array));
  const output = fn(...leaves);
  // Weights with no symmetry, so that errors do not cancel.
  const weights = tensor(
    Float64Array.from({ length: output.size }, (_, i) => Math.sin(i * 12.9898 + 1)),
    { shape: output.shape, dtype: output.dtype },
  );
  const objective = (y: Tensor): Tensor => y.mul(weights).sum();
  const analytic = await Promise.all(
    grad(objective(output), leaves, { allowUnused: true }).map(
      (g) => g.data() as Promise<Float64Array>,
    ),
  );
  for (let i = 0; i < inputs.length; i++) {
    const data = arrays[i] as Float64Array;
    for (let j = 0; j < data.length; j++) {
      const at = (delta: number): Promise<number> => {
        const moved = Float64Array.from(data);
        moved[j]! += delta;
        return objective(fn(...leaves.map((t, k) => (k === i ? leaf(i, moved) : t)))).item();
      };
      const numeric = ((await at(eps)) - (await at(-eps))) / (2 * eps);
      const got = analytic[i]![j]!;
      if (!(Math.abs(got - numeric) <= atol + rtol * Math.abs(numeric))) {
        throw new Error(
          `gradcheck: gradient of input ${i} at element ${j} is ${got}, finite differences give ${numeric}`,
        );
      }
    }
  }
  return true;
}
