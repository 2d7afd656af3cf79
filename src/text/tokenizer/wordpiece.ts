/** BERT's WordPiece model: cuts a word into the longest known pieces from its beginning on. */

import { JsonField, quoted } from "./json.ts";
import type { ModelToken } from "./model.ts";
import { checkType, readVocabulary, stringOr, vocabularyJson } from "./model-json.ts";
import { VocabularyModel } from "./vocabulary-model.ts";

/** Options of a WordPiece model, named and meant as in Python `tokenizers.models.WordPiece`. */
export interface WordPieceOptions {
  /** Stands for a whole word that cannot be made of known pieces; "[UNK]" unless given. */
  readonly unkToken?: string;
  /** Marks pieces that do not begin a word; "##" unless given. */
  readonly continuingSubwordPrefix?: string;
  /** Words of more characters (code points) are unknown; 100 unless given. */
  readonly maxInputCharsPerWord?: number;
}

const OP = "WordPiece";

/** A WordPiece model; a word that cannot be cut becomes one unknown token. */
export class WordPiece extends VocabularyModel {
  readonly options: Required<WordPieceOptions>;
  /** UTF-16 units of the longest token, so that no longer pieces are looked up. */
  readonly #longest: number;

  /** @param ids ids by token. */
  constructor(ids: ReadonlyMap<string, number>, options: WordPieceOptions = {}) {
    super(ids);
    this.options = {
      ...{ unkToken: "[UNK]", continuingSubwordPrefix: "##", maxInputCharsPerWord: 100 },
      ...options,
    };
    this.#longest = [...ids.keys()].reduce((most, { length }) => Math.max(most, length), 0);
  }

  /** Reads the `model` part of a `tokenizer.json`. @throws DataError for other JSON. */
  static fromJSON(value: unknown): WordPiece {
    return WordPiece.read(new JsonField(value, "WordPiece.fromJSON"));
  }

  /** @internal As {@link WordPiece.fromJSON}, of a field in a file. */
  static read(field: JsonField): WordPiece {
    checkType(field, OP);
    const ids = readVocabulary(field.get("vocab"));
    const limit = field.get("max_input_chars_per_word");
    const options = {
      unkToken: stringOr(field.get("unk_token"), "[UNK]"),
      continuingSubwordPrefix: stringOr(field.get("continuing_subword_prefix"), "##"),
      maxInputCharsPerWord: limit.missing ? 100 : limit.count(),
    };
    return new WordPiece(ids, options);
  }

  /** @throws Error where an unknown token is needed that is not in the vocabulary. */
  tokenize(word: string): readonly ModelToken[] {
    const { continuingSubwordPrefix: prefix, maxInputCharsPerWord } = this.options;
    if (characters(word) > maxInputCharsPerWord) return this.#unknown(word);
    const tokens: ModelToken[] = [];
    for (let start = 0; start < word.length;) {
      const mark = start > 0 ? prefix : "";
      let end = Math.min(word.length, start + this.#longest - mark.length);
      if (splitsPair(word, end)) end--;
      let found: ModelToken | undefined;
      while (found === undefined && end > start) {
        const token = mark + word.slice(start, end);
        const id = this.ids.get(token);
        if (id !== undefined) found = { id, token, start, end };
        else end -= splitsPair(word, end - 1) ? 2 : 1;
      }
      if (found === undefined) return this.#unknown(word);
      tokens.push(found);
      start = end;
    }
    return tokens;
  }

  toJSON(): Readonly<Record<string, unknown>> {
    return {
      ...{ type: OP, unk_token: this.options.unkToken },
      continuing_subword_prefix: this.options.continuingSubwordPrefix,
      max_input_chars_per_word: this.options.maxInputCharsPerWord,
      vocab: vocabularyJson(this.ids),
    };
  }

  #unknown(word: string): ModelToken[] {
    const token = this.options.unkToken;
    const id = this.ids.get(token);
    if (id === undefined)
      throw new Error(`${OP}: the unknown token ${quoted(token)} is not in the vocabulary`);
    return [{ id, token, start: 0, end: word.length }];
  }
}

function characters(word: string): number {
  let count = 0;
  for (let i = 0; i < word.length; i++) if (!splitsPair(word, i)) count++;
  return count;
}

/** Whether a position lies between the two halves of a code point above U+FFFF. */
const splitsPair = (word: string, at: number): boolean =>
  at > 0 &&
  (word.charCodeAt(at) & 0xfc00) === 0xdc00 &&
  (word.charCodeAt(at - 1) & 0xfc00) === 0xd800;
