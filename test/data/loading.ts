/** What the tests of loaders share: iterating, and data that arrives when it likes. */

import type { Batch, BatchSource } from "../../src/data/index.ts";
import { Rng } from "../../src/data/index.ts";

/** One epoch. */
export async function collect<B>(loader: BatchSource<B>): Promise<Batch<B>[]> {
  const batches: Batch<B>[] = [];
  for await (const batch of loader) batches.push(batch);
  return batches;
}

/** The indices of one epoch's batches. */
export const indicesOf = async (loader: BatchSource<unknown>): Promise<(readonly number[])[]> =>
  (await collect(loader)).map(({ indices }) => indices);

/** Numbers 0 … n − 1 that arrive out of order, some at once. */
export const slow = (length: number) => ({
  length,
  get: (index: number): number | Promise<number> => {
    const turns = new Rng(index).int(0, 4);
    return turns === 0 ? index : after(turns, index);
  },
});

/** A value that arrives after so many turns of the event loop. */
export async function after<T>(turns: number, value: T): Promise<T> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
  return value;
}

/** Lengths as texts have them: many short, few long (log-normal, median 40, up to 512). */
export function skewedLengths(count: number): number[] {
  const rng = new Rng("lengths");
  return Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - rng.float())) * Math.cos(2 * Math.PI * rng.float());
    return Math.max(1, Math.min(512, Math.round(40 * Math.exp(0.8 * normal))));
  });
}
