/** A saved tagger reads texts as the one that was trained, and folders that hold none are refused by file and field. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { generateResumes } from "../../src/tasks/ner/generate/resumes.ts";
import { loadTagger } from "../../src/tasks/ner/load-tagger.ts";
import type { Tagger } from "../../src/tasks/ner/tagger.ts";
import { RECIPE, trainTagger } from "../../src/tasks/ner/train.ts";
import { temporaryFolder } from "../data/temp.ts";

const { folder } = temporaryFolder();
const saved = join(folder, "saved");
const resumes = generateResumes(10, 4);
let trained: Tagger;

beforeAll(async () => {
  const options = { maxSteps: 3, batchSize: 8, learningRate: 0.01, seed: 1 };
  const recipe = { ...RECIPE, window: { size: 48, overlap: 16 }, dModel: 32, mixerLayers: 1 };
  trained = await trainTagger(resumes, options, recipe);
  mkdirSync(saved);
  for (const [name, content] of await trained.files()) writeFileSync(join(saved, name), content);
});

test("tags to the last bit as the tagger that was saved, and saves the same files", async () => {
  const loaded = await loadTagger(saved);
  const texts = ["", ...resumes.map(({ text }) => text)];
  expect(await loaded.tag(texts)).toEqual(await trained.tag(texts));
  expect(loaded.labels).toEqual(trained.labels);
  expect(loaded.training).toEqual(trained.training);
  expect(await loaded.files()).toEqual(await trained.files());
});

describe("refuses, naming file and field,", () => {
  /** What loading says of a copy of the folder after `damage`. */
  const complaint = async (damage: (file: (name: string) => string) => void): Promise<string> => {
    const copy = join(folder, "copy");
    rmSync(copy, { recursive: true, force: true });
    cpSync(saved, copy, { recursive: true });
    damage((name) => join(copy, name));
    const message = await loadTagger(copy).then(
      () => "loaded",
      (error: unknown) => (error as Error).message,
    );
    expect(message).not.toContain("\n");
    return message.replaceAll(`${copy}/`, "");
  };
  type Json = Record<string, unknown>;
  const change = (path: string, edit: (json: Json) => Json) =>
    writeFileSync(path, JSON.stringify(edit(JSON.parse(readFileSync(path, "utf8")) as Json)));

  test("a folder that is none", async () => {
    expect(await loadTagger(join(folder, "none")).catch(String)).toMatch(
      /none\/config\.json: no such file/,
    );
  });

  test.each(["config.json", "vocabularies.json", "model.safetensors"])(
    "a missing, empty or cut %s",
    async (name) => {
      expect(await complaint((file) => rmSync(file(name)))).toBe(
        `${name}: no such file; check the path`,
      );
      expect(await complaint((file) => writeFileSync(file(name), ""))).toBe(
        `${name}: the file is empty`,
      );
      const half = (path: string) => writeFileSync(path, readFileSync(path).subarray(0, -99));
      expect(await complaint((file) => half(file(name)))).toMatch(
        new RegExp(`^${name}: .*(whole|truncated)`),
      );
    },
  );

  test.each<[string, Json, string]>([
    ["another architecture", { architecture: "BertForTokenClassification" }, "field architecture"],
    ["other features", { features: ["norm"] }, "field features"],
    ["labels that are none", { labels: "Name" }, "field labels"],
    ["labels in another order", { labels: ["Zoo", "Name"] }, "field id2label.1"],
    ["another number of classes", { numClasses: 2 }, "field numClasses"],
    ["a width that is no number", { dModel: "32" }, "field dModel"],
    ["a huge width", { dModel: 1e12 }, "field dModel"],
    ["heads that do not divide the width", { nhead: 5 }, "field nhead"],
    ["a feature's size", { featureSizes: [1, 2, 3, 4, 5, 6, -7] }, "field featureSizes[6]"],
    ["a window longer than the model's", { window: { size: 49, overlap: 1 } }, "field window.size"],
    ["an overlap of a whole window", { window: { size: 9, overlap: 9 } }, "field window.overlap"],
    ["a training without steps", { training: {} }, "field training.steps"],
  ])("a configuration with %s", async (_, fields, message) => {
    expect(
      await complaint((file) => change(file("config.json"), (json) => ({ ...json, ...fields }))),
    ).toContain(`config.json, ${message}: expected`);
  });

  test("files of different runs", async () => {
    const vocabularies = (edit: (json: Json) => Json) =>
      complaint((file) => change(file("vocabularies.json"), edit));
    expect(await vocabularies((json) => ({ ...json, shape: undefined }))).toContain(
      "vocabularies.json, field shape: ",
    );
    expect(await vocabularies((json) => ({ ...json, shape: ["Xx"] }))).toMatch(
      /^vocabularies\.json, field shape: expected \d+ ids .*, got 3; /,
    );
    const wider = (dimFeedforward: number) =>
      complaint((file) => change(file("config.json"), (json) => ({ ...json, dimFeedforward })));
    const weight =
      /^model\.safetensors, field \S+: expected shape \[\d+.*\], .* got \[192.*\]; are/;
    expect(await wider(64)).toMatch(weight);
    expect(await wider(1_000_000)).toMatch(weight);
    expect(
      await complaint((file) =>
        change(file("config.json"), (json) => ({ ...json, mixerLayers: 2 })),
      ),
    ).toMatch(/^model\.safetensors, field mixers\.1\.\S+: expected shape .*, got none; /);
  });
});
