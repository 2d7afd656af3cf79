/** Numbers of steps on their way to a log: read from the device many at a time, and averaged. */

import { stack } from "../joining.ts";
import type { Tensor } from "../tensor.ts";

/** The elements of vectors, in order, read together: one transfer for all of a dtype and length. */
export async function readRows(tensors: readonly Tensor[]): Promise<number[][]> {
  const rows = new Array<number[]>(tensors.length);
  const groups = new Map<string, number[]>();
  tensors.forEach(({ dtype, size }, i) => {
    const places = groups.get(`${dtype} ${size}`);
    if (places === undefined) groups.set(`${dtype} ${size}`, [i]);
    else places.push(i);
  });
  for (const places of groups.values()) {
    const found = places.map((i) => tensors[i]!.detach());
    const data = await (found.length === 1 ? found[0]! : stack(found)).data();
    const { size } = found[0]!;
    places.forEach(
      (i, at) => (rows[i] = Array.from(data.subarray(at * size, (at + 1) * size), Number)),
    );
  }
  return rows;
}

/** The elements of tensors of one element each, in order, read together. */
export async function readScalars(tensors: readonly Tensor[]): Promise<number[]> {
  const rows = await readRows(tensors.map((t) => t.reshape([1])));
  return rows.map(([value]) => value!);
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

  /** Goes on from what `stateDict` returned. */
  loadStateDict(values: Readonly<Record<string, readonly number[]>>): void {
    this.#values.clear();
    this.add(values);
  }
}
