/** The `translate` commands around a translator that writes in capitals: options, data, errors, reports and what they write. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatSavedRun, savedRun } from "../../src/cli/resume.ts";
import { BACKEND, translateRuns, type TranslateBackend } from "../../src/cli/translate-job.ts";
import { runTranslate, type TranslateEnvironment } from "../../src/cli/translate-command.ts";
import { NER } from "../../src/cli/ner-options.ts";
import type { TrainingOptions } from "../../src/cli/training-options.ts";
import { TRANSLATE } from "../../src/cli/translate-options.ts";
import type { SentencePair } from "../../src/tasks/translation/pairs.ts";
import { DATES, TEXT } from "../../src/tasks/translation/recipe.ts";
import type { TrainTranslatorOptions } from "../../src/tasks/translation/train.ts";
import type { TranslateOptions, Translator } from "../../src/tasks/translation/translator.ts";
import { whitespaceSplit } from "../../src/text/tokenizer/pre-tokenizers.ts";
import { Tokenizer } from "../../src/text/tokenizer/tokenizer.ts";
import { WordLevel } from "../../src/text/tokenizer/word-level.ts";
import { runHere } from "../../src/train/worker.ts";
import { temporaryFolder } from "../data/temp.ts";
import { endEvent, startEvent, stepEvent } from "../train/events.ts";

const { folder, file } = temporaryFolder();

/** Writes in capitals, at most five words. */
const capitals = (
  training = { steps: 4, plannedSteps: 4 },
  onOptions: (options: TranslateOptions) => void = () => undefined,
): Translator => ({
  description: "capitals",
  maxLength: 5,
  training,
  translate: (texts, options = {}) => {
    onOptions(options);
    options.signal?.throwIfAborted();
    options.onProgress?.(texts.length, texts.length);
    return Promise.resolve(
      texts.map((text) => {
        const words = text === "" ? [] : text.split(" ");
        const kept = words.slice(0, 5);
        const cut = words.length - kept.length;
        const score = -0.123456789;
        return {
          ...{ text: kept.join(" ").toUpperCase(), score, tokens: kept.length, cut },
          complete: kept[0] !== "endless",
        };
      }),
    );
  },
  attention: (sourceText, targetText = "ITS OWN") =>
    Promise.resolve({
      ...{ sourceText, targetText, source: ["a"], target: ["b"], predicted: ["c"] },
      encoder: [[Float32Array.of(1)]],
      decoder: [[Float32Array.of(1)]],
      cross: [[Float32Array.of(1)]],
    }),
  files: () => Promise.resolve(new Map([["model.bin", Uint8Array.of(1, 2)]])),
});

const EVENTS = [
  startEvent(),
  ...[1, 2, 3, 4].map((step) => stepEvent({ step, steps: 4 })),
  endEvent(),
];

const trainingOf = (
  translator: Translator,
  events: Iterable<(typeof EVENTS)[number]> = EVENTS,
) => ({
  translator,
  skipped: { tooLong: 0 },
  warmup: Infinity,
  trainer: {
    // eslint-disable-next-line @typescript-eslint/require-await -- as a Trainer's
    run: async function* () {
      yield* events;
    },
    ...{ pause: () => undefined, resume: () => undefined, stop: () => undefined },
  },
  takeBest: () => Promise.resolve(),
});

const words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
const TOKENIZER = new Tokenizer({
  model: new WordLevel(new Map(["[UNK]", "[PAD]", "[EOS]"].map((token, id) => [token, id])), {
    unkToken: "[UNK]",
  }),
});

/** Cuts the targets of {@link DATA} into words, and loses nothing. */
const WORDS = new Tokenizer({
  model: new WordLevel(
    new Map(
      [
        ...["[UNK]", "[PAD]", "[EOS]", "AND"],
        ...words.flatMap((word) => [word, `${word}!`].map((text) => text.toUpperCase())),
      ].map((token, id) => [token, id]),
    ),
    { unkToken: "[UNK]" },
  ),
  preTokenizer: whitespaceSplit(),
});

interface Seen {
  readonly pairs: readonly SentencePair[];
  readonly options: TrainTranslatorOptions;
}

const bytes = (text: string) => new TextEncoder().encode(text);

