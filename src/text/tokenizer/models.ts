/** Finds the model that a `tokenizer.json` names. */

import { Bpe } from "./bpe.ts";
import { JsonField } from "./json.ts";
import type { TokenModel } from "./model.ts";
import { Unigram } from "./unigram.ts";
import { WordLevel } from "./word-level.ts";
import { WordPiece } from "./wordpiece.ts";

/** Reads the `model` part of a `tokenizer.json`. @throws DataError for other JSON. */
export const modelFromJSON = (value: unknown): TokenModel =>
  readModel(new JsonField(value, "modelFromJSON"));

/** As {@link modelFromJSON}, of a field in a file. */
export function readModel(field: JsonField): TokenModel {
  const type: JsonField = field.get("type");
  const name = type.missing ? guessType(field) : type.string();
  if (name === "BPE") return Bpe.read(field);
  if (name === "WordPiece") return WordPiece.read(field);
  if (name === "WordLevel") return WordLevel.read(field);
  if (name === "Unigram") return Unigram.read(field);
  type.fail(`expected BPE, WordPiece, WordLevel or Unigram, got ${type.found}`);
}

/** Files of early versions do not name the type; their fields tell, in the order that Python tries them. */
function guessType(field: JsonField): string | undefined {
  if (Array.isArray(field.get("merges").value)) return "BPE";
  if (!field.get("continuing_subword_prefix").missing) return "WordPiece";
  if (Array.isArray(field.get("vocab").value)) return "Unigram";
  return field.get("vocab").missing ? undefined : "WordLevel";
}
