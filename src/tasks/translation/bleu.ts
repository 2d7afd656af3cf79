/** BLEU, the measure of machine translation by words in common, with the numbers of sacrebleu. */

import { checkCount } from "../../data/checks.ts";
import { DEFAULT_SEED, confidenceOf } from "./metrics-bootstrap.ts";
import { BLEU_TOKENIZERS, type BleuTokenizer } from "./metrics-tokenizers.ts";
import {
  alignReferences,
  fixed,
  increment,
  overlap,
  signatureOf,
  sumOf,
  trimEnd,
  type CorpusScore,
  type Counts,
  type References,
} from "./metrics.ts";

/** How sentences without n-grams in common get a score above 0, named as in sacrebleu. */
export type BleuSmoothing = "exp" | "floor" | "add-k" | "none";

/** Options of {@link corpusBleu} and {@link sentenceBleu}. */
export interface BleuOptions {
  readonly tokenize?: BleuTokenizer;
  readonly lowercase?: boolean;
  /** What stands in for a precision of 0 where other orders have matches (default `exp`). */
  readonly smoothing?: BleuSmoothing;
  /** For `floor` (default 0.1) and `add-k` (default 1). */
  readonly smoothingValue?: number;
  /** Leave out orders of which the hypotheses have no n-gram (default false). */
  readonly effectiveOrder?: boolean;
  /** Longest n-grams (default 4). */
  readonly maxOrder?: number;
  /** How many samples to draw for a confidence interval (default 0: none). */
  readonly bootstrap?: number;
  /** Of the samples (default 12345, that of sacrebleu). */
  readonly seed?: number;
}

/** BLEU and what it was made of. */
export interface BleuScore extends CorpusScore {
  /** Of n-grams of 1 … `maxOrder` words, 0–100, smoothed. */
  readonly precisions: readonly number[];
  /** n-grams in common with a reference, and n-grams of the hypotheses, by order. */
  readonly counts: readonly number[];
  readonly totals: readonly number[];
  /** 1 unless the hypotheses are shorter than the references. */
  readonly brevityPenalty: number;
  /** Length of the hypotheses over that of the references (0 where those are empty). */
  readonly ratio: number;
  /** In words. */
  readonly hypothesisLength: number;
  /** In words, of the reference of nearest length to each hypothesis. */
  readonly referenceLength: number;
  /** Such as `60.0/50.0/33.3/25.0 (BP = 1.000 ratio = 1.000 hyp_len = 5 ref_len = 5)`. */
  readonly verbose: string;
}

const SMOOTHING: Readonly<Record<BleuSmoothing, number | undefined>> = {
  exp: undefined,
  floor: 0.1,
  "add-k": 1,
  none: undefined,
};

/**
 * BLEU (0–100) of a corpus: the geometric mean of the precisions of its n-grams, times a penalty for brevity (Papineni et
 * al., "BLEU: a method for automatic evaluation of machine translation", ACL 2002). Numbers and signature are those of
 * sacrebleu 2.6 (Post, "A call for clarity in reporting BLEU scores", WMT 2018) with the same options; as there,
 * sentences are to be given as written, not cut into tokens.
 *
 * @param references for each hypothesis one reference or a list of them.
 * @throws RangeError when references are missing or an option is out of range; TypeError when a sentence is no text.
 */
export function corpusBleu(
  hypotheses: readonly string[],
  references: References,
  options: BleuOptions = {},
): BleuScore {
  return bleu("corpusBleu", hypotheses, references, options);
}

/**
 * BLEU (0–100) of a sentence, by default over the orders it has n-grams of, as `sacrebleu.sentence_bleu`.
 * @throws as {@link corpusBleu}
 */
export function sentenceBleu(
  hypothesis: string,
  references: string | readonly string[],
  options: Omit<BleuOptions, "bootstrap" | "seed"> = {},
): BleuScore {
  return bleu("sentenceBleu", [hypothesis], [references], { effectiveOrder: true, ...options });
}

function bleu(
  op: string,
  hypotheses: readonly string[],
  references: References,
  options: BleuOptions,
): BleuScore {
  const { tokenize = "13a", lowercase = false, smoothing = "exp", maxOrder = 4 } = options;
  const { effectiveOrder = false, bootstrap = 0, seed = DEFAULT_SEED } = options;
  if (!Object.hasOwn(BLEU_TOKENIZERS, tokenize)) throw unknown(op, "tokenize", BLEU_TOKENIZERS);
  if (!Object.hasOwn(SMOOTHING, smoothing)) throw unknown(op, "smoothing", SMOOTHING);
  checkCount(op, "maxOrder", maxOrder, 1);
  const smoothingValue = options.smoothingValue ?? SMOOTHING[smoothing] ?? 0;
  const cut = BLEU_TOKENIZERS[tokenize];
  const words = (text: string): string[] => cut(trimEnd(lowercase ? text.toLowerCase() : text));
  const { all, count } = alignReferences(op, hypotheses, references);
  const statistics = hypotheses.map((hypothesis, i) =>
    sentenceStatistics(words(hypothesis), all[i]!.map(words), maxOrder),
  );
  const rule = { smoothing, smoothingValue, effectiveOrder, maxOrder };
  const found = scoreOf(sumOf(statistics), rule);
  const confidence = confidenceOf(op, statistics, (sum) => scoreOf(sum, rule).score, {
    samples: bootstrap,
    seed,
  });
  const hasValue = SMOOTHING[smoothing] !== undefined;
  return {
    ...found,
    ...confidence,
    signature: signatureOf({
      nrefs: count,
      bs: bootstrap > 0 ? bootstrap : undefined,
      seed: bootstrap > 0 ? seed : undefined,
      case: lowercase ? "lc" : "mixed",
      eff: effectiveOrder ? "yes" : "no",
      tok: tokenize,
      smooth: hasValue ? `${smoothing}[${fixed(smoothingValue, 2)}]` : smoothing,
    }),
  };
}

