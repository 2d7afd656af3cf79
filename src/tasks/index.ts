/**
 * Whole jobs from data to predictions, as the command line does them: translation, and named entities in documents.
 * @module learning-loop/tasks
 */

export type { RepairEntry, Repairs } from "../data/repairs.ts";
export type { ZipLimits } from "../data/zip.ts";
export type { AnnotatedDocument, Entity } from "../data/annotated.ts";
export {
  readAnnotated,
  type AnnotatedData,
  type AnnotatedFormat,
  type ReadOptions,
} from "../data/read-annotated.ts";
export { loadTagger } from "./ner/load-tagger.ts";
export type { EntityReport, Score } from "./ner/metrics.ts";
export {
  entitiesOf,
  evaluateTagger,
  type Evaluation,
  type FoundEntity,
  type TaggedText,
  type Tagger,
} from "./ner/tagger.ts";
export type { TransformerTagger } from "./ner/transformer-tagger.ts";
export type { Gap, Token, TokenKind } from "../text/tokenize.ts";
export type { TrainingExtent } from "./training-extent.ts";
export { attentionPage, type AttentionPageOptions } from "./translation/attention-page.ts";
export type { TranslationBatch } from "./translation/batches.ts";
export {
  corpusBleu,
  sentenceBleu,
  type BleuOptions,
  type BleuScore,
  type BleuSmoothing,
} from "./translation/bleu.ts";
export { corpusChrf, sentenceChrf, type ChrfOptions, type ChrfScore } from "./translation/chrf.ts";
export {
  dateLanguages,
  datePairs,
  type DatePair,
  type DatePairsOptions,
} from "./translation/dates.ts";
export { evaluateTranslator, type TranslationReport } from "./translation/evaluate.ts";
export {
  holdOutPairs,
  sentenceKey,
  type HeldOut,
  type HoldOutOptions,
} from "./translation/hold-out.ts";
export { loadTranslator } from "./translation/load-translator.ts";
export {
  exactMatch,
  type Confidence,
  type CorpusScore,
  type References,
} from "./translation/metrics.ts";
export type { BleuTokenizer } from "./translation/metrics-tokenizers.ts";
export type { AttentionMaps, PairAttention } from "./translation/pair-attention.ts";
export {
  readPairs,
  type PairsData,
  type ReadPairsOptions,
  type SentencePair,
  type SkippedLines,
} from "./translation/pairs.ts";
export { DATES, TEXT, type Recipe } from "./translation/recipe.ts";
export {
  translationTraining,
  type TrainTranslatorOptions,
  type TranslatorTraining,
} from "./translation/train.ts";
export type { TransformerTranslator } from "./translation/transformer-translator.ts";
export type { TranslateOptions, Translation, Translator } from "./translation/translator.ts";
