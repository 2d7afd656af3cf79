/** Keys and values that attention keeps while a sequence grows, so that a step computes only what is new. */

import { arange, tensor, zeros } from "../creation.ts";
import { formatShape, numel, ShapeError } from "../graph/shape.ts";
import type { Tensor } from "../tensor.ts";
import { noGrad } from "../trace.ts";
import type { AttentionMasks } from "./attention-masks.ts";

/** Projected keys and values as heads, [B, H, S, d] each. */
export interface KeyValues {
  readonly key: Tensor;
  readonly value: Tensor;
}

/** What one step of self-attention over a cache needs beside its T new positions. */
export interface StepOptions {
  /** Keys and values [B, H, capacity, d] so far; the new ones are written into these tensors, in place where compiled. */
  readonly cache: KeyValues;
  /** int32 0-d (or a number): the slot of the first new position; the others follow. `position` + T ≤ capacity. */
  readonly position: Tensor | number;
  /** [T, capacity] or [B·H, T, capacity] in place of the rule that a position attends to slots up to its own. */
  readonly attnMask?: Tensor | null;
  /** [B, capacity], true for slots that are padding, beside that rule or `attnMask`. */
  readonly keyPaddingMask?: AttentionMasks["keyPaddingMask"];
}

/** Empty keys and values of that shape. */
export const emptyKeyValues = (
  shape: readonly [rows: number, heads: number, capacity: number, size: number],
  dtype: Tensor["dtype"],
): KeyValues => ({ key: zeros(shape, { dtype }), value: zeros(shape, { dtype }) });

/** int32 0-d of a slot that has room for `count` positions, as far as that is known. */
export function slotOf(position: Tensor | number, count: number, capacity: number): Tensor {
  if (typeof position === "number") {
    if (!Number.isInteger(position) || position < 0 || position + count > capacity)
      throw new ShapeError(
        `MultiheadAttention.step: ${count} position(s) from ${position} do not fit a cache of capacity ${capacity}; make a larger one`,
      );
    return tensor(position, { dtype: "int32" });
  }
  if (position.dtype !== "int32" || numel(position.shape) !== 1)
    throw new ShapeError(
      `MultiheadAttention.step: position must be one int32 or a number, got ${position.dtype} ${formatShape(position.shape)}`,
    );
  return position.reshape([]);
}

/** Puts heads [B, H, T, d] into slots [slot, slot + T) of a cache, which is assigned. */
export function remember(cache: KeyValues, { key, value }: KeyValues, slot: Tensor): void {
  const count = key.shape[2]!;
  const places = slot.add(arange(count));
  noGrad(() => {
    cache.key.assign(cache.key.indexCopy(2, places, key.detach()));
    cache.value.assign(cache.value.indexCopy(2, places, value.detach()));
  });
}

/** bool [T, capacity], true for slots behind that of each of T positions from `slot` on. */
export const behind = (slot: Tensor, count: number, capacity: number): Tensor =>
  arange(capacity).gt(arange(count).unsqueeze(1).add(slot));
