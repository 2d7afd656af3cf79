/** Options and results of multi-head attention, and the names of those known. */

import type { Tensor } from "../tensor.ts";
import { MASKS, type AttentionMasks } from "./attention-masks.ts";

/** Which weights attention returns beside its output. */
export interface WeightOptions {
  /** Also return the attention weights. */
  readonly needWeights?: boolean;
  /** Weights of each head [B, H, T, S] instead of their mean [B, T, S]. */
  readonly averageAttnWeights?: boolean;
}

/** Masks of attention, and which weights are returned. */
export interface AttentionOptions extends AttentionMasks, WeightOptions {}

/** What attention returns: the output, and the weights where they were asked for. */
export interface AttentionResult {
  readonly output: Tensor;
  readonly weights: Tensor | null;
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

export const OPTIONS = ["dropout", "batchFirst", "bias", "kdim", "vdim"];
const WEIGHTS = ["needWeights", "averageAttnWeights"];
export const CALL_OPTIONS = [...MASKS, ...WEIGHTS];
export const STEP_OPTIONS = ["cache", "position", "attnMask", "keyPaddingMask", ...WEIGHTS];
