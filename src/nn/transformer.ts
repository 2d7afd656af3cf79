/** "Attention Is All You Need" (Vaswani et al., 2017): encoder, decoder and both, with torch.nn's names and defaults. */

import { zeros } from "../creation.ts";
import { where } from "../joining.ts";
import type { Tensor } from "../tensor.ts";
import { MultiheadAttention, type AttentionMasks } from "./attention.ts";
import { future } from "./functional/attention.ts";
import * as F from "./functional/index.ts";
import { Dropout } from "./dropout.ts";
import { xavierUniform } from "./init.ts";
import { Linear } from "./linear.ts";
import { LayerNorm } from "./normalization.ts";
import { Module } from "./module.ts";

export interface TransformerLayerOptions {
  readonly dModel: number;
  readonly nhead: number;
  /** Width of the feed-forward part; 2048 unless given. */
  readonly dimFeedforward?: number;
  readonly dropout?: number;
  readonly activation?: "relu" | "gelu" | ((x: Tensor) => Tensor);
  /** Normalise before attention and feed-forward instead of after the residual sums. */
  readonly normFirst?: boolean;
  readonly layerNormEps?: number;
  /** Inputs are [B, T, E] (default) rather than [T, B, E]. */
  readonly batchFirst?: boolean;
  /** Whether linear layers and normalizations add something; true unless given. */
  readonly bias?: boolean;
}

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

/** The two-layer network behind attention, without its residual sum. */
abstract class TransformerLayer extends Module {
  abstract readonly linear1: Linear;
  abstract readonly dropout: Dropout;
  abstract readonly linear2: Linear;
  readonly normFirst: boolean;
  readonly activation: (x: Tensor) => Tensor;

  constructor({ activation = "relu", normFirst = false }: TransformerLayerOptions) {
    super();
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
    const { layerNormEps: eps = 1e-5, batchFirst = true, bias = true } = options;
    this.self_attn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst, bias });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias });
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, { bias });
    this.norm1 = new LayerNorm(dModel, { eps, bias });
    this.norm2 = new LayerNorm(dModel, { eps, bias });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
  }

  /** src [B, T, E] → [B, T, E]. */
  forward(
    src: Tensor,
    { mask = null, srcKeyPaddingMask = null, isCausal = false }: EncoderMasks = {},
  ): Tensor {
    const masks: AttentionMasks = { attnMask: mask, keyPaddingMask: srcKeyPaddingMask, isCausal };
    const x = this.residual(src, this.norm1, (y) =>
      this.dropout1.forward(this.self_attn.forward(y, y, y, masks).output),
    );
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
    const { layerNormEps: eps = 1e-5, batchFirst = true, bias = true } = options;
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

  /** tgt [B, T, E], memory [B, S, E] → [B, T, E]. */
  forward(tgt: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
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
    const x = this.residual(tgt, this.norm1, (y) =>
      this.dropout1.forward(this.self_attn.forward(y, y, y, own).output),
    );
    const z = this.residual(x, this.norm2, (y) =>
      this.dropout2.forward(this.multihead_attn.forward(y, memory, memory, across).output),
    );
    return this.residual(z, this.norm3, (y) => this.dropout3.forward(this.feed(y)));
  }
}

interface StackOptions extends TransformerLayerOptions {
  readonly numLayers: number;
  /** A layer normalization after the last layer, as pre-norm stacks need. */
  readonly norm?: boolean;
}

const finalNorm = ({
  norm,
  dModel,
  layerNormEps: eps = 1e-5,
  bias = true,
}: StackOptions): LayerNorm | null => (norm ? new LayerNorm(dModel, { eps, bias }) : null);

/** A stack of encoder layers, each with its own weights: torch.nn.TransformerEncoder. */
export class TransformerEncoder extends Module {
  readonly layers: readonly TransformerEncoderLayer[];
  readonly norm: LayerNorm | null;

  constructor(options: StackOptions) {
    super();
    this.layers = Array.from(
      { length: options.numLayers },
      () => new TransformerEncoderLayer(options),
    );
    this.norm = finalNorm(options);
  }

  /** src [B, T, E] → [B, T, E]. */
  forward(src: Tensor, masks: EncoderMasks = {}): Tensor {
    const x = this.layers.reduce((y, layer) => layer.forward(y, masks), src);
    return this.norm === null ? x : this.norm.forward(x);
  }
}

/** A stack of decoder layers, each with its own weights: torch.nn.TransformerDecoder. */
export class TransformerDecoder extends Module {
  readonly layers: readonly TransformerDecoderLayer[];
  readonly norm: LayerNorm | null;

  constructor(options: StackOptions) {
    super();
    this.layers = Array.from(
      { length: options.numLayers },
      () => new TransformerDecoderLayer(options),
    );
    this.norm = finalNorm(options);
  }

  /** tgt [B, T, E], memory [B, S, E] → [B, T, E]. */
  forward(tgt: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    const x = this.layers.reduce((y, layer) => layer.forward(y, memory, masks), tgt);
    return this.norm === null ? x : this.norm.forward(x);
  }
}

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

/**
 * Encoder and decoder, both with a final normalization: torch.nn.Transformer, with `batchFirst` true unless given. Matrices
 * start as Xavier uniform. Embeddings, positions and the output layer are the caller's.
 */
export class Transformer extends Module {
  readonly encoder: TransformerEncoder;
  readonly decoder: TransformerDecoder;
  readonly dModel: number;
  readonly nhead: number;
  readonly batchFirst: boolean;

  constructor({
    dModel = 512,
    nhead = 8,
    numEncoderLayers = 6,
    numDecoderLayers = 6,
    ...rest
  }: TransformerOptions = {}) {
    super();
    const layer = { dModel, nhead, norm: true, ...rest };
    this.encoder = new TransformerEncoder({ ...layer, numLayers: numEncoderLayers });
    this.decoder = new TransformerDecoder({ ...layer, numLayers: numDecoderLayers });
    this.dModel = dModel;
    this.nhead = nhead;
    this.batchFirst = rest.batchFirst ?? true;
    for (const parameter of this.parameters())
      if (parameter.ndim > 1) parameter.assign(xavierUniform(parameter.shape));
  }

  /** src [B, S, E], tgt [B, T, E] → [B, T, E]; without B for one sample. */
  forward(
    src: Tensor,
    tgt: Tensor,
    {
      srcMask = null,
      srcKeyPaddingMask = null,
      srcIsCausal = false,
      ...rest
    }: TransformerMasks = {},
  ): Tensor {
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