async function run(
  args: readonly string[],
  backend: Partial<TranslateBackend> = {},
  surroundings: Partial<TranslateEnvironment> = {},
) {
  const out = { stdout: "", stderr: "" };
  const seen: Seen[] = [];
  const vocabularies: number[] = [];
  const all: TranslateBackend = {
    train: (pairs, options) => {
      seen.push({ pairs, options });
      return Promise.resolve(trainingOf(capitals()));
    },
    load: () => Promise.resolve(capitals()),
    loadTokenizer: () => Promise.reject(new Error("no tokenizer was asked for")),
    trainTokenizer: (_, { vocabSize }, { signal }) => {
      vocabularies.push(vocabSize ?? 0);
      signal?.throwIfAborted();
      return Promise.resolve(TOKENIZER);
    },
    useDevice: () => Promise.resolve("abacus"),
    ...backend,
  };
  const runs = translateRuns(all);
  const code = await runTranslate(args, {
    program: "loop",
    version: "1.2.3",
    stdout: { write: (text) => (out.stdout += text) },
    stderr: { write: (text) => (out.stderr += text) },
    stdin: stream([]),
    backend: all,
    train: (job) => runHere(runs.train, job),
    evaluate: (job) => runHere(runs.evaluate, job),
    ...surroundings,
  });
  return { code, ...out, seen, vocabularies };
}

/** Chunks of bytes, one after the other. */
async function* stream(chunks: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    await Promise.resolve();
    yield typeof chunk === "string" ? bytes(chunk) : chunk;
  }
}

const LINES = Array.from({ length: 30 }, (_, i) => {
  const text = `${words[i % 10]} and ${words[Math.floor(i / 10)]}`;
  return `${text}\t${text.toUpperCase()}!`;
});
const DATA = LINES.join("\n");
/** The run's own files, as another run finds them. */
const HELD = "red house of kings\tRED HOUSE OF KINGS\nblue house\tBLUE HOUSES\n";

const lastLine = (text: string): unknown => JSON.parse(text.trimEnd().split("\n").at(-1) ?? "");
const lines = (text: string): string[] => text.split("\n").slice(0, -1);

