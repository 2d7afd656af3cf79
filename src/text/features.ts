/** Describes tokens by several small features, so that a tagger trained from scratch can generalise to unseen words. */
import type { Token } from "./tokenize.ts";

/**
 * The features of a token, in the order in which encoders number them: normal form, first and last three letters and
 * shape are those of spaCy's multi-hash embedding (Honnibal, "Embed, encode, attend, predict", 2016); the place in its
 * line, the case of the line and how far down it is stand for a resume's layout.
 */
export const FEATURE_NAMES = [
  "norm",
  "prefix",
  "suffix",
  "shape",
  "place",
  "line",
  "depth",
] as const;

export type FeatureName = (typeof FEATURE_NAMES)[number];

/** The features of every token of one text, each as a list parallel to `tokens`. */
export function tokenFeatures(tokens: readonly Token[]): Record<FeatureName, string[]> {
  const norms = tokens.map(normOf);
  const { place, line, depth } = layoutOf(tokens);
  return {
    norm: norms,
    prefix: norms.map((norm) => [...norm].slice(0, 3).join("")),
    suffix: norms.map((norm) => [...norm].slice(-3).join("")),
    shape: tokens.map(shapeOf),
    place,
    line,
    depth,
  };
}

/** Lower case in Unicode's compatibility form, digits as 0; addresses by their kind only. */
function normOf({ text, kind }: Token): string {
  if (kind === "email" || kind === "url") return `<${kind}>`;
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/\p{Nd}/gu, "0")
    .replace(/[’]/g, "'");
}

/** `Xxxx`, `dd`, `XXd`: letters by case, digits, other signs as they are; runs longer than four are cut to four. */
function shapeOf({ text, kind }: Token): string {
  if (kind === "email" || kind === "url") return `<${kind}>`;
  return text
    .replace(/\p{M}/gu, "")
    .replace(/[\p{L}\p{Nd}]/gu, (sign) => {
      if (/\p{Nd}/u.test(sign)) return "d";
      if (/\p{Ll}/u.test(sign)) return "x";
      return /[\p{Lu}\p{Lt}]/u.test(sign) ? "X" : "c";
    })
    .replace(/(.)\1{3,}/gu, "$1$1$1$1");
}

/**
 * Lines end at line breaks, tabs and runs of spaces, since text taken from documents often has the latter in place of
 * the former. `place` joins the gap before the token and its position in its line; `line` is the line's length and
 * case; `depth` the line's number, by eights from the ninth line on.
 */
function layoutOf(tokens: readonly Token[]): Record<"place" | "line" | "depth", string[]> {
  const place: string[] = [];
  const line: string[] = [];
  const depth: string[] = [];
  let number = 0;
  for (let start = 0; start < tokens.length;) {
    let end = start + 1;
    while (end < tokens.length && isInLine(tokens[end])) end += 1;
    const members = tokens.slice(start, end);
    const description = `${bucket(members.length)} ${caseOf(members)}`;
    members.forEach((token, position) => {
      place.push(`${token.gap} ${bucket(position)}`);
      line.push(description);
      depth.push(String(number < 8 ? number : Math.min(8 * Math.floor(number / 8), 64)));
    });
    number += 1;
    start = end;
  }
  return { place, line, depth };
}

function isInLine(token: Token | undefined): boolean {
  return token?.gap === "none" || token?.gap === "space";
}

/** 0, 1, 2, 3, then 4–5, 6–8, 9–15 and more. */
function bucket(n: number): string {
  if (n < 4) return String(n);
  return n < 6 ? "4" : n < 9 ? "6" : n < 16 ? "9" : "16";
}

function caseOf(tokens: readonly Token[]): "upper" | "title" | "mixed" {
  const words = tokens.filter(({ text }) => /\p{L}/u.test(text)).map(({ text }) => text);
  if (words.length === 0) return "mixed";
  if (words.every((word) => word === word.toUpperCase() && word !== word.toLowerCase())) {
    return "upper";
  }
  return words.every((word) => /^\P{Ll}/u.test(word)) ? "title" : "mixed";
}
