/** Trained tokenizers against Python's trainers: the same tokens, ids and merges from the same texts. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Bpe } from "../../src/text/tokenizer/bpe.ts";
import { JsonField } from "../../src/text/tokenizer/json.ts";
import { readNormalizer } from "../../src/text/tokenizer/normalizers.ts";
import { readPreTokenizer, whitespaceSplit } from "../../src/text/tokenizer/pre-tokenizers.ts";
import { toCodePoints, type Tokenizer } from "../../src/text/tokenizer/tokenizer.ts";
import {
  trainBpe,
  trainWordPiece,
  type TokenizerProgress,
  type TrainTokenizerOptions,
  type TrainWordPieceOptions,
} from "../../src/text/tokenizer/trainer.ts";
import { textLines } from "../../src/text/tokenizer/trainer-files.ts";
import { sharedData } from "../data/shared-data.ts";
import { temporaryFolder } from "../data/temp.ts";
import { findPython } from "../support/python.ts";

/** What scripts/fixtures/tokenizer_training.py writes. */
interface Fixtures {
  readonly texts: readonly string[];
  readonly random: readonly string[];
  readonly cases: Readonly<Record<string, Case>>;
}

interface Case {
  readonly texts: "texts" | "random";
  readonly normalizer: object | null;
  readonly preTokenizer: { readonly type: string };
  readonly options: TrainTokenizerOptions;
  readonly tokens: string[];
  readonly merges: [string, string][] | null;
}

const fixtures = JSON.parse(
  readFileSync(new URL("../fixtures/text/tokenizer-training.json", import.meta.url), "utf8"),
) as Fixtures;

const { folder, file } = temporaryFolder();

/** Tokens in the order of ids, and merges where the model has them. */
function learned({ model }: Tokenizer) {
  const tokens = [...model.vocabulary()].sort(([, a], [, b]) => a - b).map(([token]) => token);
  return { tokens, merges: model instanceof Bpe ? model.merges : null };
}

describe("the same as Python", () => {
  test.each(Object.entries(fixtures.cases))("%s", async (name, expected) => {
    const { normalizer, preTokenizer, options } = expected;
    const parts = {
      ...(normalizer && { normalizer: readNormalizer(new JsonField(normalizer, name)) }),
      preTokenizer: readPreTokenizer(new JsonField(preTokenizer, name)),
    };
    const train = expected.merges === null ? trainWordPiece : trainBpe;
    const tokenizer = await train(fixtures[expected.texts], { ...options, ...parts });
    const { tokens, merges } = expected;
    expect(learned(tokenizer)).toEqual({ tokens, merges });
    const special = options.specialTokens ?? [];
    expect(special.map((token) => tokenizer.tokenToId(token))).toEqual([...special.keys()]);
    expect(tokens.filter((_, id) => tokenizer.isSpecial(id))).toEqual(special);
  });

  test("byte-level BPE and BERT's WordPiece need no parts", async () => {
    const { options, tokens, merges } = fixtures.cases["byte-level BPE"]!;
    const { vocabSize, specialTokens } = options as { vocabSize: number; specialTokens: string[] };
    const bpe = await trainBpe(fixtures.texts, { vocabSize, specialTokens });
    expect(learned(bpe)).toEqual({ tokens, merges });

    const wordPiece = fixtures.cases["WordPiece"]!;
    expect(learned(await trainWordPiece(fixtures.texts, wordPiece.options)).tokens).toEqual(
      wordPiece.tokens,
    );
  });
});

const TORTURE = [
  ...fixtures.texts,
  "",
  " ",
  "\u0000\u0007 \u200b\u200d\ufeff\u2028",
  "🏴󠁧󠁢󠁥󠁮󠁧󠁿 👩🏽‍🚀 e\u0301\u0323 ﷽ ｆｕｌｌ ½ ǆ İi Σσς",
  "مرحبا بالعالم 안녕하세요 สวัสดี नमस्ते",
  "ferry<s>ferry <pad>the",
];

test("byte-level BPE gives every text back as it was", async () => {
  const tokenizer = await trainBpe(fixtures.texts, { vocabSize: 400 });
  for (const text of TORTURE) expect(tokenizer.decode(tokenizer.encode(text).ids)).toBe(text);
});

