/** Training a tagger end to end: it learns, is the same for the same seed, stops when told, and can be saved. */
import { describe, expect, test } from "vitest";
import { tensor } from "../../src/creation.ts";
import { fromSafetensors } from "../../src/hub/safetensors.ts";
import { TokenClassifier, type TokenClassifierOptions } from "../../src/models/token-classifier.ts";
import { generateResumes } from "../../src/tasks/ner/generate/resumes.ts";
import { entitiesOf, evaluateTagger } from "../../src/tasks/ner/tagger.ts";
import { RECIPE, taggerTraining, trainTagger, type Recipe } from "../../src/tasks/ner/train.ts";
import type { TransformerTagger } from "../../src/tasks/ner/transformer-tagger.ts";
import type { StepEvent } from "../../src/train/events.ts";
import { toBilou } from "../../src/tasks/ner/tags.ts";
import { FeatureEncoder } from "../../src/text/feature-encoder.ts";
import { tokenize } from "../../src/text/tokenize.ts";

const few = generateResumes(10, 4);
/** Small enough to be quick, with all the parts of the real one. */
const SMALL: Recipe = {
  ...RECIPE,
  window: { size: 48, overlap: 16 },
  dModel: 32,
  nhead: 2,
  dimFeedforward: 64,
  mixerLayers: 1,
};
const OPTIONS = { epochs: 4, batchSize: 8, learningRate: 0.005, seed: 1, loggingSteps: 1 };

interface Trained {
  readonly tagger: TransformerTagger;
  readonly steps: readonly StepEvent[];
  readonly losses: readonly number[];
}

async function trainSmall(seed: number, maxSteps: number): Promise<Trained> {
  const steps: StepEvent[] = [];
  const { trainer, tagger } = taggerTraining(few, { ...OPTIONS, seed, maxSteps }, SMALL);
  for await (const event of trainer.run()) if (event.type === "step") steps.push(event);
  return { tagger, steps, losses: steps.map(({ loss }) => loss) };
}

describe("a small training", () => {
  test("says when there is nothing to learn from, or the loss diverges", async () => {
    await expect(trainTagger([], OPTIONS, SMALL)).rejects.toThrow("got none");
    const told: unknown[] = [];
    const logger = {
      onEvent: () => undefined,
      fail: (error: unknown) => void told.push(error),
      close: () => Promise.resolve(),
    };
    const options = { ...OPTIONS, learningRate: 1e38, loggers: [logger] };
    const wild = trainTagger(few, options, SMALL);
    await expect(wild).rejects.toThrow(/in step \d+ the loss is .*; its samples are \[/);
    expect(told).toEqual([expect.objectContaining({ name: "NonFiniteError" })]);
  });

  test("has a falling loss, and reports each step", async () => {
    const { steps, losses } = await trainSmall(1, 20);
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(steps.at(-1)).toMatchObject({ steps: 20 });
    const [first] = steps;
    expect(first?.tokensPerSecond).toBeGreaterThan(first?.samplesPerSecond ?? Infinity);
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(losses.slice(-5))).toBeLessThan(0.7 * mean(losses.slice(0, 5)));
  });

  test("is the same for the same seed, to the last bit, and another for another", async () => {
    const first = await trainSmall(7, 4);
    const again = await trainSmall(7, 4);
    const other = await trainSmall(8, 4);
    expect(again.losses).toEqual(first.losses);
    expect(other.losses).not.toEqual(first.losses);
    const text = few[0]?.text ?? "";
    expect(await again.tagger.tag([text])).toEqual(await first.tagger.tag([text]));
  });

  test("stops between steps when the signal says so", async () => {
    const controller = new AbortController();
    let last = 0;
    const onEvent = (event: { type: string; step: number }) => {
      last = event.step;
      if (event.type === "step" && last === 3) controller.abort(new Error("enough"));
    };
    const options = { ...OPTIONS, signal: controller.signal, callbacks: [{ onEvent }] };
    await expect(trainTagger(few, options, SMALL)).rejects.toThrow("enough");
    expect(last).toBe(3);
  });

  test("ends early when asked to, with the tagger of that step", async () => {
    const { tagger } = await trainSmall(5, 3);
    expect(tagger.training).toEqual({ steps: 3, plannedSteps: 3 });
    const ended = taggerTraining(few, OPTIONS, SMALL);
    for await (const { type, step } of ended.trainer.run())
      if (type === "step" && step === 2) ended.trainer.stop();
    const { steps, plannedSteps } = ended.tagger.training ?? { steps: 0, plannedSteps: 0 };
    expect(steps).toBe(2);
    expect(plannedSteps).toBeGreaterThan(2);
    const config = JSON.parse(String((await ended.tagger.files()).get("config.json"))) as object;
    expect(config).toHaveProperty("training", { steps, plannedSteps, interrupted: true });
  });

  test("evaluates on other documents, stops when they get no better, and keeps the best weights", async () => {
    const validation = generateResumes(3, 4, { part: "heldOut" });
    const options = { ...OPTIONS, epochs: 100, learningRate: 0.02, validation, evalSteps: 5 };
    const { trainer, tagger, takeBest } = taggerTraining(few, { ...options, patience: 2 }, SMALL);
    const found: number[] = [];
    for await (const event of trainer.run()) {
      if (event.type === "evaluation") found.push(event.metrics["f1"] ?? NaN);
      if (event.type !== "end") continue;
      expect(event.reason).toBe("earlyStopping");
      expect(event.bestMetric).toBe(Math.max(...found));
      await takeBest(event);
    }
    expect(found.slice(-2).every((f1) => f1 <= Math.max(...found.slice(0, -2)))).toBe(true);
    const { micro } = (await evaluateTagger(tagger, validation)).report;
    expect(micro.f1).toBe(Math.max(...found));
  });
});

