/** A decoder taken apart: what one step of decoding needs of any model, and the network of that step. */

import type { Tensor } from "../tensor.ts";
import { derive } from "../tensor/derive.ts";
import type { MultiheadAttention } from "../nn/attention.ts";
import type { KeyValues } from "../nn/attention-cache.ts";
import * as F from "../nn/functional/index.ts";
import type { Linear } from "../nn/linear.ts";
import type { Module } from "../nn/module.ts";
import type { LayerNorm } from "../nn/normalization.ts";
import { indexSelect } from "../ops/indexing.ts";

/** One layer; `across` is its attention to a memory, where it has one. */
export interface DecoderLayerParts {
  readonly self: MultiheadAttention;
  readonly across: MultiheadAttention | null;
  readonly linear1: Linear;
  readonly linear2: Linear;
  /** Of self-attention, attention to the memory, feed-forward: as many as the layer has. */
  readonly norms: readonly LayerNorm[];
  readonly normFirst: boolean;
  readonly activation: (x: Tensor) => Tensor;
}

export interface DecoderParts {
  readonly dModel: number;
  readonly heads: number;
  /** int32 positions [...] → vectors [..., D]. */
  readonly positions: (at: Tensor) => Tensor;
  /** [V, D] from ids to vectors, which are scaled by `scale`. */
  readonly table: Tensor;
  readonly scale: number;
  readonly layers: readonly DecoderLayerParts[];
  readonly norm: LayerNorm | null;
  /** [V, D] from vectors to logits. */
  readonly output: Tensor;
}

/** How a step reads a weight, or some of its rows. */
export type ReadWeight = (weight: Tensor, from?: number, to?: number) => Tensor;

/** What stands for −∞ in scores. */
export const BLOCKED = -1e30;

/** What one step reads and writes; K hypotheses of each of B samples stand side by side. */
export interface StepState {
  /** int32 [B, K], the tokens whose successors are asked for. */
  readonly ids: Tensor;
  /** int32 0-d, where those tokens stand. */
  readonly position: Tensor;
  /** Keys and values of each layer [B·H, C, K·d], into which the step writes those of `position`. */
  readonly own: readonly KeyValues[];
  /** Added to the scores of K queries and C·K keys, broadcasts to [B, H, K, C·K]. */
  readonly ownMask: Tensor;
  /** Keys and values [B, H, S, d] of the memory in each layer, and what is added to scores, [B, 1, 1, S]. */
  readonly memory: readonly KeyValues[];
  readonly memoryMask: Tensor | null;
  /** Added to the logits of each hypothesis, [V]; these must be finite, and small beside `BLOCKED`. */
  readonly blocked: Tensor | null;
}

/** Throws for a model that is not ready to be decoded with. */
export function checkReady(op: string, model: Module): void {
  if (model.training)
    throw new Error(`${op}: the model is in training mode; call model.eval() first`);
  const odd = model.parameters().find(({ dtype }) => dtype !== "float32");
  if (odd !== undefined)
    throw new Error(
      `${op}: needs a float32 model, got ${odd.dtype}; call model.to("float32") first`,
    );
}

/** Rows of a table for int32 ids that are known to be in it. */
export const rowsOf = (table: Tensor, ids: Tensor): Tensor =>
  derive([table, ids], ([t, i]) => indexSelect(t!, 0, i!));

/** One position of every hypothesis through all layers: logits [B·K, V]. */
export function decodeStep(parts: DecoderParts, read: ReadWeight, state: StepState): Tensor {
  const { dModel, heads } = parts;
  const [batch, hypotheses] = state.ids.shape as [number, number];
  const rows = batch * hypotheses;
  const size = dModel / heads;
  const factor = 1 / Math.sqrt(size);
  const place = state.position.reshape([1]);

  const linear = ({ weight, bias }: Linear, x: Tensor): Tensor =>
    F.linear(x, read(weight), bias && read(bias));
  /** [B·K, D] → [B, H, K, d]; with one hypothesis the elements stay where they are. */
  const split = (x: Tensor): Tensor =>
    hypotheses === 1
      ? x.reshape([batch, heads, 1, size])
      : x.reshape([batch, hypotheses, heads, size]).permute([0, 2, 1, 3]);
  const join = (x: Tensor): Tensor =>
    (hypotheses === 1 ? x : x.permute([0, 2, 1, 3])).reshape([rows, dModel]);
  const attend = (q: Tensor, { key, value }: KeyValues, mask: Tensor | null): Tensor => {
    const scores = q.matmul(key, { transB: true, alpha: factor }); // [B, H, K, S]
    const weights = (mask === null ? scores : scores.add(mask)).softmax(-1);
    return join(weights.matmul(value));
  };
  const project = (attention: MultiheadAttention, x: Tensor, count: number): Tensor[] => {
    const bias = attention.in_proj_bias;
    const to = count * dModel;
    const all = F.linear(x, read(attention.in_proj_weight!, 0, to), bias && read(bias, 0, to)); // [B·K, count·D]
    return all.split(dModel, 1).map(split);
  };
  const remember = (cache: Tensor, heads_: Tensor): Tensor => {
    const row = heads_.reshape([batch * heads, 1, hypotheses * size]);
    cache.assign(cache.indexCopy(1, place, row));
    return cache.reshape([batch, heads, cache.shape[1]! * hypotheses, size]);
  };

  const selfAttention = (layer: DecoderLayerParts, i: number, x: Tensor): Tensor => {
    const [q, k, v] = project(layer.self, x, 3) as [Tensor, Tensor, Tensor];
    const { key, value } = state.own[i]!;
    const cache = { key: remember(key, k), value: remember(value, v) };
    return linear(layer.self.out_proj, attend(q, cache, state.ownMask));
  };
  const acrossAttention = (across: MultiheadAttention, i: number, x: Tensor): Tensor => {
    const [q] = project(across, x, 1) as [Tensor];
    return linear(across.out_proj, attend(q, state.memory[i]!, state.memoryMask));
  };
  const feed = ({ linear1, linear2, activation }: DecoderLayerParts, x: Tensor): Tensor =>
    linear(linear2, activation(linear(linear1, x)));
  const norm = (layer: LayerNorm, x: Tensor): Tensor =>
    F.layerNorm(x, layer.normalizedShape, {
      weight: layer.weight && read(layer.weight),
      bias: layer.bias && read(layer.bias),
      eps: layer.eps,
    });

  const vectors = rowsOf(parts.table, state.ids.reshape([rows])).mul(parts.scale); // [B·K, D]
  let x = vectors.add(parts.positions(place));
  parts.layers.forEach((layer, i) => {
    const { across, norms, normFirst } = layer;
    const sublayers = [
      (y: Tensor) => selfAttention(layer, i, y),
      ...(across === null ? [] : [(y: Tensor) => acrossAttention(across, i, y)]),
      (y: Tensor) => feed(layer, y),
    ];
    sublayers.forEach((sublayer, j) => {
      const own = norms[j]!;
      x = normFirst ? x.add(sublayer(norm(own, x))) : norm(own, x.add(sublayer(x)));
    });
  });
  if (parts.norm !== null) x = norm(parts.norm, x);
  return F.linear(x, read(parts.output), state.blocked);
}
