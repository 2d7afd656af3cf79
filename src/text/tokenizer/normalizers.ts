/** Normalizers: what is done to a text before it is cut into words, as the `normalizer` of a `tokenizer.json`. */
import { compilePattern, type PatternSource, readPattern } from "./pattern.ts";
import { BYTE_CHARS } from "./byte-level.ts";
import { type ByType, type JsonField, readByType } from "./json.ts";
import { normalFormChanges, type NormalForm } from "./normalizers-forms.ts";
import type { NormalizedString } from "./normalized-string.ts";
import { ACCENT, MARK, NOT_TEXT } from "./unicode-versions.ts";

/** Changes a text in place, keeping its alignment with the original. */
export interface Normalizer {
  /** Changes the text; each character keeps the place in the original it came from. */
  normalize(text: NormalizedString): void;
  /** The `normalizer` of a `tokenizer.json`. */
  toJSON(): Readonly<Record<string, unknown>>;
}

function normalizer(
  json: Readonly<Record<string, unknown>>,
  normalize: (text: NormalizedString) => void,
): Normalizer {
  return { normalize, toJSON: () => json };
}

function form(type: NormalForm): Normalizer {
  return normalizer({ type }, (text) => toForm(text, type));
}

function toForm(text: NormalizedString, type: NormalForm): void {
  const changes = normalFormChanges(text.text, type);
  if (changes !== undefined) text.transform(changes);
}

/** Unicode Normalization Form C. */
export const nfc = (): Normalizer => form("NFC");
/** Unicode Normalization Form D. */
export const nfd = (): Normalizer => form("NFD");
/** Unicode Normalization Form KC. */
export const nfkc = (): Normalizer => form("NFKC");
/** Unicode Normalization Form KD. */
export const nfkd = (): Normalizer => form("NFKD");

/** Several normalizers, one after the other. */
export function sequence(normalizers: readonly Normalizer[]): Normalizer {
  return {
    normalize: (text) => {
      for (const each of normalizers) each.normalize(text);
    },
    toJSON: () => ({ type: "Sequence", normalizers: normalizers.map((each) => each.toJSON()) }),
  };
}

function toLowerCase(text: NormalizedString): void {
  const old = text.text;
  // The lower case of ASCII has no exceptions and the same length.
  if (/^[\0-\x7f]*$/.test(old)) text.substitute(old.toLowerCase());
  // One by one: Rust's mapping of a character knows no context, JavaScript's of a string does (final sigma).
  else text.map((character) => character.toLowerCase());
}

/** Lower case by the full Unicode mapping of each character alone: `İ` becomes two characters, `Σ` always `σ`. */
export const lowercase = (): Normalizer => normalizer({ type: "Lowercase" }, toLowerCase);

/** Removes white space at the ends of a text. */
export function strip({ left = true, right = true } = {}): Normalizer {
  return normalizer({ type: "Strip", strip_left: left, strip_right: right }, (text) => {
    const old = text.text;
    const start = left ? (/^\p{White_Space}+/u.exec(old)?.[0].length ?? 0) : 0;
    const end = right ? endOfText(old) : old.length;
    text.keep(start, Math.max(start, end));
  });
}

/** Where the white space at the end of a text begins; a regular expression would look at all white space before it. */
function endOfText(text: string): number {
  let end = text.length;
  while (end > 0 && /\p{White_Space}/u.test(text.charAt(end - 1))) end--;
  return end;
}

const MARKS = new RegExp(MARK, "gv");

/** Removes combining marks; mostly behind {@link nfd}, which separates them from their letters. */
export const stripAccents = (): Normalizer =>
  normalizer({ type: "StripAccents" }, (text) => text.remove(MARKS));

/** Replaces what a string or a `RegExp`-like Oniguruma pattern matches. */
export function replace(pattern: PatternSource, content: string): Normalizer {
  const regex = compilePattern(pattern);
  const json = typeof pattern === "string" ? { String: pattern } : { Regex: pattern.regex };
  return normalizer({ type: "Replace", pattern: json, content }, (text) =>
    text.replace(regex, content),
  );
}

/** Puts a string before every text that is not empty. */
export const prepend = (prefix: string): Normalizer =>
  normalizer({ type: "Prepend", prepend: prefix }, (text) => text.prepend(prefix));

/** Writes every byte of the UTF-8 text as one visible character, as GPT-2 does. */
export const byteLevel = (): Normalizer => normalizer({ type: "ByteLevel" }, toByteLevel);

