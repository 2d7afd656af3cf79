/** Confidence intervals of corpus scores by bootstrap resampling, with the very samples that sacrebleu draws. */

import { checkCount } from "../../data/checks.ts";
import { sumOf, type Confidence } from "./metrics.ts";
import { NumpyRandom } from "./metrics-random.ts";

/** The seed that sacrebleu takes unless told otherwise. */
export const DEFAULT_SEED = 12345;

/**
 * Scores corpora of as many sentences, drawn from the given ones with replacement (Koehn, "Statistical significance tests
 * for machine translation evaluation", EMNLP 2004). Gives nothing for no samples.
 */
export function confidenceOf(
  op: string,
  statistics: readonly Float64Array[],
  scoreOf: (sum: Float64Array) => number,
  { samples, seed }: { samples: number; seed: number },
): { confidence?: Confidence } {
  checkCount(op, "bootstrap", samples, 0);
  checkCount(op, "seed", seed, 0);
  if (samples === 0) return {};
  const random = new NumpyRandom(seed);
  const scores = new Float64Array(samples).map(() =>
    scoreOf(sumOf(statistics.map(() => statistics[random.below(statistics.length)]!))),
  );
  scores.sort();
  const cut = Math.floor(samples / 40);
  return {
    confidence: {
      mean: scores.reduce((total, score) => total + score, 0) / samples,
      halfWidth: (scores[samples - cut - 1]! - scores[cut]!) / 2,
    },
  };
}
