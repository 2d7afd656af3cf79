/** Tokens must cover exactly the text that is not white space, at its true UTF-16 offsets. */
import { describe, expect, test } from "vitest";
import { Rng } from "../../src/data/rng.ts";
import { tokenize } from "../../src/text/tokenize.ts";

const words = (text: string) => tokenize(text).map((token) => token.text);

describe("tokenize", () => {
  test("splits words, numbers and signs", () => {
    expect(words("Java/J2EE (C++, C#): it's 1,200.50 EUR; 2012-2016, 3rd, B.Tech")).toEqual(
      "Java / J2EE ( C + + , C # ) : it's 1,200.50 EUR ; 2012 - 2016 , 3rd , B . Tech".split(" "),
    );
  });

  test("keeps e-mail and web addresses whole, without the sign that ends the sentence", () => {
    const text =
      "Mail jo.o'neil+x@mail.example.co.uk, or see https://www.example.com/in/jo?id=7. indeed.com/r/Jo/1a! github.com";
    const kinds = tokenize(text).filter(({ kind }) => kind === "email" || kind === "url");
    expect(kinds.map((token) => [token.kind, token.text])).toEqual([
      ["email", "neil+x@mail.example.co.uk"],
      ["url", "example.com/in/jo"],
      ["url", "indeed.com/r/Jo/1a"],
      ["url", "github.com"],
    ]);
    expect(words("jo@example.com")).toEqual(["jo@example.com"]);
    expect(words("https://example.org")).toEqual(["https://", "example.org"]);
  });

  test("does not take names of technologies for addresses", () => {
    expect(words("Node.js/React ASP.NET")).toEqual("Node . js / React ASP . NET".split(" "));
  });

  test("keeps combining marks, surrogate pairs and joined emoji together", () => {
    const text = "Zoe\u0308 नमस्ते 𝒜b 👩‍💻 👍🏽 e\u0301\u0302";
    expect(words(text)).toEqual(text.split(" "));
  });

  test("splits ideographs and kana one by one, Hangul by spaces", () => {
    expect(words("東京で働くカ 한국어 입니다 Java東")).toEqual(
      "東 京 で 働 く カ 한국어 입니다 Java 東".split(" "),
    );
  });

  test("notes what stood before a token", () => {
    const text = "\n A-b c  d\te\nf\r\ng\n \nh\u2028i";
    expect(tokenize(text).map((token) => [token.text, token.gap])).toEqual([
      ["A", "line"],
      ["-", "none"],
      ["b", "none"],
      ["c", "space"],
      ["d", "wide"],
      ["e", "wide"],
      ["f", "line"],
      ["g", "line"],
      ["h", "blank-line"],
      ["i", "line"],
    ]);
  });

  test("copes with nothing, white space and unpaired surrogates", () => {
    expect(tokenize("")).toEqual([]);
    expect(tokenize(" \n\t\u00a0\u200b")).toEqual([]);
    expect(words("a\ud800 \udc00b")).toEqual(["a", "\ud800", "\udc00", "b"]);
  });

  test("stays linear on hostile input", () => {
    for (const unit of ["a-", "a.", "a", "@", "www.", "http://", "1,", "e\u0301", "\u0301"]) {
      const text = unit.repeat(40_000);
      const tokens = tokenize(text);
      expect(tokens.at(-1)?.end).toBe(text.length);
    }
  }, 20_000);

  test("covers exactly the text that is not white space, for random Unicode", () => {
    const rng = new Rng("tokens");
    const ranges: readonly [number, number][] = [
      [0x20, 0x7e],
      [0x09, 0x0d],
      [0xa0, 0x24f],
      [0x300, 0x36f],
      [0x900, 0x97f],
      [0x2000, 0x206f],
      [0x3040, 0x30ff],
      [0x4e00, 0x4fff],
      [0xac00, 0xacff],
      [0xd800, 0xdfff],
      [0xfe00, 0xfeff],
      [0x1d400, 0x1d7ff],
      [0x1f300, 0x1faff],
      [0, 0x10ffff],
    ];
    const isSpace = (unit: string) => /[\s\p{White_Space}\u200b]/u.test(unit);
    for (let round = 0; round < 1500; round++) {
      let text = "";
      for (let n = rng.int(0, 40); n > 0; n--) {
        const [low, high] = rng.pick(ranges);
        text += rng.chance(0.2)
          ? rng.pick(["http://", "www.", "@", ".com/", "a", "\r\n", "’s"])
          : String.fromCodePoint(rng.int(low, high));
      }
      const tokens = tokenize(text);
      const covered = new Array<boolean>(text.length).fill(false);
      let last = 0;
      for (const token of tokens) {
        expect(token.start).toBeGreaterThanOrEqual(last);
        expect(token.end).toBeGreaterThan(token.start);
        expect(text.slice(token.start, token.end)).toBe(token.text);
        covered.fill(true, token.start, token.end);
        last = token.end;
        for (const edge of [token.start, token.end]) {
          const splitsPair =
            /[\ud800-\udbff]/.test(text[edge - 1] ?? "") &&
            /[\udc00-\udfff]/.test(text[edge] ?? "");
          expect(splitsPair).toBe(false);
        }
      }
      const wanted = Array.from({ length: text.length }, (_, i) => !isSpace(text[i] ?? ""));
      expect(covered).toEqual(wanted);
    }
  });
});
