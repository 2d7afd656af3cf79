/** Finds where a span's text really stands in a document when its recorded offsets have drifted. */

/** A half-open range of UTF-16 offsets. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * The occurrence of `wanted` in `text` that starts nearest to `near` (the earlier of two equally near ones); when there
 * is none, the nearest one that differs in nothing but white space and HTML escapes (`&amp;` for `&`, which is what
 * makes offsets drift in the first place). `undefined` when there is none either.
 */
export function findNearest(text: string, wanted: string, near: number): Range | undefined {
  const start = nearestIndex(text, wanted, near);
  if (start !== undefined) return { start, end: start + wanted.length };

  const dense = densify(text);
  const denseWanted = densify(wanted);
  const denseNear = dense.ranges.findIndex((range) => range.start >= near);
  const found = nearestIndex(
    dense.text,
    denseWanted.text,
    denseNear < 0 ? dense.text.length : denseNear,
  );
  if (found === undefined) return undefined;
  const first = dense.ranges[found];
  const last = dense.ranges[found + denseWanted.text.length - 1];
  return first && last && { start: first.start, end: last.end };
}

const ESCAPED: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};

/** The text without white space and escapes, and for each of its code units the range it came from. */
function densify(text: string): { text: string; ranges: Range[] } {
  const units: string[] = [];
  const ranges: Range[] = [];
  for (const { 0: piece, index } of text.matchAll(/&(?:amp|lt|gt|quot|#39);|\S/g)) {
    units.push(ESCAPED[piece] ?? piece);
    ranges.push({ start: index, end: index + piece.length });
  }
  return { text: units.join(""), ranges };
}

function nearestIndex(text: string, wanted: string, near: number): number | undefined {
  if (wanted === "") return undefined;
  const before = text.lastIndexOf(wanted, near);
  const after = text.indexOf(wanted, near);
  if (before < 0) return after < 0 ? undefined : after;
  if (after < 0) return before;
  return near - before <= after - near ? before : after;
}
