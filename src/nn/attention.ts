/** Multi-head attention (Vaswani et al., 2017, section 3.2), with torch.nn.MultiheadAttention's parameters. */

import { zeros } from "../creation.ts";
import { formatShape, sameShape, ShapeError } from "../graph/shape.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import { noGrad } from "../trace.ts";
import { additiveMask, attentionWeights, future } from "./functional/attention.ts";
import * as F from "./functional/index.ts";
import { xavierUniform } from "./init.ts";
import { Linear } from "./linear.ts";
import { Module, Parameter } from "./module.ts";

/** What a query must not attend to. */
export interface AttentionMasks {
  /** bool [B, S] (one sample: [S]), true for keys that are padding; or float, added to the scores. */
  readonly keyPaddingMask?: Tensor | null;
  /** bool [T, S] or [B·H, T, S], true where attention is not allowed; or float, added to the scores. */
  readonly attnMask?: Tensor | null;
  /** Without an `attnMask`: no query attends to later keys. With one, which then should say so, it changes nothing. */
  readonly isCausal?: boolean;
}

/** Masks of attention, and which weights are returned. */
export interface AttentionOptions extends AttentionMasks {
  /** Also return the attention weights. */
  readonly needWeights?: boolean;
  /** Weights of each head [B, H, T, S] instead of their mean [B, T, S]. */
  readonly averageAttnWeights?: boolean;
}

/** Options of {@link MultiheadAttention}. */
export interface MultiheadAttentionOptions {
  /** Probability with which weights are zeroed while training. */
  readonly dropout?: number;
  /** Inputs and outputs are [B, T, E] rather than [T, B, E], the default. */
  readonly batchFirst?: boolean;
  /** Whether the projections add something; true unless given. */
  readonly bias?: boolean;
  /** Sizes of keys and values; `embedDim` unless given. */
  readonly kdim?: number;
  readonly vdim?: number;
}

const OPTIONS = ["dropout", "batchFirst", "bias", "kdim", "vdim"];
const MASKS = ["keyPaddingMask", "attnMask", "isCausal"];
const CALL_OPTIONS = [...MASKS, "needWeights", "averageAttnWeights"];

/**
 * Attention with several heads side by side: torch.nn.MultiheadAttention. A query that masks allow no key
 * attends evenly to all, where PyTorch gives NaN.
 */
