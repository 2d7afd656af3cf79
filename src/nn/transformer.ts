/** "Attention Is All You Need" (Vaswani et al., 2017): encoder, decoder and both, with torch.nn's names and defaults. */

import { zeros } from "../creation.ts";
import { where } from "../joining.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import type { KeyValues } from "./attention-cache.ts";
import { future } from "./functional/attention.ts";
import { xavierUniform } from "./init.ts";
import { LayerNorm } from "./normalization.ts";
import { Module } from "./module.ts";
import { TransformerDecoderLayer, TransformerEncoderLayer } from "./transformer-layers.ts";
import {
  DECODER_STEP,
  ENCODER_STEP,
  LAYER,
  STACK,
  TARGET_MASKS,
  type DecoderMasks,
  type DecoderStep,
  type EncoderMasks,
  type EncoderStep,
  type StackOptions,
  type TransformerLayerOptions,
  type TransformerMasks,
  type TransformerOptions,
} from "./transformer-options.ts";

export type {
  DecoderMasks,
  DecoderStep,
  EncoderMasks,
  EncoderStep,
  TransformerLayerOptions,
  TransformerMasks,
  TransformerOptions,
} from "./transformer-options.ts";

/** How many layers, of what kind, and the normalization behind them. */
function stack(
  name: string,
  options: StackOptions,
): { count: number; layer: TransformerLayerOptions; norm: LayerNorm | null } {
  const { numLayers: count, norm = false, ...layer } = checkOptions(name, options, STACK);
  if (!Number.isInteger(count) || count < 0)
    throw new Error(`${name}: numLayers must be a whole number, got ${count}`);
  const { dModel, layerNormEps: eps = 1e-5, bias = true } = layer;
  return { count, layer, norm: norm ? new LayerNorm(dModel, { eps, bias }) : null };
}

function checkLayers(
  op: string,
  name: string,
  given: readonly KeyValues[],
  layers: readonly Module[],
): void {
  if (given.length === layers.length) return;
  throw new Error(
    `${op}: ${name} must hold keys and values for each of the ${layers.length} layers, got ${given.length}`,
  );
}

/** A stack of encoder layers, each with its own weights: torch.nn.TransformerEncoder. */
export class TransformerEncoder extends Module {
  readonly layers: readonly TransformerEncoderLayer[];
  readonly norm: LayerNorm | null;

  constructor(options: StackOptions) {
    super();
    const { count, layer, norm } = stack("TransformerEncoder", options);
    this.layers = Array.from({ length: count }, () => new TransformerEncoderLayer(layer));
    this.norm = norm;
  }

  /** src [T, B, E], or [B, T, E] with `batchFirst` → the same shape. */
  forward(src: Tensor, masks: EncoderMasks = {}): Tensor {
    const x = this.layers.reduce((y, layer) => layer.forward(y, masks), src);
    return this.norm === null ? x : this.norm.forward(x);
  }

  /** Keys and values for sequences of up to `capacity` positions, one for each layer; make them outside of compiled functions. */
  emptyCache(rows: number, capacity: number): KeyValues[] {
    return this.layers.map((layer) => layer.self_attn.emptyCache(rows, capacity));
  }

  /** New positions [T, B, E], or [B, T, E] with `batchFirst` → what a causal `forward` over all so far gives for them. */
  step(src: Tensor, options: EncoderStep<readonly KeyValues[]>): Tensor {
    checkOptions("TransformerEncoder.step", options, ENCODER_STEP);
    checkLayers("TransformerEncoder.step", "cache", options.cache, this.layers);
    const x = this.layers.reduce(
      (y, layer, i) => layer.step(y, { ...options, cache: options.cache[i]! }),
      src,
    );
    return this.norm === null ? x : this.norm.forward(x);
  }
}

/** A stack of decoder layers, each with its own weights: torch.nn.TransformerDecoder. */
export class TransformerDecoder extends Module {
  readonly layers: readonly TransformerDecoderLayer[];
  readonly norm: LayerNorm | null;

