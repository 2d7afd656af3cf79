/** Recurrent networks over sequences: torch.nn.RNN, LSTM and GRU. */

import { zeros } from "../creation.ts";
import { formatShape, sameShape, ShapeError } from "../graph/shape.ts";
import { cat, stack, where } from "../joining.ts";
import type { RecurrentAttrs } from "../ops/recurrent.ts";
import { uniform } from "../random.ts";
import { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import * as F from "./functional/index.ts";
import { Module, Parameter } from "./module.ts";
import {
  checked,
  OPTIONS,
  type LstmOptions,
  type RecurrentOptions,
  type RnnOptions,
  type SequenceOptions,
} from "./recurrent-options.ts";
import {
  checkNonlinearity,
  gruStates,
  lstmStates,
  rnnStates,
  type RecurrentWeights,
} from "./recurrent-states.ts";
import { rowsOf } from "./sequence-lengths.ts";

export type {
  LstmOptions,
  RecurrentOptions,
  RnnOptions,
  SequenceOptions,
} from "./recurrent-options.ts";

/** One direction's sequence in rows: row t·B + b is step t of sequence b. */
interface Rows extends RecurrentAttrs {
  /** [T·B, features]. */
  readonly x: Tensor;
}

/** What the three have in common: layers, directions, layouts, lengths. `states` are h, and for an LSTM c. */
abstract class Recurrent extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly bias: boolean;
  readonly projSize: number;

  constructor(inputSize: number, hiddenSize: number, gates: number, options: LstmOptions) {
    super();
    const name = new.target.name;
    const { numLayers, bias, batchFirst, dropout, bidirectional, projSize } = checked(
      name,
      options,
      hiddenSize,
    );
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = numLayers;
    this.bias = bias;
    this.batchFirst = batchFirst;
    this.dropout = dropout;
    this.bidirectional = bidirectional;
    this.projSize = projSize;
    const state = projSize || hiddenSize;
    const bound = 1 / Math.sqrt(hiddenSize);
    const fields = this as unknown as Record<string, Parameter>;
    for (let layer = 0; layer < numLayers; layer++) {
      for (const suffix of this.#suffixes(layer)) {
        const add = (field: string, shape: readonly number[]): void =>
          void (fields[field + suffix] = new Parameter(uniform(shape, -bound, bound)));
        const inputs = layer === 0 ? inputSize : state * (bidirectional ? 2 : 1);
        add("weight_ih", [gates * hiddenSize, inputs]);
        add("weight_hh", [gates * hiddenSize, state]);
        if (bias) add("bias_ih", [gates * hiddenSize]);
        if (bias) add("bias_hh", [gates * hiddenSize]);
        if (projSize > 0) add("weight_hr", [projSize, hiddenSize]);
      }
    }
  }

  /** Endings of the names of a layer's weights, one a direction. */
  #suffixes(layer: number): string[] {
    return this.bidirectional ? [`_l${layer}`, `_l${layer}_reverse`] : [`_l${layer}`];
  }

  #weights(suffix: string): RecurrentWeights {
    const fields = this as unknown as Record<string, Parameter | undefined>;
    return {
      weight_ih: fields[`weight_ih${suffix}`]!,
      weight_hh: fields[`weight_hh${suffix}`]!,
      bias_ih: fields[`bias_ih${suffix}`] ?? null,
      bias_hh: fields[`bias_hh${suffix}`] ?? null,
      weight_hr: fields[`weight_hr${suffix}`] ?? null,
    };
  }

  /** States after each step [T·B, size] of one layer in one direction, then those after the last, from the first [B, size]. */
  protected abstract run(rows: Rows, weights: RecurrentWeights, first: readonly Tensor[]): Tensor[];

  /** Sizes of the states' elements. */
  protected abstract stateSizes(): readonly number[];

  /** Output and last states of a sequence, in the caller's layout. */
  protected runLayers(
    input: Tensor,
    given: readonly Tensor[] | null,
    options: SequenceOptions,
  ): { output: Tensor; last: Tensor[] } {
    const name = this.constructor.name;
    const { lengths } = checkOptions(name, options, ["lengths"]);
    const single = input.ndim === 2;
    if ((input.ndim !== 3 && !single) || input.shape.at(-1) !== this.inputSize)
      throw new ShapeError(
        `${name}: expected ${this.batchFirst ? "[batch, steps" : "[steps, batch"}, ${this.inputSize}] or [steps, ${this.inputSize}], got ${formatShape(input.shape)}`,
      );
    const timeFirst = single ? input.unsqueeze(1) : this.batchFirst ? input.transpose(0, 1) : input;
    const [steps, batch] = timeFirst.shape as [number, number, number];
    if (steps === 0) throw new ShapeError(`${name}: the sequence has no steps`);
    const ragged = lengths === undefined ? null : rowsOf(name, lengths, steps, batch);
    const firsts = this.#firsts(given, batch, single, input);
    const lasts: Tensor[][] = firsts.map(() => []);
    let x = timeFirst.reshape(steps * batch, this.inputSize);
    for (let layer = 0; layer < this.numLayers; layer++) {
      if (layer > 0) x = F.dropout(x, this.dropout, { training: this.training });
      const outputs = this.#suffixes(layer).map((suffix, direction, { length }) => {
        const own = firsts.map((states) => states[layer * length + direction]!);
        const reverse = direction === 1;
        const turned = ragged !== null && reverse ? x.indexSelect(0, ragged.backwards) : x;
        const rows = { x: turned, steps, reverse: reverse && ragged === null };
        const states = this.run(rows, this.#weights(suffix), own);
        lasts.forEach((last, i) =>
          last.push(
            ragged === null ? states[lasts.length + i]! : states[i]!.indexSelect(0, ragged.last),
          ),
        );
        if (ragged === null) return states[0]!;
        return reverse ? states[0]!.indexSelect(0, ragged.backwards) : states[0]!;
      });
      x = cat(outputs, 1);
      if (ragged !== null) x = where(ragged.counts, x, 0);
    }
    const output = x.reshape(steps, batch, x.shape[1]!); // [T, B, D·H]
    const last = lasts.map((states) => stack(states)); // [layers·D, B, size]
    if (single) return { output: output.squeeze(1), last: last.map((state) => state.squeeze(1)) };
    return { output: this.batchFirst ? output.transpose(0, 1) : output, last };
  }

  /** For each state the first one of each layer and direction, [B, size]. */
  #firsts(
    given: readonly Tensor[] | null,
    batch: number,
    single: boolean,
    { dtype }: Tensor,
  ): readonly (readonly Tensor[])[] {
    const count = this.numLayers * (this.bidirectional ? 2 : 1);
    return this.stateSizes().map((size, i) => {
      if (given === null) return new Array<Tensor>(count).fill(zeros([batch, size], { dtype }));
      const state = given[i];
      const expected = single ? [count, size] : [count, batch, size];
      if (!(state instanceof Tensor))
        throw new ShapeError(
          `${this.constructor.name}: the first state must be ${this.stateSizes().length === 1 ? "a tensor" : "tensors [h, c]"} or null; options come behind it, as in forward(x, null, { lengths })`,
        );
      if (!sameShape(state.shape, expected))
        throw new ShapeError(
          `${this.constructor.name}: the first state must be ${formatShape(expected)} (layers · directions${single ? "" : ", batch"}, size), got ${formatShape(state.shape)}`,
        );
      return state.split(1, 0).map((part) => part.reshape(batch, size));
    });
  }

  override extraRepr(): string {
    const options = [
      this.numLayers === 1 ? null : `num_layers=${this.numLayers}`,
      this.bias ? null : "bias=False",
      this.batchFirst ? "batch_first=True" : null,
      this.dropout === 0 ? null : `dropout=${this.dropout}`,
      this.bidirectional ? "bidirectional=True" : null,
    ].filter((option) => option !== null);
    const sizes = [this.inputSize, this.hiddenSize];
    return [...sizes, ...(this.projSize ? [`proj_size=${this.projSize}`] : []), ...options].join(
      ", ",
    );
  }
}

