/** A trained translator: its scores, its limits, what it attends to, and that it is the same when loaded from its files. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { captureAttention } from "../../../src/nn/attention-capture.ts";
import { loadTranslator } from "../../../src/tasks/translation/load-translator.ts";
import { translationTraining } from "../../../src/tasks/translation/train.ts";
import type { TransformerTranslator } from "../../../src/tasks/translation/transformer-translator.ts";
import { noGrad } from "../../../src/trace.ts";
import { temporaryFolder } from "../../data/temp.ts";
import {
  ALL,
  logProbabilities,
  modelOf,
  reversed,
  reversingTokenizer,
  row,
  SEEN,
  SMALL,
  trainedReverser,
  UNSEEN,
} from "./reversing.ts";

const { folder } = temporaryFolder();
const saved = join(folder, "saved");
const tokenizer = reversingTokenizer();
const PAD = 1;
const BOS = 2;
const EOS = 3;
const sources = ["", ...UNSEEN.map(({ source }) => source), "ape", "fly nonsense", "bee bee"];
let trained: TransformerTranslator;

beforeAll(async () => {
  trained = await trainedReverser();
  mkdirSync(saved);
  for (const [name, content] of await trained.files()) writeFileSync(join(saved, name), content);
}, 60_000);

describe("translates", { timeout: 30_000 }, () => {
  test.each([
    ["[BOS]", { beams: 1 }, 1],
    ["[BOS]", { beams: 3, lengthPenalty: 0.5 }, 0.5],
    ["its end", { beams: 2, lengthPenalty: 0 }, 0],
  ])("from %s with %j and the scores of the whole model", async (start, options, penalty) => {
    const special = start === "[BOS]" ? undefined : ["[UNK]", "[PAD]", "[EOS]"];
    const translator =
      special === undefined ? trained : (await quick(reversingTokenizer(special))).translator;
    const own = reversingTokenizer(special);
    const eos = own.tokenToId("[EOS]")!;
    const model = modelOf(await translator.files());
    const idsOf = (text: string): readonly number[] => own.encode(text).ids;
    const texts = ["cat dog ape", "elk", "fly fly"];
    const found = await translator.translate(texts, options);
    for (const [i, { text, score, tokens, complete }] of found.entries()) {
      const wanted = [...idsOf(text), ...(complete ? [eos] : [])];
      expect(wanted).toHaveLength(tokens + Number(complete));
      const given = [own.tokenToId("[BOS]") ?? eos, ...wanted.slice(0, -1)];
      const logP = await logProbabilities(model, [...idsOf(texts[i]!), eos], given);
      // Padding is never written: the others share what the model gives to it.
      const sum = wanted.reduce(
        (all, id, t) => all + logP[t]![id]! - Math.log1p(-Math.exp(logP[t]![PAD]!)),
        0,
      );
      expect(score).toBeCloseTo(sum / wanted.length ** penalty, 4);
    }
  });

  test("texts in their order, however many are decoded together; empty ones are empty", async () => {
    const one = await trained.translate(sources, { batchSize: 1 });
    const told: [number, number][] = [];
    const all = await trained.translate(sources, {
      ...{ batchSize: 16, onProgress: (...now: [number, number]) => void told.push(now) },
    });
    expect(all.map(({ text }) => text)).toEqual(one.map(({ text }) => text));
    expect(all[0]).toEqual({ text: "", score: 0, tokens: 0, complete: true, cut: 0 });
    expect(told).toEqual([17, sources.length].map((done) => [done, sources.length]));
    expect(await trained.translate([])).toEqual([]);
  });

  test("what is too long as far as the model can, and says so", async () => {
    const [cut] = await trained.translate(["ape bee cat dog elk"]);
    expect(cut).toMatchObject({ text: "CAT BEE APE", cut: 2, complete: true });
    const [short] = await trained.translate(["ape bee cat"], { maxLength: 2 });
    expect(short).toMatchObject({ text: "CAT BEE", tokens: 2, complete: false, cut: 0 });
  });

  test("nothing but lists of texts, with options that there are", async () => {
    await expect(trained.translate("ape" as never)).rejects.toThrow(
      "translate: expected a list of texts, got string; one text is given as [text]",
    );
    await expect(trained.translate(["ape", 1] as never)).rejects.toThrow(
      "translate: text 1 must be a string, got number",
    );
    await expect(trained.translate(["ape"], { num_beams: 4 } as object)).rejects.toThrow(
      'translate: unknown option "num_beams", expected beams, lengthPenalty, maxLength, batchSize',
    );
  });

  test("until it is told to stop", async () => {
    const stopping = new AbortController();
    const work = trained.translate(sources, {
      ...{ batchSize: 1, signal: stopping.signal, onProgress: () => stopping.abort("enough") },
    });
    await expect(work).rejects.toBe("enough");
  });

  test("several requests at a time, in the midst of training too", async () => {
    const { translator, trainer } = await quick(tokenizer);
    const all = ALL.slice(0, 20).map(({ source }) => source);
    for await (const event of trainer.run()) {
      if (event.type !== "step") continue;
      const [few, many] = await Promise.all([
        translator.translate(all.slice(0, 1)),
        translator.translate(all, { batchSize: 4 }),
      ]);
      const [one, again] = [few[0]!, many[0]!];
      expect(again.score).toBeCloseTo(one.score, 5);
      expect({ ...again, score: 0 }).toEqual({ ...one, score: 0 });
    }
    expect(trainer.step).toBe(2);
  });
});

/** A training of two steps, with dropout. */
const quick = (own: ReturnType<typeof reversingTokenizer>) =>
  translationTraining(SEEN, {
    ...{ recipe: { ...SMALL, dropout: 0.3, steps: 2 }, seed: 1, tokenizer: own, loggingSteps: 1 },
  });

