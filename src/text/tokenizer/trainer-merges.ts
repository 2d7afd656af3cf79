/**
 * Learns a BPE vocabulary from counted words (Sennrich, Haddow and Birch 2016): the most frequent pair of neighbours
 * becomes a token, again and again. Pair counts are kept up to date in the words that a merge changes, never recounted;
 * which pair comes first, and what counts after that, follows Hugging Face's trainer, so that the merges are the same.
 */

import type { Merge } from "./bpe.ts";
import { Heap } from "./heap.ts";
import { PairTable } from "./pair-table.ts";
import { type Alphabet, wordAlphabet, type AlphabetOptions } from "./trainer-alphabet.ts";

/** Options of learning merges, named and meant as in Python `tokenizers.trainers.BpeTrainer`. */
export interface MergeOptions extends AlphabetOptions {
  /** Tokens to learn until, special ones and the alphabet included; 30000 unless given. */
  readonly vocabSize?: number;
  /** A pair of fewer occurrences is not merged; 0 unless given. */
  readonly minFrequency?: number;
  /** Tokens of as many characters are not merged further; without limit unless given. */
  readonly maxTokenLength?: number;
}

/** What has been learned. */
export interface Learned {
  /** Ids by token, in the order of ids: special tokens, alphabet, merged tokens. */
  readonly ids: ReadonlyMap<string, number>;
  /** In the order of learning. */
  readonly merges: readonly Merge[];
}

/** A pair with the words that had it when it was counted; its count may be out of date. */
interface Candidate {
  readonly pair: number;
  readonly words: readonly number[];
  count: number;
}

/**
 * Learns merges, one a step: yields the number of tokens that there are before each, so that a caller can pause, tell
 * progress and stop.
 */
export function* learnMerges(
  words: ReadonlyMap<string, number>,
  options: MergeOptions = {},
): Generator<number, Learned> {
  const { vocabSize = 30_000, minFrequency = 0, maxTokenLength = Infinity } = options;
  const alphabet = wordAlphabet(words, options);
  const { tokens, ids } = alphabet;
  const { symbols, starts, lengths, counts } = cutWords(words, alphabet, options);
  /** Characters of each token, which maxTokenLength counts. */
  const sizes = tokens.map(() => 1);

  const pairs = new PairTable(tokens.length * 16);
  const lefts: number[] = [];
  const rights: number[] = [];
  const pairCounts: number[] = [];
  /** Words in which pairs have appeared since they were last queued. */
  const appeared: (number[] | undefined)[] = [];
  const touched: number[] = [];
  const before = (a: Candidate, b: Candidate): boolean =>
    a.count !== b.count
      ? a.count > b.count
      : lefts[a.pair] !== lefts[b.pair]
        ? lefts[a.pair]! < lefts[b.pair]!
        : rights[a.pair]! < rights[b.pair]!;
  const queue = new Heap<Candidate>(before);

  for (let word = 0; word < lengths.length; word++) {
    const end = starts[word]! + lengths[word]!;
    for (let at = starts[word]! + 1; at < end; at++)
      count(symbols[at - 1]!, symbols[at]!, counts[word]!, word);
  }
  enqueue();

  const merges = new Map<number, Merge>();
  while (tokens.length < vocabSize) {
    yield tokens.length;
    const top = queue.pop();
    if (top === undefined) break;
    const { pair } = top;
    if (top.count !== pairCounts[pair]) {
      top.count = pairCounts[pair]!;
      queue.push(top);
      continue;
    }
    if (top.count < 1 || top.count < minFrequency) break;
    const merge: Merge = [tokens[lefts[pair]!]!, tokens[rights[pair]!]!];
    const merged = tokenOf(merge, sizes[lefts[pair]!]! + sizes[rights[pair]!]!);
    // A pair merged before is applied where it is last.
    merges.delete(pair);
    merges.set(pair, merge);
    for (const word of top.words) mergeIn(word, lefts[pair]!, rights[pair]!, merged);
    enqueue();
  }
  return { ids, merges: [...merges.values()] };

  /** Adds to the count of a pair; where it grows, the word is one to merge it in. */
  function count(left: number, right: number, change: number, word: number): void {
    let pair = pairs.get(left, right);
    if (pair < 0) {
      pair = pairCounts.push(0) - 1;
      lefts.push(left);
      rights.push(right);
      appeared.push(undefined);
      pairs.set(left, right, pair);
    }
    pairCounts[pair]! += change;
    if (change < 0) return;
    const list = appeared[pair];
    if (list === undefined) {
      appeared[pair] = [word];
      touched.push(pair);
    } else if (list.at(-1) !== word) list.push(word);
  }

  function enqueue(): void {
    for (const pair of touched) {
      const count = pairCounts[pair]!;
      if (count > 0) queue.push({ pair, count, words: appeared[pair]! });
      appeared[pair] = undefined;
    }
    touched.length = 0;
  }

  function tokenOf([left, right]: Merge, size: number): number {
    const prefix = options.continuingSubwordPrefix ?? "";
    const token = left + (right.startsWith(prefix) ? right.slice(prefix.length) : right);
    const known = ids.get(token);
    if (known !== undefined) return known;
    ids.set(token, tokens.length);
    sizes.push(size);
    return tokens.push(token) - 1;
  }

  /** Replaces a pair in a word from left to right, counting what its neighbours were and have become. */
  function mergeIn(word: number, left: number, right: number, merged: number): void {
    const start = starts[word]!;
    const end = start + lengths[word]!;
    const times = counts[word]!;
    const room = maxTokenLength - sizes[merged]!;
    let to = start;
    for (let from = start; from < end; from++, to++) {
      const symbol = symbols[from]!;
      if (symbol !== left || from + 1 === end || symbols[from + 1] !== right) {
        symbols[to] = symbol;
        continue;
      }
      from++;
      symbols[to] = merged;
      if (to > start) {
        const previous = symbols[to - 1]!;
        count(previous, left, -times, word);
        if (sizes[previous]! < room) count(previous, merged, times, word);
      }
      if (from + 1 < end) {
        const next = symbols[from + 1]!;
        count(right, next, -times, word);
        if (sizes[next]! < room) count(merged, next, times, word);
      }
    }
    lengths[word] = to - start;
  }
}

/** Words as ids of their characters, one after the other in one array; characters outside of the alphabet are left out. */
function cutWords(
  words: ReadonlyMap<string, number>,
  { ids, isKnown, affixed }: Alphabet,
  options: AlphabetOptions,
) {
  const starts = new Int32Array(words.size);
  const lengths = new Int32Array(words.size);
  const counts = new Float64Array(words.size);
  let units = 0;
  for (const word of words.keys()) units += word.length;
  const symbols = new Int32Array(units);
  let at = 0;
  let index = 0;
  const isPlain = !options.continuingSubwordPrefix && !options.endOfWordSuffix;
  for (const [word, times] of words) {
    starts[index] = at;
    let start = 0;
    for (const char of word) {
      const end = start + char.length;
      if (isKnown(char))
        symbols[at++] = ids.get(isPlain ? char : affixed(char, start === 0, end === word.length))!;
      start = end;
    }
    lengths[index] = at - starts[index]!;
    counts[index++] = times;
  }
  return { symbols, starts, lengths, counts };
}
