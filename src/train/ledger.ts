/** Keeps what updates gave until it is read, many at a time, so that the device need not be waited for in each step. */

import { stack } from "../creation.ts";
import type { Tensor } from "../tensor.ts";
import { Meters, readScalars } from "./meters.ts";
import type { Broken, NonFinite } from "./safety.ts";
import type { MicroResult, StepResult } from "./step-program.ts";

/** One update. */
export interface Entry {
  readonly step: number;
  readonly epoch: number;
  readonly indices: readonly (readonly number[])[];
  readonly result: StepResult;
}

export interface LedgerOptions {
  /** Names of the parameters that the sums of a result belong to. */
  readonly names: readonly string[];
  /** What those sums tell of. */
  readonly sumsOf: Exclude<Broken, "loss">;
}

export class Ledger {
  /** Losses and metrics that have been read, of updates that were finite. */
  readonly meters = new Meters();
  readonly #names: readonly string[];
  readonly #sumsOf: Exclude<Broken, "loss">;
  #entries: Entry[] = [];

  constructor({ names, sumsOf }: LedgerOptions) {
    this.#names = names;
    this.#sumsOf = sumsOf;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
  }

  /** Waits for all updates, adds what they gave to the meters, and returns those that were not finite. */
  async read(): Promise<NonFinite[]> {
    const entries = this.#entries;
    this.#entries = [];
    if (entries.length === 0) return [];
    const micro = entries.flatMap(({ result }) => result.micro);
    const tensors = micro.flatMap(({ loss, metrics }) => [loss, ...Object.values(metrics)]);
    const numbers = await readScalars(tensors);
    const sums = await this.#readSums(entries);
    const found: NonFinite[] = [];
    let at = 0;
    entries.forEach(({ step, epoch, indices, result }, row) => {
      const size = result.micro.reduce((n, { metrics }) => n + 1 + Object.keys(metrics).length, 0);
      const means = meansOf(result.micro, numbers.slice(at, at + size));
      at += size;
      const bad = this.#names.filter((_, i) => !Number.isFinite(sums[row]?.[i] ?? 0));
      const loss = means["loss"]!;
      if (bad.length === 0 && Number.isFinite(loss)) {
        this.meters.add(means);
        return;
      }
      const broken = bad.length === 0 ? "loss" : this.#sumsOf;
      found.push({ step, epoch, broken, loss, indices, parameters: bad });
    });
    return found;
  }

  /** For each update the sums of its parameters; none where it has none. */
  async #readSums(entries: readonly Entry[]): Promise<ArrayLike<number>[]> {
    const all = entries.flatMap(({ result }) => (result.sums === null ? [] : [result.sums]));
    const width = this.#names.length;
    if (all.length < entries.length || width === 0) return [];
    const data = (await stacked(all).data()) as Float32Array;
    return entries.map((_, i) => data.subarray(i * width, (i + 1) * width));
  }
}

const stacked = (tensors: readonly Tensor[]): Tensor =>
  tensors.length === 1 ? tensors[0]! : stack(tensors);

/** Means over the micro-batches of an update, of those that have the name. */
function meansOf(
  micro: readonly MicroResult[],
  numbers: readonly number[],
): Record<string, number> {
  const meters = new Meters();
  let at = 0;
  for (const { metrics } of micro)
    for (const name of ["loss", ...Object.keys(metrics)]) meters.add({ [name]: numbers[at++]! });
  return meters.take();
}
