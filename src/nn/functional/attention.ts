/** Attention over queries, keys and values. */

import { arange, zeros } from "../../creation.ts";
import { isFloat } from "../../graph/dtype.ts";
import { broadcast, formatShape, sameShape, ShapeError } from "../../graph/shape.ts";
import { where } from "../../joining.ts";
import type { Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";
import { dropout } from "./dropout.ts";

/** What stands for −∞ in scores: a row where nothing is allowed becomes uniform instead of NaN. */
const BLOCKED = -1e30;

/** bool [T, S], true where key s lies in the future of query t. */
export const future = (queries: number, keys: number): Tensor =>
  arange(keys).gt(arange(queries).unsqueeze(1));

/** A bool mask (true: blocked) as what is added to scores of a dtype; a float one as it is. */
export function additiveMask(op: string, mask: Tensor, { dtype }: Tensor): Tensor {
  if (mask.dtype === "bool") return where(mask, BLOCKED, zeros([], { dtype }));
  if (isFloat(mask.dtype)) return mask.cast(dtype);
  throw new ShapeError(
    `${op}: a mask must be bool (truth values) or float (added to the scores), got ${mask.dtype}; use .cast("bool")`,
  );
}

/** softmax(scale · q kᵀ + mask), [..., T, S] for q [..., T, d] and k [..., S, d]. */
export function attentionWeights(
  q: Tensor,
  k: Tensor,
  mask: Tensor | null,
  scale = 1 / Math.sqrt(q.shape.at(-1)!),
): Tensor {
  const scores = q.matmul(k, { transB: true, alpha: scale });
  return (mask === null ? scores : scores.add(mask)).softmax(-1);
}

/** Options of {@link scaledDotProductAttention}. */
export interface DotProductAttentionOptions {
  /** Broadcasts to [..., T, S]: bool, **true where attention is allowed**, or float, added to the scores. */
  readonly attnMask?: Tensor | null;
  /** Applied whenever it is not 0, as in PyTorch: give 0 when evaluating. */
  readonly dropoutP?: number;
  /** No query attends to later keys; not together with `attnMask`. */
  readonly isCausal?: boolean;
  /** Factor on the scores; 1/√d unless given. */
  readonly scale?: number;
}

/**
 * softmax(scale · q kᵀ + mask) v, [..., T, dᵥ] for q [..., T, d], k [..., S, d] and v [..., S, dᵥ]; equation 1 of Vaswani et
 * al., 2017. Queries that a bool mask allows no key get zeros.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html
 */
export function scaledDotProductAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: DotProductAttentionOptions = {},
): Tensor {
  const {
    attnMask = null,
    dropoutP = 0,
    isCausal = false,
    scale,
  } = checkOptions("scaledDotProductAttention", options, [
    "attnMask",
    "dropoutP",
    "isCausal",
    "scale",
  ]);
  const op = "scaledDotProductAttention";
  const fits =
    Math.min(q.ndim, k.ndim, v.ndim) >= 2 &&
    q.shape.at(-1) === k.shape.at(-1) &&
    k.shape.at(-2) === v.shape.at(-2);
  if (!fits)
    throw new ShapeError(
      `${op}: expected q [..., T, d], k [..., S, d] and v [..., S, dᵥ], got ${[q, k, v].map(({ shape }) => formatShape(shape)).join(", ")}`,
    );
  if (isCausal && attnMask !== null)
    throw new Error(`${op}: give attnMask or isCausal, not both; join them into one mask`);
  const [queries, keys] = [q.shape.at(-2)!, k.shape.at(-2)!];
  const batch = broadcast(op, q.shape.slice(0, -2), k.shape.slice(0, -2));
  if (attnMask !== null) {
    const scores = [...batch, queries, keys];
    if (!sameShape(broadcast(`${op}, attnMask`, attnMask.shape, scores), scores))
      throw new ShapeError(
        `${op}: attnMask ${formatShape(attnMask.shape)} does not broadcast to ${formatShape(scores)}`,
      );
  }
  const allowed = attnMask?.dtype === "bool" ? attnMask : null;
  const given = allowed?.logicalNot() ?? attnMask ?? (isCausal ? future(queries, keys) : null);
  const mask = given && additiveMask(op, given, q);
  const weights = attentionWeights(q, k, mask, scale);
  const kept = allowed === null ? weights : where(allowed, weights, 0);
  return dropout(kept, dropoutP).matmul(v);
}
