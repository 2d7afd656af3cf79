/** Prints how well a translator translates, for people and for programs. */
import type { TranslationReport } from "../tasks/translation/evaluate.ts";
import type { SentencePair } from "../tasks/translation/pairs.ts";
import { plain } from "./runs-report.ts";
import { table } from "./table.ts";

/** Translations of a few of the pairs are shown. */
const EXAMPLES = 8;

/** What was measured, and how. */
export interface TranslateMeasured {
  /** What was measured on, e.g. `1000 pairs held out`. */
  readonly on: string;
  readonly pairs: number;
  /** In percent. */
  readonly exactMatch: number;
  readonly bleu: Score;
  readonly chrf: Score & { readonly name: string };
  readonly examples: readonly (SentencePair & { readonly translation: string })[];
  /** Tokens written. */
  readonly tokens: number;
  readonly seconds: number;
  /** Sources that were cut to the model's limit. */
  readonly cut: number;
  /** What was left out of the data, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly device: string;
}

interface Score {
  readonly score: number;
  /** sacrebleu's. */
  readonly signature: string;
  /** What sacrebleu prints beside the score, where it does. */
  readonly verbose?: string;
}

/** A report on pairs, made small. */
export function measuredOf(
  report: TranslationReport,
  pairs: readonly SentencePair[],
  rest: Pick<TranslateMeasured, "on" | "seconds" | "skipped" | "device">,
): TranslateMeasured {
  const { exactMatch, bleu, chrf, tokens, cut, translations } = report;
  const count = Math.min(EXAMPLES, pairs.length);
  const places = Array.from({ length: count }, (_, i) => Math.floor((i * pairs.length) / count));
  return {
    ...rest,
    ...{ pairs: pairs.length, exactMatch, tokens, cut },
    bleu: { score: bleu.score, signature: bleu.signature, verbose: bleu.verbose },
    chrf: { score: chrf.score, signature: chrf.signature, name: chrf.name },
    examples: places.map((at) => ({ ...pairs[at]!, translation: translations[at] ?? "" })),
  };
}

/** The result for people. */
export function readableResult(measured: TranslateMeasured): string {
  const { on, exactMatch, bleu, chrf, examples, tokens, seconds, cut, device } = measured;
  return [
    `Scores on ${on}, computed on ${device}:`,
    table(
      ["metric", "score"],
      [
        ["exact match", `${exactMatch.toFixed(2)} %`],
        ["BLEU", bleu.score.toFixed(2)],
        [chrf.name, chrf.score.toFixed(2)],
      ],
    ),
    `BLEU|${bleu.signature} = ${bleu.score.toFixed(2)}${bleu.verbose === undefined ? "" : ` ${bleu.verbose}`}`,
    `${chrf.name}|${chrf.signature} = ${chrf.score.toFixed(2)}`,
    `${count(tokens)} tokens in ${seconds.toFixed(1)} s: ${count(rateOf(measured))} tokens/s`,
    ...(cut === 0 ? [] : [`${count(cut)} sources are longer than the model's limit and were cut`]),
    "",
    "Some translations:",
    ...examples.flatMap(({ source, target, translation }) => [
      `  source       ${plain(source)}`,
      `  translation  ${plain(translation)}`,
      `  reference    ${translation === target ? "the same" : plain(target)}`,
      "",
    ]),
  ].join("\n");
}

/**
 * The result as one line of JSON; scores are rounded to six places.
 * @param speed whether to tell tokens a second, which differ from one run to the next.
 */
export function resultLine(
  measured: TranslateMeasured,
  { speed }: { readonly speed: boolean },
): string {
  const { pairs, exactMatch, bleu, chrf, tokens, cut, skipped, examples, device } = measured;
  return JSON.stringify({
    exactMatch: round(exactMatch),
    bleu: round(bleu.score),
    bleuSignature: bleu.signature,
    chrf: round(chrf.score),
    chrfSignature: chrf.signature,
    ...{ pairs, tokens, ...(speed && { tokensPerSecond: round(rateOf(measured)) }) },
    ...{ cut, skipped, device },
    examples: examples.map(({ source, target, translation }) => ({
      ...{ source, reference: target, translation },
    })),
  });
}

const rateOf = ({ tokens, seconds }: TranslateMeasured): number => tokens / Math.max(seconds, 1e-9);

export const round = (number: number): number => Number(number.toFixed(6));

const count = (number: number): string => Math.round(number).toLocaleString("en-US");