describe("train", () => {
  test("reports scores and examples for people", async () => {
    const { code, stdout, stderr, seen } = await run([
      ...["train", "--data", file("pairs.tsv", DATA), "--held-out", "4"],
    ]);
    expect(code).toBe(0);
    expect(stderr).toContain("26 pairs to train on, 4 held out to measure on");
    expect(stderr).toContain("a model of capitals");
    expect(stdout).toContain("Scores on 4 pairs held out, computed on abacus:");
    expect(stdout).toMatch(/^exact match +0\.00 %$/m);
    expect(stdout).toMatch(
      /^BLEU\|nrefs:1\|case:mixed\|eff:no\|tok:13a\|smooth:exp\|version:.* = /m,
    );
    expect(stdout).toMatch(/^chrF2\|nrefs:1\|case:mixed\|eff:yes\|nc:6\|nw:0\|space:no\|version:/m);
    expect(stdout).toMatch(/^ {2}translation {2}[A-Z]+ AND [A-Z]+\n {2}reference {4}[A-Z ]+!$/m);
    expect(seen[0]?.pairs).toHaveLength(26);
  });

  test("ends stdout with one line of JSON and writes model, result and held-out pairs", async () => {
    const output = join(folder, "run");
    const data = file("flaws.tsv", `${DATA}\nno tab\nempty\t\n${LINES[0]}\n`);
    const args = ["train", "--data", data, "--output", output, "--json"];
    const { code, stdout, stderr, seen } = await run(args);
    expect(code).toBe(0);
    expect(lines(stdout).map((line) => (JSON.parse(line) as { type?: string }).type)).toEqual([
      ...["start", "step", "step", "step", "step", "end", undefined],
    ]);
    expect(lastLine(stdout)).toMatchObject({
      ...{ exactMatch: 0, pairs: 3, tokens: 9, cut: 0, device: "abacus" },
      skipped: {
        "without a tab between source and target": 1,
        "with an empty source or target": 1,
        "a pair that stands above already": 1,
      },
    });
    expect(stderr).toContain("1 line left out, without a tab between source and target (line 31)");
    expect(readdirSync(output).sort()).toEqual([
      ...["held-out.tsv", "model", "result.json", "training.json"],
    ]);
    expect(readFileSync(join(output, "result.json"), "utf8")).toBe(`${lines(stdout).at(-1)}\n`);
    const held = lines(readFileSync(join(output, "held-out.tsv"), "utf8"));
    expect(held).toHaveLength(3);
    for (const line of held) expect(LINES).toContain(line);
    const trained = seen[0]!.pairs.map(({ source, target }) => `${source}\t${target}`);
    expect([...trained, ...held].sort()).toEqual([...LINES].sort());
    // And they are what `eval` takes.
    const measured = await run(["eval", output, "--json", "--quiet"]);
    expect(lastLine(measured.stdout)).toMatchObject({ pairs: 3, exactMatch: 0 });
    // Nothing of another run is replaced.
    const again = await run(["train", "--output", output, "--quiet"]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("holds a run already")]);
  });

  test("makes up dates without data, in the recipe for them", async () => {
    const { code, seen, stderr } = await run(["train"]);
    expect(code).toBe(0);
    expect(stderr).toContain("made-up dates to train on, 1000 held out to measure on");
    expect(seen[0]?.options).toMatchObject({ recipe: DATES, seed: 1, accumulate: 1 });
    expect(seen[0]?.options).not.toHaveProperty("validation");
    const texts = seen[0]!.pairs.map(({ source }) => source);
    expect(new Set(texts).size).toBe(texts.length);
    expect(seen[0]?.pairs[0]?.target).toMatch(/^\d{4}-\d\d-\d\d$/);
  });

  test("hands all options on", async () => {
    const data = file("pairs.tsv", DATA);
    const model =
      "--vocab-size 300 --d-model 12 --heads 3 --layers 5 --decoder-layers 2 --feedforward 7 --dropout 0 --label-smoothing 0.2 --warmup 9 --max-length 8 --post-norm --positions learned --schedule noam";
    const rest = "--batch-size 2 --lr 0.5 --eval-steps 3 --eval-pairs 2 --patience 4 --epochs 6";
    const { seen, vocabularies } = await run([
      "train",
      "--data",
      data,
      ...`${model} ${rest}`.split(" "),
    ]);
    expect(seen[0]?.options).toMatchObject({
      recipe: {
        ...{ vocabSize: 300, dModel: 12, nhead: 3, encoderLayers: 5, decoderLayers: 2 },
        ...{ dimFeedforward: 7, dropout: 0, labelSmoothing: 0.2, warmup: 9, maxLength: 8 },
        ...{ normFirst: false, positions: "learned", schedule: "noam", batchSize: 2 },
        ...{ learningRate: 0.5, steps: TEXT.steps, maxNorm: TEXT.maxNorm },
      },
      ...{ evalSteps: 3, patience: 4, epochs: 6 },
    });
    expect(vocabularies).toEqual([300]);
    expect(seen[0]?.options.tokenizer).toBe(TOKENIZER);
    expect(seen[0]?.options.validation).toHaveLength(2);
    expect(seen[0]?.pairs).toHaveLength(30 - 3 - 2);
  });

  test("goes by --layers before the layers of a file of options", async () => {
    const config = file("options.json", '{ "encoder-layers": 3, "decoder-layers": 4, "heads": 2 }');
    const args = ["train", "--data", file("pairs.tsv", DATA), "--config", config];
    const layers = async (...more: string[]) => {
      const { encoderLayers, decoderLayers } = (await run([...args, ...more])).seen[0]!.options
        .recipe;
      return [encoderLayers, decoderLayers];
    };
    expect(await layers()).toEqual([3, 4]);
    expect(await layers("--layers", "6")).toEqual([6, 6]);
    expect(await layers("--layers", "6", "--decoder-layers", "5")).toEqual([6, 5]);
    const both = file("both.json", '{ "heldOutData": "x" }');
    const { code, stderr } = await run(["train", "--config", both, "--held-out", "3", "--quiet"]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("'--held-out' cannot be used with"),
    ]);
  });

  test("reverses, takes test pairs of another file, and keeps their sentences out of training", async () => {
    const heldOut = file("test.tsv", "Two, and one!\tOTHER\nnew\tNEW\n");
    const args = ["train", "--data", file("pairs.tsv", DATA), "--held-out-data", heldOut];
    const { stdout, stderr, seen } = await run([...args, "--reverse", "--json"]);
    expect(seen[0]?.pairs).toHaveLength(29);
    expect(seen[0]?.pairs[0]).toEqual({ source: "ONE AND ONE!", target: "one and one" });
    expect(stderr).toContain(`1 pair left out, with a sentence of ${heldOut}`);
    expect(lastLine(stdout)).toMatchObject({
      pairs: 2,
      skipped: { "with a sentence that is held out": 1 },
      examples: [
        { source: "OTHER", reference: "Two, and one!", translation: "OTHER" },
        { source: "NEW", reference: "new", translation: "NEW" },
      ],
    });
  });

  test("takes a tokenizer of the user's, and tells of pairs that are too long", async () => {
    const tokenizer = new Tokenizer({ model: TOKENIZER.model });
    const seen: unknown[] = [];
    const own = file("own.json", "{}");
    const args = ["train", "--data", file("pairs.tsv", DATA), "--json", "--tokenizer"];
    const { stdout, stderr, vocabularies } = await run([...args, own], {
      loadTokenizer: (name) => {
        seen.push(name);
        return Promise.resolve(tokenizer);
      },
      train: (_, options) => {
        seen.push(options.tokenizer);
        return Promise.resolve({ ...trainingOf(capitals()), skipped: { tooLong: 7 } });
      },
    });
    expect(seen).toEqual([own, expect.anything()]);
    expect(seen[1]).toBe(tokenizer);
    expect(vocabularies).toEqual([]);
    expect(stderr).toContain("7 pairs left out, longer than 64 tokens");
    expect(lastLine(stdout)).toHaveProperty("skipped", { "longer than 64 tokens": 7 });
    const long = await run(["train", "--data", file("pairs.tsv", DATA), "--max-length", "2"], {
      train: BACKEND.train,
      trainTokenizer: BACKEND.trainTokenizer,
    });
    expect([long.code, long.stderr]).toEqual([
      1,
      expect.stringMatching(
        /error: .*pairs.tsv: expected .*of at most 2 tokens.*raise --max-length$/m,
      ),
    ]);
    const missing = await run([...args, join(folder, "none.json")], {
      loadTokenizer: BACKEND.loadTokenizer,
    });
    expect([missing.code, missing.stdout]).toEqual([1, ""]);
    expect(missing.stderr).toMatch(/^error: .*none\.json: no such file/);
    const bare = new Tokenizer({ model: new WordLevel(new Map([["<unk>", 0]])) });
    const unfit = await run([...args, own], { loadTokenizer: () => Promise.resolve(bare) });
    expect(unfit.stderr).toContain(`error: ${own}: the vocabulary has no token for padding`);
  });

  test("tells what a tokenizer of the user's loses of the targets", async () => {
    const args = ["train", "--data", file("pairs.tsv", DATA), "--tokenizer", file("own.json", "")];
    const lossy = Tokenizer.fromJSON({ ...WORDS.toJSON(), normalizer: { type: "Lowercase" } });
    const { stderr } = await run(args, { loadTokenizer: () => Promise.resolve(lossy) });
    expect(stderr).toMatch(
      /own\.json: the tokenizer loses something of 27 of 27 targets, .*: "([A-Z ]+)!" comes back as "/,
    );
    const whole = await run(args, { loadTokenizer: () => Promise.resolve(WORDS) });
    expect([whole.code, whole.stderr]).toEqual([0, expect.not.stringContaining("loses")]);
  });

  test("tells of a warm-up that is shortened", async () => {
    const { stderr } = await run(["train", "--data", file("pairs.tsv", DATA)], {
      train: () => Promise.resolve({ ...trainingOf(capitals()), warmup: 3 }),
    });
    expect(stderr).toContain(
      "--warmup 1000 would take the whole training: the learning rate rises until step 3",
    );
  });

  test.each([
    [
      ["--d-model", "10", "--heads", "4"],
      "'--d-model' must be a multiple of '--heads', got 10 and 4",
    ],
    [["--reverse"], "'--reverse' needs '--data <file>'"],
    [["--held-out", "3", "--held-out-data", "x"], "cannot be used with option '--held-out-data"],
    [["--tokenizer", "x", "--vocab-size", "300"], "cannot be used with option '--vocab-size"],
    [["--tokenizer", "x", "--fold"], "cannot be used with option '--fold'"],
    [["--dropout", "1"], "Expected a number from 0 to below 1"],
    [["--vocab-size", "100"], "Expected a whole number from 260"],
    [["--positions", "none"], "Allowed choices are sinusoidal, learned"],
    [["--nonsense"], "unknown option '--nonsense'"],
    [["stray"], "too many arguments"],
    [["--resume"], "'--resume' needs '--output <folder>'"],
  ])("%j is wrong usage", async (args, message) => {
    const { code, stdout, stderr, seen } = await run(["train", ...args]);
    expect([code, stdout, seen]).toEqual([2, "", []]);
    expect(stderr).toContain(message);
  });

  test.each([
    ["missing", () => join(folder, "none"), "no such file"],
    ["no pairs", () => file("text.tsv", "a text\nwithout tabs\n"), "expected a source, a tab and"],
    [
      "one pair",
      () => file("one.tsv", "a\tb\n"),
      "one.tsv: 1 of 1 pairs leave nothing to train on; give more pairs or a smaller --held-out",
    ],
    ["all hanging together", () => file("same.tsv", "a\tb\na\tc\nd\tb\n"), "without leaks"],
  ])("data that is %s is one error", async (_, data, message) => {
    const output = join(folder, "never");
    const args = ["train", "--data", data(), "--output", output, "--quiet"];
    const { code, stdout, stderr, seen } = await run(args);
    expect([code, stdout, seen]).toEqual([1, "", []]);
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toContain(message);
    expect(readdirSync(folder)).not.toContain("never");
  });

  test("Ctrl-C saves what was trained, with the held-out pairs", async () => {
    const output = join(folder, "stopped");
    const events = function* () {
      yield startEvent();
      process.emit("SIGINT", "SIGINT");
      yield endEvent({ reason: "stopped", step: 2 });
    };
    const { code, stderr } = await run(
      ["train", "--data", file("pairs.tsv", DATA), "--output", output],
      {
        train: () => Promise.resolve(trainingOf(capitals({ steps: 2, plannedSteps: 9 }), events())),
      },
    );
    expect(code).toBe(130);
    expect(stderr.trimEnd().split("\n").at(-1)).toBe(
      `error: stopped by Ctrl-C, saved unmeasured after 2 of 9 steps: wrote model/model.bin, result.json to ${output}; --resume goes on`,
    );
    expect(readdirSync(output).sort()).toEqual([
      ...["held-out.tsv", "model", "result.json", "training.json"],
    ]);
  });

  test("Ctrl-C while the vocabulary is learnt leaves nothing", async () => {
    const output = join(folder, "stopped early");
    const { code, stderr, seen } = await run(
      ["train", "--data", file("pairs.tsv", DATA), "--output", output],
      {
        trainTokenizer: async (_, __, { signal }) => {
          process.emit("SIGINT", "SIGINT");
          await new Promise((resolve) => setImmediate(resolve));
          signal?.throwIfAborted();
          throw new Error("the signal was not aborted");
        },
      },
    );
    expect([code, seen, readdirSync(output)]).toEqual([130, [], []]);
    expect(stderr).toContain(
      "error: stopped by Ctrl-C, before the first step; no model was written",
    );
  });

  describe("--resume", () => {
    const OPTIONS = { batchSize: 64, accumulate: 1, lr: 0.003, seed: 1 } as TrainingOptions;
    const checkpoint = async (name: string, command: typeof NER, options: object) => {
      const output = join(folder, name);
      mkdirSync(join(output, "checkpoint-5"), { recursive: true });
      const saved = formatSavedRun(await savedRun(command, { ...OPTIONS, ...options }));
      writeFileSync(join(output, "checkpoint-5", "training.json"), saved);
      return output;
    };

    test("takes up the options and data of the run", async () => {
      const data = file("own.tsv", DATA);
      const own = { data, dModel: 20, heads: 2, reverse: true, heldOut: 5, beams: 3, layers: 2 };
      const output = await checkpoint("go on", TRANSLATE, own);
      const decoding: TranslateOptions[] = [];
      const { code, stderr } = await run(["train", "--output", output, "--resume"], {
        train: (pairs, options) => {
          expect(pairs).toHaveLength(25);
          expect(pairs[0]?.source).toBe("ONE AND ONE!");
          expect(options.recipe).toMatchObject({ dModel: 20, nhead: 2 });
          expect(options.resume).toBe(true);
          const translator = capitals(undefined, (each) => decoding.push(each));
          return Promise.resolve(trainingOf(translator));
        },
      });
      expect([code, stderr.match(/^error.*/gm)]).toEqual([0, null]);
      expect(decoding).toMatchObject([{ beams: 3 }]);
    });

    test.each<[string, string[], string]>([
      ["another model", ["--layers", "7"], "--encoder-layers must be as it was"],
      [
        "another direction",
        ["--reverse"],
        "--reverse must be as it was when the run was begun, not",
      ],
      ["other data", ["--data", "x.tsv"], "--data must be the data that the run was begun with"],
    ])("of %s is one error", async (_, args, message) => {
      const output = await checkpoint("other", TRANSLATE, { encoderLayers: 2, decoderLayers: 2 });
      const { code, stderr } = await run(["train", "--output", output, "--resume", ...args]);
      expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    });

    test("where there is no run is one error, but begins one of data", async () => {
      const output = join(folder, "not begun");
      const { code, stderr, seen } = await run(["train", "--output", output, "--resume"]);
      expect([code, stderr, seen]).toEqual([
        ...[1, `error: ${output}: no run there to go on with; leave --resume out to begin one\n`],
        [],
      ]);
      const args = ["train", "--output", output, "--resume", "--data", file("pairs.tsv", DATA)];
      const begun = await run(args);
      expect([begun.code, begun.seen.length]).toEqual([0, 1]);
      expect(begun.stderr).toContain("no checkpoint there yet, so the run begins");
    });

    test("of a run of ner is one error", async () => {
      const output = await checkpoint("of ner", NER, {});
      const { code, stderr } = await run(["train", "--output", output, "--resume"]);
      expect([code, stderr]).toEqual([1, expect.stringContaining("is of the command ner")]);
    });
  });
});

