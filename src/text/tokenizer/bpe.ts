/** Byte-pair encoding as Hugging Face `tokenizers` does it (its `BPE` model): applies learnt merges in their order. */

import { Heap } from "./heap.ts";
import { JsonField, quoted } from "./json.ts";
import type { ModelToken } from "./model.ts";
import { built, checkType, flag, readVocabulary, stringOr, vocabularyJson } from "./model-json.ts";
import { VocabularyModel } from "./vocabulary-model.ts";
import { PairTable } from "./pair-table.ts";

/** Options of a BPE model, named and meant as in Python `tokenizers.models.BPE`. */
export interface BpeOptions {
  /** Stands for characters outside of the vocabulary; where null, they are dropped. */
  readonly unkToken?: string | null;
  /** One unknown token for a run of unknown characters. */
  readonly fuseUnk?: boolean;
  /** Unknown characters become tokens `<0x00>` … `<0xFF>` of their UTF-8 bytes, where the vocabulary has them. */
  readonly byteFallback?: boolean;
  /** Marks pieces that do not begin a word, such as "##". */
  readonly continuingSubwordPrefix?: string | null;
  /** Marks pieces that end a word, such as "</w>". */
  readonly endOfWordSuffix?: string | null;
  /** Takes words that are in the vocabulary whole, without merging. */
  readonly ignoreMerges?: boolean;
}

/** Two tokens that become one. */
export type Merge = readonly [left: string, right: string];

const OP = "Bpe";
/** Words are remembered until they have so many UTF-16 units together, none of more than the other. */
const CACHED_UNITS = 2 ** 20;
const CACHED_LENGTH = 256;

const encoder = new TextEncoder();

/** Pieces of a word before merging; the lists are parallel. */
interface Pieces {
  readonly ids: number[];
  readonly starts: number[];
  readonly ends: number[];
}

/**
 * A BPE model. Offsets are those of the characters that a piece is made of; unlike in Python they stay true after
 * characters that are dropped because there is no unknown token.
 */
export class Bpe extends VocabularyModel {
  readonly options: Required<BpeOptions>;
  readonly #merges: readonly Merge[];
  /** Rank of the merge of two ids; the earlier learnt, the lower. */
  readonly #ranks: PairTable;
  readonly #merged: Int32Array;
  readonly #byteIds: readonly number[] | null;
  readonly #cache = new Map<string, readonly ModelToken[]>();
  #cachedUnits = 0;

  /**
   * @param ids ids by token.
   * @param merges pairs of tokens in the order of learning.
   * @throws TypeError where a merge needs a token that is not in the vocabulary.
   */
  constructor(
    ids: ReadonlyMap<string, number>,
    merges: readonly Merge[],
    options: BpeOptions = {},
  ) {
    super(ids);
    this.options = {
      ...{ unkToken: null, fuseUnk: false, byteFallback: false, ignoreMerges: false },
      ...{ continuingSubwordPrefix: null, endOfWordSuffix: null },
      ...options,
    };
    this.#merges = [...merges];
    this.#ranks = new PairTable(merges.length);
    this.#merged = new Int32Array(merges.length);
    const prefix = this.options.continuingSubwordPrefix?.length ?? 0;
    merges.forEach(([left, right], rank) => {
      const idOf = (token: string): number => {
        const id = ids.get(token);
        if (id !== undefined) return id;
        const merge = `${quoted(left)} + ${quoted(right)}`;
        throw new TypeError(`merge ${rank}, ${merge}, needs ${quoted(token)} in the vocabulary`);
      };
      this.#ranks.set(idOf(left), idOf(right), rank);
      this.#merged[rank] = idOf(left + right.slice(prefix));
    });
    this.#byteIds = this.options.byteFallback ? this.#findByteIds() : null;
  }

  /**
   * Reads the `model` part of a `tokenizer.json`; merges may be pairs or strings with a space between.
   * @throws DataError for other JSON, and for a dropout other than 0: merges are never left out at random.
   */
  static fromJSON(value: unknown): Bpe {
    return Bpe.read(new JsonField(value, "Bpe.fromJSON"));
  }

  /** @internal As {@link Bpe.fromJSON}, of a field in a file. */
  static read(field: JsonField): Bpe {
    checkType(field, "BPE");
    const dropout = field.get("dropout");
    if (!dropout.missing && dropout.value !== 0)
      dropout.fail(`expected null, got ${dropout.found}: dropout of merges is not supported`);
    const ids = readVocabulary(field.get("vocab"));
    const merges = field.get("merges").array().map(readMerge);
    const options = {
      unkToken: stringOr(field.get("unk_token"), null),
      continuingSubwordPrefix: stringOr(field.get("continuing_subword_prefix"), null),
      endOfWordSuffix: stringOr(field.get("end_of_word_suffix"), null),
      fuseUnk: flag(field.get("fuse_unk")),
      byteFallback: flag(field.get("byte_fallback")),
      ignoreMerges: flag(field.get("ignore_merges")),
    };
    return built(field, () => new Bpe(ids, merges, options));
  }

  /** Pairs of tokens in the order of learning. */
  get merges(): readonly Merge[] {
    return this.#merges;
  }

