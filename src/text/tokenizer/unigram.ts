/** SentencePiece's unigram model (Kudo 2018), as T5 and XLM-R use it: the most probable way to cut a word. */

import { JsonField } from "./json.ts";
import type { ModelToken, TokenModel } from "./model.ts";
import { built, checkType, flag } from "./model-json.ts";
import { PairTable } from "./pair-table.ts";

const OP = "Unigram";
/** An unknown character costs so much more than the least probable token (SentencePiece's kUnkPenalty). */
const UNKNOWN_PENALTY = 10;

const encoder = new TextEncoder();

/** Options of a unigram model, named and meant as in Python `tokenizers.models.Unigram`. */
export interface UnigramOptions {
  /** Id of the unknown token; where null, an unknown character is an error. */
  readonly unkId?: number | null;
  /** Unknown characters become tokens `<0x00>` … `<0xFF>` of their UTF-8 bytes, where the vocabulary has them. */
  readonly byteFallback?: boolean;
}

/** A unigram model; unknown characters in a row make one token, whose text is what they are. */
export class Unigram implements TokenModel {
  readonly options: Required<UnigramOptions>;
  readonly #pieces: readonly (readonly [token: string, score: number])[];
  readonly #ids: ReadonlyMap<string, number>;
  /** A trie of the tokens: (node, UTF-16 unit) → node; 0 is the root. */
  readonly #trie = new PairTable();
  /** The token that ends at a node of the trie, -1 where none does. */
  readonly #tokenAt: number[] = [-1];
  readonly #unknownScore: number;

  /**
   * @param pieces tokens with their log probabilities, in the order of their ids.
   * @throws RangeError where the unknown id is none of them.
   */
  constructor(
    pieces: readonly (readonly [token: string, score: number])[],
    options: UnigramOptions = {},
  ) {
    this.options = { unkId: null, byteFallback: false, ...options };
    const { unkId } = this.options;
    if (unkId !== null && pieces[unkId] === undefined)
      throw new RangeError(`unkId must be null or from 0 to ${pieces.length - 1}, got ${unkId}`);
    this.#pieces = [...pieces];
    // Python's trainer may write a special token a second time as a piece: the last one counts.
    const ids = new Map(pieces.map(([token], id) => [token, id]));
    this.#ids = ids;
    this.#unknownScore =
      pieces.reduce((least, [, score]) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
    for (const [token, id] of ids) this.#insert(token, id);
  }

  /** Reads the `model` part of a `tokenizer.json`. @throws DataError for other JSON. */
  static fromJSON(value: unknown): Unigram {
    return Unigram.read(new JsonField(value, "Unigram.fromJSON"));
  }

  /** @internal As {@link Unigram.fromJSON}, of a field in a file. */
  static read(field: JsonField): Unigram {
    checkType(field, OP);
    const pieces = field.get("vocab").array().map(readPiece);
    const unkId = field.get("unk_id");
    const byteFallback = flag(field.get("byte_fallback"));
    const options = { unkId: unkId.missing ? null : unkId.count(), byteFallback };
    return built(field, () => new Unigram(pieces, options));
  }

  get size(): number {
    return this.#pieces.length;
  }

  /** The id of a token; undefined for one that is not in the vocabulary. */
  tokenToId(token: string): number | undefined {
    return this.#ids.get(token);
  }

  /** The token of an id; undefined for an id that is not in the vocabulary. */
  idToToken(id: number): string | undefined {
    return this.#pieces[id]?.[0];
  }

  vocabulary(): ReadonlyMap<string, number> {
    return this.#ids;
  }

  /** @throws Error for an unknown character where there is no unknown token. */
  tokenize(word: string): readonly ModelToken[] {
    return this.#cut(word).flatMap(([start, end]) => this.#tokens(word, start, end));
  }

  toJSON(): Readonly<Record<string, unknown>> {
    const { unkId, byteFallback } = this.options;
    return { type: OP, unk_id: unkId, vocab: this.#pieces, byte_fallback: byteFallback };
  }

  #insert(token: string, id: number): void {
    let node = 0;
    for (let i = 0; i < token.length; i++) {
      let child = this.#trie.get(node, token.charCodeAt(i));
      if (child < 0) {
        child = this.#tokenAt.push(-1) - 1;
        this.#trie.set(node, token.charCodeAt(i), child);
      }
      node = child;
    }
    this.#tokenAt[node] = id;
  }

  /** Viterbi: where the pieces of the most probable cut begin and end, unknown ones in a row as one. */
  #cut(word: string): [start: number, end: number][] {
    const { unkId } = this.options;
    // Of the best path to each position: its score, where its last piece starts and that piece's id.
    const scores = new Float64Array(word.length + 1);
    const starts = new Int32Array(word.length + 1).fill(-1);
    const ids = new Int32Array(word.length + 1);
    const offer = (start: number, end: number, id: number, score: number): void => {
      const total = scores[start]! + score;
      if (starts[end]! >= 0 && total <= scores[end]!) return;
      scores[end] = total;
      starts[end] = start;
      ids[end] = id;
    };
    for (let start = 0, next; start < word.length; start = next) {
      next = start + ((word.codePointAt(start) ?? 0) > 0xffff ? 2 : 1);
      let isKnown = false;
      for (let node = 0, end = start; end < word.length;) {
        node = this.#trie.get(node, word.charCodeAt(end++));
        if (node < 0) break;
        const id = this.#tokenAt[node]!;
        if (id < 0) continue;
        offer(start, end, id, this.#pieces[id]![1]);
        isKnown ||= end === next;
      }
      if (isKnown) continue;
      if (unkId === null)
        throw new Error(`${OP}: there is a character that no token has, and no unknown token`);
      offer(start, next, unkId, this.#unknownScore);
    }
    const spans: [number, number][] = [];
    let isUnknownAfter = false;
    for (let end = word.length; end > 0; end = starts[end]!) {
      const isUnknown = ids[end] === unkId;
      const last = spans.at(-1);
      if (isUnknown && isUnknownAfter && last) last[0] = starts[end]!;
      else spans.push([starts[end]!, end]);
      isUnknownAfter = isUnknown;
    }
    return spans.reverse();
  }

  #tokens(word: string, start: number, end: number): ModelToken[] {
    const token = word.slice(start, end);
    const id = this.#ids.get(token);
    if (id !== undefined) return [{ id, token, start, end }];
    if (this.options.byteFallback) {
      const bytes = Array.from(encoder.encode(token), (byte) => {
        const code = `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
        return { id: this.#ids.get(code), token: code, start, end };
      });
      if (bytes.every((piece): piece is ModelToken => piece.id !== undefined)) return bytes;
    }
    return [{ id: this.options.unkId!, token, start, end }];
  }
}

function readPiece(field: JsonField): readonly [string, number] {
  const [token, score] = Array.isArray(field.value) ? (field.value as unknown[]) : [];
  if (typeof token === "string" && typeof score === "number") return [token, score];
  field.fail(`expected a token and its score, got ${field.found}`);
}
