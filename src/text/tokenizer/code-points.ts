/** Texts as UTF-16 units, which index JavaScript strings, and as code points, which index Python's. */

/**
 * Offsets in code points, as Python counts them, of offsets in UTF-16 units of a text. An offset inside of a surrogate
 * pair counts as that of its character.
 */
export function toCodePoints<T extends readonly (readonly [start: number, end: number])[]>(
  text: string,
  offsets: T,
): [start: number, end: number][] {
  const index = new Uint32Array(text.length + 1);
  let codePoints = 0;
  for (let at = 0; at < text.length; codePoints++) {
    index[at++] = codePoints;
    if (isPair(text, at - 1)) index[at++] = codePoints;
  }
  index[text.length] = codePoints;
  const of = (offset: number): number => {
    const found = index[offset];
    if (found === undefined)
      throw new RangeError(
        `toCodePoints: the offset ${offset} is outside of the text of ${text.length} units`,
      );
    return found;
  };
  return offsets.map(([start, end]) => [of(start), of(end)]);
}

/** A text without lone surrogates, which have no UTF-8: each becomes U+FFFD, as long as itself. */
export const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, "\ufffd");

/** Whether a surrogate pair begins at a unit of a text. */
export const isPair = (text: string, at: number): boolean => (text.codePointAt(at) ?? 0) > 0xffff;
