/** Held-out sentences: none of them is trained on, in any spelling. */

import { describe, expect, test } from "vitest";
import { Rng } from "../../../src/data/rng.ts";
import { holdOutPairs, sentenceKey } from "../../../src/tasks/translation/hold-out.ts";
import type { SentencePair } from "../../../src/tasks/translation/pairs.ts";

/** Sentences that are one and the same to a reader: another measure than the one under test. */
const reader = new Intl.Collator("und", { sensitivity: "accent", usage: "search" });
const bare = (text: string): string =>
  text
    .normalize("NFD")
    .replace(/[\s\p{P}]+$/u, "")
    .split(/\s+/u)
    .filter(Boolean)
    .join(" ");

function leaks(train: readonly SentencePair[], heldOut: readonly SentencePair[]): string[] {
  const known = train.flatMap(({ source, target }) => [bare(source), bare(target)]);
  known.sort(reader.compare);
  return heldOut
    .flatMap(({ source, target }) => [source, target])
    .filter((text) => {
      let [low, high] = [0, known.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (reader.compare(known[middle]!, bare(text)) < 0) low = middle + 1;
        else high = middle;
      }
      return low < known.length && reader.compare(known[low]!, bare(text)) === 0;
    });
}

/** Pairs of a few words, many of which share a sentence in another spelling. */
function entangled(count: number, words: number, seed: string): SentencePair[] {
  const rng = new Rng(seed);
  const spell = (text: string): string => {
    let spelt = rng.chance(0.3) ? text.toUpperCase() : text;
    if (rng.chance(0.3)) spelt = spelt.normalize("NFD");
    if (rng.chance(0.2)) spelt = spelt.replaceAll(" ", rng.pick(["  ", "\u00a0", "\u3000"]));
    return spelt + rng.pick(["", ".", "!", " ?", "…", " . "]);
  };
  const text = (mark: string): string =>
    [mark, rng.int(0, words), rng.pick(["été", "ﬁn", "straße", "οδος"])].join(" ");
  return Array.from({ length: count }, () => ({
    source: spell(text("a")),
    target: spell(text("b")),
  }));
}

describe("holdOutPairs", () => {
  test.each([
    [400, 2000, 40],
    [2000, 3000, 100],
    [300, 100, 30],
  ])("%i pairs of %i numbers: %i without leaks", (count, words, wanted) => {
    const pairs = entangled(count, words, `${count}`);
    const { train, heldOut, groups, largestGroup } = holdOutPairs(pairs, {
      count: wanted,
      seed: 5,
    });
    expect(heldOut).toHaveLength(wanted);
    expect(new Set([...train, ...heldOut]).size).toBe(count);
    expect(leaks(train, heldOut)).toEqual([]);
    expect(groups).toBeGreaterThan(wanted / largestGroup);
    // The search itself finds what leaks.
    expect(leaks(pairs, heldOut)).toHaveLength(2 * wanted);
  });

  test("one sentence in another spelling is enough to stay together", () => {
    const pairs = [
      { source: "Go on!", target: "Continue." },
      { source: "GO  ON", target: "Vas-y." },
      { source: "There", target: "vas-y !" },
      { source: "Là-bas", target: "There." },
      { source: "Café", target: "x" },
      { source: "y", target: "cafe\u0301…" },
    ];
    for (let seed = 0; seed < 8; seed++) {
      const { heldOut, groups, largestGroup } = holdOutPairs(pairs, { count: 3, seed });
      expect({ groups, largestGroup }).toEqual({ groups: 2, largestGroup: 4 });
      expect(heldOut).toEqual(pairs.slice(4));
    }
  });

  test("the same seed gives the same split, in the order of the input", () => {
    const pairs = entangled(500, 5000, "order");
    const split = (seed: number) => holdOutPairs(pairs, { count: 50, seed }).heldOut;
    expect(split(1)).toEqual(split(1));
    expect(split(1)).not.toEqual(split(2));
    const found = split(1);
    expect(pairs.filter((pair) => found.includes(pair))).toEqual(found);
  });

  test("each pair is as likely to be held out as any other", () => {
    // 30 groups of one pair and 10 of three: 60 pairs, of which 12 are drawn, 1,000 times.
    const pairs = Array.from({ length: 60 }, (_, i) => ({
      source: `s ${i < 30 ? i : 30 + Math.floor((i - 30) / 3)}`,
      target: `t ${i}`,
    }));
    const times = new Map(pairs.map((pair) => [pair, 0]));
    for (let seed = 0; seed < 1000; seed++) {
      for (const pair of holdOutPairs(pairs, { count: 12, seed }).heldOut)
        times.set(pair, times.get(pair)! + 1);
    }
    // 200 ± 13 each; whole groups of three are left out once fewer than three are missing, which costs a little.
    for (const count of times.values()) expect(Math.abs(count - 200)).toBeLessThan(60);
  });

  test("holds out 1,000 or a tenth where no count is given", () => {
    const numbered = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ source: `s ${i}`, target: `t ${i}` }));
    expect(holdOutPairs(numbered(20_000)).heldOut).toHaveLength(1000);
    expect(holdOutPairs(numbered(255)).heldOut).toHaveLength(25);
    expect(holdOutPairs(numbered(2)).heldOut).toHaveLength(1);
  });

  test.each([
    ["nothing to train on", 2, 2, "2 of 2 pairs leave nothing to train on"],
    ["no pairs", 0, 1, "1 of 0 pairs leave nothing to train on"],
    ["no count", 9, 0, "count must be an integer of at least 1, got 0"],
    ["a fraction", 9, 0.5, "count must be an integer of at least 1, got 0.5"],
  ])("%s is refused", (_, length, count, message) => {
    const pairs = Array.from({ length }, (_, i) => ({ source: `${i}`, target: `t${i}` }));
    expect(() => holdOutPairs(pairs, { count })).toThrow(`holdOutPairs: ${message}`);
  });

  test("pairs that all hang together are refused", () => {
    const pairs = Array.from({ length: 50 }, (_, i) => ({ source: `s ${i}`, target: "Yes." }));
    expect(() => holdOutPairs(pairs, { count: 5 })).toThrow(
      "holdOutPairs: the 50 pairs hang together by shared sentences in 1 group of at least 50 pairs",
    );
  });
});

describe("sentenceKey", () => {
  test("is the same for spellings of a sentence", () => {
    const alike = [
      ["It's so — really!", "it’s SO, really"],
      ["Straße", "STRASSE"],
      ["ΟΔΟΣ", "οδος", "οδοσ"],
      ["ﬁne", "Fine."],
      ["\u00a0a\u3000b\n", "A B…"],
      ["?!", " ?! "],
    ];
    for (const group of alike) expect(new Set(group.map(sentenceKey)).size).toBe(1);
    const keys = new Set(
      ["1.5", "15", "été", "ete", "?!", "...", "日本", "👍", "👎"].map(sentenceKey),
    );
    expect(keys.size).toBe(9);
  });
});