/** As {@link byteLevel}; each character of the result is aligned to the character whose byte it is. */
export function toByteLevel(text: NormalizedString): void {
  const old = text.text;
  if (/^[!-~]*$/.test(old)) return;
  if (/^[\0-\x7f]*$/.test(old)) {
    let bytes = "";
    for (let i = 0; i < old.length; i++) bytes += BYTE_CHARS[old.charCodeAt(i)] as string;
    text.substitute(bytes);
    return;
  }
  text.map(utf8);
}

/** The characters of the UTF-8 bytes of one character (RFC 3629). */
function utf8(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return BYTE_CHARS[code] as string;
  let bytes = "";
  let rest = code;
  let first = 0x3f; // what the first byte has room for, less with every byte behind it
  for (; rest > first; rest >>= 6, first >>= 1)
    bytes = (BYTE_CHARS[0x80 | (rest & 0x3f)] as string) + bytes;
  return (BYTE_CHARS[(~(2 * first + 1) & 0xff) | rest] as string) + bytes;
}

/** Cleaning of machine-translation corpora: controls go, all sorts of space become spaces. */
export const nmt = (): Normalizer =>
  normalizer({ type: "Nmt" }, (text) => {
    // eslint-disable-next-line no-control-regex -- controls are what this removes
    text.remove(/[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]/g);
    text.substitute(
      text.text.replace(/[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g, " "),
    );
  });

/** Options of {@link bertNormalizer}. */
export interface BertNormalizerOptions {
  /** Removes control characters and makes every white space a space. */
  readonly cleanText?: boolean;
  /** Puts spaces around the ideographs of Chinese. */
  readonly handleChineseChars?: boolean;
  /** Removes accents; null does what `lowercase` does, as the first BERT did. */
  readonly stripAccents?: boolean | null;
  readonly lowercase?: boolean;
}

const IDEOGRAPH =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/u;

const NO_TEXT = new RegExp(NOT_TEXT, "gv");
const ACCENTS = new RegExp(ACCENT, "gv");

/** BERT's normalizer (Devlin et al. 2018, the `BasicTokenizer` of its code). */
export function bertNormalizer({
  cleanText = true,
  handleChineseChars = true,
  stripAccents = null,
  lowercase = true,
}: BertNormalizerOptions = {}): Normalizer {
  const json = {
    type: "BertNormalizer",
    clean_text: cleanText,
    handle_chinese_chars: handleChineseChars,
    strip_accents: stripAccents,
    lowercase,
  };
  return normalizer(json, (text) => {
    if (cleanText) {
      text.remove(NO_TEXT);
      text.substitute(text.text.replace(/\p{White_Space}/gu, " "));
    }
    if (handleChineseChars && IDEOGRAPH.test(text.text))
      text.map((character) => (IDEOGRAPH.test(character) ? ` ${character} ` : character));
    if (stripAccents ?? lowercase) {
      toForm(text, "NFD");
      text.remove(ACCENTS);
    }
    if (lowercase) toLowerCase(text);
  });
}

const READERS: ByType<Normalizer> = {
  Sequence: (field) => sequence(field.get("normalizers").array().map(readNormalizer)),
  NFC: nfc,
  NFD: nfd,
  NFKC: nfkc,
  NFKD: nfkd,
  Lowercase: lowercase,
  Strip: (field) =>
    strip({ left: field.get("strip_left").boolean(), right: field.get("strip_right").boolean() }),
  StripAccents: stripAccents,
  Replace: (field) => {
    const source = readPattern(field.get("pattern"));
    return replace(source, field.get("content").string());
  },
  Prepend: (field) => prepend(field.get("prepend").string()),
  BertNormalizer: (field) => {
    const accents = field.get("strip_accents");
    return bertNormalizer({
      cleanText: field.get("clean_text").boolean(),
      handleChineseChars: field.get("handle_chinese_chars").boolean(),
      stripAccents: accents.missing ? null : accents.boolean(),
      lowercase: field.get("lowercase").boolean(),
    });
  },
  Nmt: nmt,
  ByteLevel: byteLevel,
};

/** @internal Reads the `normalizer` of a `tokenizer.json`. @throws DataError naming the field. */
export function readNormalizer(field: JsonField): Normalizer {
  return readByType(field, "normalizer", READERS);
}