export class MultiheadAttention extends Module {
  readonly embedDim: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  readonly kdim: number;
  readonly vdim: number;
  /** Projections of query [E, E], key [E, kdim] and value [E, vdim] where keys or values have sizes of their own. */
  readonly q_proj_weight: Parameter | null = null;
  readonly k_proj_weight: Parameter | null = null;
  readonly v_proj_weight: Parameter | null = null;
  /** Otherwise [3·E, E]: the projections of query, key and value, one below the other. */
  readonly in_proj_weight: Parameter | null = null;
  readonly in_proj_bias: Parameter | null;
  readonly out_proj: Linear;

  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    const {
      dropout = 0,
      batchFirst = false,
      bias = true,
      kdim = embedDim,
      vdim = embedDim,
    } = checkOptions("MultiheadAttention", options, OPTIONS);
    if (![embedDim, numHeads].every((n) => Number.isInteger(n) && n > 0))
      throw new Error(
        `MultiheadAttention: embedDim and numHeads must be positive integers, got ${embedDim} and ${numHeads}`,
      );
    if (embedDim % numHeads !== 0)
      throw new Error(
        `MultiheadAttention: embedDim ${embedDim} must be divisible by numHeads ${numHeads}`,
      );
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.dropout = dropout;
    this.batchFirst = batchFirst;
    this.kdim = kdim;
    this.vdim = vdim;
    const weight = (rows: number, columns: number): Parameter =>
      new Parameter(xavierUniform([rows, columns]));
    if (kdim === embedDim && vdim === embedDim)
      this.in_proj_weight = weight(3 * embedDim, embedDim);
    else {
      this.q_proj_weight = weight(embedDim, embedDim);
      this.k_proj_weight = weight(embedDim, kdim);
      this.v_proj_weight = weight(embedDim, vdim);
    }
    this.in_proj_bias = bias ? new Parameter(zeros([3 * embedDim])) : null;
    this.out_proj = new Linear(embedDim, embedDim, { bias });
    noGrad(() => this.out_proj.bias?.zero_());
  }

  /**
   * query [T, B, E], key [S, B, kdim] and value [S, B, vdim] (with `batchFirst` [B, T, E] and so on; one sample
   * without B) → output of the query's shape, and the weights when asked for, else null.
   */
  forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: AttentionOptions = {},
  ): { output: Tensor; weights: Tensor | null } {
    const {
      keyPaddingMask = null,
      attnMask = null,
      isCausal = false,
      needWeights = false,
      averageAttnWeights = true,
    } = checkOptions("MultiheadAttention", options, CALL_OPTIONS);
    const single = query.ndim === 2;
    const inward = (x: Tensor): Tensor =>
      single ? x.unsqueeze(0) : this.batchFirst ? x : x.transpose(0, 1);
    this.#check("query", query, this.embedDim, single);
    this.#check("key", key, this.kdim, single);
    this.#check("value", value, this.vdim, single);
    const [q, k, v] = this.#project(query, key, value, inward);
    const padding = single ? (keyPaddingMask?.unsqueeze(0) ?? null) : keyPaddingMask;
    const mask = this.#mask(padding, attnMask, isCausal, q, k);
    const attention = attentionWeights(q, k, mask); // [B, H, T, S]
    const weights = F.dropout(attention, this.dropout, { training: this.training });
    const attended = weights.matmul(v); // [B, H, T, d]
    const [batch, , length] = attended.shape as [number, number, number, number];
    const joined = attended.permute([0, 2, 1, 3]).reshape([batch, length, this.embedDim]); // [B, T, E]
    const output = this.out_proj.forward(joined);
    const outward = single ? output.squeeze(0) : this.batchFirst ? output : output.transpose(0, 1);
    if (!needWeights) return { output: outward, weights: null };
    const shown = averageAttnWeights ? weights.mean({ dim: 1 }) : weights;
    return { output: outward, weights: single ? shown.squeeze(0) : shown };
  }

  /** Query, key and value as heads [B, H, T, d], those of one input by one product. */
  #project(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    inward: (x: Tensor) => Tensor,
  ): [Tensor, Tensor, Tensor] {
    const e = this.embedDim;
    const bias = this.in_proj_bias;
    const weight = this.in_proj_weight;
    if (weight !== null && query === key && key === value)
      return this.#heads(inward(query), weight, bias, 3) as [Tensor, Tensor, Tensor];
    if (weight !== null && key === value) {
      const [wq, wkv] = weight.split([e, 2 * e]);
      const [bq, bkv] = bias?.split([e, 2 * e]) ?? [null, null];
      const [k, v] = this.#heads(inward(key), wkv!, bkv!, 2);
      return [this.#heads(inward(query), wq!, bq!, 1)[0]!, k!, v!];
    }
    const weights = weight?.split(e) ?? [
      this.q_proj_weight!,
      this.k_proj_weight!,
      this.v_proj_weight!,
    ];
    const biases = bias?.split(e) ?? [null, null, null];
    return [query, key, value].map(
      (x, i) => this.#heads(inward(x), weights[i]!, biases[i]!, 1)[0]!,
    ) as [Tensor, Tensor, Tensor];
  }

  /** x [B, T, in] by a weight [count·E, in] → `count` tensors [B, H, T, d]. */
  #heads(x: Tensor, weight: Tensor, bias: Tensor | null, count: number): Tensor[] {
    const [batch, length] = x.shape as [number, number, number];
    const size = this.embedDim / this.numHeads;
    const all = F.linear(x, weight, bias); // [B, T, count·E]
    if (count === 1)
      return [all.reshape([batch, length, this.numHeads, size]).permute([0, 2, 1, 3])];
    return all
      .reshape([batch, length, count, this.numHeads, size])
      .permute([2, 0, 3, 1, 4]) // [count, B, H, T, d]
      .split(1, 0)
      .map((part) => part.squeeze(0));
  }

  #check(name: string, x: Tensor, size: number, single: boolean): void {
    if (x.ndim === (single ? 2 : 3) && x.shape.at(-1) === size) return;
    const dims = single ? "length" : this.batchFirst ? "batch, length" : "length, batch";
    throw new ShapeError(
      `MultiheadAttention: expected ${name === "query" ? "" : `${name} `}[${dims}, ${size}], got ${formatShape(x.shape)}`,
    );
  }

  /** All masks as one that broadcasts to [B, H, T, S]. */
  #mask(
    padding: Tensor | null,
    attention: Tensor | null,
    isCausal: boolean,
    q: Tensor,
    k: Tensor,
  ): Tensor | null {
    const [batch, heads, queries] = q.shape as [number, number, number];
    const length = k.shape[2]!;
    if (padding !== null && !sameShape(padding.shape, [batch, length]))
      throw new ShapeError(
        `MultiheadAttention: keyPaddingMask must be [batch, keys] = ${formatShape([batch, length])}, got ${formatShape(padding.shape)}`,
      );
    const pairs = attention ?? (isCausal ? future(queries, length) : null);
    const each = [batch * heads, queries, length];
    if (pairs !== null && !sameShape(pairs.shape, pairs.ndim === 3 ? each : each.slice(1)))
      throw new ShapeError(
        `MultiheadAttention: attnMask must be [queries, keys] = ${formatShape(each.slice(1))} or [batch · heads, queries, keys] = ${formatShape(each)}, got ${formatShape(pairs.shape)}`,
      );
    const own = pairs?.ndim === 3 ? pairs.reshape([batch, heads, queries, length]) : pairs;
    const keys = padding?.reshape([batch, 1, 1, length]) ?? null;
    // Two bool masks are one before they become numbers.
    if (own?.dtype === "bool" && keys?.dtype === "bool")
      return additiveMask("MultiheadAttention", own.logicalOr(keys), q);
    const [a, b] = [own, keys].map((mask) => mask && additiveMask("MultiheadAttention", mask, q));
    return a && b ? a.add(b) : (a ?? b ?? null);
  }
}
