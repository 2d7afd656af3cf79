/** Random tensors and the generator behind them, whose state is a tensor like any other. */

import { tensor, type CreateOptions } from "./creation.ts";
import { ShapeError, checkShape, type Shape } from "./graph/shape.ts";
import type { Value } from "./graph/node.ts";
import * as compare from "./ops/compare.ts";
import * as ew from "./ops/elementwise.ts";
import { cast } from "./ops/elementwise-rules.ts";
import { constant } from "./ops/leaf.ts";
import { randomMask, randomNormal, randomUniform } from "./ops/random.ts";
import { Tensor } from "./tensor.ts";

/** The state a generator starts from: the seed's two words folded into one, and no draws made. */
function stateOf(seed: number): Tensor {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new Error(`manualSeed: the seed must be an integer from 0 to 2⁵³ − 1, got ${seed}`);
  const high = Math.floor(seed / 2 ** 32);
  return tensor([((seed >>> 0) ^ Math.imul(high, 0x85ebca6b)) >>> 0, 0], { dtype: "uint32" });
}

/**
 * A stream of random numbers: the same for the same seed on every device, compiled or not. Its state, uint32
 * [seed, draws], is a tensor: programs read and assign it, checkpoints save it.
 */
export class Generator {
  readonly state: Tensor;

  constructor(seed = 0) {
    this.state = stateOf(seed);
  }

  /** Starts the stream over from a seed. */
  manualSeed(seed: number): this {
    this.state.assign(stateOf(seed));
    return this;
  }

  /** @internal The state for one draw; the next draw gets another. */
  draw(): Value {
    const state = this.state.value;
    const step = constant(Uint32Array.of(0, 1), "uint32", [2]);
    this.state.assign(new Tensor(ew.add(state, step)));
    return state;
  }
}

/** The generator used where none is given. */
export const defaultGenerator = new Generator();

/** Seeds the default generator: torch.manual_seed. */
export function manualSeed(seed: number): void {
  defaultGenerator.manualSeed(seed);
}

export interface RandomOptions extends CreateOptions {
  readonly generator?: Generator;
}

function random(
  shape: Shape,
  options: RandomOptions,
  make: (state: Value, shape: Shape) => Value,
): Tensor {
  const state = (options.generator ?? defaultGenerator).draw();
  const value = cast(make(state, checkShape("random", shape)), options.dtype ?? "float32");
  return options.requiresGrad ? Tensor.leaf(value) : new Tensor(value);
}

/** Uniform numbers in [0, 1). */
export const rand = (shape: Shape, options: RandomOptions = {}): Tensor =>
  random(shape, options, randomUniform);

/** Standard normal numbers. */
export const randn = (shape: Shape, options: RandomOptions = {}): Tensor =>
  random(shape, options, randomNormal);

/** Uniform numbers in [low, high). */
export const uniform = (
  shape: Shape,
  low: number,
  high: number,
  options: RandomOptions = {},
): Tensor =>
  random(shape, options, (state, size) =>
    ew.add(ew.mul(randomUniform(state, size), high - low), low),
  );

/** Normal numbers with the given mean and standard deviation. */
export const normal = (
  shape: Shape,
  mean: number,
  std: number,
  options: RandomOptions = {},
): Tensor =>
  random(shape, options, (state, size) => ew.add(ew.mul(randomNormal(state, size), std), mean));

/** Integers from low (included) to high (excluded), int32 where that holds them unless another dtype is given; ranges up to 2²⁴. */
export function randint(
  low: number,
  high: number,
  shape: Shape,
  options: RandomOptions = {},
): Tensor {
  if (!Number.isInteger(low) || !Number.isInteger(high) || high <= low || high - low > 2 ** 24)
    throw new ShapeError(
      `randint: needs integers with low < high ≤ low + 2²⁴, got ${low} and ${high}`,
    );
  // float32 holds the distance from `low` exactly, not what is added to it.
  const dtype = low >= -(2 ** 31) && high <= 2 ** 31 ? "int32" : "int64";
  return random(shape, { dtype, ...options }, (state, size) =>
    ew.add(cast(ew.mul(randomUniform(state, size), high - low), dtype), low),
  );
}

/** true with probability p, as bool unless another dtype is given. */
export function bernoulli(shape: Shape, p: number, options: RandomOptions = {}): Tensor {
  if (!(p >= 0 && p <= 1))
    throw new Error(`bernoulli: the probability must be in [0, 1], got ${p}`);
  return random(shape, { dtype: "bool", ...options }, (state, size) =>
    compare.lt(randomUniform(state, size), p),
  );
}

/** true with probability p, rounded to a multiple of 2⁻¹⁶, as `dtype`: masks of dropout, at half the price of `bernoulli`. */
export const dropoutMask = (shape: Shape, p: number, options: RandomOptions): Tensor =>
  random(shape, options, (state, size) => randomMask(state, size, p));
