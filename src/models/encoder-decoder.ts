/** The Transformer of "Attention Is All You Need" (Vaswani et al., 2017), from token ids to logits. */

import { formatShape, ShapeError } from "../graph/shape.ts";
import { Embedding } from "../nn/embedding.ts";
import * as F from "../nn/functional/index.ts";
import { normal_, xavierUniform_ } from "../nn/init.ts";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";
import {
  LearnedPositionalEncoding,
  SinusoidalPositionalEncoding,
} from "../nn/positional-encoding.ts";
import { Transformer } from "../nn/transformer.ts";
import type { Tensor } from "../tensor.ts";
import {
  resolve,
  type EncoderDecoderConfig,
  type EncoderDecoderOptions,
} from "./encoder-decoder-options.ts";
import { checkForward } from "./ids.ts";

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
  /** Added to the vectors, with dropout on the sum (section 5.4). */
  readonly positions: SinusoidalPositionalEncoding | LearnedPositionalEncoding;
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
    const Positions =
      config.positions === "learned" ? LearnedPositionalEncoding : SinusoidalPositionalEncoding;
    this.positions = new Positions(config.maxLength, dModel, { dropout: config.dropout });
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
  forward(source: Tensor, target: Tensor, ...others: never[]): Tensor {
    checkForward("EncoderDecoder", { source, target }, others);
    const [batch] = source.shape;
    if (source.ndim !== 2 || target.ndim !== 2 || target.shape[0] !== batch)
      throw new ShapeError(
        `EncoderDecoder: expected ids [batch, length] of sources and of as many targets, got ${formatShape(source.shape)} and ${formatShape(target.shape)}`,
      );
    const { memory, padding } = this.encode(source);
    const decoded = this.transformer.decoder.forward(this.embed(this.targetTable, target), memory, {
      memoryKeyPaddingMask: padding,
      tgtKeyPaddingMask: target.eq(this.options.padId),
      tgtIsCausal: true,
    }); // [B, T, D]
    return this.logits(decoded);
  }

  /** int32 sources [B, S] → what the decoder attends to, [B, S, D], and bool [B, S], true where it must not. */
  encode(source: Tensor): { memory: Tensor; padding: Tensor } {
    const padding = source.eq(this.options.padId);
    const vectors = this.embed(this.embedding, source);
    const memory = this.transformer.encoder.forward(vectors, { srcKeyPaddingMask: padding });
    return { memory, padding };
  }

  /** What embeds targets. */
  get targetTable(): Embedding {
    return this.target_embedding ?? this.embedding;
  }

  /** int32 ids [B, T] → √D · their vectors + positions [B, T, D]. */
  embed(table: Embedding, ids: Tensor): Tensor {
    const { dModel, maxLength } = this.options;
    const length = ids.shape[1]!;
    if (length > maxLength)
      throw new ShapeError(
        `EncoderDecoder: ${length} tokens are more than maxLength ${maxLength}; cut them or build the model with a larger maxLength`,
      );
    return this.positions.forward(table.forward(ids).mul(Math.sqrt(dModel)));
  }

  /** [V, D], from vectors to logits. */
  get outputWeight(): Tensor {
    return (this.output ?? this.targetTable).weight;
  }

  /** [..., D] → [..., V]. */
  logits(decoded: Tensor): Tensor {
    return F.linear(decoded, this.outputWeight);
  }
}
