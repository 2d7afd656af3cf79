/** "Attention Is All You Need" (Vaswani et al., 2017): encoder, decoder and both, with torch.nn's names and defaults. */

import { zeros } from "../creation.ts";
import { where } from "../joining.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import { MultiheadAttention, type AttentionMasks, type KeyValues } from "./attention.ts";
import { future } from "./functional/attention.ts";
import * as F from "./functional/index.ts";
import { Dropout } from "./dropout.ts";
import { xavierUniform } from "./init.ts";
import { Linear } from "./linear.ts";
import { LayerNorm } from "./normalization.ts";
import { Module } from "./module.ts";
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

/** The two-layer network behind attention, without its residual sum. */
abstract class TransformerLayer extends Module {
  abstract readonly linear1: Linear;
  abstract readonly dropout: Dropout;
  abstract readonly linear2: Linear;
  readonly normFirst: boolean;
  /** Between the two linear maps of the feed-forward network. */
  readonly activation: (x: Tensor) => Tensor;

  constructor(options: TransformerLayerOptions) {
    super();
    const { activation = "relu", normFirst = false } = checkOptions(
      new.target.name,
      options,
      LAYER,
    );
    if (typeof activation !== "function" && activation !== "relu" && activation !== "gelu")
      throw new Error(
        `${new.target.name}: activation must be "relu", "gelu" or a function, got "${String(activation)}"`,
      );
    this.normFirst = normFirst;
    this.activation =
      typeof activation === "function" ? activation : activation === "gelu" ? F.gelu : F.relu;
  }

  protected feed(x: Tensor): Tensor {
    return this.linear2.forward(this.dropout.forward(this.activation(this.linear1.forward(x))));
  }

  /** x plus what `part` makes of it, normalised before or after; `part` ends with its dropout. */
  protected residual(x: Tensor, norm: LayerNorm, part: (x: Tensor) => Tensor): Tensor {
    return this.normFirst ? x.add(part(norm.forward(x))) : norm.forward(x.add(part(x)));
  }
}

/** Self-attention and a feed-forward network, each with a residual sum and layer normalization. */
export class TransformerEncoderLayer extends TransformerLayer {
  readonly self_attn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;

  constructor(options: TransformerLayerOptions) {
    super(options);
    const { dModel, nhead, dimFeedforward = 2048, dropout = 0.1 } = options;
    const { layerNormEps: eps = 1e-5, batchFirst = false, bias = true } = options;
    this.self_attn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst, bias });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias });
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, { bias });
    this.norm1 = new LayerNorm(dModel, { eps, bias });
    this.norm2 = new LayerNorm(dModel, { eps, bias });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
  }

  /** src [T, B, E], or [B, T, E] with `batchFirst` → the same shape. */
  forward(src: Tensor, options: EncoderMasks = {}): Tensor {
    const known = ["mask", "srcKeyPaddingMask", "isCausal"];
    const {
      mask = null,
      srcKeyPaddingMask = null,
      isCausal = false,
    } = checkOptions("TransformerEncoderLayer", options, known);
    const masks: AttentionMasks = { attnMask: mask, keyPaddingMask: srcKeyPaddingMask, isCausal };
    return this.#run(src, (y) => this.self_attn.forward(y, y, y, masks).output);
  }

  /**
   * New positions of a sequence [T, B, E], or [B, T, E] with `batchFirst`, each seeing those before it through the cache →
   * what `forward` with `isCausal` gives for them.
   */
  step(src: Tensor, options: EncoderStep): Tensor {
    const {
      cache,
      position,
      mask: attnMask = null,
      srcKeyPaddingMask: keyPaddingMask = null,
    } = checkOptions("TransformerEncoderLayer.step", options, ENCODER_STEP);
    const given = { cache, position, attnMask, keyPaddingMask };
    return this.#run(src, (y) => this.self_attn.step(y, given).output);
  }

  #run(src: Tensor, attention: (x: Tensor) => Tensor): Tensor {
    const x = this.residual(src, this.norm1, (y) => this.dropout1.forward(attention(y)));
    return this.residual(x, this.norm2, (y) => this.dropout2.forward(this.feed(y)));
  }
}

/** As the encoder's layer, with attention to the encoder's output between its two parts. */
export class TransformerDecoderLayer extends TransformerLayer {
  readonly self_attn: MultiheadAttention;
  readonly multihead_attn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly norm3: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly dropout3: Dropout;

  constructor(options: TransformerLayerOptions) {
    super(options);
    const { dModel, nhead, dimFeedforward = 2048, dropout = 0.1 } = options;
    const { layerNormEps: eps = 1e-5, batchFirst = false, bias = true } = options;
    this.self_attn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst, bias });
    this.multihead_attn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst, bias });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias });
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, { bias });
    this.norm1 = new LayerNorm(dModel, { eps, bias });
    this.norm2 = new LayerNorm(dModel, { eps, bias });
    this.norm3 = new LayerNorm(dModel, { eps, bias });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.dropout3 = new Dropout(dropout);
  }

  /** tgt [T, B, E] and memory [S, B, E], or [B, T, E] and [B, S, E] with `batchFirst` → the shape of tgt. */
  forward(tgt: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    checkOptions("TransformerDecoderLayer", masks, TARGET_MASKS);
    const own: AttentionMasks = {
      attnMask: masks.tgtMask ?? null,
      keyPaddingMask: masks.tgtKeyPaddingMask ?? null,
      isCausal: masks.tgtIsCausal ?? false,
    };
    const across: AttentionMasks = {
      attnMask: masks.memoryMask ?? null,
      keyPaddingMask: masks.memoryKeyPaddingMask ?? null,
      isCausal: masks.memoryIsCausal ?? false,
    };
    return this.#run(
      tgt,
      (y) => this.self_attn.forward(y, y, y, own).output,
      (y) => this.multihead_attn.forward(y, memory, memory, across).output,
    );
  }

  /**
   * New positions of a target [T, B, E], or [B, T, E] with `batchFirst`, each seeing those before it through the cache →
   * what `forward` with `tgtIsCausal` gives for them.
   */
  step(tgt: Tensor, options: DecoderStep): Tensor {
    const { cache, memory, position, ...masks } = checkOptions(
      "TransformerDecoderLayer.step",
      options,
      DECODER_STEP,
    );
    const own = {
      ...{ cache, position },
      attnMask: masks.tgtMask ?? null,
      keyPaddingMask: masks.tgtKeyPaddingMask ?? null,
    };
    const across: AttentionMasks = {
      attnMask: masks.memoryMask ?? null,
      keyPaddingMask: masks.memoryKeyPaddingMask ?? null,
    };
    return this.#run(
      tgt,
      (y) => this.self_attn.step(y, own).output,
      (y) => this.multihead_attn.attend(y, memory, across).output,
    );
  }

  #run(tgt: Tensor, own: (x: Tensor) => Tensor, across: (x: Tensor) => Tensor): Tensor {
    const x = this.residual(tgt, this.norm1, (y) => this.dropout1.forward(own(y)));
    const z = this.residual(x, this.norm2, (y) => this.dropout2.forward(across(y)));
    return this.residual(z, this.norm3, (y) => this.dropout3.forward(this.feed(y)));
  }
}

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
