/** Oniguruma patterns mean the same in JavaScript, or are refused; what they match was found with Python's tokenizers. */
import { expect, test } from "vitest";
import { translateOniguruma } from "../../../src/text/tokenizer/oniguruma.ts";

const matches = (pattern: string, text: string): string[] =>
  [...text.matchAll(translateOniguruma(pattern))].map(([match]) => match);

test.each<[pattern: string, text: string, expected: string[]]>([
  ["a++b|a", "aab aa", ["aab", "a", "a"]],
  ["a?+ab|c", "ab aab c", ["aab", "c"]],
  ["(?>a*)a|b", "aaab", ["b"]],
  ["(?i:'s|k)", "'ſ 'S \u212a K k", ["'ſ", "'S", "\u212a", "K", "k"]],
  ["x(?i)y|z", "xy xY xZ Z xz", ["xy", "xY", "xZ", "xz"]],
  ["(?i:[a-c])d", "Ad Bd CD", ["Ad", "Bd"]],
  ["^.", "ab\ncd\n", ["a", "c"]],
  [".$", "ab\ncd\n", ["b", "d"]],
  ["\\A.|.\\z", "ab\ncd", ["a", "d"]],
  ["(?m:a.b)|a.c", "a\nb a\nc a\rc", ["a\nb", "a\rc"]],
  ["\\s", "\u0085\ufeff\u00a0", ["\u0085", "\u00a0"]],
  ["\\w+", "a² b٣_ ½", ["a²", "b٣_", "½"]],
  ["[\\w]+", "a² b٣_", ["a", "b٣_"]],
  ["[[:alpha:]&&[^a-m]]+", "amnzé!", ["nzé"]],
  ["[a-]|[]b]", "a-]b", ["a", "-", "]", "b"]],
  ["\\p{^L}|\\P{Alpha}", "a1", ["1"]],
  ["\\p{han}+|\\p{Hiragana}", "漢字か", ["漢字", "か"]],
  ["\\x{1F600}|\\u00e9|\\t", "😀é\t", ["😀", "é", "\t"]],
  ["a{,2}b|a{2}", "aab aa", ["aab", "aa"]],
  ["a{,}", "a{,}", ["a{,}"]],
  ["(?x: a b # c\n)|d", "ab d", ["ab", "d"]],
  ["(?<name>a)(?#comment)b", "ab", ["ab"]],
  ["\\R", "\r\n\u2028", ["\r\n", "\u2028"]],
  ["(?:\\r\\n|\\n)+|(?:ab|c){2}", "a\r\n\nabc", ["\r\n\n", "abc"]],
  ["(?<=a)b|(?<!a)c|d(?!e)", "ab ac c de d", ["b", "c", "d"]],
])("%s", (pattern, text, expected) => {
  expect(matches(pattern, text)).toEqual(expected);
});

test.each([
  ["(a)\\1", "\\1, which has no counterpart"],
  ["(?<n>a)\\k<n>", "\\k, which has no counterpart"],
  ["\\Ka", "\\K, which has no counterpart"],
  ["(?~abc)", "a kind of group that has no counterpart"],
  ["(?(1)a|b)", "a kind of group that has no counterpart"],
  ["(?i:ss)", '"ss" without regard to case'],
  ["(?i:\\p{Lu})", "\\p{Lu} without regard to case".slice(1)],
  ["\\p{Nonsense}", "the unknown property"],
  ["[[:nonsense:]]", "the unknown class"],
  ["\\q", "the unknown escape \\q"],
  ["(a", "a ( without its )"],
  ["a)", "a ) without its ("],
  ["*a", "nothing before the *"],
  ["[a", "an end where a character is missing"],
  ["[z-a]", "a range that ends before it begins"],
  ["(a*)*", "a repetition of a repetition"],
  ["(?:x\\w+)+", "a repetition of a repetition"],
  ["(?:a|a)*b", "alternatives that may begin alike"],
  ["(?:a|ab|b)+", "alternatives that may begin alike"],
  ["(?:\\w|-)+", "alternatives that may begin alike"],
  ["a{3,2}", "not valid"],
])("%s is refused", (pattern, problem) => {
  expect(() => translateOniguruma(pattern)).toThrow(SyntaxError);
  expect(() => translateOniguruma(pattern)).toThrow(problem);
});
