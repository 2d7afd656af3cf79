/** The model that knows whole words only, as Hugging Face `WordLevel`. */

import { JsonField, quoted } from "./json.ts";
import type { ModelToken } from "./model.ts";
import { checkType, readVocabulary, vocabularyJson } from "./model-json.ts";
import { VocabularyModel } from "./vocabulary-model.ts";

const OP = "WordLevel";

/** Each word is one token: its own, or the unknown one. */
export class WordLevel extends VocabularyModel {
  /** Stands for words outside of the vocabulary. */
  readonly unkToken: string;

  /** @param ids ids by token. */
  constructor(ids: ReadonlyMap<string, number>, { unkToken = "<unk>" } = {}) {
    super(ids);
    this.unkToken = unkToken;
  }

  /** Reads the `model` part of a `tokenizer.json`. @throws DataError for other JSON. */
  static fromJSON(value: unknown): WordLevel {
    return WordLevel.read(new JsonField(value, "WordLevel.fromJSON"));
  }

  /** @internal As {@link WordLevel.fromJSON}, of a field in a file. */
  static read(field: JsonField): WordLevel {
    checkType(field, OP);
    return new WordLevel(readVocabulary(field.get("vocab")), {
      unkToken: field.get("unk_token").string(),
    });
  }

  /** @throws Error for an unknown word where the unknown token is not in the vocabulary. */
  tokenize(word: string): readonly ModelToken[] {
    if (word === "") return [];
    const token = this.ids.has(word) ? word : this.unkToken;
    const id = this.ids.get(token);
    if (id === undefined)
      throw new Error(`${OP}: the unknown token ${quoted(token)} is not in the vocabulary`);
    return [{ id, token, start: 0, end: word.length }];
  }

  toJSON(): Readonly<Record<string, unknown>> {
    return { type: OP, vocab: vocabularyJson(this.ids), unk_token: this.unkToken };
  }
}
