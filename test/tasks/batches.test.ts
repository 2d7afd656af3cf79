/** Batches of fixed shape, and how well entities of real data fall on tokens. */
import { describe, expect, test } from "vitest";
import { readAnnotated } from "../../src/data/read-annotated.ts";
import { Rng } from "../../src/data/rng.ts";
import { collate, examplesOf, IGNORED, withWordDropout } from "../../src/tasks/ner/batches.ts";
import { entitiesOf } from "../../src/tasks/ner/tagger.ts";
import { bilouTagsOf, encodeTags } from "../../src/tasks/ner/tags.ts";
import { FeatureEncoder } from "../../src/text/feature-encoder.ts";
import { FEATURE_NAMES } from "../../src/text/features.ts";
import { tokenize } from "../../src/text/tokenize.ts";
import { UNKNOWN_ID } from "../../src/text/vocabulary.ts";
import { sharedData } from "../data/shared-data.ts";

const F = FEATURE_NAMES.length;
const document = {
  id: "1",
  text: "Jo Doe\nclerk at Acme Ltd",
  entities: [{ label: "Name", start: 0, end: 6 }],
};
const encoder = FeatureEncoder.train([document.text], { minCount: 1 });
const tags = bilouTagsOf(["Name"]);

describe("batches", () => {
  const examples = examplesOf([document], encoder, tags, { size: 4, overlap: 2 });

  test("hold windows of features and classes, padded to one shape", () => {
    expect(examples.map(({ classes }) => [...classes])).toEqual([
      [1, 3, 0, 0],
      [0, 0, 0, 0],
    ]);
    const batch = collate(examples, { batchSize: 3, size: 5 });
    expect(batch.features).toHaveLength(3 * 5 * F);
    expect([...batch.classes]).toEqual([
      ...[1, 3, 0, 0, IGNORED],
      ...[0, 0, 0, 0, IGNORED],
      ...[IGNORED, IGNORED, IGNORED, IGNORED, IGNORED],
    ]);
    const encoded = encoder.encode(tokenize(document.text));
    expect(batch.features.slice(0, 4 * F)).toEqual(encoded.slice(0, 4 * F));
    expect(batch.features.slice(5 * F, 9 * F)).toEqual(encoded.slice(2 * F, 6 * F));
    expect(batch.features.slice(9 * F).every((id) => id === 0)).toBe(true);
  });

  test("refuse what does not fit", () => {
    expect(() => collate(examples, { batchSize: 1, size: 4 })).toThrow("at most 1 examples, got 2");
    expect(() => collate(examples, { batchSize: 2, size: 3 })).toThrow("expected 3 tokens, got 4");
    expect(() => examplesOf([document], encoder, ["O"], { size: 4, overlap: 2 })).toThrow(
      "unknown tag B-Name",
    );
  });

  test("word dropout hides words, not layout or padding", () => {
    const batch = collate(examples, { batchSize: 2, size: 5 });
    const all = withWordDropout(batch, 1, new Rng(1)).features;
    batch.features.forEach((id, i) => {
      const isHidden = id !== 0 && i % F < 3;
      expect(all[i]).toBe(isHidden ? UNKNOWN_ID : id);
    });
    expect(withWordDropout(batch, 0, new Rng(1))).toEqual(batch);
  });
});

test("entitiesOf gives spans with their text and mean confidence", () => {
  const tokens = tokenize(document.text);
  const tagged = {
    text: document.text,
    tokens,
    tags: ["B-Name", "I-Name", "O", "O", "O", "I-Company"],
    confidence: [1, 0.5, 1, 1, 1, 0.25],
  };
  expect(entitiesOf(tagged)).toEqual([
    { label: "Name", start: 0, end: 6, text: "Jo Doe", confidence: 0.75 },
    { label: "Company", start: 21, end: 24, text: "Ltd", confidence: 0.25 },
  ]);
});

describe("real data", () => {
  for (const [path, share] of [
    ["resumes/dataturks/traindata.json", 0.01],
    ["resumes/dotin/545_cvs_train_v2.zip", 0.005],
  ] as const) {
    const { file, missing, title } = sharedData(path);
    test.skipIf(missing)(`entities of ${path} fall on whole tokens${title}`, async () => {
      const { documents } = await readAnnotated(file);
      let misaligned = 0;
      let all = 0;
      for (const { text, entities } of documents) {
        const encoded = encodeTags(tokenize(text), entities);
        misaligned += encoded.misaligned.length + encoded.lost.length;
        all += entities.length;
      }
      expect(misaligned / all).toBeLessThan(share);
    });
  }
});
