/** Measures a translator on sentence pairs. */
import { corpusBleu, type BleuScore } from "./bleu.ts";
import { corpusChrf, type ChrfScore } from "./chrf.ts";
import { exactMatch } from "./metrics.ts";
import type { SentencePair } from "./pairs.ts";
import type { TranslateOptions, Translator } from "./translator.ts";

/** What {@link evaluateTranslator} measures. */
export interface TranslationReport {
  readonly pairs: number;
  /** Share of translations that equal their reference to the letter, 0 to 100. */
  readonly exactMatch: number;
  readonly bleu: BleuScore;
  readonly chrf: ChrfScore;
  /** Translations in the order of the pairs. */
  readonly translations: readonly string[];
  /** Tokens written. */
  readonly tokens: number;
  /** Sources that were cut to the model's limit. */
  readonly cut: number;
}

/** Translates the sources and compares with the targets. */
export async function evaluateTranslator(
  translator: Translator,
  pairs: readonly SentencePair[],
  options: TranslateOptions = {},
): Promise<TranslationReport> {
  const found = await translator.translate(
    pairs.map(({ source }) => source),
    options,
  );
  const translations = found.map(({ text }) => text);
  const references = pairs.map(({ target }) => target);
  return {
    pairs: pairs.length,
    exactMatch: exactMatch(translations, references),
    bleu: corpusBleu(translations, references),
    chrf: corpusChrf(translations, references),
    translations,
    tokens: found.reduce((sum, { tokens }) => sum + tokens, 0),
    cut: found.filter(({ cut }) => cut > 0).length,
  };
}
