/** Where in a sequence a vector stands, added to it: fixed sinusoids (Vaswani et al., 2017, section 3.5) and learned vectors. */

import { arange, tensor } from "../creation.ts";
import { formatShape, numel, ShapeError } from "../graph/shape.ts";
import { normal } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import { Dropout } from "./dropout.ts";
import * as F from "./functional/index.ts";
import { Module, Parameter } from "./module.ts";

/**
 * float32 [length, dModel] whose row p holds sin(p / 10000^(i / dModel)) at even features i and the cosine of the same angle
 * at the odd feature behind each; an odd dModel ends with a sine. Section 3.5 of "Attention Is All You Need".
 */
export function sinusoidalEncoding(length: number, dModel: number): Tensor {
  checkSizes("sinusoidalEncoding", "length", length, dModel);
  const elements = new Float32Array(length * dModel);
  for (let i = 0; i < dModel; i++) {
    const wave = i % 2 === 0 ? Math.sin : Math.cos;
    const frequency = 10000 ** (-(i - (i % 2)) / dModel);
    for (let p = 0; p < length; p++) elements[p * dModel + i] = wave(p * frequency);
  }
  return tensor(elements, { shape: [length, dModel] });
}

function checkSizes(op: string, name: string, length: number, dModel: number): void {
  if ([length, dModel].every((n) => Number.isInteger(n) && n > 0)) return;
  throw new Error(
    `${op}: ${name} and dModel must be positive integers, got ${length} and ${dModel}`,
  );
}

/** Options of positional encodings. */
export interface PositionalEncodingOptions {
  /** Probability with which elements of the sum are zeroed while training; 0 unless given. */
  readonly dropout?: number;
}

/** Where the first vector stands. */
export interface OffsetOptions {
  /** Position of the first vector, 0 unless given: a number, or an int32 0-d tensor, with which one program serves all. */
  readonly offset?: Tensor | number;
}

/** x [B, T, E] plus rows of a table [maxLength, E]. */
abstract class PositionalEncoding extends Module {
  readonly maxLength: number;
  readonly dModel: number;
  readonly dropout: Dropout;

  constructor(maxLength: number, dModel: number, options: PositionalEncodingOptions) {
    super();
    const { dropout = 0 } = checkOptions(new.target.name, options, ["dropout"]);
    checkSizes(new.target.name, "maxLength", maxLength, dModel);
    this.maxLength = maxLength;
    this.dModel = dModel;
    this.dropout = new Dropout(dropout);
  }

  /** [maxLength, E], row by row the encodings of positions. */
  protected abstract readonly table: Tensor;

  /** Vectors [B, T, E] (or [T, E]) → the same plus the encodings of positions `offset`, `offset` + 1, …, after dropout. */
  forward(x: Tensor, options: OffsetOptions = {}): Tensor {
    const name = this.constructor.name;
    const { offset = 0 } = checkOptions(name, options, ["offset"]);
    const [length = 0, size] = x.shape.slice(-2);
    if (x.ndim < 2 || size !== this.dModel)
      throw new ShapeError(
        `${name}: expected [batch, length, ${this.dModel}], got ${formatShape(x.shape)}`,
      );
    const end = length + (typeof offset === "number" ? offset : 0);
    const whole = typeof offset !== "number" || (Number.isInteger(offset) && offset >= 0);
    if (!whole || end > this.maxLength)
      throw new ShapeError(
        `${name}: ${length} positions from ${typeof offset === "number" ? offset : "an offset"} do not fit maxLength ${this.maxLength}; cut the sequence or build the module with a larger maxLength`,
      );
    const rows =
      typeof offset === "number"
        ? this.table.slice(0, offset, end)
        : this.at(arange(length).add(first(name, offset)));
    return this.dropout.forward(x.add(rows.cast(x.dtype)));
  }

  /** int32 positions [...] → their encodings [..., E]. */
  at(positions: Tensor): Tensor {
    return F.embedding(positions, this.table);
  }

  override extraRepr(): string {
    return `${this.maxLength}, ${this.dModel}`;
  }
}

function first(name: string, offset: Tensor): Tensor {
  if (offset.dtype === "int32" && numel(offset.shape) === 1) return offset.reshape([]);
  throw new ShapeError(
    `${name}: offset must be one int32 or a number, got ${offset.dtype} ${formatShape(offset.shape)}`,
  );
}

/** Adds {@link sinusoidalEncoding} to vectors [B, T, E]; nothing is learned, and nothing of it is in the state dict. */
export class SinusoidalPositionalEncoding extends PositionalEncoding {
  protected readonly table: Tensor;

  constructor(maxLength: number, dModel: number, options: PositionalEncodingOptions = {}) {
    super(maxLength, dModel, options);
    const table = sinusoidalEncoding(maxLength, dModel);
    this.table = this.registerBuffer("table", table, { persistent: false });
  }
}

/** Adds a learned vector for each position to vectors [B, T, E]: `weight` [maxLength, E] starts as N(0, 0.02²), as BERT's and GPT-2's. */
export class LearnedPositionalEncoding extends PositionalEncoding {
  readonly weight: Parameter;

  constructor(maxLength: number, dModel: number, options: PositionalEncodingOptions = {}) {
    super(maxLength, dModel, options);
    this.weight = new Parameter(normal(0, 0.02, [maxLength, dModel]));
  }

  protected get table(): Tensor {
    return this.weight;
  }
}
