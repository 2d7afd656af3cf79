/** Multi-head attention (Vaswani et al., 2017, section 3.2), with torch.nn.MultiheadAttention's parameters. */

import { zeros } from "../creation.ts";
import { formatShape, sameShape, ShapeError } from "../graph/shape.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import { noGrad } from "../trace.ts";
import {
  behind,
  emptyKeyValues,
  remember,
  slotOf,
  type KeyValues,
  type StepOptions,
} from "./attention-cache.ts";
import { observed, shownScores } from "./attention-capture.ts";
import { joinMasks, type AttentionMasks } from "./attention-masks.ts";
import {
  CALL_OPTIONS,
  OPTIONS,
  STEP_OPTIONS,
  type AttentionOptions,
  type AttentionResult,
  type MultiheadAttentionOptions,
  type WeightOptions,
} from "./attention-options.ts";
import { attend, neverIdle, zeroIdle, type ScoreMask } from "./functional/attention.ts";
import * as F from "./functional/index.ts";
import { xavierUniform } from "./init.ts";
import { Linear } from "./linear.ts";
import { Module, Parameter } from "./module.ts";

/**
 * Attention with several heads side by side: torch.nn.MultiheadAttention. What a query attends to that masks allow no key is
 * zeros, so that its output is the bias of `out_proj`, as PyTorch computes without `need_weights` (with them it gives NaN);
 * its weights are zeros too.
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
  ): AttentionResult {
    checkOptions("MultiheadAttention", options, CALL_OPTIONS);
    const single = query.ndim === 2;
    this.#check("query", query, this.embedDim, single);
    this.#check("key", key, this.kdim, single);
    this.#check("value", value, this.vdim, single);
    const [q, k, v] = this.#project(query, key, value, (x) => this.#inward(x, single));
    return this.#attend(
      q,
      { key: k, value: v },
      this.#mask(options, q, k, single),
      options,
      single,
    );
  }

  /**
   * key [S, B, kdim] and value [S, B, vdim], the same unless given (with `batchFirst` [B, S, kdim]; one sample without B) → what
   * {@link attend} takes: heads [B, H, S, d] that serve any number of queries, e.g. of a memory that stays while a target grows.
   */
  keyValues(key: Tensor, value: Tensor = key): KeyValues {
    const single = key.ndim === 2;
    this.#check("key", key, this.kdim, single);
    this.#check("value", value, this.vdim, single);
    const e = this.embedDim;
    const sizes = key === value ? [2 * e] : [e, e];
    const weights = this.in_proj_weight?.slice(0, e).split(sizes) ?? this.#separate();
    const biases = this.in_proj_bias?.slice(0, e).split(sizes) ?? [];
    const inputs = [key, value].map((x) => this.#inward(x, single));
    const [k, v] = this.#memoryHeads(inputs, weights, biases);
    return { key: k, value: v };
  }

  /**
   * {@link forward} with keys and values that {@link keyValues} has projected: query [T, B, E] (with `batchFirst` [B, T, E]) →
   * output of its shape. Queries of several hypotheses of one sample may stand side by side in T.
   */
  attend(query: Tensor, memory: KeyValues, options: AttentionOptions = {}): AttentionResult {
    checkOptions("MultiheadAttention.attend", options, CALL_OPTIONS);
    const single = query.ndim === 2;
    this.#check("query", query, this.embedDim, single);
    const e = this.embedDim;
    const weight = this.q_proj_weight ?? this.in_proj_weight!.slice(0, 0, e);
    const bias = this.in_proj_bias?.slice(0, 0, e);
    const q = this.#heads(this.#inward(query, single), weight, bias, 1)[0]!;
    this.#checkMemory("attend", memory, q.shape[0]!);
    return this.#attend(q, memory, this.#mask(options, q, memory.key, single), options, single);
  }

  /** Keys and values [rows, H, capacity, d] of zeros, for {@link step}; make them outside of compiled functions. */
  emptyCache(rows: number, capacity: number): KeyValues {
    const size = this.embedDim / this.numHeads;
    return emptyKeyValues([rows, this.numHeads, capacity, size], this.out_proj.weight.dtype);
  }

  /**
   * Attention of T new positions x [T, B, E] (with `batchFirst` [B, T, E]) to themselves and all before: their keys and values
   * are written into slots [`position`, `position` + T) of the cache, and each attends to the slots up to its own, as in
   * {@link forward} with a causal mask, or as `attnMask` says. For decoding: no gradient flows through the cache.
   */
  step(x: Tensor, options: StepOptions & WeightOptions): AttentionResult {
    const {
      cache,
      position,
      attnMask = null,
      keyPaddingMask = null,
    } = checkOptions("MultiheadAttention.step", options, STEP_OPTIONS);
    this.#check("query", x, this.embedDim, false);
    const [q, key, value] = this.#project(x, x, x, (y) => this.#inward(y, false));
    const [rows, , count] = q.shape as [number, number, number];
    this.#checkMemory("step", cache, rows);
    const capacity = cache.key.shape[2]!;
    const slot = slotOf(position, count, capacity);
    remember(cache, { key, value }, slot);
    const rule = attnMask === null ? behind(slot, count, capacity) : null;
    const mask =
      rule !== null && keyPaddingMask === null
        ? neverIdle(rule, q)
        : this.#mask({ attnMask: attnMask ?? rule, keyPaddingMask }, q, cache.key, false);
    return this.#attend(q, cache, mask, options, false);
  }

  /** Queries [B, H, T, d] to keys and values, what they attend to joined and projected. */
  #attend(
    q: Tensor,
    { key: k, value: v }: KeyValues,
    mask: ScoreMask | null,
    { needWeights = false, averageAttnWeights = true }: WeightOptions,
    single: boolean,
  ): AttentionResult {
    const dropoutP = this.training ? this.dropout : 0;
    const attended = attend(q, k, v, mask, { dropoutP });
    const { scores, heads } = attended; // [B, H, T, S] and [B, H, T, d]
    const [batch, , length] = heads.shape as [number, number, number];
    const joined = heads.permute([0, 2, 1, 3]).reshape([batch, length, this.embedDim]); // [B, T, E]
    const projected = this.out_proj.forward(joined);
    const output = single
      ? projected.squeeze(0)
      : this.batchFirst
        ? projected
        : projected.transpose(0, 1);
    const weights = (): Tensor => zeroIdle(attended.weights, mask?.idle ?? null);
    observed(this, () => ({
      ...{ query: q, key: k, value: v, weights: weights(), heads, output },
      scores: shownScores(scores),
    }));
    if (!needWeights) return { output, weights: null };
    const shown = averageAttnWeights ? weights().mean({ dim: 1 }) : weights();
    return { output, weights: single ? shown.squeeze(0) : shown };
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
    const sizes = weight !== null && key === value ? [e, 2 * e] : [e, e, e];
    const [wq, ...weights] = weight?.split(sizes) ?? [this.q_proj_weight!, ...this.#separate()];
    const [bq, ...biases] = bias?.split(sizes) ?? [];
    const q = this.#heads(inward(query), wq!, bq, 1)[0]!;
    return [q, ...this.#memoryHeads([key, value].map(inward), weights, biases)];
  }

  /** The projections of keys and values of sizes of their own. */
  #separate(): [Tensor, Tensor] {
    return [this.k_proj_weight!, this.v_proj_weight!];
  }

  /** Keys and values as heads, by one weight [2·E, E] where they are one, else by one each. */
  #memoryHeads(
    inputs: readonly Tensor[],
    weights: readonly Tensor[],
    biases: readonly Tensor[],
  ): [Tensor, Tensor] {
    const count = weights.length === 1 ? 2 : 1;
    return weights.flatMap((weight, i) => this.#heads(inputs[i]!, weight, biases[i], count)) as [
      Tensor,
      Tensor,
    ];
  }

  /** x [B, T, in] by a weight [count·E, in] → `count` tensors [B, H, T, d]. */
  #heads(x: Tensor, weight: Tensor, bias: Tensor | null | undefined, count: number): Tensor[] {
    const [batch, length] = x.shape as [number, number, number];
    const size = this.embedDim / this.numHeads;
    const all = F.linear(x, weight, bias ?? null); // [B, T, count·E]
    if (count === 1)
      return [all.reshape([batch, length, this.numHeads, size]).permute([0, 2, 1, 3])];
    return all
      .reshape([batch, length, count, this.numHeads, size])
      .permute([2, 0, 3, 1, 4]) // [count, B, H, T, d]
      .split(1, 0)
      .map((part) => part.squeeze(0));
  }

  /** x [B, T, in] of any layout. */
  #inward(x: Tensor, single: boolean): Tensor {
    return single ? x.unsqueeze(0) : this.batchFirst ? x : x.transpose(0, 1);
  }

  #check(name: string, x: Tensor, size: number, single: boolean): void {
    if (x.ndim === (single ? 2 : 3) && x.shape.at(-1) === size) return;
    const dims = single ? "length" : this.batchFirst ? "batch, length" : "length, batch";
    throw new ShapeError(
      `MultiheadAttention: expected ${name === "query" ? "" : `${name} `}[${dims}, ${size}], got ${formatShape(x.shape)}`,
    );
  }

  #checkMemory(method: string, { key, value }: KeyValues, batch: number): void {
    const size = this.embedDim / this.numHeads;
    const fits = ({ shape }: Tensor): boolean =>
      sameShape(shape, [batch, this.numHeads, key.shape[2] ?? 0, size]);
    if (fits(key) && fits(value)) return;
    throw new ShapeError(
      `MultiheadAttention.${method}: expected keys and values [${batch}, ${this.numHeads}, length, ${size}], got ${formatShape(key.shape)} and ${formatShape(value.shape)}; make them with ${method === "step" ? "emptyCache" : "keyValues"}`,
    );
  }

  /** All masks as one that broadcasts to [B, H, T, S]. */
  #mask(
    { keyPaddingMask = null, attnMask = null, isCausal = false }: AttentionMasks,
    q: Tensor,
    k: Tensor,
    single: boolean,
  ): ScoreMask | null {
    const padding = single ? (keyPaddingMask?.unsqueeze(0) ?? null) : keyPaddingMask;
    const [batch, heads, queries] = q.shape as [number, number, number];
    return joinMasks(padding, attnMask, isCausal, [batch, heads, queries, k.shape[2]!], q);
  }
}
