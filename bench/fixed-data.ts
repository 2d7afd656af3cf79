/** Synthetic data and weights from a counter-based hash, so that every library starts from the same bits. */
import type { ParameterSpec, TrainingWorkload } from "./workloads.ts";

/** A value in [0, 1) for position `index` of stream `seed`: murmur3's 32-bit finaliser. */
function uniform01(index: number, seed: number): number {
  let h = (index + Math.imul(seed, 0x9e3779b1)) | 0;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return (h >>> 0) / 4294967296;
}

/** `count` numbers, uniform in `shift ± bound`. */
export function floats(seed: number, count: number, bound = 1, shift = 0): Float32Array {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) out[i] = (2 * uniform01(i, seed) - 1) * bound + shift;
  return out;
}

/** `count` integers in [0, limit). */
export function integers(seed: number, count: number, limit: number): Int32Array {
  const out = new Int32Array(count);
  for (let i = 0; i < count; i++) out[i] = Math.floor(uniform01(i, seed) * limit);
  return out;
}

/** What a gradient of `count` numbers is in workloads that compute none. */
export const givenGradient = (index: number, count: number): Float32Array =>
  floats(1000 + index, count, 1e-2);

/** The starting value of a parameter, row-major. */
export function startingValue({ shape, seed, bound, shift }: ParameterSpec): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  return floats(seed, count, bound, shift);
}

function twice<T extends Float32Array | Int32Array>(half: T, out: T): T {
  out.set(half, 0);
  out.set(half, half.length);
  return out;
}

export interface Batch {
  readonly input: Float32Array | Int32Array;
  readonly inputShape: readonly number[];
  readonly target: Int32Array;
}

/**
 * The one batch a training workload repeats. Its second half repeats the inputs of the first under other labels: the loss
 * cannot fall to zero, so gradients stay normal numbers however long the benchmark trains.
 */
export function fixedBatch(workload: TrainingWorkload): Batch {
  const { batch, inputSeed, targetSeed } = workload;
  if (workload.kind === "encoder") {
    const half = integers(inputSeed, (batch / 2) * workload.length, workload.vocabulary);
    return {
      input: twice(half, new Int32Array(batch * workload.length)),
      inputShape: [batch, workload.length],
      target: integers(targetSeed, batch * workload.length, workload.labels),
    };
  }
  const { example, labels } =
    workload.kind === "mlp"
      ? { example: workload.sizes.slice(0, 1), labels: workload.sizes.at(-1) ?? 0 }
      : workload;
  const features = example.reduce((product, size) => product * size, 1);
  const half = floats(inputSeed, (batch / 2) * features);
  return {
    input: twice(half, new Float32Array(batch * features)),
    inputShape: [batch, ...example],
    target: integers(targetSeed, batch, labels),
  };
}
