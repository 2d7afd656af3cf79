/** Tables of vectors. */

import { arange } from "../creation.ts";
import { formatShape, ShapeError } from "../graph/shape.ts";
import { where } from "../joining.ts";
import { normal } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import { noGrad } from "../trace.ts";
import * as F from "./functional/index.ts";
import { Layer } from "./layer.ts";
import { Parameter } from "./module.ts";

/** Options of {@link Embedding}. */
export interface EmbeddingOptions {
  /** A row that starts as zeros and is not learned; negative ones count from the end. */
  readonly paddingIdx?: number | null;
}

/** A table of vectors: weight [n, d] starts as N(0, 1), the row `paddingIdx` as zeros: torch.nn.Embedding. */
export class Embedding extends Layer {
  /** May be given another module's parameter, which both then share. */
  weight: Parameter;
  readonly paddingIdx: number | null;

  constructor(count: number, dim: number, options: EmbeddingOptions = {}) {
    super();
    const { paddingIdx = null } = checkOptions("Embedding", options, ["paddingIdx"]);
    const row = paddingIdx !== null && paddingIdx < 0 ? paddingIdx + count : paddingIdx;
    if (row !== null && !(Number.isInteger(row) && row >= 0 && row < count))
      throw new Error(`Embedding: paddingIdx must be 0 … ${count - 1}, got ${paddingIdx}`);
    this.paddingIdx = row;
    const table = normal(0, 1, [count, dim]);
    const padding = row === null ? null : arange(count).eq(row).unsqueeze(1);
    this.weight = new Parameter(padding === null ? table : where(padding, 0, table));
  }

  /** An embedding of given vectors [n, d], which are not learned unless `freeze` is false. */
  static fromPretrained(
    table: Tensor,
    { freeze = true, ...options }: EmbeddingOptions & { readonly freeze?: boolean } = {},
  ): Embedding {
    if (table.ndim !== 2)
      throw new ShapeError(
        `Embedding.fromPretrained: the table must be [n,d], got ${formatShape(table.shape)}`,
      );
    const [count, dim] = table.shape as [number, number];
    const made = new Embedding(count, dim, options);
    noGrad(() => made.weight.copy_(table));
    made.weight.requiresGrad_(!freeze);
    return made;
  }

  /** int indices [...] → [..., d]. The padding row gets no gradient. */
  forward(indices: Tensor): Tensor {
    return F.embedding(indices, this.weight, { paddingIdx: this.paddingIdx });
  }

  override extraRepr(): string {
    const padding = this.paddingIdx === null ? "" : `, padding_idx=${this.paddingIdx}`;
    return `${this.weight.shape.join(", ")}${padding}`;
  }
}
