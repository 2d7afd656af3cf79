/** Finds the model that a `tokenizer.json` names. */

import { Bpe } from "./bpe.ts";
import type { TokenModel } from "./model.ts";
import { shown, type JsonObject } from "./model-json.ts";
import { Unigram } from "./unigram.ts";
import { WordLevel } from "./word-level.ts";
import { WordPiece } from "./wordpiece.ts";

/** Reads the `model` part of a `tokenizer.json`. @throws TypeError for other JSON. */
export function modelFromJSON(value: unknown): TokenModel {
  const json = (typeof value === "object" && value !== null ? value : {}) as JsonObject;
  switch (json["type"] ?? guessType(json)) {
    case "BPE":
      return Bpe.fromJSON(value);
    case "WordPiece":
      return WordPiece.fromJSON(value);
    case "WordLevel":
      return WordLevel.fromJSON(value);
    case "Unigram":
      return Unigram.fromJSON(value);
    default:
      throw new TypeError(
        `modelFromJSON: expected a model of type BPE, WordPiece, WordLevel or Unigram, got ${shown(value)}`,
      );
  }
}

/** Files of early versions do not name the type; their fields tell, in the order that Python tries them. */
function guessType(json: JsonObject): string | undefined {
  if (Array.isArray(json["merges"])) return "BPE";
  if (json["continuing_subword_prefix"] !== undefined) return "WordPiece";
  if (Array.isArray(json["vocab"])) return "Unigram";
  return json["vocab"] === undefined ? undefined : "WordLevel";
}
