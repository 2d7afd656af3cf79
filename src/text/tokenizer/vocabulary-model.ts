/** What the models that look pieces up in a list of tokens have in common: the list, both ways. */

import type { ModelToken, TokenModel } from "./model.ts";
import { checkVocabulary, tokensById } from "./model-json.ts";

/** A model around a vocabulary. @internal */
export abstract class VocabularyModel implements TokenModel {
  protected readonly ids: ReadonlyMap<string, number>;
  protected readonly tokens: ReadonlyMap<number, string>;

  /** @param ids ids by token. */
  constructor(ids: ReadonlyMap<string, number>) {
    this.ids = checkVocabulary(new Map(ids));
    this.tokens = tokensById(ids);
  }

  /** How many tokens there are. */
  get size(): number {
    return this.ids.size;
  }

  /** The id of a token; undefined for one that is not in the vocabulary. */
  tokenToId(token: string): number | undefined {
    return this.ids.get(token);
  }

  /** The token of an id; undefined for an id that is not in the vocabulary. */
  idToToken(id: number): string | undefined {
    return this.tokens.get(id);
  }

  /** Ids by token. */
  vocabulary(): ReadonlyMap<string, number> {
    return this.ids;
  }

  /** Pieces of a word in order; none for an empty word. */
  abstract tokenize(word: string): readonly ModelToken[];
  /** The `model` part of a Hugging Face `tokenizer.json`. */
  abstract toJSON(): Readonly<Record<string, unknown>>;
}
