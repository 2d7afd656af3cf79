/** Made-up resumes: exact spans, one result a seed, varied, and a held-out part that cannot be learnt by heart. */
import { describe, expect, test } from "vitest";
import type { AnnotatedDocument } from "../../src/data/annotated.ts";
import { isReserved } from "../../src/tasks/ner/generate/facts.ts";
import { ResumeBuilder } from "../../src/tasks/ner/generate/resume-builder.ts";
import { generateResumes } from "../../src/tasks/ner/generate/resumes.ts";
import { RESUME_LABELS } from "../../src/tasks/ner/generate/writer.ts";
import { encodeTags } from "../../src/tasks/ner/tags.ts";
import { tokenize } from "../../src/text/tokenize.ts";

const train = generateResumes(300, 1);
const heldOut = generateResumes(80, 2, { part: "heldOut" });

function valuesOf(documents: readonly AnnotatedDocument[], label: string): Set<string> {
  return new Set(
    documents.flatMap(({ text, entities }) =>
      entities
        .filter((e) => e.label === label)
        .map((e) => text.slice(e.start, e.end).replaceAll("\n", " ")),
    ),
  );
}

describe("generateResumes", () => {
  test("depends on the seed alone, whatever the count", () => {
    expect(generateResumes(5, 1)).toEqual(train.slice(0, 5));
    expect(generateResumes(5, 3)).not.toEqual(train.slice(0, 5));
    expect(generateResumes(0, 1)).toEqual([]);
    expect(() => generateResumes(-1, 1)).toThrow("whole number of resumes, got -1");
  });

  test("gives sorted, trimmed spans whose edges are edges of tokens", () => {
    let misaligned = 0;
    for (const { text, entities } of [...train, ...heldOut]) {
      let last = 0;
      for (const { start, end } of entities) {
        expect(start).toBeGreaterThanOrEqual(last);
        const slice = text.slice(start, end);
        expect(slice).not.toBe("");
        expect(slice).toBe(slice.trim());
        last = end;
      }
      const tags = encodeTags(tokenize(text), entities);
      misaligned += tags.misaligned.length + tags.lost.length;
    }
    expect(misaligned).toBe(0);
  });

  test("uses every label, and years, addresses and degrees look like such", () => {
    for (const label of RESUME_LABELS) expect(valuesOf(train, label).size).toBeGreaterThan(20);
    for (const year of valuesOf(train, "Graduation Year")) expect(year).toMatch(/^(19|20)\d\d$/);
    for (const email of valuesOf(train, "Email Address")) expect(email).toMatch(/^\S+[@/]\S+$/);
    const labels = new Set(train.flatMap(({ entities }) => entities.map(({ label }) => label)));
    expect([...labels].sort()).toEqual([...RESUME_LABELS].sort());
  });

  test("varies layouts and alphabets", () => {
    const texts = train.map(({ text }) => text);
    expect(new Set(texts).size).toBe(train.length);
    for (const sign of [/\r\n/, /\t/, /•/, /^[^\n]+$/, /[ąęłšřüéñ]/, /[α-ω]{3}/, /^[A-Z ]+$/m]) {
      expect(texts.filter((text) => sign.test(text)).length).toBeGreaterThan(3);
    }
    expect(
      texts.filter((text) => !/Present|present|Current|Till/.test(text)).length,
    ).toBeGreaterThan(9);
  });

  test("holds a part of names, employers and skills back from training", () => {
    for (const skill of valuesOf(train, "Skills")) expect(isReserved(skill)).toBe(false);
    const unseenShare = (label: string) => {
      const seen = valuesOf(train, label);
      const values = [...valuesOf(heldOut, label)];
      return values.filter((value) => !seen.has(value)).length / values.length;
    };
    expect(unseenShare("Name")).toBeGreaterThan(0.9);
    expect(unseenShare("Companies worked at")).toBeGreaterThan(0.8);
    expect(unseenShare("Skills")).toBeGreaterThan(0.2);
    expect(unseenShare("Skills")).toBeLessThan(0.8);
  });
});

describe("ResumeBuilder", () => {
  test("records spans, also when lines are broken inside them", () => {
    const out = new ResumeBuilder("\n");
    out.fill("{title} of the {place}\n", {
      title: () => out.entity("Title", "Head gardener"),
      place: () => out.entity("Place", "old palm house"),
    });
    expect(out.build().text).toBe("Head gardener of the old palm house\n");
    const { text, entities } = out.build(16);
    expect(text).toBe("Head gardener of\nthe old palm\nhouse\n");
    expect(entities.map(({ start, end }) => text.slice(start, end))).toEqual([
      "Head gardener",
      "old palm\nhouse",
    ]);
  });

  test("refuses entities that would need trimming and slots it does not know", () => {
    const out = new ResumeBuilder("  ");
    expect(() => out.entity("A", " b")).toThrow("one trimmed line for a A");
    expect(() => out.fill("{x}", {})).toThrow("no slot {x}");
    expect(out.add("a\n").endLine().add("b").build().text).toBe("a  b");
  });
});
