/** Reads what Python's tokenizers made of the torture set, and writes our encodings in the same form. */
import { readFileSync } from "node:fs";
import { type Encoding, toCodePoints } from "../../../src/text/index.ts";

/** An encoding as the fixtures have it: offsets in code points, one list; masks and types only where they say something. */
export interface PythonEncoding {
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
  readonly offsets: readonly number[];
  readonly wordIds: readonly (number | null)[];
  readonly typeIds?: readonly number[];
  readonly specialTokensMask?: readonly number[];
  readonly attentionMask?: readonly number[];
}

type Json = Readonly<Record<string, unknown>>;

export interface Fixtures {
  readonly texts: readonly string[];
  readonly splits: readonly {
    readonly name: string;
    readonly normalizer: unknown;
    readonly preTokenizer: unknown;
    readonly results: readonly (readonly [offsets: number[], words: string[]])[];
  }[];
  readonly tokenizers: Readonly<Record<string, Json>>;
  readonly encodings: Readonly<
    Record<string, readonly (readonly [PythonEncoding, decoded: string, whole: string])[]>
  >;
  readonly options: readonly {
    readonly tokenizer: string;
    readonly texts: readonly string[];
    readonly special: boolean;
    readonly truncation: unknown;
    readonly padding: unknown;
    readonly expected: PythonEncoding;
    readonly overflowing: readonly (readonly [ids: number[], offsets: number[], types: number[]])[];
  }[];
  readonly bertUncased: readonly (readonly [ids: number[], offsets: number[], decoded: string])[];
  readonly batch: {
    readonly texts: readonly string[];
    readonly expected: readonly PythonEncoding[];
  };
}

/** Written by scripts/fixtures/tokenizer.py. */
export function fixtures(): Fixtures {
  const file = new URL("../../fixtures/text/tokenizer.json", import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Fixtures;
}

/** Our encoding of one or two texts as Python would give it. */
export function asPython(encoding: Encoding, texts: readonly string[]): PythonEncoding {
  const offsets = encoding.offsets.flatMap((range, i) => {
    const text = texts[encoding.sequenceIds[i] ?? 0] ?? "";
    return toCodePoints(text, [range]).flat();
  });
  const { ids, tokens, wordIds, typeIds, specialTokensMask, attentionMask } = encoding;
  return {
    ...{ ids, tokens, offsets, wordIds },
    ...(typeIds.some((id) => id !== 0) && { typeIds }),
    ...(specialTokensMask.some((mask) => mask !== 0) && { specialTokensMask }),
    ...(attentionMask.some((mask) => mask !== 1) && { attentionMask }),
  };
}