test("WordPiece puts texts between [CLS] and [SEP] and knows its own words", async () => {
  const tokenizer = await trainWordPiece(fixtures.texts, { vocabSize: 400 });
  const { tokens, offsets } = tokenizer.encode("The FÄHRE, qqq");
  expect(tokens).toEqual(["[CLS]", "the", "fahre", ",", "[UNK]", "[SEP]"]);
  expect(offsets.slice(1, -1)).toEqual([[0, 3], [4, 9], [9, 10], [11, 14]]); // prettier-ignore
  expect(tokenizer.decode(tokenizer.encode("the ferry, the gulls").ids)).toBe(
    "the ferry, the gulls",
  );
  expect(tokenizer.tokenToId("[PAD]")).toBe(0);
  expect(tokenizer.tokenToId("[MASK]")).toBe(4);
});

test("WordPiece keeps case and accents where it is told to", async () => {
  const texts = ["Über die Fähre", "über Die fähre"];
  const tokens = async (options: TrainWordPieceOptions) =>
    (await trainWordPiece(texts, options)).encode("Über die Fähre").tokens.slice(1, -1);
  expect(await tokens({})).toEqual(["uber", "die", "fahre"]);
  expect(await tokens({ lowercase: false })).toEqual(["Über", "die", "Fähre"]);
  expect(await tokens({ lowercase: false, stripAccents: true })).toEqual(["Uber", "die", "Fahre"]);
  expect(await tokens({ stripAccents: false })).toEqual(["über", "die", "fähre"]);
  await expect(tokens({ lowercase: false, normalizer: null })).rejects.toThrow(
    "trainWordPiece: give normalizer, or lowercase and stripAccents of BERT's, not both",
  );
});

test("prefixed characters come in the order of code points, whatever the order of the texts", async () => {
  const options = {
    vocabSize: 300,
    continuingSubwordPrefix: "##",
    preTokenizer: whitespaceSplit(),
  };
  const forward = learned(await trainBpe(fixtures.texts, options));
  const backward = learned(await trainBpe([...fixtures.texts].reverse(), options));
  expect(backward).toEqual(forward);
});

test("of equally frequent characters a limited alphabet keeps those with lower code points", async () => {
  const options = { limitAlphabet: 3, preTokenizer: whitespaceSplit() };
  const { tokens } = learned(await trainBpe(["d \u{1F600} b \uFFFD c", "c"], options));
  expect(tokens).toEqual(["b", "c", "d"]);
  const high = learned(await trainBpe(["\u{1F600} \uFFFD"], { ...options, limitAlphabet: 1 }));
  expect(high.tokens).toEqual(["\uFFFD"]);
});

test("texts may come in time, and progress is told", async () => {
  async function* slowly() {
    for (const text of fixtures.texts) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      yield text;
    }
  }
  const told: TokenizerProgress[] = [];
  const options = {
    vocabSize: 400,
    onProgress: (progress: TokenizerProgress) => told.push(progress),
  };
  const tokenizer = await trainBpe(slowly(), options);
  expect(learned(tokenizer)).toEqual(learned(await trainBpe(fixtures.texts, { vocabSize: 400 })));
  const words = told.filter(({ phase }) => phase === "words");
  expect(words.length).toBeGreaterThan(1);
  expect(words.at(-1)).toMatchObject({ done: fixtures.texts.length, total: null, etaSeconds: 0 });
  expect(told.at(-1)).toMatchObject({ phase: "merges", done: 400, total: 400, etaSeconds: 0 });
});

test("stops when told to", async () => {
  const reason = new Error("enough");
  const endless = function* () {
    for (;;) yield "one two three ";
  };
  const stopping = new AbortController();
  setTimeout(() => stopping.abort(reason), 50);
  await expect(trainBpe(endless(), { signal: stopping.signal })).rejects.toBe(reason);
  await expect(trainBpe([], { signal: stopping.signal })).rejects.toBe(reason);
});

