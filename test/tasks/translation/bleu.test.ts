/** BLEU, chrF and exact match, against sacrebleu itself: committed scores, and live ones where Python has it. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Rng } from "../../../src/data/rng.ts";
import { corpusBleu, sentenceBleu, type BleuOptions } from "../../../src/tasks/translation/bleu.ts";
import { corpusChrf, sentenceChrf, type ChrfOptions } from "../../../src/tasks/translation/chrf.ts";
import { exactMatch, fixed } from "../../../src/tasks/translation/metrics.ts";
import { findPython, runPython } from "../../support/python.ts";

type Options = ({ metric: "bleu" } & BleuOptions) | ({ metric: "chrf" } & ChrfOptions);
interface Corpus {
  hypotheses: string[];
  references: string[][];
}
interface Expected {
  score: number;
  name: string;
  signature: string;
  confidence?: { mean: number; halfWidth: number };
  [figure: string]: unknown;
}

function check({ hypotheses, references }: Corpus, given: Options, expected: Expected): void {
  const { metric, ...options } = given;
  const found =
    metric === "bleu"
      ? { name: "BLEU", ...corpusBleu(hypotheses, references, options) }
      : corpusChrf(hypotheses, references, options);
  const { confidence, signature, ...figures } = expected;
  expect(found.signature).toBe(
    signature.replace(/version:2\.6\.\d+$/, "version:2.6.0+learning-loop"),
  );
  for (const [name, value] of Object.entries(figures)) {
    const got = (found as unknown as Record<string, unknown>)[name];
    if (Array.isArray(value)) {
      expect(got, name).toHaveLength(value.length);
      value.forEach((each, i) => expect((got as number[])[i]).toBeCloseTo(each as number, 9));
    } else if (typeof value === "number") expect(got, name).toBeCloseTo(value, 9);
    else expect(got, name).toBe(value);
  }
  if (confidence === undefined) return;
  // sacrebleu adds in float32.
  expect(found.confidence?.mean).toBeCloseTo(confidence.mean, 3);
  expect(found.confidence?.halfWidth).toBeCloseTo(confidence.halfWidth, 3);
}

describe("sacrebleu's scores", () => {
  // Made by scripts/fixtures/translation_scores.py.
  const { corpora, cases } = JSON.parse(
    readFileSync(new URL("../../fixtures/sacrebleu.json", import.meta.url), "utf8"),
  ) as {
    corpora: Record<string, Corpus>;
    cases: { corpus: string; options: Options; expected: Expected }[];
  };

  test.each(Object.keys(corpora))("%s", (name) => {
    const own = cases.filter(({ corpus }) => corpus === name);
    expect(own.length).toBeGreaterThan(20);
    for (const { options, expected } of own) check(corpora[name]!, options, expected);
  });

  test("the signature says what was asked for", () => {
    const { signature } = corpusBleu(["a b"], ["a c"], { bootstrap: 10, smoothing: "add-k" });
    expect(signature).toBe(
      "nrefs:1|bs:10|seed:12345|case:mixed|eff:no|tok:13a|smooth:add-k[1.00]|version:2.6.0+learning-loop",
    );
  });
});

describe("sentences of random pieces", () => {
  const PIECES = [
    ..."aAbé漢字。,、ß½²٣😀ΣσςİǅЖ",
    ..."!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~0123456789",
    ...["&quot;", "&amp;", "&lt;", "&gt;", "&", "-\n", "\n", "\t", "\r", "<skipped>", "&amp;lt;"],
    ...["\u00a0", "\u2009", "\u3000", "\u200b", "\ufeff", "\u0085", "\x1c", "\x1f", "\u2028"],
    ...[
      "\u0301",
      "e\u0301",
      "…",
      "—",
      "«",
      "»",
      "’",
      "€",
      "±",
      "ﬁ",
      "𠀀",
      "👍🏽",
      "\u2001",
      "\u2a6d",
    ],
    ...["the", "The", "cat", "no", "1,234.5", "x-y", "3-4"],
    ...Array<string>(40).fill(" "),
  ];
  const OPTIONS: Options[] = [
    ...(["13a", "intl", "zh", "char", "none"] as const).flatMap((tokenize): Options[] => [
      { metric: "bleu", tokenize },
      { metric: "bleu", tokenize, lowercase: true, effectiveOrder: true },
    ]),
    { metric: "bleu", smoothing: "floor", maxOrder: 3 },
    { metric: "bleu", smoothing: "add-k", smoothingValue: 2 },
    { metric: "bleu", bootstrap: 30 },
    { metric: "chrf" },
    { metric: "chrf", wordOrder: 2 },
    { metric: "chrf", wordOrder: 2, lowercase: true, whitespace: true },
    { metric: "chrf", epsilonSmoothing: true, beta: 1 },
    { metric: "chrf", bootstrap: 30, wordOrder: 1 },
  ];

  function corpus(rng: Rng): Corpus {
    const text = (): string =>
      Array.from({ length: rng.int(0, 25) }, () => rng.pick(PIECES)).join("");
    const like = (other: string): string => {
      const pieces = [...other];
      return pieces.map((piece) => (rng.chance(0.15) ? rng.pick(PIECES) : piece)).join("");
    };
    const hypotheses = Array.from({ length: rng.int(1, 6) }, text);
    return {
      hypotheses,
      references: hypotheses.map((hypothesis) =>
        Array.from({ length: rng.int(1, 3) }, () => (rng.chance(0.8) ? like(hypothesis) : text())),
      ),
    };
  }

  test("score as in sacrebleu (skipped where LEARNING_LOOP_PYTHON has none)", (context) => {
    const python = findPython(["sacrebleu", "regex", "numpy"]);
    if (python === null) return context.skip("no Python with sacrebleu; set LEARNING_LOOP_PYTHON");
    const rng = new Rng("sacrebleu");
    const cases = Array.from({ length: 400 }, () => ({
      ...corpus(rng),
      options: rng.pick(OPTIONS),
    }));
    const folder = new URL("../../../scripts/fixtures", import.meta.url).pathname;
    const printed = runPython(
      python,
      `import json, sys\nsys.path.insert(0, ${JSON.stringify(folder)})\n` +
        "sys.dont_write_bytecode = True\nfrom translation_scores import answer\n" +
        "print(json.dumps([answer(**case) for case in json.load(sys.stdin)]))",
      JSON.stringify(cases),
    );
    const answers = JSON.parse(printed) as Expected[];
    expect(answers).toHaveLength(cases.length);
    cases.forEach(({ options, ...texts }, i) => check(texts, options, answers[i]!));
  });
});

describe("sentenceBleu", () => {
  test("is over the orders that the sentence has", () => {
    expect(sentenceBleu("yes", "yes").score).toBeCloseTo(100, 10);
    expect(sentenceBleu("yes", "yes", { effectiveOrder: false }).score).toBe(0);
    expect(sentenceBleu("yes", ["no", "yes"]).signature).toMatch(/^nrefs:2\|case:mixed\|eff:yes/);
  });
});

describe("sentenceChrf", () => {
  test("equals that of a corpus of one", () => {
    const [hypothesis, references] = ["a small boat", ["one small boat", "boats"]];
    expect(sentenceChrf(hypothesis, references)).toEqual(corpusChrf([hypothesis], [references]));
  });
});

describe("exactMatch", () => {
  test("is the share of hypotheses that equal a reference, in percent", () => {
    expect(exactMatch(["a", "b", "C", ""], ["a", ["x", "b"], "c", ""])).toBe(75);
    expect(exactMatch(["é"], ["e\u0301"])).toBe(0);
  });
});

describe("what is refused", () => {
  test.each([
    [() => corpusBleu([], []), "corpusBleu: expected at least one hypothesis, got none"],
    [
      () => exactMatch(["a"], []),
      "exactMatch: expected references for each hypothesis, got 1 hypo",
    ],
    [() => corpusChrf(["a"], [[]]), "corpusChrf: hypothesis 0 has no reference"],
    [() => corpusBleu([1 as unknown as string], ["a"]), "sentence 0 must be text, got number"],
    [() => corpusBleu(["a"], ["a"], { tokenize: "14" as "13a" }), "must be one of 13a, intl, zh"],
    [() => corpusBleu(["a"], ["a"], { smoothing: "x" as "exp" }), "one of exp, floor, add-k, none"],
    [() => sentenceBleu("a", "a", { maxOrder: 0 }), "sentenceBleu: maxOrder must be an integer"],
    [() => corpusChrf(["a"], ["a"], { wordOrder: -1 }), "wordOrder must be an integer of at least"],
    [
      () => corpusBleu(["a"], ["a"], { bootstrap: 1.5 }),
      "bootstrap must be an integer of at least",
    ],
  ])("%#", (call, message) => {
    expect(call).toThrow(message);
  });
});

describe("fixed", () => {
  test("rounds ties to even digits, as Python does", () => {
    // '%.1f' % 6.25, '%.2f' % 0.125, '%.3f' % 0.0625, '%.1f' % 0.35 in Python
    expect([fixed(6.25, 1), fixed(0.125, 2), fixed(0.0625, 3), fixed(0.35, 1)]).toEqual([
      "6.2",
      "0.12",
      "0.062",
      "0.3",
    ]);
    expect([fixed(18.75, 1), fixed(0.375, 2), fixed(2.5, 0), fixed(2.675, 2)]).toEqual([
      "18.8",
      "0.38",
      "2",
      "2.67",
    ]);
  });
});
