/** Multi-head attention as one reads it in the paper, a loop over heads: for learning, and to prove the fast one right. */

import { zeros } from "../creation.ts";
import { cat, stack, where } from "../joining.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import type { MultiheadAttention } from "./attention.ts";
import { MASKS, type AttentionMasks } from "./attention-masks.ts";
import type { AttentionResult } from "./attention-options.ts";
import { future } from "./functional/attention.ts";
import * as F from "./functional/index.ts";

/**
 * What `attention.forward(query, key, value, masks)` computes, with its parameters, one head after the other: for each head
 * softmax(q kᵀ / √d + mask) v of its own d = E / H features (equation 1 of Vaswani et al., 2017), all heads side by side, and
 * the output projection (section 3.2.2). Without dropout. query [T, B, E], key [S, B, kdim], value [S, B, vdim], or batch first
 * or one sample as the module's → output of the query's shape and weights of each head [B, H, T, S] (one sample: [H, T, S]).
 */
export function attentionByLoop(
  attention: MultiheadAttention,
  query: Tensor,
  key: Tensor,
  value: Tensor,
  masks: AttentionMasks = {},
): AttentionResult & { readonly weights: Tensor } {
  const {
    keyPaddingMask = null,
    attnMask = null,
    isCausal = false,
  } = checkOptions("attentionByLoop", masks, MASKS);
  const { embedDim, numHeads, batchFirst } = attention;
  const single = query.ndim === 2;
  const batchOutside = (x: Tensor): Tensor =>
    single ? x.unsqueeze(0) : batchFirst ? x : x.transpose(0, 1);
  const [q, k, v] = projections(attention, [query, key, value].map(batchOutside));
  const [queries, keys] = [q.shape[1]!, k.shape[1]!];
  const size = embedDim / numHeads;
  const pairs = attnMask ?? (isCausal ? future(queries, keys) : null);

  const heads: Tensor[] = [];
  const weights: Tensor[] = [];
  for (let h = 0; h < numHeads; h++) {
    const part = (x: Tensor): Tensor => x.slice(-1, h * size, (h + 1) * size); // [B, length, d]
    let scores = part(q).matmul(part(k).transpose(1, 2)).div(Math.sqrt(size)); // [B, T, S]
    if (pairs !== null)
      scores = masked(scores, pairs.ndim === 3 ? pairs.slice(0, h, undefined, numHeads) : pairs);
    if (keyPaddingMask !== null) scores = masked(scores, keyPaddingMask.unsqueeze(-2));
    const weight = softmaxOrZeros(scores);
    heads.push(weight.matmul(part(v))); // [B, T, d]
    weights.push(weight);
  }
  const projected = attention.out_proj.forward(cat(heads, -1)); // [B, T, E]
  const all = stack(weights, 1); // [B, H, T, S]
  if (single) return { output: projected.squeeze(0), weights: all.squeeze(0) };
  return { output: batchFirst ? projected : projected.transpose(0, 1), weights: all };
}

/** Inputs [B, length, size] → queries, keys and values [B, length, E]. */
function projections(
  { embedDim, in_proj_weight, in_proj_bias, ...own }: MultiheadAttention,
  inputs: readonly Tensor[],
): [Tensor, Tensor, Tensor] {
  const weights = in_proj_weight?.split(embedDim) ?? [
    own.q_proj_weight!,
    own.k_proj_weight!,
    own.v_proj_weight!,
  ];
  const biases = in_proj_bias?.split(embedDim) ?? [null, null, null];
  return inputs.map((x, i) => F.linear(x, weights[i]!, biases[i])) as [Tensor, Tensor, Tensor];
}

/** Scores with −∞ where a mask is true, or with a mask of numbers added. */
const masked = (scores: Tensor, mask: Tensor): Tensor =>
  mask.dtype === "bool" ? where(mask, -Infinity, scores) : scores.add(mask);

/** softmax along the keys; zeros for a query whose scores are all −∞. */
function softmaxOrZeros(scores: Tensor): Tensor {
  const nothing = scores.detach().amax({ dim: -1, keepdim: true }).eq(-Infinity); // [B, T, 1]
  const safe = where(nothing, zeros([]), scores);
  return where(nothing, 0, safe.softmax(-1));
}