  constructor(options: StackOptions) {
    super();
    const { count, layer, norm } = stack("TransformerDecoder", options);
    this.layers = Array.from({ length: count }, () => new TransformerDecoderLayer(layer));
    this.norm = norm;
  }

  /** tgt [T, B, E] and memory [S, B, E], or [B, T, E] and [B, S, E] with `batchFirst` → the shape of tgt. */
  forward(tgt: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    const x = this.layers.reduce((y, layer) => layer.forward(y, memory, masks), tgt);
    return this.norm === null ? x : this.norm.forward(x);
  }

  /** Keys and values for targets of up to `capacity` positions, one for each layer; make them outside of compiled functions. */
  emptyCache(rows: number, capacity: number): KeyValues[] {
    return this.layers.map((layer) => layer.self_attn.emptyCache(rows, capacity));
  }

  /** Keys and values of a memory [S, B, E], or [B, S, E] with `batchFirst`, for each layer: what all steps of a target share. */
  keyValues(memory: Tensor): KeyValues[] {
    return this.layers.map((layer) => layer.multihead_attn.keyValues(memory));
  }

  /**
   * New positions of a target [T, B, E], or [B, T, E] with `batchFirst` → what a causal `forward` over all so far gives for
   * them. Hypotheses of one sample may stand side by side in T, each in slots of its own, with a `tgtMask` that says which
   * slots are its past.
   */
  step(tgt: Tensor, options: DecoderStep<readonly KeyValues[]>): Tensor {
    checkOptions("TransformerDecoder.step", options, DECODER_STEP);
    const { cache, memory } = options;
    checkLayers("TransformerDecoder.step", "cache", cache, this.layers);
    checkLayers("TransformerDecoder.step", "memory", memory, this.layers);
    const x = this.layers.reduce(
      (y, layer, i) => layer.step(y, { ...options, cache: cache[i]!, memory: memory[i]! }),
      tgt,
    );
    return this.norm === null ? x : this.norm.forward(x);
  }
}

/**
 * Encoder and decoder, both with a final normalization: torch.nn.Transformer. Matrices start as
 * Xavier uniform. Embeddings, positions and the output layer are the caller's.
 */
export class Transformer extends Module {
  readonly encoder: TransformerEncoder;
  readonly decoder: TransformerDecoder;
  readonly dModel: number;
  readonly nhead: number;
  readonly batchFirst: boolean;

  constructor(options: TransformerOptions = {}) {
    super();
    const {
      dModel = 512,
      nhead = 8,
      numEncoderLayers = 6,
      numDecoderLayers = 6,
      ...rest
    } = checkOptions("Transformer", options, [...LAYER, "numEncoderLayers", "numDecoderLayers"]);
    const layer = { dModel, nhead, norm: true, ...rest };
    this.encoder = new TransformerEncoder({ ...layer, numLayers: numEncoderLayers });
    this.decoder = new TransformerDecoder({ ...layer, numLayers: numDecoderLayers });
    this.dModel = dModel;
    this.nhead = nhead;
    this.batchFirst = rest.batchFirst ?? false;
    for (const parameter of this.parameters())
      if (parameter.ndim > 1) parameter.assign(xavierUniform(parameter.shape));
  }

  /** src [S, B, E] and tgt [T, B, E], or [B, S, E] and [B, T, E] with `batchFirst` → the shape of tgt; without B for one sample. */
  forward(src: Tensor, tgt: Tensor, options: TransformerMasks = {}): Tensor {
    const {
      srcMask = null,
      srcKeyPaddingMask = null,
      srcIsCausal = false,
      ...rest
    } = checkOptions("Transformer", options, [
      ...["srcMask", "srcKeyPaddingMask", "srcIsCausal"],
      ...TARGET_MASKS,
    ]);
    const memory = this.encoder.forward(src, {
      mask: srcMask,
      srcKeyPaddingMask,
      isCausal: srcIsCausal,
    });
    return this.decoder.forward(tgt, memory, rest);
  }

  /** float32 [size, size]: −∞ above the diagonal, 0 elsewhere; keeps positions from attending to later ones. */
  static generateSquareSubsequentMask(size: number): Tensor {
    return where(future(size, size), -Infinity, zeros([]));
  }
}
