/** Finds where a span's text really stands in a document when its recorded offsets have drifted. */

/** A half-open range of UTF-16 offsets. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * The occurrence of `wanted` in `text` that starts nearest to `near` (the earlier of two equally near ones); when there
 * is none, the nearest one that differs in nothing but white space. `undefined` when there is none either.
 */
export function findNearest(text: string, wanted: string, near: number): Range | undefined {
  const start = nearestIndex(text, wanted, near);
  if (start !== undefined) return { start, end: start + wanted.length };

  const offsets: number[] = [];
  for (let i = 0; i < text.length; i++) if (!isSpaceAt(text, i)) offsets.push(i);
  const dense = offsets.map((i) => text[i]).join("");
  const denseNear = offsets.findIndex((i) => i >= near);
  const found = nearestIndex(
    dense,
    wanted.replace(/\s+/g, ""),
    denseNear < 0 ? dense.length : denseNear,
  );
  if (found === undefined) return undefined;
  const first = offsets[found];
  const last = offsets[found + wanted.replace(/\s+/g, "").length - 1];
  if (first === undefined || last === undefined) return undefined;
  return { start: first, end: last + 1 };
}

function nearestIndex(text: string, wanted: string, near: number): number | undefined {
  if (wanted === "") return undefined;
  const before = text.lastIndexOf(wanted, near);
  const after = text.indexOf(wanted, near);
  if (before < 0) return after < 0 ? undefined : after;
  if (after < 0) return before;
  return near - before <= after - near ? before : after;
}

function isSpaceAt(text: string, index: number): boolean {
  return /\s/.test(text[index] ?? "");
}
