/** Malformed, unsupported and hostile tokenizer files are one clear error that names file and field. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DataError } from "../../../src/data/errors.ts";
import {
  postProcessors,
  preTokenizers,
  toCodePoints,
  Tokenizer,
  WordLevel,
} from "../../../src/text/index.ts";

const MODEL = { type: "WordLevel", vocab: { "<unk>": 0, a: 1, b: 2 }, unk_token: "<unk>" };
const BPE = { type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges: [["a", "b"]] };
const ADDED = {
  ...{ id: 3, content: "<s>", single_word: false, lstrip: false, rstrip: false },
  ...{ normalized: false, special: true },
};

const nested = (depth: number): unknown =>
  depth === 0 ? { type: "NFC" } : { type: "Sequence", normalizers: [nested(depth - 1)] };
const regex = (pattern: unknown): unknown => ({
  ...{ type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
});
const template = (changes: object): unknown => ({
  ...{ type: "TemplateProcessing", single: [], pair: [], special_tokens: {} },
  ...changes,
});

const A = { Sequence: { id: "A", type_id: 0 } };
const B = { Sequence: { id: "B", type_id: 1 } };

test.each<[string, unknown, string]>([
  ["no object", [], "expected an object, got an array"],
  ["text that is no JSON", "{", "not valid JSON"],
  ["another version", { version: "2.0", model: MODEL }, 'field version: expected one of "1.0"'],
  ["no model", {}, "field model"],
  ["an unknown model", { model: { type: "Magic" } }, "field model.type"],
  [
    "Precompiled",
    { model: MODEL, normalizer: { type: "Precompiled", precompiled_charsmap: "" } },
    'field normalizer.type: the normalizer "Precompiled" is not supported',
  ],
  [
    "an inherited name as type",
    { model: MODEL, normalizer: { type: "constructor" } },
    "not supported",
  ],
  [
    "a normalizer without its field",
    { model: MODEL, normalizer: { type: "Strip", strip_left: true } },
    "field normalizer.strip_right: expected true or false, got nothing",
  ],
  ["deep nesting", { model: MODEL, normalizer: nested(100) }, "nested deeper than 32 levels"],
  [
    "a kind in a sequence",
    { model: MODEL, pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "X" }] } },
    "field pre_tokenizer.pretokenizers[0].type",
  ],
  [
    "a pattern of neither kind",
    { model: MODEL, pre_tokenizer: regex(null) },
    "field pre_tokenizer.pattern",
  ],
  [
    "a pattern that takes exponential time",
    { model: MODEL, pre_tokenizer: regex("(a+)+$") },
    "field pre_tokenizer.pattern.Regex: the pattern has a repetition of a repetition",
  ],
  [
    "a pattern that is too long",
    { model: MODEL, pre_tokenizer: regex("a".repeat(30_000)) },
    "the limit is 20000",
  ],
  [
    "a pattern that is too deep",
    { model: MODEL, pre_tokenizer: regex("(".repeat(5000)) },
    "nested deeper",
  ],
  [
    "an unknown behavior",
    { model: MODEL, pre_tokenizer: { type: "Punctuation", behavior: "Gone" } },
    'field pre_tokenizer.behavior: expected one of "Removed"',
  ],
  [
    "a long delimiter",
    { model: MODEL, pre_tokenizer: { type: "CharDelimiterSplit", delimiter: "ab" } },
    "field pre_tokenizer.delimiter: expected one character",
  ],
  [
    "a contradiction",
    {
      model: MODEL,
      pre_tokenizer: {
        type: "Metaspace",
        replacement: "_",
        prepend_scheme: "always",
        add_prefix_space: false,
      },
    },
    "field pre_tokenizer.add_prefix_space: contradicts",
  ],
  [
    "a template without an id",
    {
      model: MODEL,
      post_processor: template({
        single: [A, { SpecialToken: { id: "[X]", type_id: 0 } }],
        pair: [A, B],
      }),
    },
    'field post_processor: templateProcessing: the special token "[X]" has no id',
  ],
  [
    "a template without the pair",
    { model: MODEL, post_processor: template({ single: [A], pair: [A] }) },
    "$B is missing",
  ],
  [
    "an added token twice",
    { model: MODEL, added_tokens: [ADDED, { ...ADDED, id: 4 }] },
    'field added_tokens[1].content: the token "<s>" is there twice',
  ],
  [
    "an added token with another's id",
    { model: MODEL, added_tokens: [{ ...ADDED, id: 1 }] },
    'field added_tokens[0].id: the token "<s>" gets the id 3',
  ],
  [
    "an id that is no number",
    { model: MODEL, added_tokens: [{ ...ADDED, id: "3" }] },
    "field added_tokens[0].id",
  ],
  [
    "padding without end",
    {
      model: MODEL,
      padding: {
        strategy: { Fixed: 4e9 },
        direction: "Right",
        pad_to_multiple_of: null,
        pad_id: 0,
        pad_type_id: 0,
        pad_token: "",
      },
    },
    "field padding.strategy.Fixed: expected at most",
  ],
  [
    "a negative truncation",
    {
      model: MODEL,
      truncation: { max_length: -1, stride: 0, strategy: "OnlyFirst", direction: "Right" },
    },
    "field truncation.max_length: expected an integer of at least 0",
  ],
  ["a BPE without merges", { model: { ...BPE, merges: undefined } }, "field model.merges"],
  ["a merge of no token", { model: { ...BPE, merges: [["a", "c"]] } }, "field model: merge 0"],
  [
    "two tokens of one id",
    { model: { ...MODEL, vocab: { "<unk>": 0, a: 1, b: 1 } } },
    "field model.vocab",
  ],
  [
    "whole words without an unknown token, as in Python",
    { model: { type: "WordLevel", vocab: { a: 0 } } },
    "field model.unk_token: expected a string, got nothing",
  ],
  ["a vocabulary of words", { model: { ...MODEL, vocab: ["a"] } }, "field model.vocab"],
])("%s", (_, json, message) => {
  const load = (): unknown => Tokenizer.fromJSON(json, { file: "some/tokenizer.json" });
  expect(load).toThrow(DataError);
  expect(load).toThrow(message);
  expect(load).toThrow(/^some\/tokenizer\.json/);
});

describe("files", () => {
  test("are saved and loaded again", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tokenizer-"));
    try {
      const file = join(folder, "tokenizer.json");
      const tokenizer = Tokenizer.fromJSON({ model: BPE, pre_tokenizer: { type: "Whitespace" } });
      tokenizer.addSpecialTokens(["<s>", { content: "<mask>", lstrip: true }]);
      await tokenizer.save(file);
      const again = await Tokenizer.load(file);
      expect(again.toJSON()).toEqual(tokenizer.toJSON());
      expect(again.encode("<s>ab  <mask>").ids).toEqual([3, 2, 4]);
      expect(JSON.parse(await readFile(file, "utf8"))).toEqual(tokenizer.toJSON());
      await writeFile(file, '{"model": {"type": "Nothing"}}');
      await expect(Tokenizer.load(file)).rejects.toThrow(`${file}, field model.type`);
      await expect(Tokenizer.load(join(folder, "none"))).rejects.toThrow("no such file");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("texts", () => {
  const tokenizer = Tokenizer.fromJSON({ model: MODEL, pre_tokenizer: regex("") });

  test("with lone surrogates are read as U+FFFD, with unchanged offsets", () => {
    const text = "a\ud800b\udc00😀";
    const words = tokenizer.words(text);
    expect(words.map((word) => word.text)).toEqual(["a", "\ufffd", "b", "\ufffd", "😀"]);
    expect(words.map(({ start, end }) => [start, end])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 6],
    ]);
    expect(toCodePoints(text, [[4, 6]])).toEqual([[4, 5]]);
  });

  test("that are none are refused", () => {
    // @ts-expect-error what a user of plain JavaScript may do
    expect(() => tokenizer.encode(undefined)).toThrow("Tokenizer.encode: expected a string");
    expect(() => toCodePoints("ab", [[0, 3]])).toThrow("toCodePoints: the offset 3 is outside");
  });

  test("are given with options that are some", () => {
    // @ts-expect-error as Python takes a pair
    expect(() => tokenizer.encode("a", "b")).toThrow("a second text is { pair }");
    const python = { add_special_tokens: false, skip_special_tokens: false } as object;
    expect(() => tokenizer.encode("a", python)).toThrow(
      'Tokenizer.encode: unknown option "add_special_tokens", expected pair, addSpecialTokens',
    );
    expect(() => tokenizer.encodeBatch(["a"], python)).toThrow(
      'Tokenizer.encodeBatch: unknown option "add_special_tokens", expected addSpecialTokens',
    );
    expect(() => tokenizer.decode([1], { skip_special_tokens: false } as object)).toThrow(
      'Tokenizer.decode: unknown option "skip_special_tokens", expected skipSpecialTokens',
    );
    // @ts-expect-error no array
    expect(() => tokenizer.encodeBatch("ab")).toThrow("expected an array of texts or pairs");
    // @ts-expect-error ids of int64 tensors
    expect(() => tokenizer.decode([1n])).toThrow("expected whole numbers, got bigint 1");
    expect(() => tokenizer.decode([1.5])).toThrow("expected whole numbers, got number 1.5");
  });

  test.each([
    [{ maxLength: 2 }, "Tokenizer.truncation, field stride: expected an integer"],
    [{ maxLength: 2, stride: -1 }, "Tokenizer.truncation, field stride: expected an integer"],
    [{ max_length: 2 }, 'Tokenizer.truncation: unknown option "max_length", expected maxLength, s'],
    [{ maxLength: 2, stride: 0, strategy: "longest_first" }, 'got "longest_first"'],
    [{ maxLength: 2, stride: 0, strategy: "OnlyFirst", direction: "left" }, 'got "left"'],
  ])("cannot be truncated by %j", (truncation, message) => {
    const cut = Tokenizer.fromJSON({ model: MODEL });
    expect(() => (cut.truncation = truncation as never)).toThrow(message);
    expect(cut.truncation).toBeUndefined();
  });

  test.each([
    [{ length: "longest" }, "Tokenizer.padding, field direction"],
    [{ length: 2.5, direction: "Right" }, "Tokenizer.padding, field strategy.Fixed"],
    [{ length: "max", direction: "Right" }, "Tokenizer.padding, field strategy.Fixed"],
    [{ pad_id: 1 }, 'Tokenizer.padding: unknown option "pad_id", expected length, direction, padT'],
  ])("cannot be padded by %j", (padding, message) => {
    const filled = Tokenizer.fromJSON({ model: MODEL });
    expect(() => (filled.padding = padding as never)).toThrow(message);
    filled.padding = undefined;
    expect(filled.encode("a").ids).toEqual([1]);
  });

  test("cannot be cut or padded by options that are none", () => {
    const bare = Tokenizer.fromJSON({ model: MODEL });
    expect(() => bare.enableTruncation({ max_length: 2 } as never)).toThrow(
      "Tokenizer.truncation, field max_length: expected an integer",
    );
    expect(() => bare.enableTruncation(2, { max_length: 2 } as never)).toThrow(
      'Tokenizer.enableTruncation: unknown option "max_length", expected stride, strategy, direction',
    );
    expect(() => bare.enablePadding({ pad_id: 1 } as never)).toThrow(
      'Tokenizer.enablePadding: unknown option "pad_id", expected length, direction, padToM',
    );
    expect(() => bare.enablePadding({ direction: "left" as "Left" })).toThrow('got "left"');
    expect([bare.truncation, bare.padding]).toEqual([undefined, undefined]);
  });

  test("cannot be cut where the strategy has nothing to cut", () => {
    const model = WordLevel.fromJSON(MODEL);
    const cut = new Tokenizer({ model, preTokenizer: preTokenizers.whitespace() });
    const truncation = { maxLength: 2, stride: 0, direction: "Right" } as const;
    cut.truncation = { ...truncation, strategy: "OnlySecond" };
    expect(() => cut.encode("a b a b")).toThrow("OnlySecond needs a pair of texts");
    cut.truncation = { ...truncation, strategy: "OnlyFirst" };
    expect(() => cut.encode("a", { pair: "a b a b" })).toThrow("would have to cut 3 tokens");
    cut.truncation = { ...truncation, stride: 2, strategy: "LongestFirst" };
    expect(() => cut.encode("a b a b")).toThrow("stride 2 must be below the 2 tokens");
  });

  test("go into templates that are checked", () => {
    const specialTokens = [["[CLS]", 1]] as const;
    expect(() => postProcessors.templateProcessing({ single: "$A $x" })).toThrow(
      'single has the piece "$x"',
    );
    expect(() => postProcessors.templateProcessing({ single: "$B [CLS]", specialTokens })).toThrow(
      "single must not use the second text",
    );
  });
});

test("special tokens are special whatever they say, and wherever the model has them", () => {
  const vocab = [["<unk>", 0], ["<s>", -1], ["a", -1], ["<s>", -1]]; // prettier-ignore
  const tokenizer = Tokenizer.fromJSON({ model: { type: "Unigram", vocab, unk_id: 0 } });
  tokenizer.addSpecialTokens([{ content: "<s>", special: false }]);
  expect(tokenizer.addedTokens()).toMatchObject([[3, { content: "<s>", special: true }]]);
  expect(tokenizer.decode([1, 2, 3])).toBe("a");
  expect([0, 1, 2, 3].map((id) => tokenizer.isSpecial(id))).toEqual([false, true, false, true]);
});

test("many marks on one letter are sorted in passable time", () => {
  const tokenizer = Tokenizer.fromJSON({ model: MODEL, normalizer: { type: "NFC" } });
  const text = `a${"\u0301\u0323".repeat(5_000)}`;
  expect(tokenizer.words(text)[0]?.text).toBe(text.normalize("NFC"));
});
