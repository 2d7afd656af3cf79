/** Tables of vectors. */

import { arange, where } from "../creation.ts";
import { normal } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import * as F from "./functional/index.ts";
import { Layer } from "./layer.ts";
import { Parameter } from "./module.ts";

/** A table of vectors: weight [n, d] starts as N(0, 1), the row `paddingIdx` as zeros: torch.nn.Embedding. */
export class Embedding extends Layer {
  readonly weight: Parameter;
  readonly paddingIdx: number | null;

  constructor(
    count: number,
    dim: number,
    { paddingIdx = null }: { paddingIdx?: number | null } = {},
  ) {
    super();
    if (
      paddingIdx !== null &&
      !(Number.isInteger(paddingIdx) && paddingIdx >= 0 && paddingIdx < count)
    )
      throw new Error(`Embedding: paddingIdx must be 0 … ${count - 1}, got ${paddingIdx}`);
    this.paddingIdx = paddingIdx;
    const table = normal(0, 1, [count, dim]);
    const padding = paddingIdx === null ? null : arange(count).eq(paddingIdx).unsqueeze(1);
    this.weight = new Parameter(padding === null ? table : where(padding, 0, table));
  }

  /** int indices [...] → [..., d]. The padding row gets no gradient. */
  forward(indices: Tensor): Tensor {
    const rows = F.embedding(indices, this.weight);
    if (this.paddingIdx === null) return rows;
    return where(indices.eq(this.paddingIdx).unsqueeze(-1), rows.detach(), rows);
  }

  override extraRepr(): string {
    const padding = this.paddingIdx === null ? "" : `, padding_idx=${this.paddingIdx}`;
    return `${this.weight.shape.join(", ")}${padding}`;
  }
}
