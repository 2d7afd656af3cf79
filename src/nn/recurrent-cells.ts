/** Single steps of recurrent networks, for loops of one's own: torch.nn.RNNCell, LSTMCell and GRUCell. */

import { zeros } from "../creation.ts";
import { formatShape, ShapeError } from "../graph/shape.ts";
import { uniform } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import { Module, Parameter } from "./module.ts";
import { checkNonlinearity, gruStates, lstmStates, rnnStates } from "./recurrent-states.ts";

/** Options of recurrent cells. */
export interface CellOptions {
  readonly bias?: boolean;
}

const ONE_STEP = { steps: 1, reverse: false };

/** Weights of one step, with torch's names. */
abstract class Cell extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly weight_ih: Parameter;
  readonly weight_hh: Parameter;
  readonly bias_ih: Parameter | null;
  readonly bias_hh: Parameter | null;
  /** Cells do not project. */
  readonly weight_hr = null;

  constructor(
    inputSize: number,
    hiddenSize: number,
    gates: number,
    options: CellOptions,
    ...known: string[]
  ) {
    super();
    const { bias = true } = checkOptions(new.target.name, options, ["bias", ...known]);
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    const bound = 1 / Math.sqrt(hiddenSize);
    const parameter = (...shape: number[]): Parameter =>
      new Parameter(uniform(shape, -bound, bound));
    this.weight_ih = parameter(gates * hiddenSize, inputSize);
    this.weight_hh = parameter(gates * hiddenSize, hiddenSize);
    this.bias_ih = bias ? parameter(gates * hiddenSize) : null;
    this.bias_hh = bias ? parameter(gates * hiddenSize) : null;
  }

  /** One step from input and states [B, …] or […], whose shapes the results have. */
  protected step(
    x: Tensor,
    states: readonly Tensor[] | null,
    count: number,
    run: (x: Tensor, states: readonly Tensor[]) => readonly Tensor[],
  ): Tensor[] {
    const name = this.constructor.name;
    const single = x.ndim === 1;
    if ((x.ndim !== 2 && !single) || x.shape.at(-1) !== this.inputSize)
      throw new ShapeError(
        `${name}: expected [batch, ${this.inputSize}] or [${this.inputSize}], got ${formatShape(x.shape)}`,
      );
    const rows = single ? x.unsqueeze(0) : x;
    const batch = rows.shape[0]!;
    const first = Array.from({ length: count }, (_, i) => {
      const state = states?.[i];
      if (state === undefined) return zeros([batch, this.hiddenSize], { dtype: x.dtype });
      if (state.ndim !== x.ndim || state.size !== batch * this.hiddenSize)
        throw new ShapeError(
          `${name}: the state must be ${formatShape([...x.shape.slice(0, -1), this.hiddenSize])}, got ${formatShape(state.shape)}`,
        );
      return state.reshape(batch, this.hiddenSize);
    });
    const next = run(rows, first);
    return next.slice(0, count).map((state) => (single ? state.squeeze(0) : state));
  }

  /** What is printed of the cell: its settings, in PyTorch's words. */
  override extraRepr(): string {
    return `${this.inputSize}, ${this.hiddenSize}${this.bias_ih === null ? ", bias=False" : ""}`;
  }
}

/** One step of an RNN: torch.nn.RNNCell. */
export class RNNCell extends Cell {
  readonly nonlinearity: "tanh" | "relu";

  constructor(
    inputSize: number,
    hiddenSize: number,
    options: CellOptions & { readonly nonlinearity?: "tanh" | "relu" } = {},
  ) {
    super(inputSize, hiddenSize, 1, options, "nonlinearity");
    this.nonlinearity = checkNonlinearity("RNNCell", options.nonlinearity);
  }

  /** x [B, in] and h [B, H] (zeros unless given) → h [B, H]; without B for one sample. */
  forward(x: Tensor, h: Tensor | null = null): Tensor {
    return this.step(x, h && [h], 1, (rows, [h0]) =>
      rnnStates(rows, this, h0!, ONE_STEP, this.nonlinearity),
    )[0]!;
  }

  override extraRepr(): string {
    const { nonlinearity } = this;
    return super.extraRepr() + (nonlinearity === "tanh" ? "" : `, nonlinearity=${nonlinearity}`);
  }
}

/** One step of an LSTM: torch.nn.LSTMCell. */
export class LSTMCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(inputSize, hiddenSize, 4, options);
  }

  /** x [B, in], h and c [B, H] (zeros unless given) → h and c; without B for one sample. */
  forward(x: Tensor, states: readonly [h: Tensor, c: Tensor] | null = null): [Tensor, Tensor] {
    return this.step(x, states, 2, (rows, [h, c]) => lstmStates(rows, this, h!, c!, ONE_STEP)) as [
      Tensor,
      Tensor,
    ];
  }
}

/** One step of a GRU: torch.nn.GRUCell. */
export class GRUCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(inputSize, hiddenSize, 3, options);
  }

  /** x [B, in] and h [B, H] (zeros unless given) → h [B, H]; without B for one sample. */
  forward(x: Tensor, h: Tensor | null = null): Tensor {
    return this.step(x, h && [h], 1, (rows, [h0]) => gruStates(rows, this, h0!, ONE_STEP))[0]!;
  }
}
