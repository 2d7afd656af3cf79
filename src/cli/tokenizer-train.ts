/** `tokenizer train`: learns the vocabulary of a tokenizer from files and writes its `tokenizer.json`. */
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { ensureWritableFolder } from "../data/atomic-write.ts";
import { DataError } from "../data/errors.ts";
import { Bpe } from "../text/tokenizer/bpe.ts";
import { trainBpe, trainWordPiece, type TokenizerProgress } from "../text/tokenizer/trainer.ts";
import { textLines } from "../text/tokenizer/trainer-files.ts";
import { clock, type ProgressStream } from "../train/progress.ts";
import { InterruptedError, onInterrupt } from "./interrupt.ts";
import type { ByteStream } from "./text-lines.ts";
import { WorkProgress } from "./work-progress.ts";

export interface TokenizerTrainOptions {
  readonly type: "bpe" | "wordpiece";
  readonly cased?: true;
  readonly vocabSize: number;
  readonly minFrequency: number;
  readonly specialTokens?: readonly string[];
  readonly limitAlphabet?: number;
  readonly maxTokenLength?: number;
  readonly output: string;
  readonly overwrite?: true;
  readonly json?: true;
  readonly quiet?: true;
}

/** What the `tokenizer` commands need of the world around them. */
export interface TokenizerSurroundings {
  readonly stdin: ByteStream & { readonly isTTY?: boolean };
  readonly stdout: { write(text: string): unknown };
  readonly stderr: ProgressStream;
}

/**
 * Trains a tokenizer on files; `-` is stdin.
 * @throws InterruptedError where a signal stopped it, DataError for files that cannot be read or written.
 */
export async function trainTokenizer(
  files: readonly string[],
  options: TokenizerTrainOptions,
  { stdin, stdout, stderr }: TokenizerSurroundings,
): Promise<void> {
  const { type, cased, output, overwrite, json, quiet } = options;
  const found = await stat(output).catch(() => null);
  if (found?.isDirectory())
    throw new DataError({ file: output }, "is a directory; name a file with --output");
  if (!overwrite && found !== null)
    throw new DataError(
      { file: output },
      "is there already; name another file with --output, or replace it with --overwrite",
    );
  await ensureWritableFolder(dirname(output));
  const totalBytes = await sizeOf(files);
  const start = performance.now();
  const work = new WorkProgress({ stream: stderr });
  const say = (line: string) => {
    if (quiet) return;
    work.clear();
    stderr.write(`${line}\n`);
  };
  const read = { bytes: 0, lines: 0 };
  const onProgress = (progress: TokenizerProgress): void => {
    if (progress.phase === "words") read.lines = progress.done;
    if (quiet) return;
    work.onEvent(
      progress.phase === "words"
        ? { type: "work", name: "reading, KB", done: kilo(read.bytes), total: totalBytes }
        : { type: "work", name: "tokens", done: progress.done, total: progress.total },
    );
  };
  const stopping = new AbortController();
  const stop = () => {
    stopping.abort();
    if (files.includes("-")) stdin.destroy?.();
  };
  await onInterrupt({ say, stop }, async (interruption) => {
    try {
      const { signal } = stopping;
      const onBytes = (count: number): void => void (read.bytes += count);
      const lines = textLines(files, { stdin, onBytes, signal });
      const { vocabSize, minFrequency, specialTokens, limitAlphabet, maxTokenLength } = options;
      const tokenizer = await (type === "bpe" ? trainBpe : trainWordPiece)(lines, {
        ...{ vocabSize, minFrequency, onProgress, signal },
        ...(specialTokens && { specialTokens }),
        ...(limitAlphabet !== undefined && { limitAlphabet }),
        ...(maxTokenLength !== undefined && { maxTokenLength }),
        ...(cased && { lowercase: false }),
      });
      if (read.bytes === 0) throw new DataError({ file: files.join(", ") }, "there is no text");
      await tokenizer.save(output);
      work.end();
      const seconds = (performance.now() - start) / 1000;
      const tokens = tokenizer.vocabSize;
      if (tokens > vocabSize)
        say(
          `warning: special tokens and alphabet alone are ${count(tokens)} tokens, more than --vocab-size ${count(vocabSize)}`,
        );
      const { model } = tokenizer;
      const merges = model instanceof Bpe ? { merges: model.merges.length } : {};
      if (json)
        stdout.write(
          `${JSON.stringify({ output, type, vocabSize: tokens, ...merges, ...read, seconds })}\n`,
        );
      else
        say(
          `wrote ${output}: ${count(tokens)} tokens from ${count(read.lines)} lines in ${clock(seconds)}`,
        );
    } catch (error) {
      if (interruption.signal === null) throw error;
      throw new InterruptedError(interruption.signal);
    } finally {
      work.end();
    }
  });
}

const kilo = (bytes: number): number => Math.round(bytes / 1000);
const count = (number: number): string => number.toLocaleString("en-US");

/** Kilobytes of all files; null where one of them is a pipe. */
async function sizeOf(files: readonly string[]): Promise<number | null> {
  let total = 0;
  for (const file of files) {
    // A file that is not there is told of when it is read.
    const found = file === "-" ? null : await stat(file).catch(() => null);
    if (found?.isFile() !== true) return null;
    total += found.size;
  }
  return kilo(total);
}
