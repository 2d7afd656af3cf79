/** Options of the encoder–decoder Transformer, their defaults and their checks. */

import { checkOptions } from "../tensor/arguments.ts";

/** Sizes and options of an encoder–decoder; defaults are the paper's base model. */
export interface EncoderDecoderOptions {
  /** Number of ids of sources, and of targets unless `targetVocabSize` says otherwise. */
  readonly vocabSize: number;
  /** The id that fills rows up, which nothing attends to. */
  readonly padId: number;
  readonly dModel?: number;
  readonly nhead?: number;
  readonly numEncoderLayers?: number;
  readonly numDecoderLayers?: number;
  readonly dimFeedforward?: number;
  readonly dropout?: number;
  readonly activation?: "relu" | "gelu";
  /** Normalise before attention and feed-forward instead of after the residual sums. */
  readonly normFirst?: boolean;
  readonly positions?: "sinusoidal" | "learned";
  /** Longest source and target in tokens; 512 unless given. */
  readonly maxLength?: number;
  /** One table for sources and targets; true unless given. */
  readonly shareEmbeddings?: boolean;
  /** Logits are products with the targets' embeddings; true unless given. */
  readonly tieOutput?: boolean;
  /** Number of ids of targets; only without `shareEmbeddings`. */
  readonly targetVocabSize?: number;
}

/** All options of an encoder–decoder, as config.json keeps them. */
export type EncoderDecoderConfig = Required<EncoderDecoderOptions>;

/** Options with their defaults. @throws Error for sizes that make no model. */
export function resolve(options: EncoderDecoderOptions): EncoderDecoderConfig {
  const {
    vocabSize,
    padId,
    dModel = 512,
    nhead = 8,
    numEncoderLayers = 6,
    numDecoderLayers = 6,
    dimFeedforward = 2048,
    dropout = 0.1,
    activation = "relu",
    normFirst = false,
    positions = "sinusoidal",
    maxLength = 512,
    shareEmbeddings = true,
    tieOutput = true,
    targetVocabSize = vocabSize,
  } = checkOptions("EncoderDecoder", options, [
    ...["vocabSize", "padId", "dModel", "nhead", "numEncoderLayers", "numDecoderLayers"],
    ...["dimFeedforward", "dropout", "activation", "normFirst", "positions", "maxLength"],
    ...["shareEmbeddings", "tieOutput", "targetVocabSize"],
  ]);
  for (const [name, size] of Object.entries({ vocabSize, targetVocabSize, dModel, maxLength }))
    if (!Number.isInteger(size) || size < 1)
      throw new Error(`EncoderDecoder: ${name} must be a positive integer, got ${size}`);
  if (!Number.isInteger(padId) || padId < 0 || padId >= Math.min(vocabSize, targetVocabSize))
    throw new Error(
      `EncoderDecoder: padId must be an id of the vocabulary, 0 … ${Math.min(vocabSize, targetVocabSize) - 1}, got ${padId}`,
    );
  if (positions !== "sinusoidal" && positions !== "learned")
    throw new Error(
      `EncoderDecoder: positions must be "sinusoidal" or "learned", got "${String(positions)}"`,
    );
  if (shareEmbeddings && targetVocabSize !== vocabSize)
    throw new Error(
      `EncoderDecoder: a table shared by sources and targets has one size, got vocabSize ${vocabSize} and targetVocabSize ${targetVocabSize}; use shareEmbeddings: false`,
    );
  return {
    vocabSize,
    padId,
    dModel,
    nhead,
    numEncoderLayers,
    numDecoderLayers,
    dimFeedforward,
    dropout,
    activation,
    normFirst,
    positions,
    maxLength,
    shareEmbeddings,
    tieOutput,
    targetVocabSize,
  };
}
