/** Samplers: in which order, and how often, the samples of a data set come in an epoch. */

import { checkOptions } from "../tensor/arguments.ts";
import { checkCount, checkIndex } from "./checks.ts";
import { ascending, drawsOf, permutation, shuffleInPlace } from "./permutation.ts";

/**
 * An order of samples: torch.utils.data.Sampler. It must follow from epoch and seed alone, so that an epoch can be gone on
 * with from any place.
 */
export interface Sampler {
  /** How many indices an epoch has. */
  readonly length: number;
  /** What the order depends on besides epoch and seed, in words; cursors of loaders with other words are refused. */
  readonly description?: string;
  /** The indices of an epoch; `seed` is the loader's, for samplers without one of their own. */
  order(epoch: number, seed: number): ArrayLike<number>;
}

/** Batches of samples: what a loader goes by that is given one as `batchSampler`. */
export interface BatchOrder {
  /** Batches of an epoch; null where they differ from epoch to epoch. */
  readonly length: number | null;
  readonly description?: string;
  /** The indices of each batch of an epoch. */
  batches(epoch: number, seed: number): Iterable<ArrayLike<number>>;
}

/** What an order follows from. */
export interface SeedOptions {
  /** A seed of its own in place of the loader's. */
  readonly seed?: number;
}

/** How samples are drawn. */
export interface DrawOptions extends SeedOptions {
  /** Whether a sample can be drawn more than once. */
  readonly replacement?: boolean;
}

const countOf = (op: string, samples: number | { readonly length: number }): number =>
  checkCount(
    op,
    "the number of samples",
    typeof samples === "number" ? samples : samples.length,
    1,
  );

/** A seed of its own, if one is given. */
function ownSeed(op: string, seed: number | undefined): number | null {
  return seed === undefined ? null : checkCount(op, "seed", seed, 0);
}

const seedWords = (seed: number | null): string => (seed === null ? "" : `, seed ${seed}`);

/** All samples in their order: torch.utils.data.SequentialSampler. */
export class SequentialSampler implements Sampler {
  readonly length: number;
  readonly description = "in order";

  constructor(samples: number | { readonly length: number }) {
    this.length = countOf("SequentialSampler", samples);
  }

  order(): Uint32Array {
    return ascending(this.length);
  }
}

/** Samples in random order, each once, or drawn with replacement: torch.utils.data.RandomSampler. */
export class RandomSampler implements Sampler {
  readonly length: number;
  readonly description: string;
  readonly #samples: number;
  readonly #replacement: boolean;
  readonly #seed: number | null;

