/** Weights as constants of programs, which are packed once, and finding out whether they have changed since. */

import type { Tensor } from "../tensor.ts";
import { derive } from "../tensor/derive.ts";
import { constant } from "../ops/leaf.ts";
import type { ReadWeight } from "./decoder-parts.ts";

/** Programs read larger weights where they are: each program would hold a copy. */
const MOST_BYTES = 2 ** 28;

/** Weights as they were when `refresh` last found a change. */
export class FrozenWeights {
  readonly #weights: readonly Tensor[];
  readonly #elements = new Map<Tensor, Float32Array>();
  #stamps: readonly string[] = [];

  /** `wanted` are those that programs hold as constants, float32. */
  constructor(wanted: readonly Tensor[]) {
    const bytes = wanted.reduce((sum, { size }) => sum + 4 * size, 0);
    this.#weights = bytes <= MOST_BYTES ? [...new Set(wanted)] : [];
  }

  /** Of the constants in one program. */
  get bytes(): number {
    return this.#weights.reduce((sum, { size }) => sum + 4 * size, 0);
  }

  /** Reads again the weights that have been written, and says whether elements have changed. */
  async refresh(): Promise<boolean> {
    const stamps = this.#weights.map(stampOf);
    const written = this.#weights.filter((_, i) => stamps[i] !== this.#stamps[i]);
    const read = await Promise.all(written.map((weight) => weight.data()));
    this.#stamps = stamps;
    const changed = written.filter((weight, i) => {
      const elements = read[i] as Float32Array;
      const known = this.#elements.get(weight);
      if (known !== undefined && sameBits(known, elements)) return false;
      this.#elements.set(weight, elements);
      return true;
    });
    return changed.length > 0;
  }

  /** Inside a traced function: rows of a weight, as a constant where it is frozen. */
  readonly read: ReadWeight = (weight, from = 0, to = weight.shape[0]!) => {
    const elements = this.#elements.get(weight);
    if (elements === undefined)
      return to - from === weight.shape[0] ? weight : weight.slice(0, from, to);
    const width = weight.size / weight.shape[0]!;
    const part = elements.subarray(from * width, to * width); // not a copy: all programs share it
    return derive([], () => constant(part, "float32", [to - from, ...weight.shape.slice(1)]));
  };
}

/** Differs whenever a tensor may have got other elements. */
const stampOf = ({ value }: Tensor): string => `${value.id}.${value.writes}`;

function sameBits(a: Float32Array, b: Float32Array): boolean {
  const [x, y] = [a, b].map((e) => new Int32Array(e.buffer, e.byteOffset, e.length));
  return x!.every((bits, i) => bits === y![i]);
}
