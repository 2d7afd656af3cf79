/** The Transformer of "Attention Is All You Need" (Vaswani et al., 2017), from token ids to logits. */

import { arange } from "../creation.ts";
import { formatShape, ShapeError } from "../graph/shape.ts";
import { Dropout } from "../nn/dropout.ts";
import { Embedding } from "../nn/embedding.ts";
import * as F from "../nn/functional/index.ts";
import { normal_, xavierUniform_ } from "../nn/init.ts";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";
import { Transformer } from "../nn/transformer.ts";
import type { Tensor } from "../tensor.ts";
import { sinusoids } from "./sinusoids.ts";
import {
  resolve,
  type EncoderDecoderConfig,
  type EncoderDecoderOptions,
} from "./encoder-decoder-options.ts";

export type { EncoderDecoderConfig, EncoderDecoderOptions } from "./encoder-decoder-options.ts";

/**
 * Encoder and decoder between token embeddings, scaled by √dModel and summed with positions, and logits. Unless options say
 * otherwise one table embeds sources and targets and makes the logits (section 3.4). Matrices start as Xavier uniform,
 * embeddings as N(0, 1/dModel). Keys of the state dict: `embedding.weight`, `transformer.encoder.layers.0…` and so on as
 * torch.nn.Transformer's, and where not shared `target_embedding.weight`, `output.weight`, `positions.weight`.
 */
export class EncoderDecoder extends Module {
  readonly options: EncoderDecoderConfig;
  /** [V, D], of sources; of targets and logits too where they have none of their own. */
  readonly embedding: Embedding;
  readonly target_embedding: Embedding | null;
  /** [maxLength, D], learned; null with sinusoids. */
  readonly positions: Embedding | null;
  readonly dropout: Dropout;
  readonly transformer: Transformer;
  readonly output: Linear | null;

  /** @throws Error for sizes that make no model. */
  constructor(options: EncoderDecoderOptions) {
    super();
    const config = resolve(options);
    this.options = config;
    const { vocabSize, targetVocabSize, dModel } = config;
    const table = (count: number): Embedding => {
      const made = new Embedding(count, dModel);
      normal_(made.weight, 0, dModel ** -0.5);
      return made;
    };
    this.embedding = table(vocabSize);
    this.target_embedding = config.shareEmbeddings ? null : table(targetVocabSize);
    this.positions = config.positions === "learned" ? table(config.maxLength) : null;
    this.dropout = new Dropout(config.dropout);
    this.transformer = new Transformer({
      dModel,
      nhead: config.nhead,
      numEncoderLayers: config.numEncoderLayers,
      numDecoderLayers: config.numDecoderLayers,
      dimFeedforward: config.dimFeedforward,
      dropout: config.dropout,
      activation: config.activation,
      normFirst: config.normFirst,
      batchFirst: true,
    });
    this.output = config.tieOutput ? null : new Linear(dModel, targetVocabSize, { bias: false });
    if (this.output !== null) xavierUniform_(this.output.weight);
  }

  /** What `new EncoderDecoder` needs to make a model of the same architecture; plain JSON. */
  config(): EncoderDecoderConfig {
    return this.options;
  }

  /**
   * int32 sources [B, S] and targets [B, T] → logits [B, T, V]: position t of the targets sees the targets up to t and the
   * source, and predicts target t + 1. `padId` is hidden from every attention.
   */
  forward(source: Tensor, target: Tensor): Tensor {
    const [batch] = source.shape;
    if (source.ndim !== 2 || target.ndim !== 2 || target.shape[0] !== batch)
      throw new ShapeError(
        `EncoderDecoder: expected ids [batch, length] of sources and of as many targets, got ${formatShape(source.shape)} and ${formatShape(target.shape)}`,
      );
    const { padId } = this.options;
    const sourcePadding = source.eq(padId); // [B, S]
    const decoded = this.transformer.forward(
      this.embed(this.embedding, source),
      this.embed(this.target_embedding ?? this.embedding, target),
      {
        srcKeyPaddingMask: sourcePadding,
        memoryKeyPaddingMask: sourcePadding,
        tgtKeyPaddingMask: target.eq(padId),
        tgtIsCausal: true,
      },
    ); // [B, T, D]
    return this.logits(decoded);
  }

  /** int32 ids [B, T] → √D · their vectors + positions [B, T, D]. */
  embed(table: Embedding, ids: Tensor): Tensor {
    const { dModel, maxLength } = this.options;
    const length = ids.shape[1]!;
    if (length > maxLength)
      throw new ShapeError(
        `EncoderDecoder: ${length} tokens are more than maxLength ${maxLength}; cut them or build the model with a larger maxLength`,
      );
    const positions = this.positions?.forward(arange(length)) ?? sinusoids(length, dModel);
    return this.dropout.forward(table.forward(ids).mul(Math.sqrt(dModel)).add(positions));
  }

  /** [..., D] → [..., V]. */
  logits(decoded: Tensor): Tensor {
    const { weight } = this.output ?? this.target_embedding ?? this.embedding;
    return F.linear(decoded, weight);
  }
}
