/** The tokens of a vocabulary that stand for no text: padding, start and end. */
import type { Tokenizer } from "../../text/tokenizer/tokenizer.ts";

/** Of a vocabulary that is trained here, with ids 0, 1 and 2. */
export const SPECIAL_TOKENS = ["[PAD]", "[BOS]", "[EOS]"] as const;

export interface SpecialIds {
  /** Fills rows of a batch up. */
  readonly padId: number;
  /** What a translation starts from. */
  readonly bosId: number;
  /** Ends a text. */
  readonly eosId: number;
}

/**
 * Names by which published vocabularies call them. Where there is no start of its own the end serves, as in fairseq; padding,
 * as in T5 and Marian, would be hidden from attention here.
 */
const NAMES = {
  pad: ["[PAD]", "<pad>", "<|pad|>", "<PAD>"],
  bos: ["[BOS]", "<s>", "<bos>", "[CLS]", "<|startoftext|>", "<|begin_of_text|>"],
  eos: ["[EOS]", "</s>", "<eos>", "[SEP]", "<|endoftext|>", "<|end_of_text|>"],
} as const;

/** @throws Error when the vocabulary has no padding or no end. */
export function specialIds(tokenizer: Tokenizer): SpecialIds {
  const find = (names: readonly string[]): number | undefined =>
    names.map((name) => tokenizer.tokenToId(name)).find((id) => id !== undefined);
  const [padId, eosId] = [find(NAMES.pad), find(NAMES.eos)];
  if (padId === undefined || eosId === undefined) {
    const missing = [
      ...(padId === undefined ? [["padding", NAMES.pad] as const] : []),
      ...(eosId === undefined ? [["the end of a text", NAMES.eos] as const] : []),
    ].map(([what, names]) => `no token for ${what}; add one of ${names.join(", ")}`);
    throw new Error(`the vocabulary has ${missing.join("; and it has ")}`);
  }
  return { padId, bosId: find(NAMES.bos) ?? eosId, eosId };
}
