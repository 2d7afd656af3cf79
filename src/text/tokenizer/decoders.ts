/** Decoders: how tokens become text again, as the `decoder` of a `tokenizer.json`. */
import { CHAR_BYTES } from "./byte-level.ts";
import { type ByType, type JsonField, readByType } from "./json.ts";
import { compilePattern, type PatternSource, readPattern } from "./pattern.ts";
import { PREPEND_SCHEMES } from "./pre-tokenizers.ts";
import { forEachMatch } from "./splitting.ts";

/** Turns tokens into pieces of text that are joined in order. */
export interface Decoder {
  /** The pieces, of which there may be fewer than tokens; the text is all of them without anything between. */
  decodeChain(tokens: readonly string[]): string[];
  /** The `decoder` of a `tokenizer.json`. */
  toJSON(): Readonly<Record<string, unknown>>;
}

const encoder = new TextEncoder();
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const strictUtf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

function decoder(
  json: Readonly<Record<string, unknown>>,
  decodeChain: (tokens: readonly string[]) => string[],
): Decoder {
  return { decodeChain, toJSON: () => json };
}

/** As {@link decoder} where each token is changed for itself. */
const each = (
  json: Readonly<Record<string, unknown>>,
  change: (token: string, index: number, tokens: readonly string[]) => string,
): Decoder => decoder(json, (tokens) => tokens.map(change));

/**
 * Joins the bytes that the characters of byte-level tokens stand for; bytes that are not UTF-8 become U+FFFD, and tokens
 * with other characters stay as they are. The options are those of the pre-tokenizer and mean nothing here.
 */
export function byteLevel({
  addPrefixSpace = true,
  trimOffsets = true,
  useRegex = true,
} = {}): Decoder {
  const json = {
    ...{ type: "ByteLevel", add_prefix_space: addPrefixSpace },
    ...{ trim_offsets: trimOffsets, use_regex: useRegex },
  };
  return decoder(json, (tokens) => [utf8.decode(Uint8Array.from(tokens.flatMap(bytesOf)))]);
}

function bytesOf(token: string): number[] {
  const bytes = Array.from(token, (char) => CHAR_BYTES.get(char));
  const isByteLevel = bytes.every((byte): byte is number => byte !== undefined);
  return isByteLevel ? bytes : [...encoder.encode(token)];
}

/** Puts spaces before tokens that begin words; `cleanup` takes back those before punctuation and English contractions. */
export const wordPiece = ({ prefix = "##", cleanup = true } = {}): Decoder =>
  each({ type: "WordPiece", prefix, cleanup }, (token, i) => {
    const isInside = i > 0 && token.startsWith(prefix);
    const text = isInside ? token.slice(prefix.length) : i > 0 ? ` ${token}` : token;
    return cleanup ? cleanUp(text) : text;
  });

/** Takes back the spaces that tokenization put around punctuation. */
function cleanUp(text: string): string {
  for (const mark of [".", "?", "!", ","]) text = text.replaceAll(` ${mark}`, mark);
  text = text.replaceAll(" ' ", "'").replaceAll(" n't", "n't").replaceAll(" 'm", "'m");
  text = text.replaceAll(" do not", " don't");
  for (const end of ["'s", "'ve", "'re"]) text = text.replaceAll(` ${end}`, end);
  return text;
}

/** Replaces the suffix that ends words by a space, at the end by nothing. */
export const bpe = ({ suffix = "</w>" } = {}): Decoder =>
  each({ type: "BPEDecoder", suffix }, (token, i, tokens) =>
    token.replaceAll(suffix, i < tokens.length - 1 ? " " : ""),
  );

/** Replaces the mark of a space by a space, dropping it in the first token where one was put before the text. */
export function metaspace({
  replacement = "▁",
  prependScheme = "always",
  split = true,
}: {
  readonly replacement?: string;
  readonly prependScheme?: (typeof PREPEND_SCHEMES)[number];
  readonly split?: boolean;
} = {}): Decoder {
  const json = { type: "Metaspace", replacement, prepend_scheme: prependScheme, split };
  return each(json, (token, i) =>
    token.replaceAll(replacement, i === 0 && prependScheme !== "never" ? "" : " "),
  );
}

/** Joins tokens `<0x00>` … `<0xFF>` that follow each other to UTF-8; where they are none, each becomes U+FFFD. */
export const byteFallback = (): Decoder =>
  decoder({ type: "ByteFallback" }, (tokens) => {
    const texts: string[] = [];
    let bytes: number[] = [];
    const flush = (): void => {
      if (bytes.length > 0) for (const text of textsOf(bytes)) texts.push(text);
      bytes = [];
    };
    for (const token of tokens) {
      const hex = /^<0x([0-9a-f]{2})>$/i.exec(token)?.[1];
      if (hex !== undefined) {
        bytes.push(parseInt(hex, 16));
        continue;
      }
      flush();
      texts.push(token);
    }
    flush();
    return texts;
  });

