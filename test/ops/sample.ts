/** What a sample of an operation is, and the deterministic inputs it runs on. */

import { tensor, type DType, type Tensor } from "../../src/index.ts";
import { dtypes, isFloat } from "../../src/graph/dtype.ts";
import { numel, type Shape } from "../../src/graph/shape.ts";

export interface Input {
  readonly dtype: DType;
  readonly shape: Shape;
  /** Row-major; floats are exact in float32, int64 as numbers. */
  readonly values: readonly number[];
}

export interface Sample {
  /** Registered operation it is a sample of, or the public method or function that is made of several. */
  readonly op: string;
  readonly inputs: readonly Input[];
  readonly run: (...x: Tensor[]) => Tensor | readonly Tensor[];
  /** The same in PyTorch, over x0, x1, … with `torch`, `F` and `math`; a tuple for several results. */
  readonly torch: string;
  /** Tells samples apart whose expressions and input types are equal. */
  readonly note?: string;
  /** Gradients of all float inputs are compared, and checked by finite differences; the default. */
  readonly grad?: boolean;
  /** Why finite differences are no measure here, where gradients are still compared with PyTorch's. */
  readonly noGradcheck?: string;
  /** Second derivatives are compared too. */
  readonly second?: boolean;
  /** Relative tolerance, where rounding is amplified. */
  readonly rtol?: number;
}

export type Run = Sample["run"];
export type Extra = Omit<Partial<Sample>, "op" | "inputs" | "run" | "torch">;

export const sample = (
  op: string,
  inputs: readonly Input[],
  run: Run,
  torch: string,
  extra: Extra = {},
): Sample => ({ op, inputs, run, torch, ...extra });

/** What a sample is called, in the fixtures too. */
export const sampleId = ({ op, inputs, torch, note }: Sample): string =>
  `${op} | ${torch} | ${inputs.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`).join(" ")}` +
  (note === undefined ? "" : ` | ${note}`);

/** A generator of numbers in [0, 1), Mulberry32, from a seed. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function seedOf(...parts: readonly (string | number)[]): number {
  let hash = 2166136261;
  for (const char of parts.join()) hash = Math.imul(hash ^ char.charCodeAt(0), 16777619);
  return hash;
}

/** One value in each of n equal parts of the range, shuffled: distinct, no integers, exact in float32. */
function spread(shape: Shape, low: number, high: number, seed: number): number[] {
  const n = numel(shape);
  const random = numbers(seed);
  const values = Array.from({ length: n }, (_, i) => {
    const at = low + ((high - low) * (i + 0.25 + 0.5 * random())) / n;
    return (Math.floor(at * 1024) + 0.5) / 1024;
  });
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return values;
}

/** Distinct floats in (low, high); another `seed` gives others. */
export const floats = (
  dtype: "float32" | "float64",
  shape: Shape,
  low = -2,
  high = 2,
  seed = 0,
): Input => ({
  dtype,
  shape,
  values: spread(shape, low, high, seedOf(shape.join("x"), low, high, seed)),
});

export const f32 = (shape: Shape, low = -2, high = 2, seed = 0): Input =>
  floats("float32", shape, low, high, seed);
export const f64 = (shape: Shape, low = -2, high = 2, seed = 0): Input =>
  floats("float64", shape, low, high, seed);

/** Integers from low to high, both included. */
export function ints(dtype: DType, shape: Shape, low: number, high: number, seed = 0): Input {
  const random = numbers(seedOf("ints", shape.join("x"), low, high, seed));
  const values = Array.from(
    { length: numel(shape) },
    () => low + Math.floor(random() * (high - low + 1)),
  );
  return { dtype, shape, values };
}

/** Elements written out. */
export const given = (dtype: DType, shape: Shape, values: readonly number[]): Input => ({
  dtype,
  shape,
  values,
});

export const bools = (shape: Shape, seed = 0): Input => ints("bool", shape, 0, 1, seed);

export function toTensor(input: Input, requiresGrad = false): Tensor {
  const { dtype, shape, values } = input;
  const { array } = dtypes[dtype];
  const data = new array(values.length);
  values.forEach((value, i) => {
    if (data instanceof BigInt64Array) data[i] = BigInt(value);
    else data[i] = value;
  });
  return tensor(data, { dtype, shape, requiresGrad });
}

export const hasGrad = (sample: Sample): boolean =>
  sample.grad !== false && sample.inputs.some((input) => isFloat(input.dtype));

/** A fixed number for each element to weigh results with: multiples of 1/32 in [−1, 1), exact everywhere. */
export const cotangent = (size: number, which: number): number[] =>
  Array.from({ length: size }, (_, i) => (((i + which * 7) * 37 + 11) % 64) / 32 - 1);

/** A short text that changes when inputs do, so that stale fixtures are noticed. */
export function digest(sample: Sample): string {
  const values = sample.inputs.map((input) => input.values.map(String).join());
  const flags = `${hasGrad(sample)}${sample.second === true}`;
  return (seedOf(sampleId(sample), flags, ...values) >>> 0).toString(36);
}
