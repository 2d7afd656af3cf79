/** Splits text into words, numbers, addresses and signs, with exact offsets into the original text. */

/** What stands between a token and the one before it; resumes say as much with their layout as with their words. */
export type Gap = "none" | "space" | "wide" | "line" | "blank-line";

/** What a token looks like. */
export type TokenKind = "word" | "number" | "email" | "url" | "sign";

/** A piece of a text: `text.slice(start, end)`, in UTF-16 offsets, without white space in it. */
export interface Token {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly kind: TokenKind;
  /** White space before it: none, one space, several or a tab, a line break, an empty line; the first has "line". */
  readonly gap: Gap;
}

/** White space as JavaScript and as Unicode define it, and the zero-width space that PDF extraction leaves behind. */
const SPACE = String.raw`[\s\p{White_Space}\u200b]`;

// Repetitions are bounded so that no input makes matching quadratic. A host needs a common top-level domain or "www.", since "Node.js/React" and "ASP.NET" are no addresses.
const HOST_LABEL = String.raw`[\p{L}\p{N}](?:[\p{L}\p{N}_-]{0,62}[\p{L}\p{N}])?`;
const TLD = "com|org|edu|gov|info|biz|io|dev|me|app|in|co|uk|us|de|fr|es|it|nl|eu|ca|au|br|pl|ch";
// A path ends before a query, which is rarely part of what a person would call the address.
const PATH = String.raw`[^\s\u200b<>"'“”‘’()\[\]{}|,;?#]{0,2000}[^\s\u200b<>"'“”‘’()\[\]{}|,;?#.:!…*]`;

const PATTERNS: readonly (readonly [kind: TokenKind | "space", pattern: string])[] = [
  ["space", `${SPACE}+`],
  ["email", String.raw`[\p{L}\p{N}][\p{L}\p{N}._%+\-]{0,63}@${HOST_LABEL}(?:\.${HOST_LABEL}){1,8}`],
  // The scheme stands alone: annotators mark "example.com/me" in "https://www.example.com/me".
  ["sign", String.raw`(?:[Hh][Tt][Tt][Pp][Ss]?|ftp)://(?:www\.)?(?=${PATH})`],
  ["url", String.raw`(?<=://(?:www\.)?)${PATH}`],
  ["url", String.raw`www\.${HOST_LABEL}\.(?:${PATH})`],
  [
    "url",
    String.raw`(?:${HOST_LABEL}\.){1,8}(?:${TLD})(?![\p{L}\p{M}\p{N}_-])(?!\.[\p{L}\p{N}])(?:/(?:${PATH})?)?`,
  ],
  ["number", String.raw`\p{Nd}+(?:[.,]\p{Nd}+)*(?![\p{L}\p{M}])`],
  // Scripts written without spaces: each ideograph by itself, kana in runs.
  ["word", String.raw`[\p{Script=Han}]\p{M}*`],
  ["word", String.raw`[\p{Script=Hiragana}\p{Script=Katakana}ー]\p{M}*`],
  [
    "word",
    String.raw`(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])[\p{L}\p{N}]\p{M}*[\u200c\u200d\u00ad]*)+(?:['’](?:s|t|d|m|ll|re|ve)(?![\p{L}\p{N}]))?`,
  ],
  // A sign with its combining marks, variation selectors and joined emoji; alone, an unpaired surrogate.
  ["sign", String.raw`\P{M}(?:\p{M}|\p{Emoji_Modifier}|\u200d\p{Extended_Pictographic})*`],
  ["sign", String.raw`[^]`],
];

const TOKEN = new RegExp(PATTERNS.map(([, pattern]) => `(${pattern})`).join("|"), "gu");

/**
 * The tokens of a text in order. Together they cover exactly what is not white space; no surrogate pair is split.
 * Letters and digits form words, also mixed ("html5"); every other sign is a token of its own, so that "C++" is three,
 * except inside e-mail and web addresses.
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let gap: Gap = "line";
  for (const match of text.matchAll(TOKEN)) {
    const piece = match[0];
    const kind = PATTERNS[match.indexOf(piece, 1) - 1]?.[0] ?? "sign";
    if (kind === "space") {
      if (tokens.length > 0) gap = gapOf(piece);
      continue;
    }
    tokens.push({ text: piece, start: match.index, end: match.index + piece.length, kind, gap });
    gap = "none";
  }
  return tokens;
}

function gapOf(space: string): Gap {
  const breaks = space.match(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/g)?.length ?? 0;
  if (breaks > 1) return "blank-line";
  if (breaks === 1) return "line";
  return space.length > 1 || space === "\t" ? "wide" : "space";
}
