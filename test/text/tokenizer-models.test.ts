/** Tokenizer models and decoders against those of Python's tokenizers, and what they say about bad JSON. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DataError } from "../../src/data/errors.ts";
import { Bpe } from "../../src/text/tokenizer/bpe.ts";
import { byteFallback, readDecoder, strip } from "../../src/text/tokenizer/decoders.ts";
import { JsonField } from "../../src/text/tokenizer/json.ts";
import { modelFromJSON } from "../../src/text/tokenizer/models.ts";
import { Unigram } from "../../src/text/tokenizer/unigram.ts";
import { WordLevel } from "../../src/text/tokenizer/word-level.ts";
import { WordPiece } from "../../src/text/tokenizer/wordpiece.ts";

/** What scripts/fixtures/tokenizer_models.py writes. */
interface Fixtures {
  readonly models: Readonly<
    Record<
      string,
      {
        readonly model: Record<string, unknown>;
        readonly words: [string, number[], string[], [number, number][]][];
      }
    >
  >;
  readonly tokens: readonly string[][];
  readonly decoders: readonly {
    readonly decoder: Record<string, unknown>;
    readonly texts: (string | null)[];
  }[];
}

const fixtures = JSON.parse(
  readFileSync(new URL("../fixtures/text/tokenizer-models.json", import.meta.url), "utf8"),
) as Fixtures;

describe.each(Object.entries(fixtures.models))("%s", (_, { model: json, words }) => {
  const model = modelFromJSON(json);

  test.each(words)("cuts %j as Python does", (word, ids, tokens, spans) => {
    const expected = ids.map((id, i) => {
      const [start, end] = spans[i]!;
      return { id, token: tokens[i], start, end };
    });
    expect(model.tokenize(word)).toEqual(expected);
    // The second time from the cache.
    expect(model.tokenize(word)).toEqual(expected);
  });

  test("becomes the JSON it was made from", () => {
    expect(model.toJSON()).toEqual(json);
  });

  test("knows its vocabulary both ways", () => {
    expect(model.vocabulary().size).toBe(model.size);
    for (const [token, id] of model.vocabulary()) {
      expect(model.tokenToId(token)).toBe(id);
      expect(model.idToToken(id)).toBe(token);
    }
    expect(model.tokenToId("no such token")).toBeUndefined();
    expect(model.idToToken(99_999)).toBeUndefined();
  });
});

describe("BPE", () => {
  test("keeps offsets true after characters that are dropped", () => {
    const model = Bpe.fromJSON({ vocab: { a: 0, b: 1, ab: 2 }, merges: ["a b"] });
    expect(model.tokenize("😀abxab")).toEqual([
      { id: 2, token: "ab", start: 2, end: 4 },
      { id: 2, token: "ab", start: 5, end: 7 },
    ]);
  });

  test("is quick with a word of a million characters", () => {
    const model = Bpe.fromJSON({
      vocab: { a: 0, aa: 1, aaaa: 2 },
      merges: [
        ["a", "a"],
        ["aa", "aa"],
      ],
    });
    const start = performance.now();
    const tokens = model.tokenize("a".repeat(1_000_001));
    expect(performance.now() - start).toBeLessThan(30_000);
    expect(tokens).toHaveLength(250_001);
    expect(tokens.at(-1)).toEqual({ id: 0, token: "a", start: 1_000_000, end: 1_000_001 });
  });

  test.each([
    [{ dropout: 0.1 }, "field dropout: expected null, got 0.1"],
    [{ merges: undefined }, "field merges: expected an array, got nothing"],
    [{ merges: ["a"] }, "field merges[0]: expected two tokens"],
    [{ merges: [["a", "c"]] }, 'merge 0, "a" + "c", needs "c" in the vocabulary'],
    [{ vocab: { a: 0, b: 0 } }, 'field vocab: "a" and "b" have the same id 0'],
    [{ vocab: { a: -1 } }, 'the id of "a" must be an integer from 0, got -1'],
    [{ type: "WordPiece" }, 'field type: expected one of "BPE", got "WordPiece"'],
    [{ unk_token: 1 }, "field unk_token: expected a string, got 1"],
  ])("refuses %j", (change, message) => {
    const json = { type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges: [["a", "b"]], ...change };
    expect(() => Bpe.fromJSON(json)).toThrow(DataError);
    expect(() => Bpe.fromJSON(json)).toThrow(message);
  });
});

describe("models without the unknown token that they need", () => {
  test.each([
    new Bpe(new Map([["a", 0]]), [], { unkToken: "<unk>" }),
    new WordPiece(new Map([["a", 0]])),
    new WordLevel(new Map([["a", 0]])),
  ])("say so: %o", (model) => {
    expect(() => model.tokenize("b")).toThrow(/the unknown token ".*" is not in the vocabulary/);
  });

  test("say so: Unigram", () => {
    expect(() => new Unigram([["a", -1]]).tokenize("b")).toThrow("no unknown token");
  });
});

test("models of other types are refused, those without a type are told by their fields", () => {
  expect(() => modelFromJSON({ type: "Other" })).toThrow(
    "field type: expected BPE, WordPiece, WordLevel or Unigram",
  );
  const vocab = { a: 0 };
  expect(modelFromJSON({ vocab, merges: [] })).toBeInstanceOf(Bpe);
  expect(modelFromJSON({ vocab, continuing_subword_prefix: "##" })).toBeInstanceOf(WordPiece);
  expect(modelFromJSON({ vocab, unk_token: "a" })).toBeInstanceOf(WordLevel);
  expect(modelFromJSON({ vocab: [["a", -1]] })).toBeInstanceOf(Unigram);
});

test("of Unigram pieces that are there twice the last one counts, as in Python", () => {
  const model = new Unigram([
    ["<unk>", 0],
    ["a", -5],
    ["b", -1],
    ["a", -1],
  ]);
  expect(model.tokenize("ab").map(({ id }) => id)).toEqual([3, 2]);
  expect([model.idToToken(1), model.idToToken(3), model.size]).toEqual(["a", "a", 4]);
});

describe("decoders", () => {
  test.each(fixtures.decoders.map(({ decoder, texts }) => [JSON.stringify(decoder), texts]))(
    "%s",
    (json, texts) => {
      const source = JSON.parse(json) as Record<string, unknown>;
      const decoder = readDecoder(new JsonField(source, "decoder"));
      const decoded = fixtures.tokens.map((tokens) => decoder.decodeChain(tokens).join(""));
      // Python fails where there is less than is to be stripped.
      expect(decoded.map((text, i) => (texts[i] === null ? null : text))).toEqual(texts);
      expect(decoder.toJSON()).toEqual(source);
    },
  );

  test("Strip leaves nothing of tokens that are shorter than what it strips", () => {
    expect(strip(" ", { start: 2, stop: 2 }).decodeChain(["   ", "", "a"])).toEqual(["", "", "a"]);
  });

  test("Replace takes no empty match right behind another, as Python", () => {
    const regex = { Regex: "b*" };
    const replace = readDecoder(
      new JsonField({ type: "Replace", pattern: regex, content: "-" }, "decoder"),
    );
    expect(replace.decodeChain(["ab", "bc", "$&", ""])).toEqual(["-a-", "-c-", "-$-&-", "-"]);
  });

  test("bytes that are no UTF-8 may be many", () => {
    const tokens = new Array<string>(300_000).fill("<0xFF>");
    expect(byteFallback().decodeChain(tokens)).toHaveLength(300_000);
  });

  test("unknown ones are refused", () => {
    expect(() => readDecoder(new JsonField({ type: "Other" }, "decoder"))).toThrow(DataError);
  });
});
