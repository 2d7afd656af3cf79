/** Pre-tokenizers: how a normalized text is cut into words, as the `pre_tokenizer` of a `tokenizer.json`. */
import { type ByType, type JsonField, readByType } from "./json.ts";
import { toByteLevel } from "./normalizers.ts";
import type { NormalizedString } from "./normalized-string.ts";
import { compilePattern, type PatternSource, readPattern } from "./pattern.ts";
import { scriptRuns } from "./pre-tokenizers-scripts.ts";
import { SPLIT_BEHAVIORS, type SplitBehavior } from "./splitting.ts";
import { PUNCTUATION as PUNCTUATION_CLASS } from "./unicode-versions.ts";

/** Cuts a part of a text into smaller ones, which it may change; empty ones are left out. */
export interface PreTokenizer {
  /** The parts in order, with their places in the original. */
  preTokenize(part: NormalizedString): readonly NormalizedString[];
  /** The `pre_tokenizer` of a `tokenizer.json`. */
  toJSON(): Readonly<Record<string, unknown>>;
}

function preTokenizer(
  json: Readonly<Record<string, unknown>>,
  preTokenize: (part: NormalizedString) => readonly NormalizedString[],
): PreTokenizer {
  return { preTokenize, toJSON: () => json };
}

const SPACES = /\p{White_Space}/gu;

/** Several pre-tokenizers, each cutting the parts of the one before. */
export function sequence(preTokenizers: readonly PreTokenizer[]): PreTokenizer {
  return {
    preTokenize: (part) =>
      preTokenizers.reduce<readonly NormalizedString[]>(
        (parts, each) => parts.flatMap((piece) => each.preTokenize(piece)),
        [part],
      ),
    toJSON: () => ({
      type: "Sequence",
      pretokenizers: preTokenizers.map((each) => each.toJSON()),
    }),
  };
}

/** Words of word characters and runs of other characters, without the white space between them. */
export const whitespace = (): PreTokenizer =>
  preTokenizer({ type: "Whitespace" }, (part) => part.split(WORDS, "Removed", true));

/** Rust's `\w+|[^\w\s]+`. */
const WORDS =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;

/** What stands between white space. */
export const whitespaceSplit = (): PreTokenizer =>
  preTokenizer({ type: "WhitespaceSplit" }, (part) => part.split(SPACES, "Removed"));

const PUNCTUATION = new RegExp(PUNCTUATION_CLASS, "gv");

/** What stands between white space, with every punctuation character on its own. */
export const bertPreTokenizer = (): PreTokenizer =>
  preTokenizer({ type: "BertPreTokenizer" }, (part) =>
    part.split(SPACES, "Removed").flatMap((word) => word.split(PUNCTUATION, "Isolated")),
  );

/** Cuts at punctuation. */
export const punctuation = ({
  behavior = "Isolated",
}: { behavior?: SplitBehavior } = {}): PreTokenizer =>
  preTokenizer({ type: "Punctuation", behavior }, (part) => part.split(PUNCTUATION, behavior));

/** Cuts numbers from what is around them, digit by digit if `individualDigits`. */
export const digits = ({ individualDigits = false } = {}): PreTokenizer =>
  preTokenizer({ type: "Digits", individual_digits: individualDigits }, (part) =>
    part.split(/\p{N}/gu, individualDigits ? "Isolated" : "Contiguous"),
  );

/** Cuts at one character and leaves it out. */
export function charDelimiterSplit(delimiter: string): PreTokenizer {
  const pattern = compilePattern(delimiter);
  return preTokenizer({ type: "CharDelimiterSplit", delimiter }, (part) =>
    part.split(pattern, "Removed"),
  );
}

/** Cuts at the matches of a pattern, or at what is between them if `invert`. */
export function split(
  pattern: PatternSource,
  { behavior = "Isolated", invert = false }: { behavior?: SplitBehavior; invert?: boolean } = {},
): PreTokenizer {
  const regex = compilePattern(pattern);
  const json = typeof pattern === "string" ? { String: pattern } : { Regex: pattern.regex };
  return preTokenizer({ type: "Split", pattern: json, behavior, invert }, (part) =>
    part.split(regex, behavior, invert),
  );
}

/** Cuts where the script changes, as SentencePiece does; Kana count as Han. */
export const unicodeScripts = (): PreTokenizer =>
  preTokenizer({ type: "UnicodeScripts" }, (part) =>
    scriptRuns(part.text).map(([start, end]) => part.slice(start, end)),
  );

/** Cuts after every `length` characters. */
export function fixedLength({ length = 5 } = {}): PreTokenizer {
  const pattern = new RegExp(`[\\s\\S]{1,${length}}`, "gu");
  return preTokenizer({ type: "FixedLength", length }, (part) => part.split(pattern, "Isolated"));
}