describe("refuses", () => {
  test.each([
    [{ vocabSize: 0 }, "trainBpe: vocabSize must be an integer of at least 1, got 0"],
    [{ minFrequency: -1 }, "trainBpe: minFrequency must be an integer of at least 0, got -1"],
    [{ limitAlphabet: 1.5 }, "trainBpe: limitAlphabet must be an integer of at least 0, got 1.5"],
    [{ specialTokens: [""] }, "trainBpe: specialTokens must be strings that are not empty"],
    [{ unkToken: "<unk>" }, 'trainBpe: unkToken must be one of specialTokens, got "<unk>"'],
  ])("%j", async (options, message) => {
    await expect(trainBpe(["a"], options)).rejects.toThrow(message);
  });

  test("options that there are not", async () => {
    const wrong = { vocab_size: 400 } as object;
    await expect(trainBpe(["a"], wrong)).rejects.toThrow(
      'trainBpe: unknown option "vocab_size", expected vocabSize, minFrequency',
    );
    await expect(trainBpe(["a"], { lowercase: true } as object)).rejects.toThrow('"lowercase"');
    await expect(trainWordPiece(["a"], wrong)).rejects.toThrow(
      /^trainWordPiece: unknown option "vocab_size", expected .*, lowercase, stripAccents$/,
    );
  });

  test("texts that are none", async () => {
    await expect(trainBpe(["a", 1 as unknown as string])).rejects.toThrow(
      "trainBpe: text 1 must be a string, got number",
    );
    // One string is iterable too, character by character.
    await expect(trainBpe("a text")).rejects.toThrow("trainBpe: expected several texts");
  });

  test("WordPiece without its unknown token", async () => {
    await expect(trainWordPiece(["a"], { specialTokens: ["[CLS]"] })).rejects.toThrow(
      'trainWordPiece: unkToken must be one of specialTokens, got "[UNK]"',
    );
  });
});

describe("beside Python", () => {
  const python = findPython(["tokenizers"]);
  const call = (script: string, ...args: string[]) => {
    const run = spawnSync(python!, ["-c", script, ...args], {
      encoding: "utf8",
      maxBuffer: 2 ** 28,
      env: { ...process.env, RAYON_NUM_THREADS: "1" },
    });
    expect(run.stderr).toBe("");
    return JSON.parse(run.stdout) as unknown;
  };

  test("Python loads what was saved and agrees about ids and offsets", async (context) => {
    if (python === null) return context.skip("no Python with tokenizers; set LEARNING_LOOP_PYTHON");
    const texts = file("texts.json", JSON.stringify(TORTURE));
    for (const [name, tokenizer] of [
      ["bpe", await trainBpe(fixtures.texts, { vocabSize: 400, specialTokens: ["<pad>", "<s>"] })],
      ["wordpiece", await trainWordPiece(fixtures.texts, { vocabSize: 300 })],
      ["cased", await trainWordPiece(fixtures.texts, { vocabSize: 300, lowercase: false })],
    ] as const) {
      const saved = join(folder, `${name}.json`);
      await tokenizer.save(saved);
      const theirs = call(
        "import json, sys; from tokenizers import Tokenizer\n" +
          "t = Tokenizer.from_file(sys.argv[1])\n" +
          "es = [t.encode(text) for text in json.load(open(sys.argv[2], encoding='utf-8'))]\n" +
          "print(json.dumps([[e.ids, e.offsets, t.decode(e.ids)] for e in es]))",
        ...[saved, texts],
      );
      const ours = TORTURE.map((text) => {
        const { ids, offsets } = tokenizer.encode(text);
        return [ids, toCodePoints(text, offsets), tokenizer.decode(ids)];
      });
      expect(ours).toEqual(theirs);
    }
  });

  const shakespeare = sharedData("text/tinyshakespeare/input.txt");
  test.skipIf(shakespeare.missing)(
    `learns the same from files${shakespeare.title}`,
    async (context) => {
      if (python === null)
        return context.skip("no Python with tokenizers; set LEARNING_LOOP_PYTHON");
      const theirs = call(
        "import json, sys; from tokenizers import Tokenizer, models, pre_tokenizers as p, trainers\n" +
          "t = Tokenizer(models.BPE()); t.pre_tokenizer = p.ByteLevel(add_prefix_space=False)\n" +
          "a = p.ByteLevel.alphabet()\n" +
          "t.train(sys.argv[1:], trainers.BpeTrainer(vocab_size=4000, initial_alphabet=a, show_progress=False))\n" +
          "m = json.loads(t.to_str())['model']\n" +
          "print(json.dumps({'tokens': sorted(m['vocab'], key=m['vocab'].get), 'merges': m['merges']}))",
        shakespeare.file,
      );
      const tokenizer = await trainBpe(textLines([shakespeare.file]), { vocabSize: 4000 });
      expect(learned(tokenizer)).toEqual(theirs);
    },
    120_000,
  );
});