test("a tagger tags each token of texts of any length, and none of an empty one", async () => {
  const { tagger } = await trainSmall(2, 2);
  const long = few.map(({ text }) => text).join("\n");
  const tagged = await tagger.tag(["", long, "Jo"]);
  expect(tagged.map(({ tags }) => tags.length)).toEqual([0, tokenize(long).length, 1]);
  for (const { text, tokens, tags, confidence } of tagged) {
    expect(tokens).toEqual(tokenize(text));
    expect(confidence).toHaveLength(tags.length);
    // Decoding gives only sequences that spell out entities.
    tags.forEach((tag, i) => {
      if (tag.startsWith("I-")) expect(tags[i - 1]?.slice(2)).toBe(tag.slice(2));
    });
  }
  // What a text's tags are does not depend on the texts beside it.
  expect((await tagger.tag([long]))[0]?.tags).toEqual(tagged[1]?.tags);
});

test("a tagger's files hold all that the model needs", async () => {
  const { tagger } = await trainSmall(3, 2);
  const files = await tagger.files();
  const json = (name: string) => JSON.parse(String(files.get(name))) as unknown;
  const model = new TokenClassifier(json("config.json") as TokenClassifierOptions).eval();
  model.loadStateDict(fromSafetensors(files.get("model.safetensors") as Uint8Array).tensors);
  const encoder = FeatureEncoder.fromJSON(json("vocabularies.json"));
  const { id2label } = json("config.json") as { id2label: Record<string, string> };

  const text = "Jo Doe\njo@example.org";
  const tokens = tokenize(text);
  const features = tensor(encoder.encode(tokens), {
    shape: [1, tokens.length, encoder.sizes.length],
  });
  const probabilities = await model.forward(features).softmax(-1).toArray();
  const [tagged] = await tagger.tag([text]);
  toBilou(tagged?.tags ?? []).forEach((tag, t) => {
    const row = (probabilities as number[][][])[0]?.[t] ?? [];
    const c = Object.values(id2label).indexOf(tag);
    expect(tagged?.confidence[t]).toBeCloseTo(row[c] ?? NaN, 5);
  });
});

test("a short real training finds most entities of resumes with unknown names", async () => {
  const tagger = await trainTagger(generateResumes(120, 11), {
    epochs: 6,
    batchSize: 16,
    learningRate: 0.004,
    seed: 1,
  });
  const heldOut = generateResumes(30, 11, { part: "heldOut" });
  const { report } = await evaluateTagger(tagger, heldOut);
  expect(report.micro.f1).toBeGreaterThan(0.7);
  const text = "Ada Byrne\nData Analyst\nada.byrne@example.org\n\nSKILLS\nPython, SQL, Excel\n";
  const [tagged] = await tagger.tag([text]);
  const found = tagged ? entitiesOf(tagged) : [];
  expect(found).toContainEqual(
    expect.objectContaining({ label: "Email Address", text: "ada.byrne@example.org" }),
  );
});