/** A network whose state is its output alone. */
abstract class HiddenRecurrent extends Recurrent {
  /**
   * x [T, B, in], or [B, T, in] with `batchFirst`, or one sequence [T, in]; first states [layers·directions, B, H]
   * → outputs of the last layer [T, B, directions·H] and last states.
   */
  forward(
    x: Tensor,
    h: Tensor | null = null,
    options: SequenceOptions = {},
  ): [output: Tensor, h: Tensor] {
    const { output, last } = this.runLayers(x, h === null ? null : [h], options);
    return [output, last[0]!];
  }

  protected stateSizes(): readonly number[] {
    return [this.hiddenSize];
  }
}

/** A network whose state is its output, h′ = f(W x + U h + b): torch.nn.RNN. */
export class RNN extends HiddenRecurrent {
  readonly nonlinearity: "tanh" | "relu";

  constructor(inputSize: number, hiddenSize: number, options: RnnOptions = {}) {
    super(inputSize, hiddenSize, 1, checkOptions("RNN", options, [...OPTIONS, "nonlinearity"]));
    this.nonlinearity = checkNonlinearity("RNN", options.nonlinearity);
  }

  protected run(
    { x, ...attrs }: Rows,
    weights: RecurrentWeights,
    [h]: readonly Tensor[],
  ): Tensor[] {
    return rnnStates(x, weights, h!, attrs, this.nonlinearity);
  }
}

/** Long short-term memory (Hochreiter and Schmidhuber, 1997): torch.nn.LSTM. */
export class LSTM extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: LstmOptions = {}) {
    super(inputSize, hiddenSize, 4, checkOptions("LSTM", options, [...OPTIONS, "projSize"]));
  }

  /** As RNN's, with two states: h [layers·directions, B, projSize or H] and c [layers·directions, B, H]. */
  forward(
    x: Tensor,
    states: readonly [h: Tensor, c: Tensor] | null = null,
    options: SequenceOptions = {},
  ): [output: Tensor, states: [h: Tensor, c: Tensor]] {
    const { output, last } = this.runLayers(x, states, options);
    return [output, [last[0]!, last[1]!]];
  }

  protected run(
    { x, ...attrs }: Rows,
    weights: RecurrentWeights,
    [h, c]: readonly Tensor[],
  ): Tensor[] {
    return lstmStates(x, weights, h!, c!, attrs);
  }

  protected stateSizes(): readonly number[] {
    return [this.projSize || this.hiddenSize, this.hiddenSize];
  }
}

/** Gated recurrent units (Cho et al., 2014): torch.nn.GRU. */
export class GRU extends HiddenRecurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(inputSize, hiddenSize, 3, checkOptions("GRU", options, OPTIONS));
  }

  protected run(
    { x, ...attrs }: Rows,
    weights: RecurrentWeights,
    [h]: readonly Tensor[],
  ): Tensor[] {
    return gruStates(x, weights, h!, attrs);
  }
}
