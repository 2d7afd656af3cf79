/** Random texts through every pipeline agree with Python's tokenizers, when a Python has them. */
import { describe, expect, test } from "vitest";
import { Tokenizer } from "../../../src/text/index.ts";
import { sharedData } from "../../data/shared-data.ts";
import { findPython, runPython } from "../../support/python.ts";
import { asPython, fixtures, type PythonEncoding } from "./fixtures.ts";

const python = findPython(["tokenizers"]);
const skipped = python === null ? " (skipped: set LEARNING_LOOP_PYTHON)" : "";
const { texts, splits, tokenizers } = fixtures();

/** Reads `[tokenizer, texts][]` and prints, by tokenizer, the encoding and decoding of each text. */
const SCRIPT = `
import json, sys
from tokenizers import Tokenizer
out = []
for source, texts in json.load(sys.stdin):
    tokenizer = Tokenizer.from_str(json.dumps(source))
    rows = []
    for text in texts:
        e = tokenizer.encode(text)
        rows.append([e.ids, e.tokens, [x for pair in e.offsets for x in pair], e.word_ids, tokenizer.decode(e.ids)])
    out.append(rows)
print(json.dumps(out))
`;

type Row = [
  ids: number[],
  tokens: string[],
  offsets: number[],
  words: (number | null)[],
  text: string,
];

function byPython(
  inputs: readonly (readonly [json: unknown, texts: readonly string[]])[],
): Row[][] {
  return JSON.parse(runPython(python ?? "", SCRIPT, JSON.stringify(inputs))) as Row[][];
}

function ours(tokenizer: Tokenizer, text: string): Row {
  const encoding = tokenizer.encode(text);
  const { ids, tokens, offsets, wordIds } = asPython(encoding, [text]) satisfies PythonEncoding;
  return [[...ids], [...tokens], [...offsets], [...wordIds], tokenizer.decode(ids)];
}

/** A generator of numbers below a bound (mulberry32). */
function generator(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  };
}

/** Ranges whose characters did not change between Unicode versions, with much that combines. */
const RANGES: readonly (readonly [first: number, last: number])[] = [
  [0x20, 0x7e],
  [0x20, 0x20],
  [0x00, 0x1f],
  [0xa0, 0x17f],
  [0x300, 0x36f],
  [0x390, 0x3ce],
  [0x5d0, 0x5ea],
  [0x621, 0x652],
  [0x905, 0x94d],
  [0xe01, 0xe3a],
  [0x1100, 0x1112],
  [0x1161, 0x1175],
  [0x11a8, 0x11c2],
  [0x1e00, 0x1eff],
  [0x2000, 0x206f],
  [0x2150, 0x218b],
  [0x3041, 0x3093],
  [0x4e00, 0x4eff],
  [0xac00, 0xac80],
  [0xfb00, 0xfb06],
  [0xff01, 0xffdc],
  [0x1d400, 0x1d454],
  [0x1f600, 0x1f64f],
];

/** Random characters among pieces of the torture set. */
function randomTexts(count: number, seed: number): string[] {
  const next = generator(seed);
  return Array.from({ length: count }, () => {
    let text = "";
    for (let pieces = next(12); pieces >= 0; pieces--) {
      if (next(4) === 0) {
        const whole = [...(texts[next(texts.length)] ?? "")];
        const start = next(whole.length + 1);
        text += whole.slice(start, start + next(12)).join("");
        continue;
      }
      const [first, last] = RANGES[next(RANGES.length)] ?? [0x20, 0x20];
      for (let n = next(5); n >= 0; n--)
        text += String.fromCodePoint(first + next(last - first + 1));
    }
    return text;
  });
}

describe(`random texts${skipped}`, () => {
  test.skipIf(python === null)("give Python's ids, tokens, offsets, words and texts", () => {
    const alphabet = new Set(RANGES.flatMap(([first, last]) => [first, last]));
    const vocab = Object.fromEntries(
      ["<unk>", ...[...alphabet].map((code) => String.fromCodePoint(code))].map((c, i) => [c, i]),
    );
    const model = { type: "BPE", vocab, merges: [], unk_token: "<unk>", fuse_unk: false };
    const sources = [
      ...splits.map(({ normalizer, preTokenizer }) => ({
        ...{ version: "1.0", normalizer, pre_tokenizer: preTokenizer, model },
        ...{ truncation: null, padding: null, added_tokens: [], post_processor: null },
        decoder: null,
      })),
      ...Object.values(tokenizers),
    ];
    const inputs = sources.map((source, i) => [source, randomTexts(60, i + 1)] as const);
    const expected = byPython(inputs);
    inputs.forEach(([source, random], i) => {
      const tokenizer = Tokenizer.fromJSON(source);
      random.forEach((text, n) =>
        expect(ours(tokenizer, text), `${splits[i]?.name} ${JSON.stringify(text)}`).toEqual(
          expected[i]?.[n],
        ),
      );
    });
  });

  const bert = sharedData("tokenizer/bert-uncased/tokenizer.json");
  const skip = bert.missing || python === null;
  test.skipIf(skip)(`agree on BERT's own tokenizer${bert.title}`, async () => {
    const tokenizer = await Tokenizer.load(bert.file);
    const random = [...texts, ...randomTexts(300, 77)];
    const [expected] = byPython([[tokenizer.toJSON(), random]]);
    expect(random.map((text) => ours(tokenizer, text))).toEqual(expected);
  });
});
