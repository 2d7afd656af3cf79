/** Counts the words of texts for a trainer, letting others run and telling progress in between. */

import { wellFormed } from "./code-points.ts";
import type { Normalizer } from "./normalizers.ts";
import { NormalizedString } from "./normalized-string.ts";
import type { PreTokenizer } from "./pre-tokenizers.ts";

/** How far a training has come. */
export interface TokenizerProgress {
  /** Words of the texts are counted first, then merges are learnt. */
  readonly phase: "words" | "merges";
  /** Texts that were read, or tokens that there are. */
  readonly done: number;
  /** Tokens that there may be; null while texts are read, of which it is not known how many there are. */
  readonly total: number | null;
  /** Since the phase began. */
  readonly seconds: number;
  /** Until the phase ends; null where it cannot be told. */
  readonly etaSeconds: number | null;
}

const INTERVAL_MS = 100;

/** Lets timers and signals have their turn, stops when told to, and reports progress. */
export class Pulse {
  readonly #onProgress: ((progress: TokenizerProgress) => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  #phase: TokenizerProgress["phase"] = "words";
  #total: number | null = null;
  #start = performance.now();
  /** What had been done at the first beat, before which there is no speed. */
  #first: { readonly done: number; readonly seconds: number } | null = null;
  #last = this.#start;

  constructor(
    onProgress: ((progress: TokenizerProgress) => void) | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#onProgress = onProgress;
    this.#signal = signal;
    signal?.throwIfAborted();
  }

  begin(phase: TokenizerProgress["phase"], total: number | null): void {
    this.#phase = phase;
    this.#total = total;
    this.#start = performance.now();
    this.#first = null;
  }

  /** Whether it is time for the next beat. */
  get isDue(): boolean {
    return performance.now() - this.#last >= INTERVAL_MS;
  }

  /** @throws the signal's reason when it is aborted. */
  async beat(done: number): Promise<void> {
    this.#report(done, false);
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#signal?.throwIfAborted();
    this.#last = performance.now();
  }

  /** Reports the end of a phase. */
  end(done: number): void {
    this.#report(done, true);
  }

  #report(done: number, isEnd: boolean): void {
    const seconds = (performance.now() - this.#start) / 1000;
    this.#first ??= { done, seconds };
    const { done: from, seconds: since } = this.#first;
    const left = this.#total === null ? null : Math.max(0, this.#total - done);
    const etaSeconds =
      isEnd || left === 0
        ? 0
        : left === null || done <= from
          ? null
          : (left * (seconds - since)) / (done - from);
    this.#onProgress?.({ phase: this.#phase, done, total: this.#total, seconds, etaSeconds });
  }
}

/** How often each word occurs in texts, after normalization and pre-tokenization. */
export async function countWords(
  op: string,
  texts: Iterable<string> | AsyncIterable<string>,
  {
    normalizer,
    preTokenizer,
  }: {
    readonly normalizer?: Normalizer | null;
    readonly preTokenizer?: PreTokenizer | null;
  },
  pulse: Pulse,
): Promise<Map<string, number>> {
  if (typeof texts === "string")
    throw new TypeError(`${op}: expected several texts, got one string; give [text] or its lines`);
  const counts = new Map<string, number>();
  let done = 0;
  pulse.begin("words", null);
  for await (const text of texts) {
    if (typeof text !== "string")
      throw new TypeError(`${op}: text ${done} must be a string, got ${typeof text}`);
    const part = new NormalizedString(wellFormed(text));
    normalizer?.normalize(part);
    for (const { text: word } of preTokenizer?.preTokenize(part) ?? [part]) {
      if (word === "") continue;
      const count = counts.get(word);
      // Part of a text of its own, as a part of the given one would keep all of that in memory.
      if (count === undefined) counts.set(` ${word}`.slice(1), 1);
      else counts.set(word, count + 1);
    }
    done++;
    if (pulse.isDue) await pulse.beat(done);
  }
  pulse.end(done);
  return counts;
}
