/** How well translations match their references: what all measures share, and exact match. */

/** What a hypothesis is compared with: one reference or several, each as good as the other. */
export type References = readonly (string | readonly string[])[];

/** A 95 % confidence interval by resampling sentences, in points of the score (0–100). */
export interface Confidence {
  /** Mean score over the samples. */
  readonly mean: number;
  /** Half the width of the interval that holds the middle 95 % of them. */
  readonly halfWidth: number;
}

/** What every metric of translations gives. */
export interface CorpusScore {
  /** 0–100. */
  readonly score: number;
  /** How it was computed, in the format of sacrebleu: name and value of each setting. */
  readonly signature: string;
  readonly confidence?: Confidence;
}

/**
 * The share of hypotheses that equal a reference of theirs, character by character, in percent (0–100).
 * @throws RangeError when there are no hypotheses, or as many references are missing.
 */
export function exactMatch(hypotheses: readonly string[], references: References): number {
  const { all } = alignReferences("exactMatch", hypotheses, references);
  const hits = hypotheses.filter((hypothesis, i) => all[i]!.includes(hypothesis)).length;
  return (100 * hits) / hypotheses.length;
}

/** The references of each hypothesis as lists, and how many each has (`var`: not alike). */
export function alignReferences(
  op: string,
  hypotheses: readonly string[],
  references: References,
): { all: readonly (readonly string[])[]; count: number | "var" } {
  if (hypotheses.length === 0)
    throw new RangeError(`${op}: expected at least one hypothesis, got none`);
  if (hypotheses.length !== references.length)
    throw new RangeError(
      `${op}: expected references for each hypothesis, got ${hypotheses.length} hypotheses and ${references.length} references`,
    );
  const all = references.map((given) => (typeof given === "string" ? [given] : given));
  all.forEach((list, i) => {
    if (list.length === 0) throw new RangeError(`${op}: hypothesis ${i} has no reference`);
    const wrong = [hypotheses[i], ...list].find((text) => typeof text !== "string");
    if (wrong !== undefined)
      throw new TypeError(`${op}: sentence ${i} must be text, got ${typeof wrong}`);
  });
  const count = all[0]!.length;
  return { all, count: all.every((list) => list.length === count) ? count : "var" };
}

/**
 * A signature as sacrebleu prints it. The version is that of the sacrebleu whose definition is followed, and, after the
 * plus sign, that it is this library which computed it.
 */
export function signatureOf(fields: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries({ ...fields, version: "2.6.0+learning-loop" })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}:${value}`)
    .join("|");
}

/** Adds up the statistics of sentences, all of one length. */
export function sumOf(statistics: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(statistics[0]!.length);
  for (const row of statistics) {
    for (let i = 0; i < sum.length; i++) sum[i]! += row[i]!;
  }
  return sum;
}

/** How often each n-gram occurs. */
export type Counts = Map<string, number>;

export function increment(counts: Counts, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** How many n-grams two texts have in common, each counted as often as in the one that has fewer. */
export function overlap(one: Counts, other: Counts): number {
  let common = 0;
  for (const [key, count] of one) common += Math.min(count, other.get(key) ?? 0);
  return common;
}

// Python's idea of white space, which is not that of JavaScript: with separators U+001C to U+001F and U+0085, without U+FEFF.
const SPACE =
  "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const SPACES = new RegExp(`[${SPACE}]+`, "u");
const FIRST_SPACES = new RegExp(`^[${SPACE}]+`, "u");

/** The words of a text, as Python's `str.split()` gives them. */
export const splitWords = (text: string): string[] =>
  text.split(SPACES).filter((word) => word !== "");

/** A text without white space at its beginning, as of Python's `str.lstrip()`. */
export const trimStart = (text: string): string => text.replace(FIRST_SPACES, "");

/** A text without white space at its end, as of Python's `str.rstrip()`. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && SPACES.test(text[end - 1]!)) end -= 1;
  return text.slice(0, end);
}

/** A number with some decimals; a tie goes to the even digit, as in Python and unlike `toFixed`. */
export function fixed(value: number, digits: number): string {
  // Only an odd multiple of 2⁻⁽ᵈ⁺¹⁾ lies midway between two decimals of d digits and is exact in binary.
  const isTie = Math.abs((value * 2 ** (digits + 1)) % 2) === 1;
  if (!isTie) return value.toFixed(digits);
  const low = Math.floor(value * 10 ** digits);
  return ((low % 2 === 0 ? low : low + 1) / 10 ** digits).toFixed(digits);
}
