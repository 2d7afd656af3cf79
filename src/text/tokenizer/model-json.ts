/** Reads the parts of a tokenizer model's JSON that several models share, with errors that name the part. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws TypeError unless the value is an object whose `type`, where it has one, is the expected one. */
export function readObject(op: string, value: unknown, type: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new TypeError(`${op}: expected an object, got ${shown(value)}`);
  const object = value as JsonObject;
  const given = object["type"];
  if (given !== undefined && given !== null && given !== type)
    throw new TypeError(`${op}: expected type "${type}", got ${shown(given)}`);
  return object;
}

/** Reads a field by its JSON type; null and a missing field give the fallback. */
export function readField<T extends string | number | boolean | null>(
  op: string,
  object: JsonObject,
  name: string,
  type: "string" | "number" | "boolean",
  fallback: T,
): T {
  const value = object[name];
  if (value === undefined || value === null) return fallback;
  if (typeof value !== type)
    throw new TypeError(`${op}: ${name} must be a ${type} or null, got ${shown(value)}`);
  return value as T;
}

/** Ids by token, from `{ token: id }`. @throws TypeError, also where two tokens share an id. */
export function readVocabulary(op: string, value: unknown): Map<string, number> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new TypeError(`${op}: vocab must be an object of ids by token, got ${shown(value)}`);
  const entries = Object.entries(value as Record<string, unknown>);
  return checkVocabulary(op, new Map(entries as [string, number][]));
}

/** @throws TypeError unless ids are integers from 0 on, each of one token. */
export function checkVocabulary(op: string, ids: Map<string, number>): Map<string, number> {
  const seen = new Map<number, string>();
  for (const [token, id] of ids) {
    if (!Number.isInteger(id) || id < 0 || id >= 2 ** 31)
      throw new TypeError(`${op}: the id of ${shown(token)} must be an integer from 0, got ${id}`);
    const other = seen.get(id);
    if (other !== undefined)
      throw new TypeError(`${op}: ${shown(other)} and ${shown(token)} have the same id ${id}`);
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

/** A value in an error message, cut short. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
