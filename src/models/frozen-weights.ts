/** Weights as constants of programs, which ONNX Runtime packs once, and finding out whether they have changed since. */

import { compile, type Compiled } from "../compile.ts";
import { tensor } from "../creation.ts";
import { stack } from "../joining.ts";
import type { Module } from "../nn/module.ts";
import type { Tensor } from "../tensor.ts";
import { noGrad } from "../trace.ts";
import type { ReadWeight } from "./decoder-parts.ts";

/** Programs read larger weights where they are: each program would hold a copy. */
const MOST_BYTES = 2 ** 28;

/** The weights of a module as they were when `refresh` last found a change. */
export class FrozenWeights {
  readonly #parameters: readonly Tensor[];
  readonly #wanted: readonly Tensor[];
  readonly #sums: Compiled<[], Tensor>;
  #known: Float32Array | null = null;
  #elements = new Map<Tensor, Float32Array>();

  /** `wanted` are those that programs hold as constants. */
  constructor(module: Module, wanted: readonly Tensor[]) {
    this.#parameters = module.parameters();
    const bytes = wanted.reduce((sum, { size }) => sum + 4 * size, 0);
    const fits = bytes <= MOST_BYTES && wanted.every(({ dtype }) => dtype === "float32");
    this.#wanted = fits ? [...new Set(wanted)] : [];
    this.#sums = compile(() =>
      noGrad(() => stack(this.#parameters.flatMap((w) => [w.sum(), w.mul(w).sum()]))),
    );
  }

  /** Of the constants in one program. */
  get bytes(): number {
    return this.#wanted.reduce((sum, { size }) => sum + 4 * size, 0);
  }

  /** Reads the weights again if they have changed, and says so. Changes are seen by sums of elements and their squares. */
  async refresh(): Promise<boolean> {
    if (this.#wanted.length === 0) return false;
    const sums = (await (await this.#sums()).data()) as Float32Array;
    if (this.#known?.every((sum, i) => Object.is(sum, sums[i])) === true) return false;
    const elements = await Promise.all(this.#wanted.map((weight) => weight.data()));
    this.#elements = new Map(this.#wanted.map((w, i) => [w, elements[i] as Float32Array]));
    this.#known = sums;
    return true;
  }

  /** Inside a traced function: rows of a weight, as a constant where it is frozen. */
  readonly read: ReadWeight = (weight, from = 0, to = weight.shape[0]!) => {
    const elements = this.#elements.get(weight);
    if (elements === undefined)
      return to - from === weight.shape[0] ? weight : weight.slice(0, from, to);
    const width = weight.size / weight.shape[0]!;
    const shape = [to - from, ...weight.shape.slice(1)];
    return tensor(elements.subarray(from * width, to * width), { shape });
  };
}
