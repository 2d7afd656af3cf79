/** What the JSON of several tokenizer models has in common: the type and the vocabulary. */

import { DataError } from "../../data/errors.ts";
import { quoted, type JsonField } from "./json.ts";

/** @throws DataError where the model names another type; files of early versions name none. */
export function checkType(field: JsonField, type: string): void {
  const given = field.get("type");
  if (!given.missing) given.oneOf(type);
}

/** The string of a field; null and a missing one give the fallback. */
export const stringOr = <T extends string | null>(field: JsonField, fallback: T): string | T =>
  field.missing ? fallback : field.string();

/** The truth value of a field; null and a missing one give false. */
export const flag = (field: JsonField): boolean => !field.missing && field.boolean();

/** Ids by token, from `{ token: id }`. @throws DataError, also where two tokens share an id. */
export function readVocabulary(field: JsonField): Map<string, number> {
  // Not field by field: there may be hundreds of thousands.
  const ids = new Map(Object.entries(field.object())) as Map<string, number>;
  try {
    return checkVocabulary(ids);
  } catch (error) {
    field.fail((error as Error).message, error);
  }
}

/** @throws TypeError unless ids are integers from 0 on, each of one token. */
export function checkVocabulary(ids: Map<string, number>): Map<string, number> {
  const seen = new Map<number, string>();
  for (const [token, id] of ids) {
    if (!Number.isInteger(id) || id < 0 || id >= 2 ** 31)
      throw new TypeError(`the id of ${quoted(token)} must be an integer from 0, got ${id}`);
    const other = seen.get(id);
    if (other !== undefined)
      throw new TypeError(`${quoted(other)} and ${quoted(token)} have the same id ${id}`);
    seen.set(id, token);
  }
  return ids;
}

/** The vocabulary as JSON has it: in the order of the ids. */
export const vocabularyJson = (ids: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...ids].sort(([, a], [, b]) => a - b));

/** Tokens by id. */
export const tokensById = (ids: ReadonlyMap<string, number>): Map<number, string> =>
  new Map([...ids].map(([token, id]) => [id, token]));

/** Runs a constructor; what it finds wrong becomes an error about the field. */
export function built<T>(field: JsonField, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (error instanceof DataError) throw error;
    field.fail((error as Error).message, error);
  }
}