/** GPT-2's pattern: contractions, letters, numbers and the rest, each with a space before it. */
const GPT2 =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Options of {@link byteLevel}; all are true unless given. */
export interface ByteLevelOptions {
  /** Puts a space before a text that has none, so that its first word looks like the others. */
  readonly addPrefixSpace?: boolean;
  /** Read by post-processors only. */
  readonly trimOffsets?: boolean;
  /** Cuts words by GPT-2's pattern; without it only bytes are rewritten. */
  readonly useRegex?: boolean;
}

/** GPT-2's words (Radford et al. 2019), each byte of them written as one visible character. */
export function byteLevel({
  addPrefixSpace = true,
  trimOffsets = true,
  useRegex = true,
}: ByteLevelOptions = {}): PreTokenizer {
  const json = {
    type: "ByteLevel",
    add_prefix_space: addPrefixSpace,
    trim_offsets: trimOffsets,
    use_regex: useRegex,
  };
  return preTokenizer(json, (part) => {
    if (addPrefixSpace && !part.text.startsWith(" ")) part.prepend(" ");
    const words = useRegex ? part.split(GPT2, "Isolated") : part.text === "" ? [] : [part];
    for (const word of words) toByteLevel(word);
    return words;
  });
}

/** Where {@link metaspace} puts a character before a text. */
export const PREPEND_SCHEMES = ["always", "first", "never"] as const;

/** Options of {@link metaspace}. */
export interface MetaspaceOptions {
  /** The character that spaces become. */
  readonly replacement?: string;
  /** Whether a part of a text gets one before it: always, only where it begins the text, or never. */
  readonly prependScheme?: (typeof PREPEND_SCHEMES)[number];
  /** Cuts before each of them. */
  readonly split?: boolean;
}

/** SentencePiece's words: a space becomes a visible character and begins a word (Kudo and Richardson 2018). */
export function metaspace({
  replacement = "▁",
  prependScheme = "always",
  split = true,
}: MetaspaceOptions = {}): PreTokenizer {
  const json = { type: "Metaspace", replacement, prepend_scheme: prependScheme, split };
  const mark = compilePattern(replacement);
  return preTokenizer(json, (part) => {
    part.replace(/ /g, replacement);
    const prepends =
      prependScheme === "always" || (prependScheme === "first" && part.originalStart === 0);
    if (prepends && !part.text.startsWith(replacement)) part.prepend(replacement);
    return split ? part.split(mark, "MergedWithNext") : part.text === "" ? [] : [part];
  });
}

function readMetaspace(field: JsonField): PreTokenizer {
  const scheme = field.get("prepend_scheme");
  const legacy = field.get("add_prefix_space"); // before there were schemes
  const prefix = legacy.missing ? undefined : legacy.boolean();
  const prependScheme = scheme.missing ? "always" : scheme.oneOf(...PREPEND_SCHEMES);
  if (prefix === false && !scheme.missing && prependScheme !== "never")
    legacy.fail(`contradicts the prepend_scheme "${prependScheme}"`);
  return metaspace({
    replacement: field.get("replacement").character(),
    prependScheme: prefix === false ? "never" : prependScheme,
    split: field.get("split").boolean(true),
  });
}

const READERS: ByType<PreTokenizer> = {
  Sequence: (field) => sequence(field.get("pretokenizers").array().map(readPreTokenizer)),
  BertPreTokenizer: bertPreTokenizer,
  Whitespace: whitespace,
  WhitespaceSplit: whitespaceSplit,
  ByteLevel: (field) =>
    byteLevel({
      addPrefixSpace: field.get("add_prefix_space").boolean(),
      trimOffsets: field.get("trim_offsets").boolean(),
      useRegex: field.get("use_regex").boolean(true),
    }),
  Metaspace: readMetaspace,
  Punctuation: (field) => {
    const behavior = field.get("behavior");
    return punctuation({
      behavior: behavior.missing ? "Isolated" : behavior.oneOf(...SPLIT_BEHAVIORS),
    });
  },
  Digits: (field) => digits({ individualDigits: field.get("individual_digits").boolean() }),
  CharDelimiterSplit: (field) => charDelimiterSplit(field.get("delimiter").character()),
  Split: (field) =>
    split(readPattern(field.get("pattern")), {
      behavior: field.get("behavior").oneOf(...SPLIT_BEHAVIORS),
      invert: field.get("invert").boolean(),
    }),
  UnicodeScripts: unicodeScripts,
  FixedLength: (field) => fixedLength({ length: field.get("length").count(1) }),
};

/** @internal Reads the `pre_tokenizer` of a `tokenizer.json`. @throws DataError naming the field. */
export function readPreTokenizer(field: JsonField): PreTokenizer {
  return readByType(field, "pre-tokenizer", READERS);
}
