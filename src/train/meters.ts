/** Numbers of steps on their way to a log: read from the device many at a time, and averaged. */

import { stack } from "../creation.ts";
import type { DType } from "../graph/dtype.ts";
import type { Tensor } from "../tensor.ts";

/** The elements of tensors of one element each, in order, read together: one transfer for each dtype. */
export async function readScalars(tensors: readonly Tensor[]): Promise<number[]> {
  const numbers = new Array<number>(tensors.length);
  const groups = new Map<DType, number[]>();
  tensors.forEach(({ dtype }, i) => {
    const places = groups.get(dtype);
    if (places === undefined) groups.set(dtype, [i]);
    else places.push(i);
  });
  for (const places of groups.values()) {
    const data = await stack(places.map((i) => tensors[i]!.detach().reshape([]))).data();
    places.forEach((i, at) => (numbers[i] = Number(data[at])));
  }
  return numbers;
}

/** Means of numbers by name, since they were last taken. */
export class Meters {
  readonly #values = new Map<string, number[]>();

  /** Adds one number, or several, for each name. */
  add(values: Readonly<Record<string, number | readonly number[]>>): void {
    for (const [name, given] of Object.entries(values)) {
      const known = this.#values.get(name) ?? [];
      this.#values.set(name, known.concat(given));
    }
  }

  /** The mean of each name's numbers; they are forgotten. */
  take(): Record<string, number> {
    const means = Array.from(this.#values, ([name, values]) => {
      const sum = values.reduce((a, b) => a + b, 0);
      return [name, sum / values.length] as const;
    });
    this.#values.clear();
    return Object.fromEntries(means);
  }

  /** The numbers that have not been taken. */
  stateDict(): Record<string, readonly number[]> {
    return Object.fromEntries(this.#values);
  }

  loadStateDict(values: Readonly<Record<string, readonly number[]>>): void {
    this.#values.clear();
    this.add(values);
  }
}
