/** Where a pattern splits a text, and to which parts its matches belong. */

/** What happens to the matches of a pattern that splits a text; the default of most pre-tokenizers is `Isolated`. */
export const SPLIT_BEHAVIORS = [
  "Removed",
  "Isolated",
  "MergedWithPrevious",
  "MergedWithNext",
  "Contiguous",
] as const;

export type SplitBehavior = (typeof SPLIT_BEHAVIORS)[number];

/** Matches as Oniguruma's and Rust's iterators find them: an empty one right behind the one before does not count. */
export function forEachMatch(
  pattern: RegExp,
  text: string,
  use: (start: number, end: number) => void,
): void {
  pattern.lastIndex = 0;
  let last = -1;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const start = match.index;
    const end = start + match[0].length;
    if (start === end) pattern.lastIndex = end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
    if (start === end && start === last) continue;
    use(start, end);
    last = end;
  }
}

/** What becomes of delimiters and the parts between them: ranges of the parts to keep. */
export function merged(bounds: readonly number[], behavior: SplitBehavior): [number, number][] {
  const ranges: [number, number][] = [];
  let previous = false;
  const visit = (i: number, join: (delimiter: boolean, range: [number, number]) => boolean) => {
    const start = bounds[i] as number;
    const end = bounds[i + 1] as number;
    const delimiter = bounds[i + 2] === 1;
    const last = ranges.at(-1);
    if (last === undefined || !join(delimiter, last)) ranges.push([start, end]);
    else if (start < last[0]) last[0] = start;
    else last[1] = end;
    previous = delimiter;
  };
  switch (behavior) {
    case "Removed":
      for (let i = 0; i < bounds.length; i += 3)
        if (bounds[i + 2] === 0) ranges.push([bounds[i] as number, bounds[i + 1] as number]);
      return ranges;
    case "Isolated":
      for (let i = 0; i < bounds.length; i += 3)
        ranges.push([bounds[i] as number, bounds[i + 1] as number]);
      return ranges;
    case "Contiguous":
      for (let i = 0; i < bounds.length; i += 3) visit(i, (delimiter) => delimiter === previous);
      return ranges;
    case "MergedWithPrevious":
      for (let i = 0; i < bounds.length; i += 3) visit(i, (delimiter) => delimiter && !previous);
      return ranges;
    case "MergedWithNext":
      for (let i = bounds.length - 3; i >= 0; i -= 3)
        visit(i, (delimiter) => delimiter && !previous);
      return ranges.reverse();
  }
}
