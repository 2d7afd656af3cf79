/** Reads sentence pairs from a tab-separated file, with a report of every line that is left out. */

import { isUtf8 } from "node:buffer";
import { checkCount } from "../../data/checks.ts";
import { DataError } from "../../data/errors.ts";
import { readLines } from "./pairs-lines.ts";

/** A sentence and its translation. */
export interface SentencePair {
  readonly source: string;
  readonly target: string;
}

/** One kind of line that is left out: how many there are, and the first of them (numbers count from 1). */
export interface SkippedLines {
  readonly kind: string;
  readonly count: number;
  readonly lines: readonly number[];
}

/** The pairs of a file, and what else is in it. */
export interface PairsData {
  readonly pairs: readonly SentencePair[];
  /** Lines read, blank ones included. */
  readonly lineCount: number;
  readonly skipped: readonly SkippedLines[];
  /** What a user should know of the file, a line each; empty when every line is a pair of its own. */
  readonly report: readonly string[];
}

/** Options of {@link readPairs}. */
export interface ReadPairsOptions {
  /** Reading ends after that many pairs, and the report says so (default 2,000,000). */
  readonly maxPairs?: number;
  /** Longer lines are left out, in bytes (default 65,536). */
  readonly maxLineBytes?: number;
  /** Size of the (unpacked) text that is refused, in bytes (default 4 GiB). */
  readonly maxBytes?: number;
  /** Told how many bytes of the file were read, and how many it has; null for a pipe. */
  readonly onProgress?: (bytes: number, total: number | null) => void;
}

/** Why lines are left out. */
export const SKIP = {
  encoding: "not UTF-8",
  nul: "with a NUL character",
  tab: "without a tab between source and target",
  empty: "with an empty source or target",
  long: "too long",
  duplicate: "a pair that stands above already",
} as const;

/** Numbers of lines that a report names for each kind. */
const EXAMPLES = 5;

/**
 * Reads lines of `source⇥target`; columns after the second (such as Tatoeba's attribution) are ignored. The file is
 * UTF-8, plain or packed with gzip or Brotli (`.br`); a byte order mark and Windows line ends are understood. White
 * space around a sentence is cut off; blank lines mean nothing. Lines that are no pair are left out and reported, each
 * kind with its count: not UTF-8, a NUL character, no tab, an empty side, too long, or a repetition.
 *
 * @throws DataError when the file is missing, unreadable, a folder, empty, of another format, damaged or larger than
 *   `maxBytes`; when there is no pair in it; or when more than half of its lines are no pairs (repetitions aside).
 *   RangeError for a limit below 1.
 */
export async function readPairs(
  file: string,
  {
    maxPairs = 2_000_000,
    maxLineBytes = 65_536,
    maxBytes = 4 * 2 ** 30,
    onProgress,
  }: ReadPairsOptions = {},
): Promise<PairsData> {
  checkCount("readPairs", "maxPairs", maxPairs, 1);
  checkCount("readPairs", "maxLineBytes", maxLineBytes, 1);
  checkCount("readPairs", "maxBytes", maxBytes, 1);
  const reading = new Reading();
  let isCut = false;
  for await (const lines of readLines(file, { maxLineBytes, maxBytes, onProgress })) {
    for (const line of lines) {
      isCut = reading.pairs.length === maxPairs;
      if (isCut) break;
      reading.take(line);
    }
    if (isCut) break;
  }
  const { pairs, lineCount, skipped, wide } = reading;
  const bad = skipped.total - skipped.count(SKIP.duplicate);
  const lines = lineCount - reading.blank;
  if (pairs.length === 0 || bad > lines / 2) throw unusable(file, lines, bad, skipped);
  const report = skipped.report();
  if (wide > 0)
    report.push(`${wide} lines have more than two columns; only the first two are read`);
  if (isCut) report.push(`only the first ${maxPairs} pairs were read`);
  return { pairs, lineCount, skipped: skipped.entries(), report };
}

/** What has been read of a file so far. */
class Reading {
  readonly pairs: SentencePair[] = [];
  readonly skipped = new Tally();
  readonly #seen = new Set<string>();
  lineCount = 0;
  blank = 0;
  /** Lines of more than two columns. */
  wide = 0;

  take(line: Buffer | null): void {
    this.lineCount += 1;
    const kind = this.#read(line);
    if (kind !== null) this.skipped.add(kind, this.lineCount);
  }

  /** Why a line is left out; null when it is not, or blank. */
  #read(line: Buffer | null): string | null {
    if (line === null) return SKIP.long;
    if (!isUtf8(line)) return SKIP.encoding;
    const text = line.toString("utf8");
    if (text.trim() === "") {
      this.blank += 1;
      return null;
    }
    if (text.includes("\0")) return SKIP.nul;
    const columns = text.split("\t");
    if (columns.length === 1) return SKIP.tab;
    const source = columns[0]!.trim();
    const target = columns[1]!.trim();
    if (source === "" || target === "") return SKIP.empty;
    const key = `${source}\t${target}`;
    if (this.#seen.has(key)) return SKIP.duplicate;
    this.#seen.add(key);
    if (columns.length > 2) this.wide += 1;
    this.pairs.push({ source, target });
    return null;
  }
}

function unusable(file: string, lines: number, bad: number, skipped: Tally): DataError {
  if (lines === 0) return new DataError({ file }, "there is nothing but white space in it");
  const hint = skipped.count(SKIP.nul) > 0 ? "; is it UTF-16 or binary?" : "";
  return new DataError(
    { file },
    `expected a source, a tab and a target in UTF-8 on each line, but ${bad} of ${lines} lines are no such pair ` +
      `(${skipped.report().join("; ")})${hint}`,
  );
}

class Tally {
  readonly #kinds = new Map<string, { count: number; lines: number[] }>();
  total = 0;

  add(kind: string, line: number): void {
    const entry = this.#kinds.get(kind) ?? { count: 0, lines: [] };
    entry.count += 1;
    if (entry.lines.length < EXAMPLES) entry.lines.push(line);
    this.#kinds.set(kind, entry);
    this.total += 1;
  }

  count(kind: string): number {
    return this.#kinds.get(kind)?.count ?? 0;
  }

  entries(): SkippedLines[] {
    return [...this.#kinds].map(([kind, { count, lines }]) => ({ kind, count, lines }));
  }

  /** Lines for people, such as `2 lines left out, without a tab between source and target (lines 3, 8)`. */
  report(): string[] {
    return this.entries().map(({ kind, count, lines }) => {
      const more = count > lines.length ? ", …" : "";
      const noun = count === 1 ? "line" : "lines";
      return `${count} ${noun} left out, ${kind} (${noun} ${lines.join(", ")}${more})`;
    });
  }
}
