/** Random tensors and the generator behind them, whose state is a tensor like any other. */

import { dtypeOf, made, tensor, type CreateOptions } from "./creation.ts";
import { isFloat, type DType } from "./graph/dtype.ts";
import type { Value } from "./graph/node.ts";
import { broadcast, checkShape, formatShape, ShapeError, type Shape } from "./graph/shape.ts";
import * as compare from "./ops/compare.ts";
import * as ew from "./ops/elementwise.ts";
import { cast } from "./ops/elementwise-rules.ts";
import { topk } from "./ops/order.ts";
import { constant } from "./ops/leaf.ts";
import { randomExponential, randomMask, randomNormal, randomUniform } from "./ops/random.ts";
import { argmax } from "./ops/reduce.ts";
import { expand, reshape } from "./ops/shape.ts";
import { derive, Tensor, type TensorLike } from "./tensor.ts";
import { checkOptions } from "./tensor/arguments.ts";
import { drawFrom } from "./tensor/draws.ts";

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
drawFrom(defaultGenerator);

/** Seeds the default generator: torch.manual_seed. */
export function manualSeed(seed: number): void {
  defaultGenerator.manualSeed(seed);
}

/** What random tensors are made as, and where the numbers come from. */
export interface RandomOptions extends CreateOptions {
  readonly generator?: Generator;
}
const RANDOM_OPTIONS = ["dtype", "requiresGrad", "generator"];

function random(
  op: string,
  shape: Shape,
  options: RandomOptions,
  make: (state: Value, shape: Shape) => Value,
  otherwise: DType = "float32",
): Tensor {
  checkShape(op, shape);
  const dtype = dtypeOf(op, options, otherwise, RANDOM_OPTIONS);
  const state = (options.generator ?? defaultGenerator).draw();
  return made(cast(make(state, shape), dtype), options);
}

/** Uniform numbers in [0, 1). */
export const rand = (shape: Shape, options: RandomOptions = {}): Tensor =>
  random("rand", shape, options, randomUniform);

/** Standard normal numbers. */
export const randn = (shape: Shape, options: RandomOptions = {}): Tensor =>
  random("randn", shape, options, randomNormal);

/** Uniform numbers in [0, 1), in the shape and dtype of another tensor. */
export const randLike = (x: Tensor, options: RandomOptions = {}): Tensor =>
  random("randLike", x.shape, options, randomUniform, floating("randLike", x, options));

/** Standard normal numbers, in the shape and dtype of another tensor. */
export const randnLike = (x: Tensor, options: RandomOptions = {}): Tensor =>
  random("randnLike", x.shape, options, randomNormal, floating("randnLike", x, options));

function floating(op: string, x: Tensor, options: RandomOptions): DType {
  if (options.dtype === undefined && !isFloat(x.dtype))
    throw new ShapeError(`${op}: needs a floating dtype, got ${x.dtype}; give { dtype }`);
  return x.dtype;
}

/** Uniform numbers in [low, high). */
export const uniform = (
  shape: Shape,
  low: number,
  high: number,
  options: RandomOptions = {},
): Tensor =>
  random("uniform", shape, options, (state, size) =>
    ew.add(ew.mul(randomUniform(state, size), high - low), low),
  );

/** Normal numbers of a shape with one mean and standard deviation. */
export function normal(mean: number, std: number, shape: Shape, options?: RandomOptions): Tensor;
/** Normal numbers whose means and standard deviations are the elements of tensors, which broadcast; gradients pass to them. */
export function normal(mean: TensorLike, std: TensorLike, options?: RandomOptions): Tensor;
export function normal(
  mean: TensorLike,
  std: TensorLike,
  shape?: Shape | RandomOptions,
  options: RandomOptions = {},
): Tensor {
  if (!(mean instanceof Tensor) && !(std instanceof Tensor)) {
    if (shape === undefined) throw new ShapeError("normal: two numbers need a shape");
    return random("normal", shape as Shape, options, (state, size) =>
      ew.add(ew.mul(randomNormal(state, size), std), mean),
    );
  }
  if (Array.isArray(shape))
    throw new ShapeError("normal: the shape is that of the tensors, leave it out");
  const of = (x: TensorLike): Shape => (x instanceof Tensor ? x.shape : []);
  const size = broadcast("normal", of(mean), of(std));
  const like = mean instanceof Tensor ? mean : (std as Tensor);
  const given = { dtype: like.dtype, ...(shape as RandomOptions | undefined) };
  return random("normal", size, given, randomNormal).mul(std).add(mean);
}

/**
 * Integers from low (included) to high (excluded), int32 where that holds them unless another dtype is given; ranges up
 * to 2²⁴. `randint(high, shape)` starts at 0.
 */
