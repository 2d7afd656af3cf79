/** Splits must not leak: near copies stay together, and a seed decides everything. */
import { describe, expect, test } from "vitest";
import { groupNearDuplicates } from "../../src/data/near-duplicates.ts";
import { readAnnotated } from "../../src/data/read-annotated.ts";
import { Rng } from "../../src/data/rng.ts";
import { splitDocuments } from "../../src/data/split.ts";
import { sharedData } from "./shared-data.ts";

function randomText(rng: Rng, words: number): string {
  return Array.from({ length: words }, () => `w${rng.int(0, 500)}`).join(" ");
}

describe("splitDocuments", () => {
  const rng = new Rng(1);
  const documents = Array.from({ length: 40 }, (_, i) => ({ i, text: randomText(rng, 200) }));
  const copies = documents.slice(0, 10).map(({ text }, i) => ({
    i: 40 + i,
    text: text.toUpperCase().replaceAll(" ", "\n") + " and " + randomText(rng, 20),
  }));
  const all = [...documents, ...copies];

  test("keeps near copies on one side, for any seed", () => {
    for (let seed = 0; seed < 20; seed++) {
      const { train, heldOut } = splitDocuments(all, { heldOut: 0.2, seed });
      expect(train.length + heldOut.length).toBe(50);
      expect(Math.abs(heldOut.length - 10)).toBeLessThanOrEqual(1);
      const outside = new Set(heldOut.map(({ i }) => i));
      for (let i = 0; i < 10; i++) expect(outside.has(i)).toBe(outside.has(40 + i));
    }
  });

  test("depends on the seed alone", () => {
    const split = (seed: number) => splitDocuments(all, { heldOut: 0.3, seed }).heldOut;
    expect(split(7)).toEqual(split(7));
    expect(split(7)).not.toEqual(split(8));
  });

  test("needs two different documents and a share between 0 and 1", () => {
    const twice = [{ text: "the same" }, { text: "the same" }];
    expect(() => splitDocuments(twice, { heldOut: 0.5, seed: 0 })).toThrow("got 1; give more data");
    expect(() => splitDocuments(all, { heldOut: 1, seed: 0 })).toThrow("between 0 and 1, got 1");
    const two = splitDocuments([{ text: "one" }, { text: "two" }], { heldOut: 0.01, seed: 0 });
    expect([two.train.length, two.heldOut.length]).toEqual([1, 1]);
  });
});

test("Rng gives the same uniform numbers everywhere", () => {
  const rng = new Rng("seed");
  expect([rng.uint32(), rng.uint32()]).toEqual([new Rng("seed").uint32(), expect.any(Number)]);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) {
    const digit = rng.int(0, 9);
    counts[digit] = (counts[digit] ?? 0) + 1;
  }
  // Chi-squared with 9 degrees of freedom exceeds 27.9 once in a thousand times.
  expect(counts.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)).toBeLessThan(27.9);
  expect(rng.shuffle([1, 2, 3, 4]).sort()).toEqual([1, 2, 3, 4]);
  expect(() => rng.pick([])).toThrow("at least one item");
});

const turks = sharedData("resumes/dataturks/traindata.json");
test.skipIf(turks.missing)(`finds the copies in the DataTurks resumes${turks.title}`, async () => {
  const { documents } = await readAnnotated(turks.file);
  const members = new Map<number, number[]>();
  groupNearDuplicates(documents.map(({ text }) => text)).forEach((group, i) => {
    members.set(group, [...(members.get(group) ?? []), i]);
  });
  expect([...members.values()].filter(({ length }) => length > 1)).toEqual([
    [52, 90],
    [65, 66, 118],
  ]);
});
