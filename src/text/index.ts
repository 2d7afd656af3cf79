/**
 * Texts: tokenizers with exact offsets, as Hugging Face's `tokenizers` has them, batches and their masks, and what positional
 * encodings are like.
 * @module learning-loop/text
 */

export {
  collateEncodings,
  type CollateAlone,
  lookAheadMask,
  paddingMask,
  type CollateEncodingsOptions,
  type EncodingBatch,
} from "./batch.ts";
export {
  mixEmbeddings,
  positionalEncodingMatrix,
  positionCorrelation,
  positionDistanceMatrix,
  positionDistances,
  positionSimilarity,
  type PositionSimilarityOptions,
} from "./positions.ts";
export { projectTo2D, type Projection } from "./projection.ts";
export type { AddedToken, NewToken } from "./tokenizer/added-tokens.ts";
export { Bpe, type BpeOptions, type Merge } from "./tokenizer/bpe.ts";
export type { Draft, Encoding } from "./tokenizer/encoding.ts";
export type { Decoder } from "./tokenizer/decoders.ts";
export * as decoders from "./tokenizer/decoders.ts";
export type { ModelToken, TokenModel } from "./tokenizer/model.ts";
export type { Change, NormalizedString } from "./tokenizer/normalized-string.ts";
export type { Normalizer } from "./tokenizer/normalizers.ts";
export * as normalizers from "./tokenizer/normalizers.ts";
export type { Padding, PaddingOptions } from "./tokenizer/padding.ts";
export type { PatternSource } from "./tokenizer/pattern.ts";
export type { PostProcessor } from "./tokenizer/post-processors.ts";
export * as postProcessors from "./tokenizer/post-processors.ts";
export type { PreTokenizer } from "./tokenizer/pre-tokenizers.ts";
export * as preTokenizers from "./tokenizer/pre-tokenizers.ts";
export {
  type EncodeOptions,
  toCodePoints,
  Tokenizer,
  type TokenizerOptions,
} from "./tokenizer/tokenizer.ts";
export {
  type Texts,
  type TokenizerProgress,
  trainBpe,
  type TrainBpeOptions,
  trainWordPiece,
  type TrainWordPieceOptions,
} from "./tokenizer/trainer.ts";
export type { Truncation, TruncationOptions } from "./tokenizer/truncation.ts";
export { Unigram, type UnigramOptions } from "./tokenizer/unigram.ts";
export { WordLevel } from "./tokenizer/word-level.ts";
export { WordPiece, type WordPieceOptions } from "./tokenizer/wordpiece.ts";
