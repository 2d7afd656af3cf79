/**
 * Whole jobs from data to predictions, as the command line does them: translation, and named entities in documents.
 * @module learning-loop/tasks
 */

export type { AnnotatedDocument, Entity } from "../data/annotated.ts";
export { readAnnotated } from "../data/read-annotated.ts";
export { loadTagger } from "./ner/load-tagger.ts";
export {
  entitiesOf,
  evaluateTagger,
  type Evaluation,
  type FoundEntity,
  type TaggedText,
  type Tagger,
} from "./ner/tagger.ts";
export type { TrainingExtent } from "./training-extent.ts";
export { attentionPage } from "./translation/attention-page.ts";
export { corpusBleu, sentenceBleu, type BleuOptions, type BleuScore } from "./translation/bleu.ts";
export { corpusChrf, sentenceChrf, type ChrfOptions, type ChrfScore } from "./translation/chrf.ts";
export { datePairs, type DatePair, type DatePairsOptions } from "./translation/dates.ts";
export { evaluateTranslator, type TranslationReport } from "./translation/evaluate.ts";
export { holdOutPairs, type HeldOut, type HoldOutOptions } from "./translation/hold-out.ts";
export { loadTranslator } from "./translation/load-translator.ts";
export { exactMatch } from "./translation/metrics.ts";
export type { AttentionMaps, PairAttention } from "./translation/pair-attention.ts";
export {
  readPairs,
  type PairsData,
  type ReadPairsOptions,
  type SentencePair,
} from "./translation/pairs.ts";
export { DATES, TEXT, type Recipe } from "./translation/recipe.ts";
export {
  translationTraining,
  type TrainTranslatorOptions,
  type TranslatorTraining,
} from "./translation/train.ts";
export type { TranslateOptions, Translation, Translator } from "./translation/translator.ts";
