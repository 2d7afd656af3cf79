/** One layer of a Transformer's encoder and decoder: attention and a feed-forward network with residual sums. */

import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import { MultiheadAttention } from "./attention.ts";
import type { AttentionMasks } from "./attention-masks.ts";
import { Dropout } from "./dropout.ts";
import * as F from "./functional/index.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { LayerNorm } from "./normalization.ts";
import {
  DECODER_STEP,
  ENCODER_STEP,
  LAYER,
  TARGET_MASKS,
  type DecoderMasks,
  type DecoderStep,
  type EncoderMasks,
  type EncoderStep,
  type TransformerLayerOptions,
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
