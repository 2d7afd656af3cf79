/** Turns sentence pairs into ids, and ids into padded batches of few shapes. */
import { tensor } from "../../creation.ts";
import { DataLoader } from "../../data/data-loader.ts";
import { ArrayDataset } from "../../data/dataset.ts";
import type { Tensor } from "../../tensor.ts";
import { Tokenizer } from "../../text/tokenizer/tokenizer.ts";
import type { SentencePair } from "./pairs.ts";
import type { SpecialIds } from "./special-tokens.ts";

/** Ids of a pair: the source with its end, the target with its start and its end. */
export interface Example {
  readonly source: Int32Array;
  readonly target: Int32Array;
}

/** What a step learns from, int32: sources [B, S], targets without their end [B, T], and without their start [B, T]. */
export interface TranslationBatch {
  readonly source: Tensor;
  readonly given: Tensor;
  readonly wanted: Tensor;
}

/** A tokenizer that neither cuts texts nor fills them up: batches see to both. */
export function ofWholeTexts(tokenizer: Tokenizer): Tokenizer {
  if (tokenizer.truncation === undefined && tokenizer.padding === undefined) return tokenizer;
  return Tokenizer.fromJSON({ ...tokenizer.toJSON(), truncation: null, padding: null });
}

/** Rows that a table for a tokenizer's ids needs, between which there may be gaps. */
export function rowsFor(tokenizer: Tokenizer): number {
  let rows = 0;
  for (const id of tokenizer.vocabulary().values()) rows = Math.max(rows, id + 1);
  return rows;
}

/** Ids of a text, followed by the end token. */
export function sourceIds(tokenizer: Tokenizer, text: string, { eosId }: SpecialIds): Int32Array {
  const { ids } = tokenizer.encode(text, { addSpecialTokens: false });
  const all = new Int32Array(ids.length + 1);
  all.set(ids);
  all[ids.length] = eosId;
  return all;
}

export interface ExampleOptions {
  /** Longest side of a pair in tokens, its end included. */
  readonly maxLength: number;
  /** Told up to ten times a second how many pairs are done; an error of its ends the work. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const INTERVAL_MS = 100;

/** Pairs as ids; those that are too long are left out and counted. */
export async function examplesOf(
  pairs: readonly SentencePair[],
  tokenizer: Tokenizer,
  special: SpecialIds,
  { maxLength, onProgress }: ExampleOptions,
): Promise<{ readonly examples: Example[]; readonly tooLong: number }> {
  const examples: Example[] = [];
  let last = performance.now();
  for (const [done, pair] of pairs.entries()) {
    const source = sourceIds(tokenizer, pair.source, special);
    const wanted = sourceIds(tokenizer, pair.target, special);
    const target = new Int32Array(wanted.length + 1);
    target[0] = special.bosId;
    target.set(wanted, 1);
    if (source.length <= maxLength && wanted.length <= maxLength) examples.push({ source, target });
    if (performance.now() - last < INTERVAL_MS) continue;
    onProgress?.(done + 1, pairs.length);
    // Lets messages and signals have their turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
  }
  return { examples, tooLong: pairs.length - examples.length };
}

/**
 * What a length is padded to, but not beyond `most`, the model's longest: a multiple of 2 up to 24, of 4 up to 32, of 8 up to
 * 48, then of 16. Each pair of lengths is a program of its own; short sentences in batches of like lengths make about 25, and a
 * sixth of a batch is padding.
 */
export function paddedLength(length: number, most: number): number {
  const step = length <= 24 ? 2 : length <= 32 ? 4 : length <= 48 ? 8 : 16;
  return Math.min(Math.max(4, Math.ceil(length / step) * step), most);
}

/** How batches are padded: with what, and to which length at most. */
export interface BatchPadding {
  readonly padId: number;
  readonly maxLength: number;
}

/** Rows of ids, each filled up with `padId`, as one int32 tensor [rows, `paddedLength` of the longest]. */
function padRows(rows: readonly Int32Array[], { padId, maxLength }: BatchPadding): Tensor {
  const width = paddedLength(Math.max(...rows.map(({ length }) => length)), maxLength);
  const ids = new Int32Array(rows.length * width).fill(padId);
  rows.forEach((row, i) => ids.set(row, i * width));
  return tensor(ids, { shape: [rows.length, width] });
}

/**
 * Batches of pairs of like lengths: shuffled by a seed, where pairs that do not fill a batch wait for the next epoch, or
 * without one all of them, the same each time.
 */
export function pairLoader(
  examples: readonly Example[],
  { batchSize, seed, ...padding }: BatchPadding & { batchSize: number; seed?: number },
): DataLoader<Example, TranslationBatch> {
  const join = (samples: readonly Example[]): TranslationBatch => ({
    source: padRows(
      samples.map(({ source }) => source),
      padding,
    ),
    given: padRows(
      samples.map(({ target }) => target.subarray(0, -1)),
      padding,
    ),
    wanted: padRows(
      samples.map(({ target }) => target.subarray(1)),
      padding,
    ),
  });
  const longest = (sizes: readonly number[]): number =>
    paddedLength(Math.max(...sizes), padding.maxLength);
  // Both sides count: a step costs what it reads and what it writes.
  const measure = (samples: readonly Example[]) => {
    const sources = samples.map(({ source }) => source.length);
    const targets = samples.map(({ target }) => target.length - 1);
    return {
      real: [...sources, ...targets].reduce((a, b) => a + b, 0),
      padded: samples.length * (longest(sources) + longest(targets)),
    };
  };
  return new DataLoader(new ArrayDataset(examples), {
    batchSize,
    ...(seed !== undefined && { seed, shuffle: true, dropLast: examples.length >= batchSize }),
    lengths: examples.map(({ source, target }) => Math.max(source.length, target.length - 1)),
    collate: Object.assign(join, { measure }),
  });
}
