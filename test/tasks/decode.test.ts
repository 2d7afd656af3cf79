/** Viterbi decoding against all sequences tried one by one; BIO and BILOU tags. */
import { describe, expect, test } from "vitest";
import { Rng } from "../../src/data/rng.ts";
import { decodeTags, mayFollow } from "../../src/tasks/ner/decode.ts";
import { bilouTagsOf, chunksOf, toBilou, toBio } from "../../src/tasks/ner/tags.ts";

const tags = bilouTagsOf(["A", "B"]);

/** All class sequences of a length. */
function sequences(length: number): number[][] {
  if (length === 0) return [[]];
  return sequences(length - 1).flatMap((head) => tags.map((_, c) => [...head, c]));
}

/** Whether BILOU tags spell out entities from end to end, by the words of the definition. */
function isWellFormed(names: readonly string[]): boolean {
  return /^(O |U-\w |B-(\w) (I-\2 )*L-\2 )*$/.test(names.map((name) => `${name} `).join(""));
}

describe("decodeTags", () => {
  test("finds the best of all well-formed sequences", () => {
    const rng = new Rng("decode");
    for (let round = 0; round < 30; round++) {
      const length = rng.int(1, 4);
      const logProbs = Array.from({ length: length * tags.length }, () => Math.log(rng.float()));
      const scoreOf = (classes: ArrayLike<number>) =>
        Array.from(classes).reduce((sum, c, t) => sum + (logProbs[t * tags.length + c] ?? 0), 0);
      const best = sequences(length)
        .filter((classes) => isWellFormed(classes.map((c) => tags[c] ?? "")))
        .map(scoreOf)
        .reduce((a, b) => Math.max(a, b));
      const { classes, confidence } = decodeTags(logProbs, tags);
      expect(isWellFormed(Array.from(classes, (c) => tags[c] ?? ""))).toBe(true);
      expect(scoreOf(classes)).toBeCloseTo(best, 10);
      classes.forEach((c, t) => {
        expect(confidence[t]).toBeCloseTo(Math.exp(logProbs[t * tags.length + c] ?? 0), 6);
      });
    }
  });

  test("no tokens have no tags, and broken rows are refused", () => {
    expect(decodeTags([], tags).classes).toHaveLength(0);
    expect(() => decodeTags([0, 0], tags)).toThrow("2 numbers are no rows of 9 classes");
  });
});

test("mayFollow agrees with the definition on every pair", () => {
  for (const a of tags) {
    expect(mayFollow(undefined, a)).toBe(isWellFormed([a]) || a.startsWith("B-"));
    expect(mayFollow(a, undefined)).toBe(!/^[BI]/.test(a));
    for (const b of tags) {
      const before = /^[IL]/.test(a) ? [`B-${a.slice(2)}`, a] : [a];
      const after = /^[BI]/.test(b) ? [b, `L-${b.slice(2)}`] : [b];
      expect(mayFollow(a, b), `${a} ${b}`).toBe(isWellFormed([...before, ...after]));
    }
  }
});

test("BIO and BILOU tags spell out the same entities", () => {
  const bio = ["B-A", "B-A", "I-A", "O", "B-B", "I-B", "I-B", "B-A"];
  const bilou = ["U-A", "B-A", "L-A", "O", "B-B", "I-B", "L-B", "U-A"];
  expect(toBilou(bio)).toEqual(bilou);
  expect(toBio(bilou)).toEqual(bio);
  expect(chunksOf(toBio(toBilou(bio)))).toEqual(chunksOf(bio));
  expect(toBilou([])).toEqual([]);
});
