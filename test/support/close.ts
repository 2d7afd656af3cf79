/** Compares the elements of tensors with expected numbers. */
import { expect } from "vitest";
import type { Tensor } from "../../src/index.ts";

/** Numbers as fixtures hold them: what JSON lacks as text. */
export type Numbers = readonly (number | "NaN" | "Infinity" | "-Infinity")[];

export const numbersOf = (values: Numbers): number[] => values.map(Number);

/** Largest |a − b| / max(1, |b|); infinite where one is NaN and the other not, or the counts differ. */
export function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [actual[i]!, expected[i]!];
    if (Object.is(a, b) || a === b) continue;
    const error = Math.abs(a - b) / Math.max(1, Math.abs(b));
    worst = Math.max(worst, Number.isNaN(error) ? Infinity : error);
  }
  return worst;
}

/** Fails unless all elements are within `tolerance`, relative for numbers above 1 and absolute for those below. */
export async function expectClose(
  actual: Tensor | null | undefined,
  expected: Numbers,
  tolerance: number,
  what: string,
): Promise<void> {
  if (!actual) throw new Error(`${what}: there is no tensor`);
  const data = Float64Array.from((await actual.data()) as Float32Array);
  const error = distance(data, numbersOf(expected));
  if (!(error <= tolerance)) expect(Array.from(data), `${what}, off by ${error}`).toEqual(expected);
}
