/** Prints what a tagger of entities scored and found, for people and for programs. */
import type { RepairEntry } from "../data/repairs.ts";
import type { EntityReport, Score } from "../tasks/ner/metrics.ts";
import type { FoundEntity } from "../tasks/ner/tagger.ts";
import { table } from "./table.ts";

/** Precision, recall, F1 and support of every label and their means. */
export function scoreTable({ labels, micro, macro }: EntityReport): string {
  const row = (name: string, { precision, recall, f1, support }: Score) => [
    name,
    ...[precision, recall, f1].map((share) => share.toFixed(3)),
    String(support),
  ];
  return table(
    ["label", "precision", "recall", "F1", "support"],
    [
      ...Object.entries(labels).map(([name, score]) => row(name, score)),
      row("micro average", micro),
      row("macro average", macro),
    ],
  );
}

/** The entities of a text in order, each on a line. */
export function entityTable(entities: readonly FoundEntity[]): string {
  if (entities.length === 0) return "no entities found";
  return table(
    ["label", "text", "start", "end", "confidence"],
    entities.map(({ label, text, start, end, confidence }) => [
      label,
      shorten(text),
      String(start),
      String(end),
      confidence.toFixed(2),
    ]),
  );
}

/** One line; control characters, which could drive a terminal, become spaces. */
function shorten(text: string, longest = 60): string {
  const signs = [...text.replace(/[\s\p{Cc}]+/gu, " ")];
  return signs.length <= longest ? signs.join("") : `${signs.slice(0, longest - 1).join("")}…`;
}

/** What a run found, and what it measured where it had documents to measure on. */
export interface NerResult {
  readonly measured:
    { readonly report: EntityReport; readonly repairs: readonly RepairEntry[] } | undefined;
  readonly entities: readonly FoundEntity[];
  /** Name of the device in use. */
  readonly device: string;
}

/**
 * The result for people.
 * @param documents what was measured on, e.g. `12 documents held out`.
 * @param text the text that was read, where it is to be shown.
 */
export function readableResult(
  { measured, entities, device }: NerResult,
  { documents, source, text }: { documents: string; source: string; text: string | undefined },
): string {
  const scores =
    measured === undefined
      ? []
      : [`Scores on ${documents}, computed on ${device}:`, scoreTable(measured.report), ""];
  const shown =
    text === undefined
      ? []
      : [
          `The text of ${source}, made up and part of this program (--read names another):`,
          "",
          text.trimEnd().replace(/^(?=.)/gm, "  "),
          "",
        ];
  return [
    ...scores,
    ...shown,
    `Entities in ${source}, found on ${device}:`,
    entityTable(entities),
    "",
  ].join("\n");
}

/**
 * The result as one line of JSON; scores and confidences are rounded to six places, `repairs` counts what was mended in
 * the data by kind.
 */
export function resultLine({ measured, entities, device }: NerResult): string {
  const round = (share: number) => Number(share.toFixed(6));
  return JSON.stringify({
    ...(measured && {
      f1: round(measured.report.micro.f1),
      precision: round(measured.report.micro.precision),
      recall: round(measured.report.micro.recall),
      labels: Object.fromEntries(
        Object.entries(measured.report.labels).map(([name, score]) => [
          name,
          {
            precision: round(score.precision),
            recall: round(score.recall),
            f1: round(score.f1),
            support: score.support,
          },
        ]),
      ),
    }),
    entities: entities.map(({ label, text, start, end, confidence }) => ({
      label,
      text,
      start,
      end,
      confidence: round(confidence),
    })),
    ...(measured && {
      repairs: Object.fromEntries(measured.repairs.map(({ kind, count }) => [kind, count])),
    }),
    device,
  });
}
