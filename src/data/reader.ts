/** Reads samples by index, those that are promises together, so many at a time. */

import { Gate } from "./ahead.ts";
import { checkIndex, isPromise } from "./checks.ts";
import type { Dataset } from "./dataset.ts";

/** Reads samples of one epoch. */
export class Reader<T> {
  readonly #dataset: Dataset<T>;
  readonly #gate: Gate;
  readonly #epoch: number;
  #closed = false;

  constructor(dataset: Dataset<T>, concurrency: number, epoch: number) {
    this.#dataset = dataset;
    this.#gate = new Gate(concurrency);
    this.#epoch = epoch;
  }

  /** Begins no sample any more; what was being read is of no use. */
  close(): void {
    this.#closed = true;
  }

  /** The samples at some indices. Throws what names the first one that could not be read. */
  async read(indices: readonly number[]): Promise<T[]> {
    const { length } = this.#dataset;
    const samples = new Array<T>(indices.length);
    const waiting: Promise<void>[] = [];
    for (let i = 0; i < indices.length; i++) {
      const index = checkIndex("DataLoader", indices[i]!, length);
      while (this.#gate.full && !this.#closed) await this.#gate.change();
      if (this.#closed) break;
      const sample = this.#begin(index);
      if (!isPromise(sample)) {
        samples[i] = sample;
        continue;
      }
      const arrived = this.#gate.pass(sample).then(
        (found) => void (samples[i] = found),
        (error: unknown) => {
          throw unreadable(index, error);
        },
      );
      // Waited for below, unless another sample fails before.
      arrived.catch(() => undefined);
      waiting.push(arrived);
    }
    await Promise.all(waiting);
    return samples;
  }

  #begin(index: number): T | Promise<T> {
    try {
      return this.#dataset.get(index, this.#epoch);
    } catch (error) {
      throw unreadable(index, error);
    }
  }
}

/** How many samples are read together when all of them are. */
const CHUNK = 1024;

/** The lengths of all samples of a data set. */
export async function measureAll<T>(
  dataset: Dataset<T>,
  concurrency: number,
  lengthOf: (sample: T, index: number) => number,
): Promise<Float64Array> {
  const reader = new Reader(dataset, concurrency, 0);
  const lengths = new Float64Array(dataset.length);
  for (let from = 0; from < lengths.length; from += CHUNK) {
    const count = Math.min(CHUNK, lengths.length - from);
    const indices = Array.from({ length: count }, (_, i) => from + i);
    const samples = await reader.read(indices);
    samples.forEach((sample, i) => (lengths[from + i] = lengthOf(sample, from + i)));
  }
  return lengths;
}

/** The error of a sample, with that of the data set as its cause; what says that reading was stopped stays as it is. */
function unreadable(index: number, error: unknown): Error {
  if (error instanceof Error && error.name === "AbortError") return error;
  const why = error instanceof Error ? error.message : String(error);
  return new Error(`DataLoader: sample ${index} could not be read: ${why}`, { cause: error });
}
