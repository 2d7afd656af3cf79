/** The encoder half of "Attention Is All You Need", with torch.nn's names and defaults. */

import type { Tensor } from "../tensor.ts";
import { MultiheadAttention, type AttentionMasks } from "./attention.ts";
import * as F from "./functional/index.ts";
import { Dropout } from "./dropout.ts";
import { Linear } from "./linear.ts";
import { LayerNorm } from "./normalization.ts";
import { Module } from "./module.ts";

export interface TransformerLayerOptions {
  readonly dModel: number;
  readonly nhead: number;
  /** Width of the feed-forward part; 2048 unless given. */
  readonly dimFeedforward?: number;
  readonly dropout?: number;
  readonly activation?: "relu" | "gelu";
  /** Normalise before attention and feed-forward instead of after the residual sums. */
  readonly normFirst?: boolean;
  readonly layerNormEps?: number;
  /** Inputs are [B, T, E] (default) rather than [T, B, E]. */
  readonly batchFirst?: boolean;
}

export interface EncoderMasks {
  /** [T, T], true where attention is not allowed. */
  readonly mask?: Tensor | null;
  /** [B, T], true for padding. */
  readonly srcKeyPaddingMask?: Tensor | null;
}

/** Self-attention and a feed-forward network, each with a residual sum and layer normalization. */
export class TransformerEncoderLayer extends Module {
  readonly self_attn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly normFirst: boolean;
  readonly activation: (x: Tensor) => Tensor;

  constructor({
    dModel,
    nhead,
    dimFeedforward = 2048,
    dropout = 0.1,
    activation = "relu",
    normFirst = false,
    layerNormEps = 1e-5,
    batchFirst = true,
  }: TransformerLayerOptions) {
    super();
    this.self_attn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst });
    this.linear1 = new Linear(dModel, dimFeedforward);
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel);
    this.norm1 = new LayerNorm(dModel, { eps: layerNormEps });
    this.norm2 = new LayerNorm(dModel, { eps: layerNormEps });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.normFirst = normFirst;
    this.activation = activation === "gelu" ? F.gelu : F.relu;
  }

  /** src [B, T, E] → [B, T, E]. */
  forward(src: Tensor, { mask = null, srcKeyPaddingMask = null }: EncoderMasks = {}): Tensor {
    const masks: AttentionMasks = { attnMask: mask, keyPaddingMask: srcKeyPaddingMask };
    if (this.normFirst) {
      const x = src.add(this.#attend(this.norm1.forward(src), masks));
      return x.add(this.#feed(this.norm2.forward(x)));
    }
    const x = this.norm1.forward(src.add(this.#attend(src, masks)));
    return this.norm2.forward(x.add(this.#feed(x)));
  }

  #attend(x: Tensor, masks: AttentionMasks): Tensor {
    return this.dropout1.forward(this.self_attn.forward(x, x, x, masks).output);
  }

  #feed(x: Tensor): Tensor {
    const hidden = this.dropout.forward(this.activation(this.linear1.forward(x)));
    return this.dropout2.forward(this.linear2.forward(hidden));
  }
}

/** A stack of encoder layers, each with its own weights: torch.nn.TransformerEncoder. */
export class TransformerEncoder extends Module {
  readonly layers: readonly TransformerEncoderLayer[];
  readonly norm: LayerNorm | null;

  /** `norm`: a layer normalization after the last layer, as pre-norm stacks need. */
  constructor(
    options: TransformerLayerOptions & { readonly numLayers: number; readonly norm?: boolean },
  ) {
    super();
    this.layers = Array.from(
      { length: options.numLayers },
      () => new TransformerEncoderLayer(options),
    );
    this.norm = options.norm
      ? new LayerNorm(options.dModel, { eps: options.layerNormEps ?? 1e-5 })
      : null;
  }

  forward(src: Tensor, masks: EncoderMasks = {}): Tensor {
    const x = this.layers.reduce((y, layer) => layer.forward(y, masks), src);
    return this.norm === null ? x : this.norm.forward(x);
  }
}
