/** The Unicode normal forms as lists of changes, so that each character of the result can be traced to the original. */
import type { Change } from "./normalized-string.ts";
import { LATER_DECOMPOSITION, MARK } from "./unicode-versions.ts";

export type NormalForm = "NFC" | "NFD" | "NFKC" | "NFKD";

/** Marks of combining class 1 and 240: what moves before or behind them tells a character's own class from 0. */
const OVERLAY = "\u0334";
const IOTA = "\u0345";

/** What of a text is the same in every form and is followed by nothing that combines with it. */
const PLAIN = /^[\0-\x7f]*$/;

/** Characters that stay whole, and those that may be sorted. */
const WHOLE = new RegExp(`[${LATER_DECOMPOSITION}]`, "v");
const SORTED = new RegExp(MARK, "v");

type MutableChange = [character: string, change: number];

/**
 * The changes that bring a text into a normal form (Unicode Standard Annex #15), or undefined when there are none.
 *
 * Each character is decomposed: its first part replaces it, the others are inserted. Marks are sorted by combining class,
 * their changes moving with them. For NFC and NFKC parts are composed again, the changes adding up.
 */
export function normalFormChanges(text: string, form: NormalForm): readonly Change[] | undefined {
  if (PLAIN.test(text) || text.normalize(form) === text) return undefined;
  const parts = decomposed(text, form === "NFKC" || form === "NFKD" ? "NFKD" : "NFD");
  return form === "NFD" || form === "NFKD" ? parts : composed(parts);
}

function decomposed(text: string, form: "NFD" | "NFKD"): MutableChange[] {
  const parts: MutableChange[] = [];
  let sorted = 0; // parts before this one are in order
  const sort = (): void => {
    if (parts.length - sorted > 1) {
      const marks = parts.splice(sorted);
      // Stable: marks of one class keep their order.
      marks.sort(([a], [b]) => (swaps(a, b) ? 1 : swaps(b, a) ? -1 : 0));
      for (const mark of marks) parts.push(mark);
    }
    sorted = parts.length;
  };
  for (const character of text) {
    let change = 0;
    for (const part of WHOLE.test(character) ? [character] : character.normalize(form)) {
      if (!isReordered(part)) sort();
      parts.push([part, change]);
      if (!isReordered(part)) sorted = parts.length;
      change = 1;
    }
  }
  sort();
  return parts;
}

function composed(parts: readonly MutableChange[]): MutableChange[] {
  const result: MutableChange[] = [];
  let starter: MutableChange | undefined;
  let marks: MutableChange[] = []; // what follows the starter and did not combine with it
  for (const part of parts) {
    const [character, change] = part;
    const reordered = isReordered(character);
    if (starter === undefined) {
      if (reordered) result.push(part);
      else starter = part;
      continue;
    }
    const last = marks.at(-1);
    // Blocked by an earlier mark unless that has a lower class.
    if (last === undefined || (reordered && swaps(character, last[0]))) {
      const whole = composition(starter[0], character);
      if (whole !== undefined) {
        starter = [whole, starter[1] + change - 1];
        continue;
      }
    }
    if (reordered) {
      marks.push(part);
      continue;
    }
    result.push(starter);
    for (const mark of marks) result.push(mark);
    starter = part;
    marks = [];
  }
  if (starter !== undefined) result.push(starter);
  for (const mark of marks) result.push(mark);
  return result;
}

/** The one character that two compose to. */
function composition(first: string, second: string): string | undefined {
  const whole = (first + second).normalize("NFC");
  const isOne = whole.length === ((whole.codePointAt(0) ?? 0) > 0xffff ? 2 : 1);
  return isOne && !WHOLE.test(whole) ? whole : undefined;
}

/** Whether two decomposed characters change places: whether the first is of a higher class than the second, which is not of class 0. */
function swaps(first: string, second: string): boolean {
  return first !== second && (first + second).normalize("NFD") !== first + second;
}

const reordered = new Map<string, boolean>();

/** Whether a decomposed character is of a combining class other than 0. JavaScript tells no classes, but sorts by them. */
function isReordered(character: string): boolean {
  if (character < "\u0300") return false;
  let known = reordered.get(character);
  if (known === undefined) {
    known =
      SORTED.test(character) &&
      (swaps(character, OVERLAY) || swaps(IOTA, character) || character === OVERLAY);
    if (reordered.size < 0x10000) reordered.set(character, known);
  }
  return known;
}
