/** A GPT-like Transformer (Radford et al., 2019): every token sees those before it, and predicts the next. */

import { formatShape, ShapeError } from "../graph/shape.ts";
import { Embedding } from "../nn/embedding.ts";
import * as F from "../nn/functional/index.ts";
import { normal_ } from "../nn/init.ts";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";
import {
  LearnedPositionalEncoding,
  SinusoidalPositionalEncoding,
} from "../nn/positional-encoding.ts";
import { TransformerEncoder } from "../nn/transformer.ts";
import { checkOptions } from "../tensor/arguments.ts";
import type { Tensor } from "../tensor.ts";
import { checkForward } from "./ids.ts";

/** Sizes and options of a decoder-only model; defaults are those of the smallest GPT-2. */
export interface DecoderOnlyOptions {
  readonly vocabSize: number;
  /** The id that fills rows up, which nothing attends to; null, the default: there is none. */
  readonly padId?: number | null;
  readonly dModel?: number;
  readonly nhead?: number;
  readonly numLayers?: number;
  /** 4 · dModel unless given. */
  readonly dimFeedforward?: number;
  readonly dropout?: number;
  readonly activation?: "relu" | "gelu";
  /** Normalise before attention and feed-forward, the default, instead of after the residual sums. */
  readonly normFirst?: boolean;
  readonly positions?: "sinusoidal" | "learned";
  /** Most tokens of a sequence; 1024 unless given. */
  readonly maxLength?: number;
  /** Logits are products with the embeddings; true unless given. */
  readonly tieOutput?: boolean;
}

/** All options of a decoder-only model, as config.json keeps them. */
export type DecoderOnlyConfig = Required<DecoderOnlyOptions>;

function resolve(options: DecoderOnlyOptions): DecoderOnlyConfig {
  const {
    vocabSize,
    padId = null,
    dModel = 768,
    nhead = 12,
    numLayers = 12,
    dimFeedforward = 4 * dModel,
    dropout = 0.1,
    activation = "gelu",
    normFirst = true,
    positions = "learned",
    maxLength = 1024,
    tieOutput = true,
  } = checkOptions("DecoderOnly", options, [
    ...["vocabSize", "padId", "dModel", "nhead", "numLayers", "dimFeedforward", "dropout"],
    ...["activation", "normFirst", "positions", "maxLength", "tieOutput"],
  ]);
  for (const [name, size] of Object.entries({ vocabSize, dModel, maxLength }))
    if (!Number.isInteger(size) || size < 1)
      throw new Error(`DecoderOnly: ${name} must be a positive integer, got ${size}`);
  if (padId !== null && !(Number.isInteger(padId) && padId >= 0 && padId < vocabSize))
    throw new Error(
      `DecoderOnly: padId must be an id of the vocabulary, 0 … ${vocabSize - 1}, or null, got ${padId}`,
    );
  if (positions !== "sinusoidal" && positions !== "learned")
    throw new Error(
      `DecoderOnly: positions must be "sinusoidal" or "learned", got "${String(positions)}"`,
    );
  return {
    ...{ vocabSize, padId, dModel, nhead, numLayers, dimFeedforward, dropout, activation },
    ...{ normFirst, positions, maxLength, tieOutput },
  };
}

/**
 * Encoder layers with a causal mask between embeddings and logits, as PyTorch's users build it. Embeddings and positions start
 * as N(0, 0.02²), matrices as Xavier uniform. Keys of the state dict: `embedding.weight`, `positions.weight`,
 * `transformer.layers.0.self_attn.in_proj_weight` and so on, `transformer.norm.weight` (with `normFirst`), `output.weight`
 * (untied).
 */
export class DecoderOnly extends Module {
  readonly options: DecoderOnlyConfig;
  readonly embedding: Embedding;
  readonly positions: SinusoidalPositionalEncoding | LearnedPositionalEncoding;
  readonly transformer: TransformerEncoder;
  readonly output: Linear | null;

  /** @throws Error for sizes that make no model. */
  constructor(options: DecoderOnlyOptions) {
    super();
    const config = resolve(options);
    this.options = config;
    const { vocabSize, dModel, dropout, normFirst } = config;
    this.embedding = new Embedding(vocabSize, dModel);
    normal_(this.embedding.weight, 0, 0.02);
    const Positions =
      config.positions === "learned" ? LearnedPositionalEncoding : SinusoidalPositionalEncoding;
    this.positions = new Positions(config.maxLength, dModel, { dropout });
    this.transformer = new TransformerEncoder({
      ...{ dModel, nhead: config.nhead, dimFeedforward: config.dimFeedforward, dropout, normFirst },
      ...{ activation: config.activation, batchFirst: true },
      ...{ numLayers: config.numLayers, norm: normFirst },
    });
    this.output = config.tieOutput ? null : new Linear(dModel, vocabSize, { bias: false });
  }

  /** What `new DecoderOnly` needs to make a model of the same architecture; plain JSON. */
  config(): DecoderOnlyConfig {
    return this.options;
  }

  /** int32 ids [B, T] → logits [B, T, V], of the token behind each. */
  forward(ids: Tensor, ...others: never[]): Tensor {
    checkForward("DecoderOnly", { ids }, others);
    const { maxLength, padId } = this.options;
    const length = ids.shape[1] ?? 0;
    if (ids.ndim !== 2 || length > maxLength)
      throw new ShapeError(
        `DecoderOnly: expected ids [batch, length] of at most ${maxLength} tokens, got ${formatShape(ids.shape)}`,
      );
    const x = this.positions.forward(this.embedding.forward(ids));
    const decoded = this.transformer.forward(x, {
      isCausal: true,
      srcKeyPaddingMask: padId === null ? null : ids.eq(padId),
    });
    return F.linear(decoded, this.outputWeight);
  }

  /** [V, D], from vectors to logits. */
  get outputWeight(): Tensor {
    return (this.output ?? this.embedding).weight;
  }
}
