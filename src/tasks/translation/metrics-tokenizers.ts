/** The ways in which BLEU cuts sentences into words, as sacrebleu 2.6 defines them. */

import { splitWords, trimStart } from "./metrics.ts";

/**
 * `13a`: that of the WMT evaluations; `intl`: by Unicode's classes; `zh`: each Chinese character is a word; `char`: each
 * character is.
 */
export type BleuTokenizer = "13a" | "intl" | "zh" | "char" | "none";

/** The words of a text that has no white space at its end. */
export const BLEU_TOKENIZERS: Readonly<Record<BleuTokenizer, (text: string) => string[]>> = {
  "13a": (text) => splitWords(western(` ${withoutMarkup(text)} `)),
  intl: (text) => splitWords(international(text)),
  zh: (text) => splitWords(western(trimStart(text).replace(CHINESE, " $& "))),
  char: (text) => splitWords([...text].join(" ")),
  none: splitWords,
};

/** Undoes what evaluation files of NIST's format contain (mteval-v13a.pl). */
function withoutMarkup(text: string): string {
  return text
    .replaceAll("<skipped>", "")
    .replaceAll("-\n", "")
    .replaceAll("\n", " ")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">");
}

/** Sets punctuation apart, but for apostrophes, hyphens within words, and points and commas within numbers. */
function western(text: string): string {
  return text
    .replace(/[ -&(-+/:-@[-`{-~]/gu, " $& ")
    .replace(/([^0-9])([.,])/gu, "$1 $2 ")
    .replace(/([.,])([^0-9])/gu, " $1 $2")
    .replace(/([0-9])(-)/gu, "$1 $2 ");
}

/** Sets all punctuation apart that does not stand within a number, and symbols (mteval-v14.pl). */
function international(text: string): string {
  return text
    .replace(/(\P{N})(\p{P})/gu, "$1 $2 ")
    .replace(/(\p{P})(\P{N})/gu, " $1 $2")
    .replace(/\p{S}/gu, " $& ");
}

/**
 * What sacrebleu takes for Chinese. Its ranges for the supplementary ideographs, written with four digits of five, are
 * in effect U+2001 to U+2A6D and U+2F81 to U+2FA1: punctuation, arrows and signs, and no supplementary ideograph.
 */
const CHINESE =
  /[\u2001-\u2a6d\u2e80-\u2fdf\u2ff0-\u303f\u3100-\u312f\u31a0-\u31bf\u31c0-\u31ef\u3200-\u33ff\u3400-\u4db5\u4e00-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef]/gu;
