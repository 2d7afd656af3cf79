/** Tags and metrics of named entities, against seqeval's own reports. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { entityReport, type Score } from "../../src/tasks/ner/metrics.ts";
import { bilouTagsOf, chunksOf, encodeTags, spanOf } from "../../src/tasks/ner/tags.ts";
import { tokenize } from "../../src/text/tokenize.ts";

type Row = [precision: number, recall: number, f1: number, support: number];
interface Case {
  truth: string[];
  guess: string[];
  lenient: Record<string, Row>;
  strict: Record<string, Row>;
}
// Made by scripts/fixtures/entity_reports.py.
const cases = JSON.parse(
  readFileSync(new URL("../fixtures/seqeval.json", import.meta.url), "utf8"),
) as Case[];

describe("entityReport", () => {
  test.each(["lenient", "strict"] as const)("equals seqeval, %s", (mode) => {
    expect(cases.length).toBeGreaterThan(10);
    for (const { truth, guess, ...expected } of cases) {
      const split = (lines: string[]) => lines.map((line) => line.split(" "));
      const report = entityReport(split(truth), split(guess), { strict: mode === "strict" });
      const got: Record<string, Score> = {
        ...report.labels,
        "micro avg": report.micro,
        "macro avg": report.macro,
        "weighted avg": report.weighted,
      };
      expect(Object.keys(got).sort()).toEqual(Object.keys(expected[mode]).sort());
      for (const [name, row] of Object.entries(expected[mode])) {
        const score = got[name];
        const values = [score?.precision, score?.recall, score?.f1, score?.support];
        row.forEach((value, i) => expect(values[i]).toBeCloseTo(value, 12));
      }
    }
  });

  test("is all zeros without entities", () => {
    const zero = { precision: 0, recall: 0, f1: 0, support: 0 };
    expect(entityReport([["O"]], [["O"]])).toEqual({
      labels: {},
      micro: zero,
      macro: zero,
      weighted: zero,
    });
  });

  test("refuses sequences that do not match", () => {
    expect(() => entityReport([["O"]], [])).toThrow("got 0 and 1");
    expect(() => entityReport([["O"]], [["O", "O"]])).toThrow("sequence 0 has 1 true tags and 2");
  });
});

describe("tags", () => {
  test("go from spans to tags and back", () => {
    const text = "Jo Doe Acme Inc. clerk";
    const entities = [
      { label: "Name", start: 0, end: 6 },
      { label: "Company", start: 7, end: 16 },
    ];
    const tokens = tokenize(text);
    const { tags, misaligned, lost } = encodeTags(tokens, entities);
    expect(tags).toEqual(["B-Name", "I-Name", "B-Company", "I-Company", "I-Company", "O"]);
    expect([misaligned, lost]).toEqual([[], []]);
    expect(chunksOf(tags).map((chunk) => spanOf(chunk, tokens))).toEqual(entities);
    expect(() => spanOf({ label: "X", first: 5, last: 6 }, tokens)).toThrow("of 6 tokens");
  });

  test("report entities whose edges fall inside a token", () => {
    const tokens = tokenize("SeniorClerk and Treasurer");
    const senior = { label: "A", start: 0, end: 6 };
    const clerk = { label: "B", start: 6, end: 11 };
    const rest = { label: "C", start: 12, end: 20 };
    const { tags, misaligned, lost } = encodeTags(tokens, [senior, clerk, rest]);
    expect(tags).toEqual(["B-A", "B-C", "I-C"]);
    expect(misaligned).toEqual([senior, rest]);
    expect(lost).toEqual([clerk]);
  });

  test("are numbered with O first", () => {
    expect(bilouTagsOf(["Name", "Age"]).join(" ")).toBe(
      "O B-Name I-Name L-Name U-Name B-Age I-Age L-Age U-Age",
    );
  });
});
