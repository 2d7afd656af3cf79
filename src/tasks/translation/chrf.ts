/** chrF and chrF++, measures of machine translation by characters in common, with the numbers of sacrebleu. */

import { checkCount } from "../../data/checks.ts";
import { DEFAULT_SEED, confidenceOf } from "./metrics-bootstrap.ts";
import {
  alignReferences,
  increment,
  overlap,
  signatureOf,
  splitWords,
  sumOf,
  type CorpusScore,
  type Counts,
  type References,
} from "./metrics.ts";

/** Options of {@link corpusChrf} and {@link sentenceChrf}. */
export interface ChrfOptions {
  /** Longest n-grams of characters (default 6). */
  readonly charOrder?: number;
  /** Longest n-grams of words (default 0: chrF; 2: chrF++). */
  readonly wordOrder?: number;
  /** How many times as much recall counts as precision (default 2). */
  readonly beta?: number;
  readonly lowercase?: boolean;
  /** Whether n-grams of characters have white space in them (default false). */
  readonly whitespace?: boolean;
  /** Orders without n-grams count as (almost) zero, as in chrF++.py and NLTK, and are not left out (default false). */
  readonly epsilonSmoothing?: boolean;
  /** How many samples to draw for a confidence interval (default 0: none). */
  readonly bootstrap?: number;
  /** Of the samples (default 12345, that of sacrebleu). */
  readonly seed?: number;
}

/** chrF of a corpus or a sentence. */
export interface ChrfScore extends CorpusScore {
  /** Such as `chrF2` or `chrF2++`: beta, and a plus for each order of words. */
  readonly name: string;
}

/**
 * chrF (0–100) of a corpus: the F-score of n-grams of characters (Popović, "chrF: character n-gram F-score for automatic
 * MT evaluation", WMT 2015), with `wordOrder: 2` chrF++ (Popović, "chrF++: words helping character n-grams", WMT 2017).
 * Numbers and signature are those of sacrebleu 2.6 with the same options. Of several references, that with the best
 * score counts.
 *
 * @param references for each hypothesis one reference or a list of them.
 * @throws RangeError when references are missing or an option is out of range; TypeError when a sentence is no text.
 */
export function corpusChrf(
  hypotheses: readonly string[],
  references: References,
  options: ChrfOptions = {},
): ChrfScore {
  return chrf("corpusChrf", hypotheses, references, options);
}

/** chrF (0–100) of a sentence. @throws as {@link corpusChrf} */
export function sentenceChrf(
  hypothesis: string,
  references: string | readonly string[],
  options: Omit<ChrfOptions, "bootstrap" | "seed"> = {},
): ChrfScore {
  return chrf("sentenceChrf", [hypothesis], [references], options);
}

function chrf(
  op: string,
  hypotheses: readonly string[],
  references: References,
  options: ChrfOptions,
): ChrfScore {
  const { charOrder = 6, wordOrder = 0, beta = 2, lowercase = false, whitespace = false } = options;
  const { epsilonSmoothing = false, bootstrap = 0, seed = DEFAULT_SEED } = options;
  checkCount(op, "charOrder", charOrder, 1);
  checkCount(op, "wordOrder", wordOrder, 0);
  const { all, count } = alignReferences(op, hypotheses, references);
  const countsOf = (given: string): Counts[] => {
    const text = lowercase ? given.toLowerCase() : given;
    const words = wordOrder > 0 ? wordsOf(text) : [];
    return [
      ...charNgrams(whitespace ? text : splitWords(text).join(""), charOrder),
      ...Array.from({ length: wordOrder }, (_, n) => wordNgrams(words, n + 1)),
    ];
  };
  const scoreOf = (sum: Float64Array): number => fScore(sum, beta, epsilonSmoothing);
  const statistics = hypotheses.map((hypothesis, i) => {
    const counts = countsOf(hypothesis);
    const rows = all[i]!.map((reference) => match(counts, countsOf(reference)));
    return rows.reduce((best, row) => (scoreOf(row) > scoreOf(best) ? row : best));
  });
  const confidence = confidenceOf(op, statistics, scoreOf, { samples: bootstrap, seed });
  return {
    name: `chrF${beta}${"+".repeat(wordOrder)}`,
    score: scoreOf(sumOf(statistics)),
    ...confidence,
    signature: signatureOf({
      nrefs: count,
      bs: bootstrap > 0 ? bootstrap : undefined,
      seed: bootstrap > 0 ? seed : undefined,
      case: lowercase ? "lc" : "mixed",
      eff: epsilonSmoothing ? "no" : "yes",
      nc: charOrder,
      nw: wordOrder,
      space: whitespace ? "yes" : "no",
    }),
  };
}