const unknown = (op: string, name: string, known: object): RangeError =>
  new RangeError(`${op}: ${name} must be one of ${Object.keys(known).join(", ")}`);

/** Lengths of hypothesis and nearest reference, then matches and n-grams by order: 2 + 2 · `maxOrder` numbers. */
function sentenceStatistics(
  hypothesis: readonly string[],
  references: readonly (readonly string[])[],
  maxOrder: number,
): Float64Array {
  const { length } = hypothesis;
  const nearest = references
    .map((words) => words.length)
    .reduce((best, other) => {
      const nearer = Math.abs(other - length) - Math.abs(best - length);
      return nearer < 0 || (nearer === 0 && other < best) ? other : best;
    });
  const row = new Float64Array(2 + 2 * maxOrder);
  row[0] = length;
  row[1] = nearest;
  for (let order = 1; order <= maxOrder; order++) {
    const most: Counts = new Map();
    for (const words of references) {
      for (const [key, count] of ngrams(words, order))
        most.set(key, Math.max(most.get(key) ?? 0, count));
    }
    row[1 + order] = overlap(ngrams(hypothesis, order), most);
    row[1 + maxOrder + order] = Math.max(0, length - order + 1);
  }
  return row;
}

function ngrams(words: readonly string[], order: number): Counts {
  const counts: Counts = new Map();
  // A space joins unambiguously: no word has one.
  for (let i = 0; i + order <= words.length; i++)
    increment(counts, words.slice(i, i + order).join(" "));
  return counts;
}

interface Rule {
  readonly smoothing: BleuSmoothing;
  readonly smoothingValue: number;
  readonly effectiveOrder: boolean;
  readonly maxOrder: number;
}

function scoreOf(sum: Float64Array, rule: Rule): Omit<BleuScore, "signature" | "confidence"> {
  const { maxOrder } = rule;
  const [hypothesisLength, referenceLength] = [sum[0]!, sum[1]!];
  const counts = [...sum.subarray(2, 2 + maxOrder)];
  const totals = [...sum.subarray(2 + maxOrder)];
  // exp(1 − r/c) for a hypothesis of c words, fewer than the r of its reference.
  const brevityPenalty =
    hypothesisLength >= referenceLength ? 1 : Math.exp(1 - referenceLength / hypothesisLength);
  const { precisions, orders } = precisionsOf(counts, totals, rule);
  const logs = precisions.slice(0, orders).map((precision) => Math.log(precision));
  const mean = logs.reduce((total, log) => total + log, 0) / orders;
  const ratio = referenceLength === 0 ? 0 : hypothesisLength / referenceLength;
  return {
    score: orders === 0 ? 0 : brevityPenalty * Math.exp(mean),
    precisions,
    counts,
    totals,
    brevityPenalty,
    ratio,
    hypothesisLength,
    referenceLength,
    verbose:
      `${precisions.map((precision) => fixed(precision, 1)).join("/")} (BP = ${fixed(brevityPenalty, 3)} ` +
      `ratio = ${fixed(ratio, 3)} hyp_len = ${hypothesisLength} ref_len = ${referenceLength})`,
  };
}

/** Smoothed precisions (0–100), and of how many orders to take the mean; of none where nothing matches. */
function precisionsOf(
  counts: readonly number[],
  totals: readonly number[],
  { smoothing, smoothingValue, effectiveOrder, maxOrder }: Rule,
): { precisions: number[]; orders: number } {
  const precisions = counts.map(() => 0);
  if (counts.every((count) => count === 0)) return { precisions, orders: 0 };
  let orders = maxOrder;
  let halved = 1;
  for (let n = 0; n < maxOrder; n++) {
    const added = smoothing === "add-k" && n > 0 ? smoothingValue : 0;
    let matches = counts[n]! + added;
    const total = totals[n]! + added;
    if (total === 0) break;
    if (effectiveOrder) orders = n + 1;
    if (matches === 0 && smoothing === "floor") matches = smoothingValue;
    // 1/2, 1/4, … of a match for the first order without any, the second, …
    if (matches === 0 && smoothing === "exp") matches = halved /= 2;
    precisions[n] = (100 * matches) / total;
  }
  return { precisions, orders };
}
