/** Gets the pairs that the `translate` commands train and measure on. */
import { DataError } from "../data/errors.ts";
import { Rng } from "../data/rng.ts";
import { datePairs } from "../tasks/translation/dates.ts";
import { holdOutPairs, sentenceKey } from "../tasks/translation/hold-out.ts";
import { readPairs, type SentencePair } from "../tasks/translation/pairs.ts";
import { DATE_PAIRS } from "../tasks/translation/recipe.ts";
import type { Tell } from "./job.ts";
import type { TranslateTrainOptions } from "./translate-options.ts";

const DATES_HELD_OUT = 1000;

type Pairs = readonly SentencePair[];

export interface TranslationData {
  readonly train: Pairs;
  readonly heldOut: Pairs;
  /** To evaluate on while training; undefined where that is not asked for. */
  readonly validation: Pairs | undefined;
  /** Lines and pairs that were left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** Pairs of a file, or made-up dates without. @throws DataError where they are of no use. */
export async function loadTrainingPairs(
  options: Pick<
    TranslateTrainOptions,
    "data" | "heldOut" | "heldOutData" | "reverse" | "seed" | "evalPairs"
  >,
  { evaluates, tell }: { readonly evaluates: boolean; readonly tell: Tell },
): Promise<TranslationData> {
  const { data, heldOutData, reverse = false, seed, evalPairs } = options;
  const { pairs, skipped } =
    data === undefined
      ? { pairs: dates(seed), skipped: {} }
      : await loadPairs(data, { reverse, tell });
  const say = (text: string): void => tell({ type: "note", text });
  const count = options.heldOut ?? (data === undefined ? DATES_HELD_OUT : undefined);
  const hold = (from: Pairs, count: number | undefined, seed: number, flag: string) => {
    try {
      return holdOutPairs(from, { seed, ...(count !== undefined && { count }) });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const problem = error.message
        .replace(/^holdOutPairs: /, "")
        .replace("a smaller count", `a smaller ${flag}`)
        .replace("hold out more", `raise ${flag}`)
        .replace("give other pairs to measure on", "name others to measure on: --held-out-data");
      throw new DataError({ file: data ?? "made-up dates" }, problem, { cause: error });
    }
  };
  let train: Pairs;
  let heldOut: Pairs;
  const leftOut: Record<string, number> = {};
  if (heldOutData === undefined) ({ train, heldOut } = hold(pairs, count, seed, "--held-out"));
  else {
    heldOut = (await loadPairs(heldOutData, { reverse, tell })).pairs;
    train = withoutSentencesOf(pairs, heldOut);
    const shared = pairs.length - train.length;
    if (shared > 0) {
      leftOut["with a sentence that is held out"] = shared;
      say(`${pairsOf(shared)} left out, with a sentence of ${heldOutData}`);
    }
    if (train.length === 0)
      throw new DataError(
        { file: heldOutData },
        "nothing is left to train on without its sentences",
      );
  }
  let validation: Pairs | undefined;
  if (evaluates) {
    const split = hold(
      train,
      Math.min(evalPairs, Math.ceil(train.length / 10)),
      seed + 1,
      "--eval-pairs",
    );
    train = split.train;
    validation = split.heldOut;
  }
  const made = data === undefined ? "made-up dates" : "pairs";
  const aside = validation === undefined ? "" : `, ${validation.length} to evaluate on`;
  say(`${train.length} ${made} to train on${aside}, ${heldOut.length} held out to measure on`);
  return { train, heldOut, validation, skipped: { ...skipped, ...leftOut } };
}

/** Each text once, as in files that are read. */
function dates(seed: number): Pairs {
  const drawn = datePairs({ count: DATE_PAIRS, seed });
  return [...new Map(drawn.map((pair) => [pair.source, pair])).values()];
}

/** All pairs of a file; `tell` hears what was read and left out. */
export async function loadPairs(
  file: string,
  { reverse, tell }: { readonly reverse: boolean; readonly tell: Tell },
): Promise<{ readonly pairs: Pairs; readonly skipped: Readonly<Record<string, number>> }> {
  const { pairs, report, skipped } = await readPairs(file, {
    onProgress: (bytes, total) =>
      tell({ type: "work", name: "reading, KB", done: kilo(bytes), total: total && kilo(total) }),
  });
  for (const text of [`${file}: ${pairs.length} pairs`, ...report.map((line) => `  ${line}`)])
    tell({ type: "note", text });
  return {
    pairs: reverse
      ? pairs.map(({ source, target }) => ({ source: target, target: source }))
      : pairs,
    skipped: Object.fromEntries(skipped.map(({ kind, count }) => [kind, count])),
  };
}

export const pairsOf = (count: number): string => (count === 1 ? "1 pair" : `${count} pairs`);

const kilo = (bytes: number): number => Math.round(bytes / 1000);

/** Pairs as the lines of a file that `readPairs` gives back. */
export const formatPairs = (pairs: Pairs): string =>
  pairs.map(({ source, target }) => `${source}\t${target}\n`).join("");

/** So many pairs, drawn at random but always alike, in their order. */
export function samplePairs(pairs: Pairs, count: number): Pairs {
  if (count >= pairs.length) return pairs;
  const places = new Rng("pairs to measure on").sample([...pairs.keys()], count);
  return places.sort((a, b) => a - b).map((place) => pairs[place]!);
}

function withoutSentencesOf(pairs: Pairs, heldOut: Pairs): Pairs {
  const keys = new Set(heldOut.flatMap(({ source, target }) => [source, target].map(sentenceKey)));
  return pairs.filter(
    ({ source, target }) => !keys.has(sentenceKey(source)) && !keys.has(sentenceKey(target)),
  );
}
