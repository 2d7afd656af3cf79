/** Prints what a tagger of entities scored and found, for people and for programs. */
import type { Repairs } from "../data/repairs.ts";
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

/**
 * The result as one line of JSON; scores and confidences are rounded to six places, `repairs` counts what was mended in
 * the data by kind.
 */
export function resultLine(
  { labels, micro }: EntityReport,
  entities: readonly FoundEntity[],
  repairs: Repairs,
): string {
  const round = (share: number) => Number(share.toFixed(6));
  return JSON.stringify({
    f1: round(micro.f1),
    precision: round(micro.precision),
    recall: round(micro.recall),
    labels: Object.fromEntries(
      Object.entries(labels).map(([name, { precision, recall, f1, support }]) => [
        name,
        { precision: round(precision), recall: round(recall), f1: round(f1), support },
      ]),
    ),
    entities: entities.map(({ label, text, start, end, confidence }) => ({
      label,
      text,
      start,
      end,
      confidence: round(confidence),
    })),
    repairs: Object.fromEntries(repairs.entries().map(({ kind, count }) => [kind, count])),
  });
}
