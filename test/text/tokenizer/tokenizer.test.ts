/** Whole tokenizers agree with Python's on a Unicode torture set: ids, offsets into the original text, words, decoding. */
import { describe, expect, test } from "vitest";
import { toCodePoints, Tokenizer } from "../../../src/text/index.ts";
import { sharedData } from "../../data/shared-data.ts";
import { asPython, fixtures } from "./fixtures.ts";

const { texts, splits, tokenizers, encodings, options, bertUncased, batch } = fixtures();

/** A model that knows no word, so that each becomes one token with the offsets of the word. */
const UNKNOWN = { type: "WordLevel", vocab: { "<unk>": 0 }, unk_token: "<unk>" };

describe.each(splits)("$name", ({ normalizer, preTokenizer, results }) => {
  const tokenizer = Tokenizer.fromJSON({
    version: "1.0",
    normalizer,
    pre_tokenizer: preTokenizer,
    model: UNKNOWN,
  });

  test("cuts texts into the words of Python, with their offsets", () => {
    const found = texts.map((text) => toCodePoints(text, tokenizer.encode(text).offsets).flat());
    expect(found).toEqual(results.map(([offsets]) => offsets));
  });

  test("gives words the same characters", () => {
    const found = texts.map((text) => tokenizer.words(text).map((word) => word.text));
    expect(found).toEqual(results.map(([, words]) => words));
  });

  test("is written as it was read", () => {
    expect(tokenizer.toJSON()).toMatchObject({ normalizer, pre_tokenizer: preTokenizer });
  });
});

describe.each(Object.keys(encodings))("%s, trained", (name) => {
  const tokenizer = Tokenizer.fromJSON(tokenizers[name]);
  const rows = encodings[name] ?? [];

  test.each(texts.map((text, i) => [i, text] as const))("text %i", (i, text) => {
    const [expected, decoded, whole] = rows[i] ?? [];
    const encoding = tokenizer.encode(text);
    expect(asPython(encoding, [text])).toEqual(expected);
    expect(tokenizer.decode(encoding.ids)).toBe(decoded);
    expect(tokenizer.decode(encoding.ids, { skipSpecialTokens: false })).toBe(whole);
  });

  test("is written as it was read", () => {
    expect(tokenizer.toJSON()).toEqual(tokenizers[name]);
  });
});

test("truncation, padding and pairs are Python's", () => {
  for (const { tokenizer, texts, special, truncation, padding, expected, overflowing } of options) {
    const json = { ...tokenizers[tokenizer], truncation, padding };
    const [text = "", pair] = texts;
    const encoding = Tokenizer.fromJSON(json).encode(text, { pair, addSpecialTokens: special });
    const label = JSON.stringify([tokenizer, texts.length, special, truncation, padding]);
    expect(asPython(encoding, texts), label).toEqual(expected);
    const rest = encoding.overflowing.map((each) => {
      const { ids, offsets, typeIds } = asPython(each, texts);
      return [ids, offsets, typeIds ?? ids.map(() => 0)];
    });
    expect(rest, label).toEqual(overflowing);
  }
});

test("a batch is padded to its longest text", () => {
  const padding = {
    ...{ strategy: "BatchLongest", direction: "Left", pad_to_multiple_of: null },
    ...{ pad_id: 3, pad_type_id: 0, pad_token: "<pad>" },
  };
  const tokenizer = Tokenizer.fromJSON({ ...tokenizers["wordPiece"], padding });
  const found = tokenizer.encodeBatch(batch.texts);
  expect(found.map((each, i) => asPython(each, [batch.texts[i] ?? ""]))).toEqual(batch.expected);
});

test("truncation and padding have the defaults of Python, and can be left off again", () => {
  const tokenizer = Tokenizer.fromJSON(tokenizers["wordPiece"]);
  const bare = tokenizer.toJSON();
  tokenizer.enableTruncation(5);
  tokenizer.enablePadding();
  // tokenizers 0.22: t.enable_truncation(5); t.enable_padding(); t.to_str()
  expect(tokenizer.toJSON()).toMatchObject({
    truncation: { direction: "Right", max_length: 5, strategy: "LongestFirst", stride: 0 },
    padding: {
      ...{ strategy: "BatchLongest", direction: "Right", pad_to_multiple_of: null },
      ...{ pad_id: 0, pad_type_id: 0, pad_token: "[PAD]" },
    },
  });
  tokenizer.enableTruncation(4, { stride: 1, strategy: "OnlyFirst", direction: "Left" });
  tokenizer.enablePadding({ length: 6, padId: 3, padToken: "<pad>" });
  expect(tokenizer.truncation).toEqual({
    ...{ maxLength: 4, stride: 1, strategy: "OnlyFirst", direction: "Left" },
  });
  expect(tokenizer.padding).toMatchObject({ length: 6, padId: 3, padToken: "<pad>" });
  expect(tokenizer.encode(texts.join(" ")).attentionMask).toEqual([1, 1, 1, 1, 0, 0]);
  tokenizer.noTruncation();
  tokenizer.noPadding();
  expect(tokenizer.toJSON()).toEqual(bare);
});

const bert = sharedData("tokenizer/bert-uncased/tokenizer.json");

test.skipIf(bert.missing)(`BERT's own tokenizer${bert.title}`, async () => {
  const tokenizer = await Tokenizer.load(bert.file);
  tokenizer.truncation = undefined;
  tokenizer.padding = undefined;
  texts.forEach((text, i) => {
    const encoding = tokenizer.encode(text);
    const { ids, offsets } = asPython(encoding, [text]);
    expect([ids, offsets, tokenizer.decode(ids)], text).toEqual(bertUncased[i]);
  });
});
