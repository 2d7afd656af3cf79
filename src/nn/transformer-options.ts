/** Options and masks of Transformers, and the names of those known. */

import type { Tensor } from "../tensor.ts";

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
