/** Attention over queries, keys and values, and the masks it takes. */

import { arange, zeros } from "../../creation.ts";
import { isFloat } from "../../graph/dtype.ts";
import { broadcast, formatShape, sameShape, ShapeError } from "../../graph/shape.ts";
import { where } from "../../joining.ts";
import type { Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";
import { noGrad } from "../../trace.ts";
import { dropout } from "./dropout.ts";

/** What stands for −∞ in scores where a bool mask blocks: with it an idle query has a softmax, which is then put aside. */
const BLOCKED = -1e38;
/** The least numbers of the dtypes of scores, which stand for the −∞ of float masks. */
const LOWEST = { float32: -3.4028234663852886e38, float64: -Number.MAX_VALUE };

/** bool [T, S], true where key s lies in the future of query t. */
export const future = (queries: number, keys: number): Tensor =>
  arange(keys).gt(arange(queries).unsqueeze(1));

/** What is added to scores [..., T, S]. */
export interface ScoreMask {
  readonly added: Tensor;
  /** bool [..., T, 1], true for queries that may attend to no key at all; null where there are none. */
  readonly idle: Tensor | null;
}

/** bool [T, S] as a mask that leaves every query a key, as look-ahead masks do. */
export const neverIdle = (mask: Tensor, { dtype }: Tensor): ScoreMask => ({
  added: where(mask, BLOCKED, zeros([], { dtype })),
  idle: null,
});

/**
 * Masks that broadcast to scores, bool (true: blocked) or float (added), as one for scores of a dtype; null for none.
 * Which queries are idle is read off the masks, which are smaller than the scores.
 */
export function scoreMask(op: string, masks: readonly Tensor[], like: Tensor): ScoreMask | null {
  const odd = masks.find(({ dtype }) => dtype !== "bool" && !isFloat(dtype));
  if (odd !== undefined)
    throw new ShapeError(
      `${op}: a mask must be bool (truth values) or float (added to the scores), got ${odd.dtype}; use .cast("bool")`,
    );
  const [blocked, added] = [masks.filter(isBool), masks.filter((mask) => !isBool(mask))];
  const union = blocked.length === 0 ? null : blocked.reduce((a, b) => a.logicalOr(b));
  const dtype = like.dtype === "float64" ? "float64" : "float32";
  const zero = zeros([], { dtype });
  if (added.length === 0) {
    if (union === null) return null;
    const mask = where(union, BLOCKED, zero);
    return { added: mask, idle: idleRows(mask, BLOCKED / 2) };
  }
  const sum = added.map((mask) => mask.cast(dtype)).reduce((a, b) => a.add(b));
  const mask = union === null ? sum : where(union, -Infinity, zero).add(sum);
  const lowest = LOWEST[dtype];
  return { added: where(mask.lt(lowest), lowest, mask), idle: idleRows(mask, lowest) };
}

const isBool = ({ dtype }: Tensor): boolean => dtype === "bool";

/** [..., T, S] → bool [..., T, 1], true where nothing reaches `limit`; null without keys, whose sums are zeros anyway. */
function idleRows(mask: Tensor, limit: number): Tensor | null {
  if (mask.shape.at(-1) === 0) return null;
  return noGrad(() => {
    const rows = mask.detach();
    return (rows.ndim === 0 ? rows : rows.amax({ dim: -1, keepdim: true })).lt(limit);
  });
}

/** Zeros for the queries of [..., T, n] that are idle. */
export const zeroIdle = (rows: Tensor, idle: Tensor | null): Tensor =>
  idle === null ? rows : where(idle, 0, rows);

/** What attention computes on its way. */
export interface Attended {
  /** scale · q kᵀ + mask, [..., T, S]. */
  readonly scores: Tensor;
  /** softmax(scores), before dropout; of idle queries rows of no meaning. */
  readonly weights: Tensor;
  /** weights · v, [..., T, dᵥ]; zeros for idle queries. */
  readonly heads: Tensor;
}

/** softmax(scale · q kᵀ + mask) v, for q [..., T, d], k [..., S, d] and v [..., S, dᵥ]. */
export function attend(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  mask: ScoreMask | null,
  { scale = 1 / Math.sqrt(q.shape.at(-1)!), dropoutP = 0 } = {},
): Attended {
  const products = q.matmul(k, { transB: true, alpha: scale });
  const scores = mask === null ? products : products.add(mask.added);
  const weights = scores.softmax(-1).cast(q.dtype); // masks of float16 scores are float32
  const heads = dropout(weights, dropoutP).matmul(v);
  return { scores, weights, heads: zeroIdle(heads, mask?.idle ?? null) };
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
 * al., 2017. Queries that a mask allows no key, by false or −∞, get zeros.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html
 */
export function scaledDotProductAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: DotProductAttentionOptions = {},
): Tensor {
  const op = "scaledDotProductAttention";
  const {
    attnMask = null,
    isCausal = false,
    ...factors
  } = checkOptions(op, options, ["attnMask", "dropoutP", "isCausal", "scale"]);
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
  if (attnMask === null)
    return attend(q, k, v, isCausal ? neverIdle(future(queries, keys), q) : null, factors).heads;
  const scores = [...broadcast(op, q.shape.slice(0, -2), k.shape.slice(0, -2)), queries, keys];
  if (!sameShape(broadcast(`${op}, attnMask`, attnMask.shape, scores), scores))
    throw new ShapeError(
      `${op}: attnMask ${formatShape(attnMask.shape)} does not broadcast to ${formatShape(scores)}`,
    );
  const mask = isBool(attnMask) ? attnMask.logicalNot() : attnMask;
  return attend(q, k, v, scoreMask(op, [mask], q), factors).heads;
}
