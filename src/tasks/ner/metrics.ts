/** Entity-level precision, recall and F1 with the semantics of seqeval, the measure that papers report. */
import { chunksOf } from "./tags.ts";

/** Shares in [0, 1], 0 where a denominator is 0; `support` is the number of true entities. */
export interface Score {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly support: number;
}

/** Scores of entities, exact in edges and label: seqeval's default mode. */
export interface EntityReport {
  /** Scores of each label that occurs in the truth or the predictions, by name. */
  readonly labels: Readonly<Record<string, Score>>;
  /** All entities counted alike. */
  readonly micro: Score;
  /** Mean over the labels. */
  readonly macro: Score;
  /** Mean over the labels, weighted by support. */
  readonly weighted: Score;
}

interface Counts {
  correct: number;
  predicted: number;
  actual: number;
}

/**
 * Compares predicted BIO tags with the true ones, sequence by sequence. An entity counts as found when label, first and
 * last token are all right. Equals `classification_report` of seqeval 1.2 (https://github.com/chakki-works/seqeval),
 * with `strict` that of `mode="strict", scheme=IOB2`.
 *
 * @throws RangeError when the numbers of sequences or of tags in one differ.
 */
export function entityReport(
  actual: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
  { strict = false } = {},
): EntityReport {
  if (actual.length !== predicted.length) {
    throw new RangeError(
      `entityReport: expected as many predicted sequences as true ones, got ${predicted.length} and ${actual.length}`,
    );
  }
  const counts = new Map<string, Counts>();
  const countsOf = (label: string): Counts => {
    const entry = counts.get(label) ?? { correct: 0, predicted: 0, actual: 0 };
    counts.set(label, entry);
    return entry;
  };
  actual.forEach((truth, i) => {
    const guess = predicted[i] ?? [];
    if (truth.length !== guess.length) {
      throw new RangeError(
        `entityReport: sequence ${i} has ${truth.length} true tags and ${guess.length} predicted ones`,
      );
    }
    const found = new Set<string>();
    for (const { label, first, last } of chunksOf(truth, { strict })) {
      countsOf(label).actual += 1;
      found.add(`${first} ${last} ${label}`);
    }
    for (const { label, first, last } of chunksOf(guess, { strict })) {
      countsOf(label).predicted += 1;
      if (found.has(`${first} ${last} ${label}`)) countsOf(label).correct += 1;
    }
  });

  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const scores = sorted.map(([, entry]) => scoreOf(entry));
  const total = { correct: 0, predicted: 0, actual: 0 };
  for (const [, entry] of sorted) {
    total.correct += entry.correct;
    total.predicted += entry.predicted;
    total.actual += entry.actual;
  }
  return {
    labels: Object.fromEntries(sorted.map(([label, entry]) => [label, scoreOf(entry)])),
    micro: scoreOf(total),
    macro: meanOf(scores, () => 1),
    weighted: meanOf(scores, ({ support }) => support),
  };
}

function scoreOf({ correct, predicted, actual }: Counts): Score {
  const precision = predicted === 0 ? 0 : correct / predicted;
  const recall = actual === 0 ? 0 : correct / actual;
  // F1 is the harmonic mean 2PR / (P + R).
  const sum = precision + recall;
  return { precision, recall, f1: sum === 0 ? 0 : (2 * precision * recall) / sum, support: actual };
}

function meanOf(scores: readonly Score[], weightOf: (score: Score) => number): Score {
  const weight = scores.reduce((sum, score) => sum + weightOf(score), 0);
  const mean = (pick: (score: Score) => number) =>
    weight === 0 ? 0 : scores.reduce((sum, s) => sum + pick(s) * weightOf(s), 0) / weight;
  return {
    precision: mean((s) => s.precision),
    recall: mean((s) => s.recall),
    f1: mean((s) => s.f1),
    support: scores.reduce((sum, s) => sum + s.support, 0),
  };
}
