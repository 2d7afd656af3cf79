/** What every tokenizer model offers: pieces of a word with their ids, and the vocabulary that they come from. */

/** One piece of a word: `start` and `end` count UTF-16 units of the word that was given. */
export interface ModelToken {
  readonly id: number;
  readonly token: string;
  readonly start: number;
  readonly end: number;
}

/** Cuts one pre-tokenized word into pieces of a vocabulary. */
export interface TokenModel {
  /** How many pieces there are; ids may still have gaps. */
  readonly size: number;
  /** Pieces of a word in order, after normalization and pre-tokenization; none for an empty word. */
  tokenize(word: string): readonly ModelToken[];
  /** The id of a token; undefined for one that is not in the vocabulary. */
  tokenToId(token: string): number | undefined;
  /** The token of an id; undefined for an id that is not in the vocabulary. */
  idToToken(id: number): string | undefined;
  /** Ids by token. */
  vocabulary(): ReadonlyMap<string, number>;
  /** The `model` part of a Hugging Face `tokenizer.json`. */
  toJSON(): Readonly<Record<string, unknown>>;
}
