/** Training a translator: it learns, is the same for the same seed also when it goes on, keeps its best weights. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { evaluateTranslator } from "../../../src/tasks/translation/evaluate.ts";
import { loadTranslator } from "../../../src/tasks/translation/load-translator.ts";
import { SPECIAL_TOKENS } from "../../../src/tasks/translation/special-tokens.ts";
import {
  translationTraining,
  trainVocabulary,
  type TrainTranslatorOptions,
} from "../../../src/tasks/translation/train.ts";
import type { Translator } from "../../../src/tasks/translation/translator.ts";
import { Tokenizer } from "../../../src/text/tokenizer/tokenizer.ts";
import { WordLevel } from "../../../src/text/tokenizer/word-level.ts";
import type { EndEvent, EvaluationEvent, StepEvent } from "../../../src/train/events.ts";
import { temporaryFolder } from "../../data/temp.ts";
import {
  ALL,
  logProbabilities,
  modelOf,
  reversed,
  reversingTokenizer,
  SEEN,
  SMALL,
  trainedReverser,
  UNSEEN,
} from "./reversing.ts";

const { folder } = temporaryFolder();
const tokenizer = reversingTokenizer();
const OPTIONS = { recipe: SMALL, seed: 1, tokenizer };

const weightsOf = async (translator: Translator): Promise<Uint8Array> =>
  (await translator.files()).get("model.safetensors") as Uint8Array;

/** Trains on the pairs to the end. */
async function trained(options: Partial<TrainTranslatorOptions>) {
  const training = await translationTraining(SEEN, { ...OPTIONS, ...options });
  const steps: StepEvent[] = [];
  const evaluations: EvaluationEvent[] = [];
  let end: EndEvent | undefined;
  for await (const event of training.trainer.run()) {
    if (event.type === "step") steps.push(event);
    if (event.type === "evaluation") evaluations.push(event);
    if (event.type === "end") end = event;
  }
  return { ...training, steps, evaluations, end: end! };
}

test("what it has not seen is translated without a fault", { timeout: 60_000 }, async () => {
  const translator = await trainedReverser();
  const { exactMatch, bleu, tokens, cut } = await evaluateTranslator(translator, UNSEEN);
  expect({ exactMatch, bleu: bleu.score, tokens, cut }).toEqual({
    ...{ exactMatch: 100, tokens: 3 * UNSEEN.length, cut: 0 },
    bleu: expect.closeTo(0, 9) as number, // no four words in a row
  });
  expect(translator.training).toEqual({ steps: 250, plannedSteps: 250 });
});

test("the loss is the mean cross-entropy of tokens that are no padding, with smoothed targets", async () => {
  const pairs = [reversed(["ape"]), reversed(["bee", "cat"]), reversed(["dog", "elk", "fly"])];
  const recipe = { ...SMALL, labelSmoothing: 0.2, batchSize: pairs.length };
  const { trainer, translator } = await translationTraining(pairs, {
    ...{ ...OPTIONS, recipe, maxSteps: 1, validation: pairs, evalSteps: 1 },
  });
  const model = modelOf(await translator.files());
  let [sum, plain, count] = [0, 0, 0];
  for (const { source, target } of pairs) {
    const ids = (text: string): readonly number[] => tokenizer.encode(text).ids;
    const wanted = [...ids(target), 3];
    const logP = await logProbabilities(model, [...ids(source), 3], [2, ...ids(target)]);
    for (const [t, row] of logP.entries()) {
      const spread = row.reduce((all, x) => all + x, 0) / row.length;
      sum -= 0.8 * row[wanted[t]!]! + 0.2 * spread;
      plain -= row[wanted[t]!]!;
      count += 1;
    }
  }
  const losses: Record<string, number> = {};
  for await (const event of trainer.run()) {
    if (event.type === "step") losses["train"] = event.loss;
    // The first step of a warm-up changes nothing: its learning rate is 0.
    if (event.type === "evaluation") losses["validation"] = event.metrics["loss"]!;
  }
  expect(losses["train"]).toBeCloseTo(sum / count, 5);
  expect(losses["validation"]).toBeCloseTo(plain / count, 5);
});

