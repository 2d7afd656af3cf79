/** Initial values of parameters: torch.nn.init, in place with an underscore, as new tensors without. */

import { eye, ones, tensor, zeros } from "../creation.ts";
import { isFloat } from "../graph/dtype.ts";
import { formatShape, numel, ShapeError, type Shape } from "../graph/shape.ts";
import { where } from "../joining.ts";
import { normal, uniform, type Generator, type RandomOptions } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import { noGrad } from "../trace.ts";

/** Inputs and outputs of one unit of a weight [out, in, …kernel]. */
export function fans(shape: Shape): { fanIn: number; fanOut: number } {
  if (shape.length < 2)
    throw new Error(`init: fans need a weight of at least 2 dimensions, got [${shape.join()}]`);
  const receptive = numel(shape.slice(2));
  return { fanIn: shape[1]! * receptive, fanOut: shape[0]! * receptive };
}

/** U(−b, b) with b = gain √(6 / (fanIn + fanOut)) (Glorot and Bengio, 2010). */
export function xavierUniform(shape: Shape, gain = 1, options: RandomOptions = {}): Tensor {
  const { fanIn, fanOut } = fans(shape);
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
  return uniform(shape, -bound, bound, options);
}

/** N(0, gain² · 2 / (fanIn + fanOut)). */
export function xavierNormal(shape: Shape, gain = 1, options: RandomOptions = {}): Tensor {
  const { fanIn, fanOut } = fans(shape);
  return normal(0, gain * Math.sqrt(2 / (fanIn + fanOut)), shape, options);
}

/** U(−b, b) with b = √(6 / ((1 + a²) fanIn)), for leaky ReLU with negative slope a (He et al., 2015). */
export function kaimingUniform(shape: Shape, a = 0, options: RandomOptions = {}): Tensor {
  const bound = Math.sqrt(6 / ((1 + a * a) * fans(shape).fanIn));
  return uniform(shape, -bound, bound, options);
}

/** N(0, 2 / ((1 + a²) fanIn)). */
export function kaimingNormal(shape: Shape, a = 0, options: RandomOptions = {}): Tensor {
  return normal(0, Math.sqrt(2 / ((1 + a * a) * fans(shape).fanIn)), shape, options);
}

// ---- in place ----------------------------------------------------------------------------------------------------

/** Names of nonlinearities, PyTorch's. */
export type Nonlinearity =
  | "linear"
  | "identity"
  | `conv${1 | 2 | 3}d`
  | `conv_transpose${1 | 2 | 3}d`
  | "sigmoid"
  | "tanh"
  | "relu"
  | "leaky_relu"
  | "selu";

const gains = new Map<string, (param: number) => number>([
  ["tanh", () => 5 / 3],
  ["relu", () => Math.SQRT2],
  ["leaky_relu", (slope) => Math.sqrt(2 / (1 + slope * slope))],
  ["selu", () => 3 / 4],
]);

/** What keeps the size of signals through a nonlinearity; `param` is leaky ReLU's negative slope, 0.01 unless given. */
export function calculateGain(nonlinearity: Nonlinearity, param = 0.01): number {
  const gain = gains.get(nonlinearity);
  if (
    gain === undefined &&
    !/^(linear|identity|sigmoid|conv(_transpose)?[123]d)$/.test(nonlinearity)
  )
    throw new Error(`calculateGain: unknown nonlinearity "${nonlinearity}"`);
  return gain?.(param) ?? 1;
}

/** Where the random numbers come from. */
export interface InitOptions {
  /** Where random numbers come from; the default generator unless given. */
  readonly generator?: Generator;
}

/** Options of the initializations by He et al., 2015. */
export interface KaimingOptions extends InitOptions {
  /** Negative slope of leaky ReLU. */
  readonly a?: number;
  /** Keep the size of signals forward (default) or of gradients backward. */
  readonly mode?: "fan_in" | "fan_out";
  readonly nonlinearity?: Nonlinearity;
}

/** Gives a tensor new elements, which are converted to its dtype, and returns it. */
function become(op: string, t: Tensor, make: (shape: Shape) => Tensor): Tensor {
  if (!isFloat(t.dtype)) throw new ShapeError(`${op}: needs a floating tensor, got ${t.dtype}`);
  return noGrad(() => t.assign(make(t.shape).cast(t.dtype)));
}

