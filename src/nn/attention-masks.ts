/** What a query of multi-head attention must not attend to: the masks as PyTorch takes them, joined to one of scores. */

import { formatShape, sameShape, ShapeError } from "../graph/shape.ts";
import type { Tensor } from "../tensor.ts";
import { future, neverIdle, scoreMask, type ScoreMask } from "./functional/attention.ts";

/** What a query must not attend to. */
export interface AttentionMasks {
  /** bool [B, S] (one sample: [S]), true for keys that are padding; or float, added to the scores. */
  readonly keyPaddingMask?: Tensor | null;
  /** bool [T, S] or [B·H, T, S], true where attention is not allowed; or float, added to the scores. */
  readonly attnMask?: Tensor | null;
  /** Without an `attnMask`: no query attends to later keys. With one, which then should say so, it changes nothing. */
  readonly isCausal?: boolean;
}

export const MASKS = ["keyPaddingMask", "attnMask", "isCausal"];

/** The sizes B, H, T and S of scores [B, H, T, S]. */
export type ScoreShape = readonly [batch: number, heads: number, queries: number, keys: number];

/** All masks as one that broadcasts to scores of this shape and of the dtype of `like`. */
export function joinMasks(
  padding: Tensor | null,
  pairs: Tensor | null,
  isCausal: boolean,
  [batch, heads, queries, keys]: ScoreShape,
  like: Tensor,
): ScoreMask | null {
  const op = "MultiheadAttention";
  if (padding !== null && !sameShape(padding.shape, [batch, keys]))
    throw new ShapeError(
      `${op}: keyPaddingMask must be [batch, keys] = ${formatShape([batch, keys])}, got ${formatShape(padding.shape)}`,
    );
  const each = [batch * heads, queries, keys];
  if (pairs !== null && !sameShape(pairs.shape, pairs.ndim === 3 ? each : each.slice(1)))
    throw new ShapeError(
      `${op}: attnMask must be [queries, keys] = ${formatShape(each.slice(1))} or [batch · heads, queries, keys] = ${formatShape(each)}, got ${formatShape(pairs.shape)}`,
    );
  const causal = pairs === null && isCausal ? future(queries, keys) : null;
  if (causal !== null && padding === null) return neverIdle(causal, like);
  const own = pairs?.ndim === 3 ? pairs.reshape([batch, heads, queries, keys]) : (pairs ?? causal);
  const masks = [own, padding?.reshape([batch, 1, 1, keys])].filter((mask) => mask != null);
  return scoreMask(op, masks, like);
}