  /** `numSamples`, all unless given, may be more than there are: orders then follow one behind another. */
  constructor(
    samples: number | { readonly length: number },
    options: DrawOptions & { readonly numSamples?: number } = {},
  ) {
    const op = "RandomSampler";
    const {
      numSamples,
      replacement = false,
      seed,
    } = checkOptions(op, options, ["numSamples", "replacement", "seed"]);
    this.#samples = countOf(op, samples);
    this.length = checkCount(op, "numSamples", numSamples ?? this.#samples, 1);
    this.#replacement = replacement;
    this.#seed = ownSeed(op, seed);
    const all = this.length === this.#samples ? "" : `, ${this.length} draws`;
    this.description = `shuffled${replacement ? " with replacement" : ""}${all}${seedWords(this.#seed)}`;
  }

  order(epoch: number, seed: number): Uint32Array {
    const draw = drawsOf("shuffle", this.#seed ?? seed, epoch);
    if (this.#replacement)
      return Uint32Array.from({ length: this.length }, () => Math.floor(draw() * this.#samples));
    if (this.length === this.#samples) return permutation(this.length, draw);
    const order = new Uint32Array(this.length);
    for (let start = 0; start < this.length; start += this.#samples)
      order.set(permutation(this.#samples, draw).subarray(0, this.length - start), start);
    return order;
  }
}

/** Some samples in random order, each once: torch.utils.data.SubsetRandomSampler. */
export class SubsetRandomSampler implements Sampler {
  readonly length: number;
  readonly description: string;
  readonly #indices: Uint32Array;
  readonly #seed: number | null;

  constructor(indices: ArrayLike<number>, options: SeedOptions = {}) {
    const op = "SubsetRandomSampler";
    const { seed } = checkOptions(op, options, ["seed"]);
    this.length = countOf(op, indices);
    for (let i = 0; i < indices.length; i++) checkIndex(op, indices[i]!, 2 ** 32);
    this.#indices = Uint32Array.from(indices);
    this.#seed = ownSeed(op, seed);
    this.description = `shuffled part of ${this.length}${seedWords(this.#seed)}`;
  }

  order(epoch: number, seed: number): Uint32Array {
    const order = this.#indices.slice();
    shuffleInPlace(order, drawsOf("shuffle", this.#seed ?? seed, epoch));
    return order;
  }
}

/** Samples drawn with chances in proportion to weights: torch.utils.data.WeightedRandomSampler. */
export class WeightedRandomSampler implements Sampler {
  readonly length: number;
  readonly description: string;
  readonly #weights: Float64Array;
  readonly #replacement: boolean;
  readonly #seed: number | null;

  constructor(weights: ArrayLike<number>, numSamples: number, options: DrawOptions = {}) {
    const op = "WeightedRandomSampler";
    const { replacement = true, seed } = checkOptions(op, options, ["replacement", "seed"]);
    this.#weights = Float64Array.from(weights);
    if (!this.#weights.every((weight) => weight >= 0 && weight < Infinity))
      throw new RangeError(`${op}: weights must be finite numbers of at least 0`);
    const possible = this.#weights.reduce((count, weight) => count + (weight > 0 ? 1 : 0), 0);
    if (possible === 0) throw new RangeError(`${op}: expected at least one weight above 0`);
    this.length = checkCount(op, "numSamples", numSamples, 1);
    if (!replacement && numSamples > possible)
      throw new RangeError(
        `${op}: ${numSamples} samples cannot be drawn without replacement from ${possible} with a weight above 0`,
      );
    this.#replacement = replacement;
    this.#seed = ownSeed(op, seed);
    this.description = `weighted${replacement ? "" : " without replacement"}, ${numSamples} draws${seedWords(this.#seed)}`;
  }

  order(epoch: number, seed: number): Uint32Array {
    const draw = drawsOf("weighted", this.#seed ?? seed, epoch);
    const weights = this.#weights;
    if (this.#replacement) {
      let total = 0;
      const ends = weights.map((weight) => (total += weight));
      return Uint32Array.from({ length: this.length }, () => firstAbove(ends, draw() * total));
    }
    // The largest of u^(1/w) (Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006).
    const keys = weights.map((weight) => Math.log(draw() + 2 ** -33) / weight);
    const order = ascending(weights.length).filter((i) => weights[i]! > 0);
    return order.sort((a, b) => keys[b]! - keys[a]!).slice(0, this.length);
  }
}

/** The first place whose running total lies above a number. */
function firstAbove(ends: Float64Array, at: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** A sampler's order cut into batches: torch.utils.data.BatchSampler. */
export class BatchSampler implements BatchOrder {
  readonly length: number;
  readonly description: string;
  readonly #sampler: Sampler;
  readonly #size: number;

  constructor(sampler: Sampler, batchSize: number, options: { readonly dropLast?: boolean } = {}) {
    const { dropLast = false } = checkOptions("BatchSampler", options, ["dropLast"]);
    this.#sampler = sampler;
    this.#size = checkCount("BatchSampler", "batchSize", batchSize, 1);
    this.length = (dropLast ? Math.floor : Math.ceil)(sampler.length / batchSize);
    this.description = `${describeSampler(sampler)}${dropLast ? ", last dropped" : ""}`;
  }

  *batches(epoch: number, seed: number): Generator<ArrayLike<number>, void> {
    const order = Uint32Array.from(this.#sampler.order(epoch, seed));
    for (let i = 0; i < this.length; i++)
      yield order.subarray(i * this.#size, (i + 1) * this.#size);
  }
}

/** A sampler's words about itself. */
export const describeSampler = ({
  description,
  constructor,
}: {
  readonly description?: string;
  readonly constructor: { readonly name: string };
}): string => description ?? constructor.name;
