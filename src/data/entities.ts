/** Turns raw labelled spans into clean ones: trimmed, unique, sorted and free of overlaps, every change counted. */
import type { Entity } from "./annotated.ts";
import type { Repairs } from "./repairs.ts";

/** The kinds of repair, in words that a report can print. */
export const REPAIR = {
  drifted: "drifted offsets moved to the nearest occurrence of the span's text",
  unrecoverable: "spans left out, their text is not in the document",
  whiteSpaceEdge: "spans with white space at an edge, trimmed",
  blank: "spans left out, nothing but white space",
  duplicate: "exact duplicate spans left out",
  overlap: "overlapping pairs of spans",
  overlapDropped: "spans left out, a longer one overlaps them",
  noLabel: "spans left out, without a label",
  unknownLabel: "spans left out, labelled UNKNOWN",
  severalLabels: "spans with several labels, the first one kept",
  sameText: "documents with the text of an earlier one, kept",
  byteEscapes: "runs of \\xHH byte escapes decoded",
  unescapedMarkup: "unescaped & or < kept as text",
} as const;

/**
 * Cleans the spans of one text. Rules, in this order: exact duplicates go; white space at the edges is trimmed; of two
 * overlapping spans the longer one stays, of equally long ones that which starts first, then that which came first.
 */
export function cleanEntities(
  text: string,
  raw: readonly Entity[],
  record: string,
  repairs: Repairs,
): Entity[] {
  const unique = new Map<string, Entity>();
  for (const span of raw) {
    const key = `${span.start},${span.end},${span.label}`;
    if (unique.has(key)) repairs.add(REPAIR.duplicate, record);
    else unique.set(key, span);
  }
  const trimmed: Entity[] = [];
  for (const span of unique.values()) {
    const slice = text.slice(span.start, span.end);
    if (slice.trim() === "") {
      repairs.add(REPAIR.blank, record);
      continue;
    }
    const start = span.start + slice.length - slice.trimStart().length;
    const end = span.end - slice.length + slice.trimEnd().length;
    if (start !== span.start || end !== span.end) repairs.add(REPAIR.whiteSpaceEdge, record);
    trimmed.push({ label: span.label, start, end });
  }
  return withoutOverlaps(trimmed, record, repairs);
}

function withoutOverlaps(spans: readonly Entity[], record: string, repairs: Repairs): Entity[] {
  const byStart = [...spans].sort((a, b) => a.start - b.start);
  byStart.forEach((a, i) => {
    for (const b of byStart.slice(i + 1)) {
      if (b.start >= a.end) break;
      repairs.add(REPAIR.overlap, record);
    }
  });
  const longestFirst = [...byStart].sort((a, b) => b.end - b.start - (a.end - a.start));
  const kept: Entity[] = [];
  for (const span of longestFirst) {
    if (kept.some((k) => span.start < k.end && k.start < span.end)) {
      repairs.add(REPAIR.overlapDropped, record);
    } else kept.push(span);
  }
  return kept.sort((a, b) => a.start - b.start);
}