describe("eval", () => {
  const saved = (name: string) => {
    const output = join(folder, name);
    mkdirSync(output, { recursive: true });
    writeFileSync(join(output, "held-out.tsv"), HELD);
    return output;
  };

  test("measures on the run's own held-out pairs, for people", async () => {
    const output = saved("measured");
    const { code, stdout, stderr } = await run(["eval", output], {
      load: () => Promise.resolve(capitals({ steps: 3, plannedSteps: 9 })),
    });
    expect(code).toBe(0);
    expect(stderr).toContain(
      `${output}: a translator of capitals, whose training was stopped after 3 of 9 steps`,
    );
    expect(stdout).toContain(`Scores on all 2 pairs of ${join(output, "held-out.tsv")}`);
    expect(stdout).toMatch(/^exact match +50\.00 %$/m);
    expect(stdout).toMatch(/^6 tokens in [\d.]+ s: [\d,]+ tokens\/s$/m);
  });

  test("measures on pairs of a file, with the scores of sacrebleu", async () => {
    const data = file("eval.tsv", HELD);
    const translations = join(folder, "hypotheses.txt");
    const args = [
      "eval",
      saved("measured elsewhere"),
      "--data",
      data,
      "--output-translations",
      translations,
    ];
    const { code, stdout } = await run([...args, "--json", "--quiet"]);
    expect(code).toBe(0);
    // sacrebleu 2.6: corpus_bleu and corpus_chrf of these two translations.
    expect(JSON.parse(stdout)).toMatchObject({
      exactMatch: 50,
      bleu: 88.913971,
      chrf: 95.83414,
      pairs: 2,
    });
    expect(JSON.parse(stdout)).toHaveProperty("tokensPerSecond");
    expect(readFileSync(translations, "utf8")).toBe("RED HOUSE OF KINGS\nBLUE HOUSE\n");
    const over = await run(["eval", "x", "--data", data, "--output-translations", data]);
    expect([over.code, over.stderr]).toEqual([1, expect.stringContaining("the file that is read")]);
  });

  test("draws --max-pairs always alike, and translates the other way", async () => {
    const data = file("many.tsv", DATA);
    const args = ["eval", "x", "--data", data, "--max-pairs", "5", "--reverse", "--json"];
    const [one, two] = [await run(args), await run(args)];
    expect(lastLine(one.stdout)).toMatchObject({ pairs: 5 });
    expect((lastLine(one.stdout) as { examples: unknown }).examples).toEqual(
      (lastLine(two.stdout) as { examples: unknown }).examples,
    );
    expect(one.stderr).toContain("5 of the 30 pairs of");
    expect(one.stdout).toMatch(/"source":"[A-Z]+ AND [A-Z]+!"/);
  });

  test("hands the options of decoding on", async () => {
    const seen: TranslateOptions[] = [];
    const load = () => Promise.resolve(capitals(undefined, (options) => seen.push(options)));
    const args = ["--beams", "3", "--length-penalty", "0", "--batch-size", "9"];
    await run(["eval", saved("decoding"), ...args], { load });
    expect(seen).toMatchObject([{ beams: 3, lengthPenalty: 0, batchSize: 9 }]);
  });

  test.each([
    ["is missing", () => join(folder, "nowhere"), "no such file"],
    ["is of ner", () => nerFolder(), "is it the folder of a translator trained here?"],
    ["is damaged", () => damagedFolder(), "not valid JSON"],
  ])("a folder that %s is one error", async (_, make, message) => {
    for (const command of ["eval", "predict"]) {
      const args = [command, make(), ...(command === "predict" ? ["text"] : []), "--quiet"];
      const { code, stdout, stderr } = await run(args, { load: BACKEND.load });
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(/^error: [^\n]+\n$/);
      expect(stderr).toContain(message);
    }
  });

  test("without held-out pairs asks for --data", async () => {
    const empty = join(folder, "empty", "run");
    mkdirSync(empty, { recursive: true });
    const { code, stderr } = await run(["eval", empty, "--quiet"]);
    expect([code, stderr]).toEqual([
      1,
      `error: ${empty}: has no held-out.tsv; name pairs to measure on with --data\n`,
    ]);
  });

  test("--reverse needs --data", async () => {
    const { code, stderr } = await run(["eval", "x", "--reverse"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("'--reverse' needs '--data")]);
  });
});