/** Uniform numbers in [a, b). */
export const uniform_ = (t: Tensor, a = 0, b = 1, options: InitOptions = {}): Tensor =>
  become("uniform_", t, (shape) => uniform(shape, a, b, options));

/** Normal numbers: torch.nn.init.normal_. */
export const normal_ = (t: Tensor, mean = 0, std = 1, options: InitOptions = {}): Tensor =>
  become("normal_", t, (shape) => normal(mean, std, shape, options));

/** One number everywhere: torch.nn.init.constant_. */
export const constant_ = (t: Tensor, value: number): Tensor =>
  become("constant_", t, (shape) => ones(shape).mul(value));

/** Ones: torch.nn.init.ones_. */
export const ones_ = (t: Tensor): Tensor => become("ones_", t, ones);
/** Zeros: torch.nn.init.zeros_. */
export const zeros_ = (t: Tensor): Tensor => become("zeros_", t, zeros);

/** Ones on the diagonal of a matrix, zeros elsewhere. */
export function eye_(t: Tensor): Tensor {
  if (t.ndim !== 2) throw new ShapeError(`eye_: needs a matrix, got ${formatShape(t.shape)}`);
  return become("eye_", t, ([rows, columns]) =>
    eye(Math.max(rows!, columns!)).slice(0, 0, rows).slice(1, 0, columns),
  );
}

/** A convolution's weight [out, in / groups, …kernel] that passes its inputs on unchanged, as many as there are outputs. */
export function dirac_(t: Tensor, groups = 1): Tensor {
  if (t.ndim < 3 || t.ndim > 5 || t.shape[0]! % groups !== 0)
    throw new ShapeError(
      `dirac_: needs a weight of 3 to 5 dimensions whose first is divisible by ${groups} groups, got ${formatShape(t.shape)}`,
    );
  return become("dirac_", t, (shape) => {
    const [out, inputs] = shape as [number, number];
    const kernel = shape.slice(2);
    const data = new Float32Array(numel(shape));
    // Position of the kernel's centre among its elements.
    const centre = kernel.reduce((at, size) => at * size + Math.floor(size / 2), 0);
    const each = out / groups;
    for (let o = 0; o < out; o++)
      if (o % each < inputs) data[(o * inputs + (o % each)) * numel(kernel) + centre] = 1;
    return tensor(data, { shape });
  });
}

/** Fills a tensor as {@link xavierUniform} does: torch.nn.init.xavier_uniform_. */
export const xavierUniform_ = (t: Tensor, gain = 1, options: InitOptions = {}): Tensor =>
  become("xavierUniform_", t, (shape) => xavierUniform(shape, gain, options));

/** Fills a tensor as {@link xavierNormal} does: torch.nn.init.xavier_normal_. */
export const xavierNormal_ = (t: Tensor, gain = 1, options: InitOptions = {}): Tensor =>
  become("xavierNormal_", t, (shape) => xavierNormal(shape, gain, options));

/** Standard deviation that keeps the size of signals (He et al., 2015). */
function kaimingDeviation(
  op: string,
  shape: Shape,
  { a = 0, mode = "fan_in", nonlinearity = "leaky_relu" }: KaimingOptions,
): number {
  if (mode !== "fan_in" && mode !== "fan_out")
    throw new Error(`${op}: mode must be "fan_in" or "fan_out", got "${String(mode)}"`);
  const { fanIn, fanOut } = fans(shape);
  return calculateGain(nonlinearity, a) / Math.sqrt(mode === "fan_in" ? fanIn : fanOut);
}

/** U(−b, b) with b = gain √(3 / fan). */
export const kaimingUniform_ = (t: Tensor, options: KaimingOptions = {}): Tensor =>
  become("kaimingUniform_", t, (shape) => {
    const bound = Math.sqrt(3) * kaimingDeviation("kaimingUniform_", shape, options);
    return uniform(shape, -bound, bound, generatorOf(options));
  });

/** N(0, gain² / fan). */
export const kaimingNormal_ = (t: Tensor, options: KaimingOptions = {}): Tensor =>
  become("kaimingNormal_", t, (shape) =>
    normal(0, kaimingDeviation("kaimingNormal_", shape, options), shape, generatorOf(options)),
  );

