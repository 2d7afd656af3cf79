/** What a tokenizer makes of a text, and the operations on it that post-processing, truncation and padding need. */

import type { ModelToken } from "./model.ts";
import type { NormalizedString } from "./normalized-string.ts";

/** The tokens of a text or a pair of texts; all lists are parallel. */
export interface Encoding {
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
  /** Where each token stands in the text it came from, in UTF-16 units; `[0, 0]` for tokens that were added. */
  readonly offsets: readonly (readonly [start: number, end: number])[];
  /** Which word of its text a token belongs to; null for added tokens. */
  readonly wordIds: readonly (number | null)[];
  /** Which of the two texts a token came from, 0 or 1; null for added tokens. */
  readonly sequenceIds: readonly (number | null)[];
  readonly typeIds: readonly number[];
  /** 0 for padding, 1 for all else. */
  readonly attentionMask: readonly number[];
  /** 1 for tokens that a post-processor or padding added. */
  readonly specialTokensMask: readonly number[];
  /** What truncation cut off, as encodings of the same greatest length; they have none in turn. */
  readonly overflowing: readonly Encoding[];
}

/** An encoding while it is made. */
export interface Draft {
  ids: number[];
  tokens: string[];
  offsets: (readonly [start: number, end: number])[];
  wordIds: (number | null)[];
  sequenceIds: (number | null)[];
  typeIds: number[];
  attentionMask: number[];
  specialTokensMask: number[];
  overflowing: Draft[];
}

export const emptyDraft = (): Draft => ({
  ids: [],
  tokens: [],
  offsets: [],
  wordIds: [],
  sequenceIds: [],
  typeIds: [],
  attentionMask: [],
  specialTokensMask: [],
  overflowing: [],
});

/** Adds the tokens of a word that is a part of a text. */
export function append(
  draft: Draft,
  tokens: readonly ModelToken[],
  part: NormalizedString,
  word: number,
): void {
  for (const { id, token, start, end } of tokens) {
    draft.ids.push(id);
    draft.tokens.push(token);
    draft.offsets.push(part.originalRange(start, end));
    draft.wordIds.push(word);
  }
}

/** The tokens of a whole text, which is the first or the second of its input. */
export const withSequence = (draft: Draft, sequenceId: number): Draft => ({
  ...draft,
  sequenceIds: draft.ids.map(() => sequenceId),
  typeIds: draft.ids.map(() => sequenceId),
  attentionMask: draft.ids.map(() => 1),
  specialTokensMask: draft.ids.map(() => 0),
});

/** Tokens that come from no text. */
export function addedTokens(
  tokens: readonly string[],
  ids: readonly number[],
  typeId: number,
  attended = 1,
): Draft {
  return {
    ids: [...ids],
    tokens: [...tokens],
    offsets: ids.map(() => [0, 0] as const),
    wordIds: ids.map(() => null),
    sequenceIds: ids.map(() => null),
    typeIds: ids.map(() => typeId),
    attentionMask: ids.map(() => attended),
    specialTokensMask: ids.map(() => 1),
    overflowing: [],
  };
}

/** Tokens `start … end` alone. */
export const sliceDraft = (draft: Draft, start: number, end: number): Draft => ({
  ids: draft.ids.slice(start, end),
  tokens: draft.tokens.slice(start, end),
  offsets: draft.offsets.slice(start, end),
  wordIds: draft.wordIds.slice(start, end),
  sequenceIds: draft.sequenceIds.slice(start, end),
  typeIds: draft.typeIds.slice(start, end),
  attentionMask: draft.attentionMask.slice(start, end),
  specialTokensMask: draft.specialTokensMask.slice(start, end),
  overflowing: [],
});

/** The tokens of both, without what overflowed. */
const concatenated = (first: Draft, second: Draft): Draft => ({
  ids: first.ids.concat(second.ids),
  tokens: first.tokens.concat(second.tokens),
  offsets: first.offsets.concat(second.offsets),
  wordIds: first.wordIds.concat(second.wordIds),
  sequenceIds: first.sequenceIds.concat(second.sequenceIds),
  typeIds: first.typeIds.concat(second.typeIds),
  attentionMask: first.attentionMask.concat(second.attentionMask),
  specialTokensMask: first.specialTokensMask.concat(second.specialTokensMask),
  overflowing: [],
});

/** One encoding behind the other; what overflowed of one is combined with the other and with what overflowed of it. */
export function joinDrafts(drafts: readonly Draft[]): Draft {
  return drafts.reduce((first, second) => {
    const joined = concatenated(first, second);
    for (const rest of first.overflowing)
      for (const other of [second, ...second.overflowing])
        joined.overflowing.push(concatenated(rest, other));
    for (const other of second.overflowing) joined.overflowing.push(concatenated(first, other));
    return joined;
  });
}

/** The same tokens with one type; what overflowed keeps its own. */
export const withTypes = (draft: Draft, typeId: number): Draft => ({
  ...draft,
  typeIds: draft.ids.map(() => typeId),
});