test("maxSteps are the steps of a training, more than the recipe's too, unless epochs end before", async () => {
  const recipe = { ...SMALL, steps: 4, warmup: 2 };
  const planned = async (options: Partial<TrainTranslatorOptions>) =>
    (await translationTraining(SEEN, { ...OPTIONS, recipe, ...options })).translator.training;
  expect(await planned({})).toEqual({ steps: 0, plannedSteps: 4 });
  expect(await planned({ maxSteps: 12, epochs: 2 })).toEqual({ steps: 0, plannedSteps: 10 });
  const { steps, end } = await trained({ recipe, maxSteps: 12, loggingSteps: 1 });
  expect(end).toMatchObject({ reason: "finished", step: 12 });
  // Two steps up from 0, ten down to it.
  const rates = [0, 0.5, ...[10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((left) => left / 10)];
  steps.forEach(({ lr }, i) => expect(lr).toBeCloseTo(SMALL.learningRate * rates[i]!, 9));
});

test.each(["linear", "noam"] as const)(
  "a %s warm-up as long as the training is a tenth of it",
  async (schedule) => {
    const recipe = { ...SMALL, schedule, steps: 20, warmup: 20 };
    const { warmup, steps } = await trained({ recipe, loggingSteps: 1 });
    expect(warmup).toBe(2);
    const rates = steps.map(({ lr }) => lr);
    const most = Math.max(...rates);
    expect(most).toBeCloseTo(SMALL.learningRate, 9);
    expect(rates.indexOf(most)).toBeLessThanOrEqual(2);
    expect(rates.at(-1)).toBeLessThan(0.5 * most);
  },
);

describe("the same seed gives the same weights,", { timeout: 60_000 }, () => {
  const recipe = { ...SMALL, dropout: 0.1, steps: 12, warmup: 3 };

  test("and another seed others", async () => {
    const [one, again, other] = [
      await trained({ recipe }),
      await trained({ recipe }),
      await trained({ recipe, seed: 2 }),
    ];
    expect(await weightsOf(again.translator)).toEqual(await weightsOf(one.translator));
    expect(await weightsOf(other.translator)).not.toEqual(await weightsOf(one.translator));
    expect(one.steps.map(({ step }) => step).at(-1)).toBe(12);
  });

  test("also in two sessions", async () => {
    const whole = await trained({ recipe });
    const output = join(folder, "two-sessions");
    const options = { ...OPTIONS, recipe, output, saveSteps: 5, loggingSteps: 1 };
    const { trainer, translator } = await translationTraining(SEEN, options);
    for await (const event of trainer.run())
      if (event.type === "step" && event.step === 7) trainer.stop();
    expect(translator.training).toEqual({ steps: 7, plannedSteps: 12 });
    const { translator: second, end } = await trained({ ...options, resume: true });
    expect(end).toMatchObject({ reason: "finished", step: 12 });
    expect(await weightsOf(second)).toEqual(await weightsOf(whole.translator));
    expect(await second.files()).toEqual(await whole.translator.files());
  });
});

test("takeBest gives the weights of the least loss, of this session or an earlier one", async () => {
  const output = join(folder, "best");
  // The rate rises until it is far too large, so that the last weights are not the best.
  const recipe = { ...SMALL, learningRate: 1, warmup: 11, steps: 12 };
  const options = { ...OPTIONS, recipe, evalSteps: 2, validation: UNSEEN };
  const { translator, takeBest, evaluations, end } = await trained({ ...options, output });
  const losses = evaluations.map(({ metrics }) => metrics["loss"]!);
  const best = losses.indexOf(Math.min(...losses));
  expect(best).toBeLessThan(losses.length - 1);
  expect(evaluations.map((event) => event.best).lastIndexOf(true)).toBe(best);
  expect(Object.keys(evaluations[0]!.metrics)).toEqual(["loss", "exact_match", "bleu"]);
  expect(end).toMatchObject({
    ...{ bestMetric: losses[best], bestCheckpoint: join(output, `checkpoint-${2 * best + 2}`) },
  });
  const kept = await weightsOf(await loadTranslator(end.bestCheckpoint!));
  expect(await weightsOf(translator)).not.toEqual(kept);
  await takeBest(end);
  expect(await weightsOf(translator)).toEqual(kept);
  const later = await translationTraining(SEEN, options);
  await later.takeBest(end);
  expect(await weightsOf(later.translator)).toEqual(kept);
});

test("texts as long as the model may be are trained on, longer ones are counted", async () => {
  const words = Array.from({ length: 9 }, (_, i) => ["ape", "bee", "cat"][i % 3]!);
  // With their ends 5, 9 and 10 tokens.
  const pairs = [reversed(words.slice(0, 4)), reversed(words.slice(0, 8)), reversed(words)];
  const recipe = { ...SMALL, maxLength: 9, steps: 3, batchSize: 2 };
  const options = { ...OPTIONS, recipe, validation: pairs, evalSteps: 3 };
  const { trainer, skipped } = await translationTraining(pairs, options);
  expect(skipped).toEqual({ tooLong: 1 });
  expect(await trainer.train()).toMatchObject({ reason: "finished", step: 3 });
});

describe("a tokenizer of the user's", () => {
  const names = ["[UNK]", "<pad>", "</s>"];

  test("may cut and fill up texts, which training does itself, and have gaps between ids", async () => {
    const vocabulary = new Map([...names, "ape", "APE"].map((token, id) => [token, 7 * id]));
    const own = new Tokenizer({ model: new WordLevel(vocabulary, { unkToken: "[UNK]" }) });
    const json = {
      ...own.toJSON(),
      truncation: { direction: "Right", max_length: 1, strategy: "LongestFirst", stride: 0 },
      padding: {
        ...{ strategy: { Fixed: 40 }, direction: "Right", pad_to_multiple_of: null },
        ...{ pad_id: 7, pad_type_id: 0, pad_token: "<pad>" },
      },
    };
    const { trainer, translator, skipped } = await translationTraining([reversed(["ape"])], {
      ...{
        recipe: { ...SMALL, steps: 30, warmup: 3 },
        seed: 1,
        tokenizer: Tokenizer.fromJSON(json),
      },
    });
    expect(skipped).toEqual({ tooLong: 0 });
    await trainer.train();
    const files = await translator.files();
    expect(JSON.parse(String(files.get("config.json")))).toMatchObject({
      ...{ vocabSize: 29, padId: 7, bosId: 14, eosId: 14 },
    });
    expect(JSON.parse(String(files.get("tokenizer.json")))).toMatchObject({
      ...{ truncation: null, padding: null },
    });
    expect(await translator.translate(["ape"])).toMatchObject([{ text: "APE", tokens: 1 }]);
  });

  test("needs padding and an end", async () => {
    for (const [missing, problem] of [
      ["<pad>", "no token for padding; add one of [PAD], <pad>"],
      ["</s>", "no token for the end of a text; add one of [EOS], </s>"],
    ]) {
      const own = reversingTokenizer(names.filter((name) => name !== missing));
      const training = translationTraining(SEEN, { ...OPTIONS, tokenizer: own });
      await expect(training).rejects.toThrow(problem);
    }
  });
});

test("a tokenizer without padding and end is told both at once", async () => {
  const own = reversingTokenizer(["[UNK]"]);
  await expect(translationTraining(SEEN, { ...OPTIONS, tokenizer: own })).rejects.toThrow(
    /no token for padding; add one of .*; and it has no token for the end of a text; add one of /,
  );
});

test("the vocabulary has each byte and digit, and gives any text back", async () => {
  const vocabulary = await trainVocabulary(ALL, { vocabSize: 270, fold: false });
  expect(SPECIAL_TOKENS.map((token) => vocabulary.tokenToId(token))).toEqual([0, 1, 2]);
  expect(vocabulary.vocabSize).toBe(270);
  for (const text of ["ape BEE", " 12,345 km² ", "日本語\n🙂"])
    expect(vocabulary.decode(vocabulary.encode(text).ids)).toBe(text);
  expect(vocabulary.encode("2031").ids).toHaveLength(4);
  const lower = await trainVocabulary(ALL, { vocabSize: 270, fold: true });
  expect(lower.decode(lower.encode("ÄB Cd ٢٠٣١ ๑๒ ９").ids)).toBe("äb cd 2031 12 9");
});

test.each([
  ["no pairs", [], {}, "expected pairs of at most 4 tokens to train on, got none"],
  ["only long pairs", [reversed(["a", "a", "a", "a"])], {}, "got 1 longer ones; raise maxLength"],
  [
    ...["only long pairs to evaluate on", SEEN],
    { validation: [reversed(["a", "a", "a", "a"])] },
    "expected validation pairs of at most 4 tokens, got none",
  ],
] as const)("%s is an error", async (_, pairs, options, message) => {
  const training = translationTraining(pairs, { ...OPTIONS, ...options });
  await expect(training).rejects.toThrow(message);
});