  /** @throws Error where an unknown token is needed that is not in the vocabulary. */
  tokenize(word: string): readonly ModelToken[] {
    if (word === "") return [];
    const cached = this.#cache.get(word);
    if (cached !== undefined) return cached;
    const tokens = this.#tokenize(word);
    if (word.length <= CACHED_LENGTH) {
      if (this.#cachedUnits >= CACHED_UNITS) {
        this.#cache.clear();
        this.#cachedUnits = 0;
      }
      this.#cachedUnits += word.length;
      // A word of its own, as a part of a text would keep all of that in memory.
      this.#cache.set(` ${word}`.slice(1), tokens);
    }
    return tokens;
  }

  toJSON(): Readonly<Record<string, unknown>> {
    const { unkToken, fuseUnk, byteFallback, ignoreMerges } = this.options;
    return {
      ...{ type: "BPE", dropout: null, unk_token: unkToken },
      continuing_subword_prefix: this.options.continuingSubwordPrefix,
      end_of_word_suffix: this.options.endOfWordSuffix,
      ...{ fuse_unk: fuseUnk, byte_fallback: byteFallback, ignore_merges: ignoreMerges },
      vocab: vocabularyJson(this.ids),
      merges: this.#merges,
    };
  }

  #tokenize(word: string): ModelToken[] {
    const whole = this.options.ignoreMerges ? this.ids.get(word) : undefined;
    if (whole !== undefined) return [{ id: whole, token: word, start: 0, end: word.length }];
    return this.#merge(this.#characters(word));
  }

  /** The word's characters with prefix or suffix, or what stands for those that are unknown. */
  #characters(word: string): Pieces {
    const { unkToken, fuseUnk, continuingSubwordPrefix, endOfWordSuffix } = this.options;
    const pieces: Pieces = { ids: [], starts: [], ends: [] };
    const add = (id: number, start: number, end: number): void => {
      pieces.ids.push(id);
      pieces.starts.push(start);
      pieces.ends.push(end);
    };
    let unknownStart = -1;
    let unknownEnd = -1;
    let end = 0;
    const flush = (): void => {
      if (unknownStart >= 0) add(this.#unknownId(unkToken!), unknownStart, unknownEnd);
      unknownStart = -1;
    };
    for (const char of word) {
      const start = end;
      end += char.length;
      const piece =
        (start > 0 ? (continuingSubwordPrefix ?? "") : "") +
        char +
        (end === word.length ? (endOfWordSuffix ?? "") : "");
      const id = this.ids.get(piece);
      if (id !== undefined) {
        flush();
        add(id, start, end);
        continue;
      }
      const bytes = this.#byteIds && encoder.encode(piece);
      // As in Python, an unknown character before the bytes comes out after them.
      if (bytes?.every((byte) => this.#byteIds![byte]! >= 0)) {
        for (const byte of bytes) add(this.#byteIds![byte]!, start, end);
      } else if (unkToken !== null) {
        if (!fuseUnk) flush();
        if (unknownStart < 0) unknownStart = start;
        unknownEnd = end;
      }
    }
    flush();
    return pieces;
  }

  #unknownId(token: string): number {
    const id = this.ids.get(token);
    if (id === undefined)
      throw new Error(`${OP}: the unknown token ${quoted(token)} is not in the vocabulary`);
    return id;
  }

  #findByteIds(): number[] {
    return Array.from({ length: 256 }, (_, byte) => {
      const hex = byte.toString(16).toUpperCase().padStart(2, "0");
      return this.ids.get(`<0x${hex}>`) ?? -1;
    });
  }

  /** Merges neighbours, the lowest rank first and of equal ones the leftmost, until no merge applies. */
  #merge({ ids, starts, ends }: Pieces): ModelToken[] {
    const length = ids.length;
    // A linked list, which ends with the length.
    const next = new Int32Array(length);
    const previous = new Int32Array(length);
    for (let i = 0; i < length; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
    }
    const isGone = new Uint8Array(length);
    // rank · length + position orders as (rank, position) does.
    const queue = new Heap<number>((a, b) => a < b);
    const offer = (i: number): void => {
      const right = next[i]!;
      if (right === length) return;
      const rank = this.#ranks.get(ids[i]!, ids[right]!);
      if (rank >= 0) queue.push(rank * length + i);
    };
    for (let i = 0; i < length; i++) offer(i);
    for (let top = queue.pop(); top !== undefined; top = queue.pop()) {
      const i = top % length;
      const right = next[i]!;
      if (isGone[i] || right === length) continue;
      const merged = this.#merged[(top - i) / length]!;
      const rank = this.#ranks.get(ids[i]!, ids[right]!);
      // A neighbour has changed since; a pair that gives the same token will do as well.
      if (rank < 0 || this.#merged[rank] !== merged) continue;
      ids[i] = merged;
      ends[i] = ends[right]!;
      isGone[right] = 1;
      const after = next[right]!;
      next[i] = after;
      if (after < length) previous[after] = i;
      if (previous[i]! >= 0) offer(previous[i]!);
      offer(i);
    }
    const tokens: ModelToken[] = [];
    for (let i = 0; i < length; i = next[i]!) {
      const id = ids[i]!;
      tokens.push({ id, token: this.tokens.get(id)!, start: starts[i]!, end: ends[i]! });
    }
    return tokens;
  }
}

function readMerge(field: JsonField): Merge {
  const { value } = field;
  const parts: unknown = typeof value === "string" ? value.split(" ") : value;
  const [left, right, rest] = Array.isArray(parts) ? (parts as unknown[]) : [];
  if (typeof left === "string" && typeof right === "string" && rest === undefined)
    return [left, right];
  field.fail(`expected two tokens, as a pair or with a space between, got ${field.found}`);
}
