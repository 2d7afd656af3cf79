/** Options and masks of Transformers, and the names of those known. */

import type { Tensor } from "../tensor.ts";
import type { KeyValues } from "./attention-cache.ts";

/** Sizes and options of a layer of a Transformer. */
export interface TransformerLayerOptions {
  readonly dModel: number;
  readonly nhead: number;
  /** Width of the feed-forward part; 2048 unless given. */
  readonly dimFeedforward?: number;
  readonly dropout?: number;
  /** Between the two linear maps of the feed-forward network; "relu" unless given. */
  readonly activation?: "relu" | "gelu" | ((x: Tensor) => Tensor);
  /** Normalise before attention and feed-forward instead of after the residual sums. */
  readonly normFirst?: boolean;
  readonly layerNormEps?: number;
  /** Inputs are [B, T, E] rather than [T, B, E], the default. */
  readonly batchFirst?: boolean;
  /** Whether linear layers and normalizations add something; true unless given. */
  readonly bias?: boolean;
}

/** Masks of an encoder. */
export interface EncoderMasks {
  /** [T, T] or [B·H, T, T], true where attention is not allowed. */
  readonly mask?: Tensor | null;
  /** [B, T], true for padding. */
  readonly srcKeyPaddingMask?: Tensor | null;
  /** Without a `mask`: no position attends to later ones. */
  readonly isCausal?: boolean;
}

/** Of the target's T positions and the S positions of what the encoder made, the memory; bool or float as EncoderMasks'. */
export interface DecoderMasks {
  /** [T, T] or [B·H, T, T]. */
  readonly tgtMask?: Tensor | null;
  /** [T, S] or [B·H, T, S]. */
  readonly memoryMask?: Tensor | null;
  /** [B, T]. */
  readonly tgtKeyPaddingMask?: Tensor | null;
  /** [B, S]. */
  readonly memoryKeyPaddingMask?: Tensor | null;
  /** Without a `tgtMask`: no position attends to later ones. */
  readonly tgtIsCausal?: boolean;
  /** Without a `memoryMask`: position t attends to the first t + 1 of the memory. */
  readonly memoryIsCausal?: boolean;
}

/** Where T new positions of a sequence stand that was encoded so far, and what they must not attend to. */
export interface EncoderStep<Cache = KeyValues> {
  /** Keys and values so far, made by `emptyCache`; the new ones are written into them. */
  readonly cache: Cache;
  /** int32 0-d (or a number): the slot of the first new position; the others follow. */
  readonly position: Tensor | number;
  /** [T, capacity] or [B·H, T, capacity] in place of the rule that a position attends to slots up to its own. */
  readonly mask?: Tensor | null;
  /** [B, capacity], true for slots that are padding. */
  readonly srcKeyPaddingMask?: Tensor | null;
}

/** Where T new positions of a target stand that was decoded so far, what of the memory they see, and what not. */
export interface DecoderStep<Cache = KeyValues> {
  /** Keys and values of the target so far, made by `emptyCache`; the new ones are written into them. */
  readonly cache: Cache;
  /** Keys and values of the memory, made by `keyValues`. */
  readonly memory: Cache;
  /** int32 0-d (or a number): the slot of the first new position; the others follow. */
  readonly position: Tensor | number;
  /** [T, capacity] or [B·H, T, capacity] in place of the rule that a position attends to slots up to its own. */
  readonly tgtMask?: Tensor | null;
  /** [B, capacity], true for slots that are padding. */
  readonly tgtKeyPaddingMask?: Tensor | null;
  /** [T, S] or [B·H, T, S]. */
  readonly memoryMask?: Tensor | null;
  /** [B, S]. */
  readonly memoryKeyPaddingMask?: Tensor | null;
}

/** Sizes and options of a stack of layers of a Transformer. */
export interface StackOptions extends TransformerLayerOptions {
  readonly numLayers: number;
  /** A layer normalization after the last layer, as pre-norm stacks need. */
  readonly norm?: boolean;
}

/** Sizes and options of {@link Transformer}. */
export interface TransformerOptions extends Partial<TransformerLayerOptions> {
  readonly numEncoderLayers?: number;
  readonly numDecoderLayers?: number;
}

export interface TransformerMasks extends DecoderMasks {
  /** Masks of the source as the encoder takes them. */
  readonly srcMask?: Tensor | null;
  readonly srcKeyPaddingMask?: Tensor | null;
  readonly srcIsCausal?: boolean;
}

export const LAYER = [
  ...["dModel", "nhead", "dimFeedforward", "dropout", "activation", "normFirst"],
  ...["layerNormEps", "batchFirst", "bias"],
];
export const STACK = [...LAYER, "numLayers", "norm"];
export const TARGET_MASKS = [
  ...["tgtMask", "memoryMask", "tgtKeyPaddingMask", "memoryKeyPaddingMask"],
  ...["tgtIsCausal", "memoryIsCausal"],
];
export const ENCODER_STEP = ["cache", "position", "mask", "srcKeyPaddingMask"];
export const DECODER_STEP = [
  ...["cache", "memory", "position", "tgtMask", "tgtKeyPaddingMask"],
  ...["memoryMask", "memoryKeyPaddingMask"],
];
