/** Splits sentence pairs into a part to train on and a part to measure on that has no sentence in common with it. */

import { checkCount } from "../../data/checks.ts";
import { Rng } from "../../data/rng.ts";
import type { SentencePair } from "./pairs.ts";

/** Options of {@link holdOutPairs}. */
export interface HoldOutOptions {
  /** How many pairs to hold out; 1,000 or a tenth of all, whichever is less, where not given. */
  readonly count?: number;
  /** The same seed and pairs give the same split (default 0). */
  readonly seed?: number;
}

/** Both parts in the order of the input, with no sentence in common; every pair is in one of them. */
export interface HeldOut<P extends SentencePair> {
  readonly train: readonly P[];
  readonly heldOut: readonly P[];
  /** How many groups of pairs hang together by shared sentences. */
  readonly groups: number;
  /** Pairs in the largest group; a group of more than `count` pairs is always trained on. */
  readonly largestGroup: number;
}

/**
 * Holds out `count` pairs such that no sentence of theirs, source or target, stands on either side of a pair to train
 * on, be it with other case, Unicode form, white space or punctuation ({@link sentenceKey}).
 *
 * Pairs that share a sentence, directly or through others, make a group (a connected component of the graph whose nodes
 * are sentences and whose edges are pairs). Whole groups are held out in random order while they fit, so nothing is
 * thrown away and each pair of a group that fits is as likely to be held out as any other. There may be fewer than
 * `count` where the remaining groups are too large.
 *
 * @throws RangeError when `count` leaves nothing to train on, or when every group is larger than `count`.
 */
export function holdOutPairs<P extends SentencePair>(
  pairs: readonly P[],
  { count = defaultCount(pairs.length), seed = 0 }: HoldOutOptions = {},
): HeldOut<P> {
  checkCount("holdOutPairs", "count", count, 1);
  if (count >= pairs.length)
    throw new RangeError(
      `holdOutPairs: ${count} of ${pairs.length} pairs leave nothing to train on; give more pairs or a smaller count`,
    );
  const groupOf = groupPairs(pairs);
  const sizes = new Map<number, number>();
  for (const group of groupOf) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const outside = new Set<number>();
  let missing = count;
  for (const [group, size] of new Rng(`hold out ${seed}`).shuffle([...sizes])) {
    if (size > missing) continue;
    outside.add(group);
    missing -= size;
    if (missing === 0) break;
  }
  const all = [...sizes.values()];
  if (outside.size === 0) {
    const smallest = all.reduce((least, size) => Math.min(least, size));
    throw new RangeError(
      `holdOutPairs: the ${pairs.length} pairs hang together by shared sentences in ${all.length} ${all.length === 1 ? "group" : "groups"} of at least ` +
        `${smallest} pairs, so ${count} cannot be held out without leaks; ` +
        (all.length > 1 ? "hold out more" : "give other pairs to measure on"),
    );
  }
  return {
    train: pairs.filter((_, i) => !outside.has(groupOf[i]!)),
    heldOut: pairs.filter((_, i) => outside.has(groupOf[i]!)),
    groups: all.length,
    largestGroup: all.reduce((most, size) => Math.max(most, size)),
  };
}

const defaultCount = (length: number): number =>
  Math.min(1000, Math.max(1, Math.floor(length / 10)));

/**
 * What two spellings of one sentence have in common: its words and numbers in compatibility form (NFKC) and lower case,
 * with one space between them; of a text without any, such as `?!`, all of it but its white space.
 */
export function sentenceKey(text: string): string {
  // Upper case first, for letters of which one case has several others: ß and ss, σ and ς.
  const folded = text.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
  const words = folded.replaceAll("ς", "σ").match(/[\p{L}\p{N}\p{M}]+/gu);
  return words === null ? folded.replace(/\s+/gu, "") : words.join(" ");
}

/** A group number for every pair (union–find over sentences). */
function groupPairs(pairs: readonly SentencePair[]): number[] {
  const nodes = new Map<string, number>();
  const parent: number[] = [];
  const nodeOf = (text: string): number => {
    const key = sentenceKey(text);
    const known = nodes.get(key);
    if (known !== undefined) return known;
    nodes.set(key, parent.length);
    parent.push(parent.length);
    return parent.length - 1;
  };
  const rootOf = (node: number): number => {
    let at = node;
    // Each node passed is hung one step higher, so that long chains do not stay.
    while (parent[at] !== at) at = parent[at] = parent[parent[at]!]!;
    return at;
  };
  const sources = pairs.map(({ source, target }) => {
    const node = nodeOf(source);
    parent[rootOf(node)] = rootOf(nodeOf(target));
    return node;
  });
  return sources.map(rootOf);
}
