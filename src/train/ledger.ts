/** Keeps what updates gave until it is read, many at a time, so that the device need not be waited for in each step. */

import { Meters } from "./meters.ts";
import type { Broken, NonFinite } from "./safety.ts";
import { readSteps, type BatchNumbers, type StepResult } from "./step-program.ts";

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
    const read = await readSteps(entries.map(({ result }) => result));
    const found: NonFinite[] = [];
    entries.forEach(({ step, epoch, indices }, i) => {
      const batches = read[i]!;
      const means = meansOf(batches);
      const { sums } = batches.at(-1)!;
      const parameters = this.#names.filter((_, at) => !Number.isFinite(sums[at] ?? 0));
      const loss = means["loss"]!;
      if (parameters.length === 0 && Number.isFinite(loss)) {
        this.meters.add(means);
        return;
      }
      const broken = parameters.length === 0 ? "loss" : this.#sumsOf;
      found.push({ step, epoch, broken, loss, indices, parameters });
    });
    return found;
  }
}

/** Means over the batches of an update, of those that have the name. */
function meansOf(batches: readonly BatchNumbers[]): Record<string, number> {
  const meters = new Meters();
  for (const { loss, metrics } of batches) meters.add({ loss, ...metrics });
  return meters.take();
}
