/** Features, vocabularies and windows: what a tagger reads of a text. */
import { describe, expect, test } from "vitest";
import { FeatureEncoder } from "../../src/text/feature-encoder.ts";
import { FEATURE_NAMES, tokenFeatures } from "../../src/text/features.ts";
import { tokenize } from "../../src/text/tokenize.ts";
import { PAD_ID, UNKNOWN_ID, Vocabulary } from "../../src/text/vocabulary.ts";
import { windowsOf } from "../../src/text/windows.ts";

describe("tokenFeatures", () => {
  test("gives normal form, affixes and shape", () => {
    const features = tokenFeatures(tokenize("Développeurs JAVA8 ﬁrst 2016 jo@example.com"));
    expect(features.norm).toEqual(["développeurs", "java0", "first", "0000", "<email>"]);
    expect(features.prefix).toEqual(["dév", "jav", "fir", "000", "<em"]);
    expect(features.suffix).toEqual(["urs", "va0", "rst", "000", "il>"]);
    expect(features.shape).toEqual(["Xxxxx", "XXXXd", "xxxx", "dddd", "<email>"]);
  });

  test("tells headings from text and the place in a line", () => {
    const features = tokenFeatures(tokenize("WORK HISTORY\n\nSenior Clerk\tParis\nled the team"));
    expect(features.line).toEqual([
      "2 upper",
      "2 upper",
      "2 title",
      "2 title",
      "1 title",
      "3 mixed",
      "3 mixed",
      "3 mixed",
    ]);
    expect(features.place).toEqual([
      "line 0",
      "space 1",
      "blank-line 0",
      "space 1",
      "wide 0",
      "line 0",
      "space 1",
      "space 2",
    ]);
  });

  test("counts lines, by eights from the ninth on", () => {
    const lines = Array.from({ length: 90 }, (_, i) => `w${i}`).join("\n");
    const { depth } = tokenFeatures(tokenize(lines));
    expect([0, 7, 8, 15, 16, 63, 64, 89].map((i) => depth[i])).toEqual(
      "0 7 8 8 16 56 64 64".split(" "),
    );
    expect(tokenFeatures(tokenize("a b\tc")).depth).toEqual(["0", "0", "1"]);
  });
});

describe("Vocabulary", () => {
  test("orders by count, then by code units, and leaves out rare items", () => {
    const vocabulary = Vocabulary.train(["b", "a", "c", "b", "a", "é", "é", "é"], { minCount: 2 });
    expect(vocabulary.toJSON()).toEqual(["é", "a", "b"]);
    expect([vocabulary.id("é"), vocabulary.id("b"), vocabulary.id("c")]).toEqual([
      2,
      4,
      UNKNOWN_ID,
    ]);
    expect(vocabulary.size).toBe(5);
    expect(vocabulary.item(PAD_ID)).toBe("<pad>");
    expect(vocabulary.id("<pad>")).toBe(UNKNOWN_ID);
    expect(() => vocabulary.item(5)).toThrow("expected an id from 0 to 4, got 5");
  });

  test("keeps within its size and survives JSON", () => {
    const vocabulary = Vocabulary.train(["b", "a", "b"], { maxSize: 3 });
    expect(vocabulary.size).toBe(3);
    const copy = Vocabulary.fromJSON(JSON.parse(JSON.stringify(vocabulary)));
    expect(copy.toJSON()).toEqual(["b"]);
    expect(() => Vocabulary.fromJSON([1])).toThrow(TypeError);
    expect(() => Vocabulary.fromJSON(["a", "a"])).toThrow("one twice");
  });
});

describe("FeatureEncoder", () => {
  test("encodes what it was trained on, the rest as unknown, the same after JSON", () => {
    const encoder = FeatureEncoder.train(["Senior Engineer at Acme", "Senior Engineer, Acme"]);
    const tokens = tokenize("Senior Zebra");
    const ids = encoder.encode(tokens);
    expect(ids).toHaveLength(2 * FEATURE_NAMES.length);
    expect(ids[0]).toBe(encoder.vocabularies.norm.id("senior"));
    expect(ids[0]).toBeGreaterThan(UNKNOWN_ID);
    expect(ids[FEATURE_NAMES.length]).toBe(UNKNOWN_ID);
    expect(encoder.sizes).toEqual(FEATURE_NAMES.map((name) => encoder.vocabularies[name].size));

    const copy = FeatureEncoder.fromJSON(JSON.parse(JSON.stringify(encoder)));
    expect(copy.encode(tokens)).toEqual(ids);
    expect(() => FeatureEncoder.fromJSON({ norm: [] })).toThrow(TypeError);
  });
});

describe("windowsOf", () => {
  test("keeps every token exactly once, in full windows", () => {
    for (const [size, overlap] of [
      [1, 0],
      [4, 0],
      [4, 3],
      [8, 3],
      [128, 32],
    ] as const) {
      for (let count = 0; count < 300; count++) {
        const windows = windowsOf(count, { size, overlap });
        let next = 0;
        for (const { start, end, keepStart, keepEnd } of windows) {
          const isRight =
            keepStart === next &&
            keepStart < keepEnd &&
            start <= keepStart &&
            keepEnd <= end &&
            end - start === Math.min(size, count);
          expect(isRight, `${size} ${overlap} ${count}`).toBe(true);
          next = keepEnd;
        }
        expect(next).toBe(count);
      }
    }
  });

  test("divides an overlap at its middle", () => {
    expect(windowsOf(12, { size: 8, overlap: 4 })).toEqual([
      { start: 0, end: 8, keepStart: 0, keepEnd: 6 },
      { start: 4, end: 12, keepStart: 6, keepEnd: 12 },
    ]);
  });

  test("refuses an overlap that leaves nothing", () => {
    expect(() => windowsOf(5, { size: 4, overlap: 4 })).toThrow("0 <= overlap < size");
  });
});