export function randint(low: number, high: number, shape: Shape, options?: RandomOptions): Tensor;
export function randint(high: number, shape: Shape, options?: RandomOptions): Tensor;
export function randint(
  first: number,
  second: number | Shape,
  third?: Shape | RandomOptions,
  options: RandomOptions = {},
): Tensor {
  if (typeof second !== "number") return randint(0, first, second, third as RandomOptions);
  const [low, high] = [first, second];
  if (!Number.isInteger(low) || !Number.isInteger(high) || high <= low || high - low > 2 ** 24)
    throw new ShapeError(
      `randint: needs integers with low < high ≤ low + 2²⁴, got ${low} and ${high}`,
    );
  // float32 holds the distance from `low` exactly, not what is added to it.
  const fits = low >= -(2 ** 31) && high <= 2 ** 31 ? "int32" : "int64";
  const dtype = dtypeOf("randint", options, fits, RANDOM_OPTIONS);
  return random("randint", third as Shape, { ...options, dtype }, (state, size) =>
    ew.add(cast(ew.mul(randomUniform(state, size), high - low), dtype), low),
  );
}

/** The integers 0 … n − 1 in random order, int32 unless another dtype is given. */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  if (!Number.isInteger(n) || n < 0 || n > 2 ** 24)
    throw new ShapeError(`randperm: n must be an integer from 0 to 2²⁴, got ${String(n)}`);
  // The order that sorts random numbers.
  const make = (state: Value): Value => topk(randomUniform(state, [n]), n, 0)[1];
  return random("randperm", [n], options, make, "int32");
}

/** true with probability p, as bool unless another dtype is given. */
export function bernoulli(shape: Shape, p: number, options?: RandomOptions): Tensor;
/** 1 with the probabilities that a tensor of floats holds, else 0, in its dtype: torch.bernoulli. */
export function bernoulli(probabilities: Tensor, options?: RandomOptions): Tensor;
export function bernoulli(
  given: Shape | Tensor,
  second?: number | RandomOptions,
  options: RandomOptions = {},
): Tensor {
  if (given instanceof Tensor) {
    const dtype = floating("bernoulli", given, {});
    return random(
      "bernoulli",
      given.shape,
      { ...(second as RandomOptions | undefined) },
      (state, size) => compare.lt(randomUniform(state, size), given.detach().value),
      dtype,
    );
  }
  const p = second as number;
  if (!(p >= 0 && p <= 1))
    throw new Error(`bernoulli: the probability must be in [0, 1], got ${p}`);
  return random(
    "bernoulli",
    given,
    options,
    (state, size) => compare.lt(randomUniform(state, size), p),
    "bool",
  );
}

/** true with probability p, rounded to a multiple of 2⁻¹⁶, as `dtype`: masks of dropout, at half the price of `bernoulli`. */
export const dropoutMask = (shape: Shape, p: number, options: RandomOptions): Tensor =>
  random("dropout", shape, options, (state, size) => randomMask(state, size, p));

/** Options of {@link multinomial}. */
export interface MultinomialOptions {
  /** Draw each sample from all categories; otherwise none is drawn twice, which needs as many weights above 0 as samples. */
  readonly replacement?: boolean;
  readonly generator?: Generator;
}

/**
 * int32 indices drawn with the weights of a row, which need not add up to 1: [categories] → [samples], [rows, categories]
 * → [rows, samples]. Where E is exponential, the largest weight / E is a draw (Efraimidis and Spirakis, 2006).
 */
export function multinomial(
  weights: Tensor,
  numSamples: number,
  options: MultinomialOptions = {},
): Tensor {
  const { replacement = false, generator = defaultGenerator } = checkOptions(
    "multinomial",
    options,
    ["replacement", "generator"],
  );
  const count = weights.shape.at(-1);
  if (count === undefined || weights.ndim > 2 || !isFloat(weights.dtype))
    throw new ShapeError(
      `multinomial: the weights must be floats of one or two dimensions, got ${weights.dtype} ${formatShape(weights.shape)}`,
    );
  if (!Number.isInteger(numSamples) || numSamples < 1 || (!replacement && numSamples > count))
    throw new ShapeError(
      `multinomial: the number of samples must be a positive integer${replacement ? "" : `, without replacement at most ${count}`}, got ${String(numSamples)}`,
    );
  return derive([weights.detach()], ([p]) => {
    if (!replacement) return topk(keys(p!, generator.draw()), numSamples)[1];
    const lead = p!.shape.slice(0, -1);
    const wide = expand(reshape(p!, [...lead, 1, count]), [...lead, numSamples, count]);
    return argmax(keys(wide, generator.draw()), -1);
  });
}

const keys = (weights: Value, state: Value): Value =>
  ew.div(weights, cast(randomExponential(state, weights.shape), weights.dtype));