function textsOf(bytes: readonly number[]): string[] {
  try {
    return [strictUtf8.decode(Uint8Array.from(bytes))];
  } catch {
    // Not UTF-8, which TextDecoder tells only by throwing.
    return bytes.map(() => "\ufffd");
  }
}

/** Joins all tokens to one, for decoders after it that look at the whole. */
export const fuse = (): Decoder => decoder({ type: "Fuse" }, (tokens) => [tokens.join("")]);

/** Removes up to `start` and `stop` times one character from the beginning and end of each token. */
export const strip = (content: string, { start = 0, stop = 0 } = {}): Decoder =>
  each({ type: "Strip", content, start, stop }, (token) => {
    const chars = [...token];
    let from = 0;
    while (from < Math.min(start, chars.length) && chars[from] === content) from++;
    let to = chars.length;
    while (to > Math.max(from, chars.length - stop) && chars[to - 1] === content) to--;
    return chars.slice(from, to).join("");
  });

/** Replaces what a string or a pattern matches in each token. */
export function replace(pattern: PatternSource, content: string): Decoder {
  const regex = compilePattern(pattern);
  const json = typeof pattern === "string" ? { String: pattern } : { Regex: pattern.regex };
  return each({ type: "Replace", pattern: json, content }, (token) => {
    let text = "";
    let at = 0;
    forEachMatch(regex, token, (start, end) => {
      text += token.slice(at, start) + content;
      at = end;
    });
    return text + token.slice(at);
  });
}

/** Connectionist temporal classification: repeated tokens count once, padding goes, delimiters become spaces. */
export function ctc({
  padToken = "<pad>",
  wordDelimiterToken = "|",
  cleanup = true,
} = {}): Decoder {
  const json = { pad_token: padToken, word_delimiter_token: wordDelimiterToken, cleanup };
  return decoder({ type: "CTC", ...json }, (tokens) =>
    tokens
      .filter((token, i) => i === 0 || token !== tokens[i - 1])
      .map((token) => {
        const text = token.replaceAll(padToken, "");
        return cleanup ? cleanUp(text).replaceAll(wordDelimiterToken, " ") : text;
      })
      .filter((text) => text !== ""),
  );
}

/** Several decoders, one after the other. */
export function sequence(decoders: readonly Decoder[]): Decoder {
  return {
    decodeChain: (tokens) =>
      decoders.reduce((pieces, each) => each.decodeChain(pieces), [...tokens]),
    toJSON: () => ({ type: "Sequence", decoders: decoders.map((each) => each.toJSON()) }),
  };
}

const READERS: ByType<Decoder> = {
  ByteLevel: (field) =>
    byteLevel({
      addPrefixSpace: field.get("add_prefix_space").boolean(),
      trimOffsets: field.get("trim_offsets").boolean(),
      useRegex: field.get("use_regex").boolean(true),
    }),
  WordPiece: (field) =>
    wordPiece({ prefix: field.get("prefix").string(), cleanup: field.get("cleanup").boolean() }),
  BPEDecoder: (field) => bpe({ suffix: field.get("suffix").string() }),
  Metaspace: (field) => {
    const scheme = field.get("prepend_scheme");
    // Before there was prepend_scheme, add_prefix_space said whether always or never.
    const old = field.get("add_prefix_space").boolean(true) ? "always" : "never";
    return metaspace({
      replacement: field.get("replacement").character(),
      prependScheme: scheme.missing ? old : scheme.oneOf(...PREPEND_SCHEMES),
      split: field.get("split").boolean(true),
    });
  },
  ByteFallback: byteFallback,
  Fuse: fuse,
  Strip: (field) =>
    strip(field.get("content").character(), {
      start: field.get("start").count(),
      stop: field.get("stop").count(),
    }),
  Replace: (field) => replace(readPattern(field.get("pattern")), field.get("content").string()),
  CTC: (field) =>
    ctc({
      padToken: field.get("pad_token").string(),
      wordDelimiterToken: field.get("word_delimiter_token").string(),
      cleanup: field.get("cleanup").boolean(),
    }),
  Sequence: (field) => sequence(field.get("decoders").array().map(readDecoder)),
};

/** @internal Reads the `decoder` of a `tokenizer.json`. @throws DataError naming the field. */
export function readDecoder(field: JsonField): Decoder {
  return readByType(field, "decoder", READERS);
}