function nerFolder(): string {
  const output = join(folder, "ner run");
  mkdirSync(join(output, "model"), { recursive: true });
  writeFileSync(join(output, "model", "model.safetensors"), "");
  writeFileSync(join(output, "model", "config.json"), '{"architecture":"TokenClassifier"}');
  return output;
}

function damagedFolder(): string {
  const output = join(folder, "damaged");
  mkdirSync(output, { recursive: true });
  writeFileSync(join(output, "config.json"), '{"architecture":');
  return output;
}

describe("predict", () => {
  test("translates arguments, a line each", async () => {
    const { code, stdout, stderr } = await run(["predict", "run", "one two", "", "three"]);
    expect([code, stdout]).toEqual([0, "ONE TWO\n\nTHREE\n"]);
    expect(stderr).toBe("run: a translator of capitals, on abacus\n");
  });

  test("translates lines of a file, line for line, empty ones too", async () => {
    const texts = file("texts.txt", "\uFEFFone\r\n\r\n\nzoë über\nlast");
    const { code, stdout, stderr } = await run(["predict", "run", "--file", texts, "--quiet"]);
    expect([code, stdout, stderr]).toEqual([0, "ONE\n\n\nZOË ÜBER\nLAST\n", ""]);
  });

  test("answers stdin while more may come", async () => {
    let stdout = "";
    const ë = bytes("ë");
    async function* stdin() {
      yield bytes("one\ntw");
      yield bytes("o\nzo");
      // What was said is answered before more is read.
      expect(stdout).toBe("ONE\nTWO\n");
      yield ë.subarray(0, 1);
      await Promise.resolve();
      yield ë.subarray(1);
    }
    const surroundings = { stdin: stdin(), stdout: { write: (text: string) => (stdout += text) } };
    const { code, stderr } = await run(["predict", "run", "--quiet"], {}, surroundings);
    expect([code, stderr, stdout]).toEqual([0, "", "ONE\nTWO\nZOË\n"]);
  });

  test("with --json tells all of each translation", async () => {
    const { stdout } = await run(["predict", "run", "one two", "--json"]);
    expect(JSON.parse(stdout)).toEqual({
      ...{ text: "one two", translation: "ONE TWO", score: -0.123457, tokens: 2 },
      ...{ complete: true, cut: 0 },
    });
  });

  test("warns of texts that are cut and translations that do not end", async () => {
    const texts = file("long.txt", "a\nb c d e f g h\nendless\n");
    const { code, stdout, stderr } = await run(["predict", "run", "--file", texts, "--quiet"]);
    expect([code, stdout]).toEqual([0, "A\nB C D E F\nENDLESS\n"]);
    expect(lines(stderr)).toEqual([
      `warning: ${texts}, line 2: longer than the model's limit of 5 tokens; its last 2 were left out: translate it in parts`,
      "warning: 1 of 3 translations came to the model's limit of 5 tokens before their end",
    ]);
  });

  test.each([
    ["not UTF-8", Uint8Array.of(0xff), "expected UTF-8, got bytes that are not"],
    ["binary", Uint8Array.of(0), "got a NUL character"],
    ["endless", new Uint8Array(2 ** 20 + 1).fill(97), "longer than 1048576 bytes"],
  ])("a line that is %s is an error that names it, after those before", async (_, bad, message) => {
    const stdin = stream(["one\n", "two\n", bad, "\nfour\n"]);
    const { code, stdout, stderr } = await run(["predict", "run", "--quiet"], {}, { stdin });
    expect([code, stdout]).toEqual([1, "ONE\nTWO\n"]);
    expect(stderr).toMatch(/^error: stdin, line 3: /);
    expect(stderr).toContain(message);
  });

  test("leaves out white space around texts, as around those of pairs", async () => {
    const { stdout } = await run(["predict", "run", " one two\t", " ", "--json"]);
    expect(lines(stdout).map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { text: " one two\t", translation: "ONE TWO", tokens: 2 },
      { text: " ", translation: "", tokens: 0 },
    ]);
  });

  test("does not write over what it reads", async () => {
    const texts = file("texts.txt", "one\n");
    for (const option of ["--output", "--attention"]) {
      const args = ["predict", "run", "--file", texts, "--quiet", option];
      const { code, stderr } = await run([...args, join(folder, ".", "texts.txt")]);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^error: .*texts.txt: is the file/),
      ]);
    }
    expect(readFileSync(texts, "utf8")).toBe("one\n");
  });

  test("writes into a file", async () => {
    const output = join(folder, "made", "out.txt");
    const { code, stdout, stderr } = await run([
      ...["predict", "run", "one", "two", "--output", output],
    ]);
    expect([code, stdout, readFileSync(output, "utf8")]).toEqual([0, "", "ONE\nTWO\n"]);
    expect(stderr).toMatch(new RegExp(`^wrote ${output}$`, "m"));
    const nowhere = await run(["predict", "run", "one", "--output", "/proc/none/x", "--quiet"]);
    expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining("not writable")]);
  });

  test("writes the attention of one text as a page", async () => {
    const page = join(folder, "attention.html");
    const one = await run(["predict", "run", "one", "--attention", page]);
    expect([one.code, one.stdout]).toEqual([0, "ONE\n"]);
    expect(readFileSync(page, "utf8")).toContain("ONE");
    const asked: TranslateOptions[] = [];
    const long = await run(
      ["predict", "run", " a b c d e f ", "--attention", page, "--beams", "3", "--quiet"],
      { load: () => Promise.resolve(capitals(undefined, (options) => asked.push(options))) },
    );
    expect(long.stderr).toMatch(/^warning: text 1: longer than the model's limit of 5 tokens/);
    expect(asked).toEqual([expect.objectContaining({ beams: 3, lengthPenalty: 1 })]);
    expect(readFileSync(page, "utf8")).toContain("A B C D E");
    await run(["predict", "run", "one", "--attention", page, "--target", "GIVEN"]);
    expect(readFileSync(page, "utf8")).toContain("GIVEN");
    const two = await run(["predict", "run", "one", "two", "--attention", page]);
    expect([two.code, two.stderr]).toEqual([1, expect.stringContaining("expected one text")]);
  });

  test.each([
    [["x", "--file", "y"], "'--file <file>' cannot be used with texts"],
    [["x", "--target", "y"], "'--target <text>' needs '--attention <file>'"],
    [["x", "--attention", "y", "--json"], "cannot be used with '--output' or '--json'"],
    [["x", "--beams", "0"], "Expected a whole number from 1 to 64"],
    [["x", "--length-penalty", "-1"], "Expected a number from 0 to 10"],
  ])("%j is wrong usage", async (args, message) => {
    const { code, stdout, stderr } = await run(["predict", "run", ...args]);
    expect([code, stdout, stderr]).toEqual([2, "", expect.stringContaining(message)]);
  });

  test("of arguments the wrong way round is one error", async () => {
    const args = ["predict", "a text", folder, "--quiet"];
    const { code, stderr } = await run(args, { load: BACKEND.load });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: a text: no such file or folder; the first argument is the folder that/,
    );
  });

  test("of no file is one error", async () => {
    const missing = join(folder, "nothing.txt");
    const { code, stderr } = await run(["predict", "run", "--file", missing, "--quiet"]);
    expect([code, stderr]).toEqual([
      1,
      `error: ${missing}: cannot be read: no such file; check the path\n`,
    ]);
  });

  test("Ctrl-C ends it after what has been translated", async () => {
    async function* stdin() {
      yield bytes("one\n");
      process.emit("SIGINT", "SIGINT");
      await Promise.resolve();
      yield bytes("two\n");
    }
    const { code, stdout, stderr } = await run(["predict", "run"], {}, { stdin: stdin() });
    expect([code, stdout]).toEqual([130, "ONE\n"]);
    expect(stderr).toContain(
      "error: stopped by Ctrl-C, what was translated before has been written",
    );
  });

  test("ends quietly when nobody reads on", async () => {
    const closed = new AbortController();
    async function* stdin() {
      for (;;) {
        await Promise.resolve();
        yield bytes("one\n");
        closed.abort();
      }
    }
    const surroundings = { stdin: stdin(), closed: closed.signal };
    const { code, stdout } = await run(["predict", "run"], {}, surroundings);
    expect([code, stdout]).toEqual([0, "ONE\n"]);
  });
});

test("without a subcommand, or with one that there is not, shows what there is", async () => {
  for (const args of [[], ["nonsense"]]) {
    const { code, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/train|unknown command 'nonsense'/);
  }
  const { code, stdout } = await run(["--help"]);
  expect([code, stdout]).toEqual([0, expect.stringContaining("predict")]);
});
