/** Multi-head attention (Vaswani et al., 2017, section 3.2), with torch.nn.MultiheadAttention's parameters. */

import { where, zeros } from "../creation.ts";
import { isFloat } from "../graph/dtype.ts";
import { formatShape, sameShape, ShapeError } from "../graph/shape.ts";
import type { Tensor } from "../tensor.ts";
import { noGrad } from "../trace.ts";
import * as F from "./functional/index.ts";
import { xavierUniform } from "./init.ts";
import { Linear } from "./linear.ts";
import { Module, Parameter } from "./module.ts";

export interface AttentionMasks {
  /** bool [B, S], true for keys that are padding; or float, added to the scores. */
  readonly keyPaddingMask?: Tensor | null;
  /** bool [T, S] (or [B·H, T, S]), true where attention is not allowed; or float, added to the scores. */
  readonly attnMask?: Tensor | null;
}

export interface AttentionOptions extends AttentionMasks {
  /** Also return the attention weights. */
  readonly needWeights?: boolean;
  /** Weights of each head [B, H, T, S] instead of their mean [B, T, S]. */
  readonly averageAttnWeights?: boolean;
}

/** What stands for −∞ in scores: a row where nothing is allowed becomes uniform instead of NaN. */
const BLOCKED = -1e30;

/**
 * softmax(q kᵀ / √d + mask) v for q [B, H, T, d], k and v [B, H, S, d]. Equation 1 of the paper.
 * Returns the result [B, H, T, d] and the weights [B, H, T, S], both after dropout.
 */
export function scaledDotProductAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  {
    mask = null,
    dropout = 0,
    training = true,
  }: { mask?: Tensor | null; dropout?: number; training?: boolean } = {},
): { output: Tensor; weights: Tensor } {
  const scores = q.matmul(k, { transB: true, alpha: 1 / Math.sqrt(q.shape.at(-1)!) }); // [B, H, T, S]
  const attention = (mask === null ? scores : scores.add(additive(mask))).softmax(-1);
  const weights = F.dropout(attention, dropout, { training });
  return { output: weights.matmul(v), weights };
}

/** A bool mask (true: blocked) as what is added to scores; a float one as it is. */
function additive(mask: Tensor): Tensor {
  if (mask.dtype === "bool") return where(mask, BLOCKED, zeros([], { dtype: "float32" }));
  if (isFloat(mask.dtype)) return mask;
  throw new ShapeError(
    `attention: a mask must be bool (true: not allowed) or float (added to the scores), got ${mask.dtype}; use .cast("bool")`,
  );
}

/** Attention with several heads side by side: torch.nn.MultiheadAttention, with `batchFirst` true unless given. */
export class MultiheadAttention extends Module {
  readonly embedDim: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  /** [3·E, E]: the projections of query, key and value, one below the other. */
  readonly in_proj_weight: Parameter;
  readonly in_proj_bias: Parameter;
  readonly out_proj: Linear;

  constructor(
    embedDim: number,
    numHeads: number,
    { dropout = 0, batchFirst = true }: { dropout?: number; batchFirst?: boolean } = {},
  ) {
    super();
    if (embedDim % numHeads !== 0)
      throw new Error(
        `MultiheadAttention: embedDim ${embedDim} must be divisible by numHeads ${numHeads}`,
      );
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.dropout = dropout;
    this.batchFirst = batchFirst;
    this.in_proj_weight = new Parameter(xavierUniform([3 * embedDim, embedDim]));
    this.in_proj_bias = new Parameter(zeros([3 * embedDim]));
    this.out_proj = new Linear(embedDim, embedDim);
    noGrad(() => this.out_proj.bias!.zero_());
  }

  /**
   * query [B, T, E], key and value [B, S, E] (with `batchFirst: false` [T, B, E] and [S, B, E]) → output of the query's
   * shape, and the weights when asked for, else null.
   */
  forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    {
      keyPaddingMask = null,
      attnMask = null,
      needWeights = false,
      averageAttnWeights = true,
    }: AttentionOptions = {},
  ): { output: Tensor; weights: Tensor | null } {
    const same = query === key && key === value;
    const first = (x: Tensor): Tensor => (this.batchFirst ? x : x.transpose(0, 1));
    const [q, k, v] = same
      ? this.#selfProjections(first(query))
      : this.#projections(first(query), first(key), first(value));
    if (keyPaddingMask !== null && !sameShape(keyPaddingMask.shape, [k.shape[0]!, k.shape[2]!])) {
      throw new ShapeError(
        `MultiheadAttention: keyPaddingMask must be [batch, keys] = ${formatShape([k.shape[0]!, k.shape[2]!])}, got ${formatShape(keyPaddingMask.shape)}`,
      );
    }
    const mask = this.#mask(keyPaddingMask, attnMask, q.shape[0]!);
    const attended = scaledDotProductAttention(q, k, v, {
      mask,
      dropout: this.dropout,
      training: this.training,
    });
    const [batch, , length] = attended.output.shape as [number, number, number, number];
    const joined = attended.output.permute([0, 2, 1, 3]).reshape([batch, length, this.embedDim]); // [B, T, E]
    const weights = averageAttnWeights ? attended.weights.mean({ dim: 1 }) : attended.weights;
    return { output: first(this.out_proj.forward(joined)), weights: needWeights ? weights : null };
  }

  /** x [B, T, E] → q, k, v [B, H, T, d] by one product. */
  #selfProjections(x: Tensor): [Tensor, Tensor, Tensor] {
    this.#check(x);
    const [batch, length] = x.shape as [number, number, number];
    const headDim = this.embedDim / this.numHeads;
    const all = F.linear(x, this.in_proj_weight, this.in_proj_bias) // [B, T, 3E]
      .reshape([batch, length, 3, this.numHeads, headDim])
      .permute([2, 0, 3, 1, 4]); // [3, B, H, T, d]
    const [q, k, v] = all.split(1, 0).map((part) => part.squeeze(0));
    return [q!, k!, v!];
  }

  #projections(...inputs: [Tensor, Tensor, Tensor]): [Tensor, Tensor, Tensor] {
    const weights = this.in_proj_weight.split(this.embedDim, 0);
    const biases = this.in_proj_bias.split(this.embedDim, 0);
    const [q, k, v] = inputs.map((x, i) => {
      this.#check(x);
      const [batch, length] = x.shape as [number, number, number];
      return F.linear(x, weights[i]!, biases[i])
        .reshape([batch, length, this.numHeads, this.embedDim / this.numHeads])
        .permute([0, 2, 1, 3]);
    });
    return [q!, k!, v!];
  }

  #check(x: Tensor): void {
    if (x.ndim !== 3 || x.shape[2] !== this.embedDim) {
      throw new ShapeError(
        `MultiheadAttention: expected [batch, length, ${this.embedDim}], got ${formatShape(x.shape)}`,
      );
    }
  }

  /** Both masks as one that broadcasts to [B, H, T, S]. */
  #mask(padding: Tensor | null, attention: Tensor | null, batch: number): Tensor | null {
    const keys = padding === null ? null : additive(padding).unsqueeze(1).unsqueeze(1); // [B, 1, 1, S]
    if (attention === null) return keys;
    const given = additive(attention);
    const pairs =
      given.ndim === 3 ? given.reshape([batch, this.numHeads, ...given.shape.slice(1)]) : given;
    return keys === null ? pairs : keys.add(pairs);
  }
}