const generatorOf = ({ generator }: InitOptions): InitOptions => (generator ? { generator } : {});

/** Options of {@link truncNormal_}. */
export interface TruncatedNormalOptions extends InitOptions {
  readonly mean?: number;
  readonly std?: number;
  /** Bounds of the numbers; −2 and 2 unless given. */
  readonly a?: number;
  readonly b?: number;
}

/** Normal numbers that lie in [a, b]. */
export function truncNormal_(t: Tensor, options: TruncatedNormalOptions = {}): Tensor {
  const { mean = 0, std = 1, a = -2, b = 2 } = options;
  if (!(std > 0) || !(a < b) || mean < a - 2 * std || mean > b + 2 * std)
    throw new Error(
      `truncNormal_: needs std > 0 and a < b, with the mean no more than two deviations outside, got mean ${mean}, std ${std}, a ${a}, b ${b}`,
    );
  // x = mean + std √2 erf⁻¹(u), u uniform between the values of erf at both bounds.
  const [low, high] = [a, b].map((bound) => erf((bound - mean) / (std * Math.SQRT2)));
  return become("truncNormal_", t, (shape) =>
    uniform(shape, low!, high!, generatorOf(options))
      .erfinv()
      .mul(std * Math.SQRT2)
      .add(mean)
      .clamp(a, b),
  );
}

/** The error function by its series, and 1 or −1 beyond 4; absolute error below 2·10⁻⁸. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x);
  let [sum, term] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/**
 * A random matrix [rows, everything else] whose rows (or columns, where there are more rows) are orthogonal and of length
 * `gain` (Saxe et al., 2013): the orthogonal factor of a normal matrix, found by products alone.
 */
export function orthogonal_(t: Tensor, gain = 1, options: InitOptions = {}): Tensor {
  if (t.ndim < 2)
    throw new ShapeError(`orthogonal_: needs at least 2 dimensions, got ${formatShape(t.shape)}`);
  return become("orthogonal_", t, (shape) => {
    const [rows, columns] = [shape[0]!, numel(shape.slice(1))];
    const few = Math.min(rows, columns);
    if (few === 0) return zeros(shape);
    // Wide, so that X Xᵀ is the smaller square; its singular values end at √many + √few, with margin.
    const many = Math.max(rows, columns);
    let x = normal(0, 1 / (1.2 * (Math.sqrt(many) + Math.sqrt(few))), [few, many], options);
    const step = (a: number, b: number, c: number): void => {
      const square = x.matmul(x, { transB: true });
      // (aI + bS + cS²) X, which moves each singular value s to as + bs³ + cs⁵.
      const higher = c === 0 ? square.mul(b) : square.mul(b).add(square.matmul(square).mul(c));
      x = x.mul(a).add(higher.matmul(x));
    };
    // The first lift small singular values 3.4 times a step to about 1, the others settle there.
    for (let i = 0; i < 14; i++) step(3.4445, -4.775, 2.0315);
    for (let i = 0; i < 8; i++) step(1.5, -0.5, 0);
    return (rows > columns ? x.T : x).mul(gain).reshape(shape);
  });
}

/** Normal numbers, of which a fraction in each column, at random places, is 0; 2-dimensional. */
export function sparse_(
  t: Tensor,
  sparsity: number,
  std = 0.01,
  options: InitOptions = {},
): Tensor {
  if (t.ndim !== 2 || !(sparsity >= 0 && sparsity <= 1))
    throw new ShapeError(
      `sparse_: needs a matrix and a sparsity in [0, 1], got ${formatShape(t.shape)} and ${sparsity}`,
    );
  return become("sparse_", t, (shape) => {
    const zeros = Math.ceil(sparsity * shape[0]!);
    const values = normal(0, std, shape, options);
    if (zeros === 0) return values;
    // The smallest of random keys, as many as there shall be zeros in a column.
    const keys = uniform(shape, 0, 1, options);
    const limit = keys.topk(zeros, { dim: 0, largest: false }).values.slice(0, -1);
    return where(keys.le(limit), 0, values);
  });
}