describe("attention", () => {
  test("is the weights of every head, whose rows sum to 1", async () => {
    const { source, target } = reversed(["dog", "ape", "elk"]);
    const found = await trained.attention(source);
    expect(found).toMatchObject({
      ...{ sourceText: source, targetText: target },
      source: ["dog", "ape", "elk", "[EOS]"],
      target: ["[BOS]", "ELK", "APE", "DOG"],
      predicted: ["ELK", "APE", "DOG", "[EOS]"],
    });
    const model = modelOf(await trained.files());
    const ids = tokenizer.encode(source).ids;
    const given = [BOS, ...tokenizer.encode(target).ids];
    const { attention } = noGrad(() =>
      captureAttention(model, () => model.forward(row([...ids, EOS]), row(given))),
    );
    const names = {
      encoder: "transformer.encoder.layers.0.self_attn",
      decoder: "transformer.decoder.layers.0.self_attn",
      cross: "transformer.decoder.layers.0.multihead_attn",
    } as const;
    for (const [kind, name] of Object.entries(names)) {
      const layers = found[kind as keyof typeof names];
      expect(layers.map((heads) => heads.length)).toEqual([2]);
      const weights = [...((await attention[name]!.weights.data()) as Float32Array)];
      expect(layers.flat().flatMap((head) => [...head])).toEqual(weights);
      for (let at = 0; at < weights.length; at += 4)
        expect(weights.slice(at, at + 4).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    }
    // Nothing attends to what comes later.
    expect(found.decoder[0]![0]!.slice(0, 4)).toEqual(Float32Array.of(1, 0, 0, 0));
  });

  test("takes another translation, and of both sides as much as the model can", async () => {
    const found = await trained.attention("ape", "BEE BEE BEE BEE BEE");
    expect(found).toMatchObject({
      targetText: "BEE BEE BEE BEE BEE",
      source: ["ape", "[EOS]"],
      target: ["[BOS]", "BEE", "BEE", "BEE"],
      predicted: ["BEE", "BEE", "BEE", "[EOS]"],
    });
    expect(found.cross[0]![0]).toHaveLength(4 * 2);
    expect((await trained.attention("")).source).toEqual(["[EOS]"]);
  });
});

describe("loaded from its files", { timeout: 30_000 }, () => {
  test("it translates to the last bit alike, and has the same files", async () => {
    const loaded = await loadTranslator(saved);
    for (const options of [{}, { beams: 3, lengthPenalty: 2 }])
      expect(await loaded.translate(sources, options)).toEqual(
        await trained.translate(sources, options),
      );
    expect(loaded.training).toEqual({ steps: 250, plannedSteps: 250 });
    expect(loaded.description).toBe(trained.description);
    expect(await loaded.files()).toEqual(await trained.files());
  });

  test("a run's folder serves as well", async () => {
    const run = join(folder, "run");
    cpSync(saved, join(run, "model"), { recursive: true });
    const loaded = await loadTranslator(run);
    expect(await loaded.translate(sources)).toEqual(await trained.translate(sources));
  });

  /** What loading says of a copy of the folder after `damage`. */
  const complaint = async (damage: (file: (name: string) => string) => void): Promise<string> => {
    const copy = join(folder, "copy");
    rmSync(copy, { recursive: true, force: true });
    cpSync(saved, copy, { recursive: true });
    damage((name) => join(copy, name));
    const message = await loadTranslator(copy).then(
      () => "loads",
      (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
    );
    return message.replaceAll(`${copy}/`, "");
  };
  const changed = (change: (config: Record<string, unknown>) => void) =>
    complaint((file) => {
      const config = JSON.parse(readFileSync(file("config.json"), "utf8")) as Record<
        string,
        unknown
      >;
      change(config);
      writeFileSync(file("config.json"), JSON.stringify(config));
    });

  test.each(["config.json", "tokenizer.json", "model.safetensors"])(
    "a folder without or with a part of %s is refused by its name",
    async (name) => {
      const missing = await complaint((file) => rmSync(file(name)));
      expect(missing).toMatch(new RegExp(`^DataError: ${name}: no such file`));
      const cut = await complaint((file) => {
        const bytes = readFileSync(file(name));
        writeFileSync(file(name), bytes.subarray(0, bytes.length / 2));
      });
      expect(cut).toMatch(new RegExp(`^DataError: ${name}`));
    },
  );

  test.each<[string, unknown, string]>([
    ["architecture", "TokenClassifier", 'field architecture: expected "EncoderDecoder"'],
    [
      "dModel",
      "32",
      'field dModel: expected an integer of at least 1 and at most 1000000, got "32"',
    ],
    [
      "dModel",
      1_000_000,
      "model.safetensors, field embedding.weight: expected shape [16, 1000000]",
    ],
    ["nhead", 3, "field nhead: expected a divisor of dModel, 32"],
    ["numEncoderLayers", 2, "field transformer.encoder.layers.1"],
    ["numDecoderLayers", 0, "expected no such tensor, as config.json says"],
    ["dimFeedforward", 65, "expected shape [65, 32], as config.json says, got [64, 32]"],
    ["vocabSize", 17, "field targetVocabSize: expected 17, as vocabSize"],
    ["positions", "learned", "field positions.weight: expected shape [4, 32]"],
    ["positions", "none", 'field positions: expected one of "sinusoidal", "learned", got "none"'],
    ["maxLength", 0, "field maxLength: expected an integer of at least 1"],
    ["dropout", 1, "field dropout: expected a number from 0 and below 1"],
    ["normFirst", 1, "field normFirst: expected true or false"],
    ["padId", 16, "field padId: expected an integer of at least 0 and at most 15"],
    ["bosId", -1, "field bosId: expected an integer of at least 0 and at most 15"],
    ["eosId", undefined, "field eosId: expected an integer of at least 0 and at most 15"],
    ["training", { steps: -1 }, "field training.steps: expected an integer of at least 0"],
    ["training", [], "field training: expected an object"],
  ])("a config.json whose %s is %j is refused", async (name, value, message) => {
    expect(await changed((config) => (config[name] = value))).toContain(message);
  });

  test("files of two runs are refused", async () => {
    const other = reversingTokenizer(["[UNK]", "[PAD]", "[EOS]"]);
    const message = await complaint((file) =>
      writeFileSync(file("tokenizer.json"), JSON.stringify(other)),
    );
    expect(message).toBe(
      "DataError: tokenizer.json: expected 16 tokens, as config.json says, got 15; are the files of one run?",
    );
    expect(await complaint((file) => writeFileSync(file("config.json"), "[]"))).toMatch(
      /^DataError: config.json: expected an object, got an array$/,
    );
  });
});