/** For each order: n-grams of the hypothesis (0 where the reference has none), of the reference, and in common. */
function match(hypothesis: readonly Counts[], reference: readonly Counts[]): Float64Array {
  const row = new Float64Array(3 * hypothesis.length);
  hypothesis.forEach((counts, n) => {
    const other = reference[n]!;
    row[3 * n] = other.size === 0 ? 0 : sizeOf(counts);
    row[3 * n + 1] = sizeOf(other);
    row[3 * n + 2] = overlap(counts, other);
  });
  return row;
}

function sizeOf(counts: Counts): number {
  let size = 0;
  for (const count of counts.values()) size += count;
  return size;
}

/** Stands in for what is undefined. */
const EPSILON = 1e-16;

/** F = (1 + β²) P R / (β² P + R), of P and R averaged over the orders that both sides have, or averaged over all orders. */
function fScore(row: Float64Array, beta: number, epsilonSmoothing: boolean): number {
  const factor = beta ** 2;
  const orders = row.length / 3;
  let precision = 0;
  let recall = 0;
  let effective = 0;
  let score = 0;
  for (let n = 0; n < orders; n++) {
    const [ours, theirs, common] = [row[3 * n]!, row[3 * n + 1]!, row[3 * n + 2]!];
    const p = ours > 0 ? common / ours : EPSILON;
    const r = theirs > 0 ? common / theirs : EPSILON;
    const divisor = factor * p + r;
    score += divisor > 0 ? ((1 + factor) * p * r) / divisor : EPSILON;
    if (ours === 0 || theirs === 0) continue;
    precision += p;
    recall += r;
    effective += 1;
  }
  if (epsilonSmoothing) return (100 * score) / orders;
  if (precision + recall === 0) return 0;
  precision /= effective;
  recall /= effective;
  return (100 * (1 + factor) * precision * recall) / (factor * precision + recall);
}

/** n-grams of Unicode characters of orders 1 … `maxOrder`. */
function charNgrams(text: string, maxOrder: number): Counts[] {
  const starts: number[] = [];
  for (let at = 0; at < text.length; at += text.codePointAt(at)! > 0xffff ? 2 : 1) starts.push(at);
  starts.push(text.length);
  return Array.from({ length: maxOrder }, (_, n) => {
    const counts: Counts = new Map();
    for (let i = 0; i + n + 1 < starts.length; i++)
      increment(counts, text.slice(starts[i], starts[i + n + 1]));
    return counts;
  });
}

function wordNgrams(words: readonly string[], order: number): Counts {
  const counts: Counts = new Map();
  for (let i = 0; i + order <= words.length; i++)
    increment(counts, words.slice(i, i + order).join(" "));
  return counts;
}

/** Words, with one sign of punctuation cut off at the end or else at the beginning. */
function wordsOf(text: string): string[] {
  return splitWords(text).flatMap((word) => {
    const characters = [...word];
    if (characters.length === 1) return [word];
    if (PUNCTUATION.test(characters.at(-1)!)) return [word.slice(0, -1), word.slice(-1)];
    return PUNCTUATION.test(word[0]!) ? [word.slice(0, 1), word.slice(1)] : [word];
  });
}

/** That of ASCII. */
const PUNCTUATION = /^[!-/:-@[-`{-~]$/;
