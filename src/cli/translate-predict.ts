/** `translate predict`: translates texts as they come, in order, or shows what the model attends to for one. */
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { ensureWritableFolder, writeFileAtomic } from "../data/atomic-write.ts";
import { DataError } from "../data/errors.ts";
import type { Translation, Translator } from "../tasks/translation/translator.ts";
import { InterruptedError, onInterrupt } from "./interrupt.ts";
import type { Surroundings } from "./run-job.ts";
import { ensureOtherFile } from "./same-file.ts";
import { countLines, lineGroups, openText, type ByteStream } from "./text-lines.ts";
import { described, oneLine, type TranslateBackend } from "./translate-job.ts";
import type { TranslatePredictOptions } from "./translate-options.ts";
import { round } from "./translate-report.ts";
import { WorkProgress } from "./work-progress.ts";

/** What the command needs of the world around it. */
export interface PredictSurroundings extends Surroundings {
  readonly stdin: ByteStream & { readonly isTTY?: boolean };
  /** Aborted when nobody reads stdout any more. */
  readonly closed?: AbortSignal;
  readonly backend: Pick<TranslateBackend, "load" | "useDevice">;
}

export interface PredictRequest {
  readonly folder: string;
  /** Texts to translate; none: those of a file or stdin. */
  readonly texts: readonly string[];
  readonly options: TranslatePredictOptions;
}

/** Batches whose texts are sorted by length together. */
const BATCHES_IN_GROUP = 8;

/** Translates what is asked for. @throws InterruptedError where a signal stopped it. */
export async function predict(
  request: PredictRequest,
  surroundings: PredictSurroundings,
): Promise<void> {
  const { folder, options } = request;
  const { stderr, stdin, closed, backend } = surroundings;
  const { quiet, output, attention } = options;
  for (const file of [output, attention])
    if (file !== undefined) {
      await ensureWritableFolder(dirname(file));
      if (options.file !== undefined) await ensureOtherFile(file, options.file);
    }
  const stopping = new AbortController();
  const work = new WorkProgress({ stream: stderr });
  const say = (line: string) => {
    if (quiet) return;
    work.clear();
    stderr.write(`${line}\n`);
  };
  const source = await sourceOf(request, stdin);
  const stop = () => {
    stopping.abort();
    source.bytes?.destroy?.();
  };
  closed?.addEventListener("abort", stop, { once: true });
  await onInterrupt({ say, stop }, async (interruption) => {
    try {
      const device = await backend.useDevice(options.device);
      const translator = await backend.load(folder).catch(explainNoFolder(folder));
      say(`${described(folder, translator)}, on ${device}`);
      if (source.isTerminal) say("one text a line; Ctrl-D ends");
      if (attention === undefined) {
        await translateAll(source, translator, { options, surroundings, stopping, work });
        if (output !== undefined && !stopping.signal.aborted) say(`wrote ${output}`);
      } else {
        const { signal } = stopping;
        const parts = { options, stderr, signal };
        const translation = await writeAttention(attention, source, translator, parts);
        surroundings.stdout.write(`${translation}\n`);
        say(`wrote ${attention}`);
      }
    } catch (error) {
      if (!stopping.signal.aborted) throw error;
    } finally {
      work.end();
    }
    if (interruption.signal !== null)
      throw new InterruptedError(
        interruption.signal,
        "what was translated before has been written",
      );
  });
}

/** Tells of a first argument that is no folder: texts are easily given first. */
const explainNoFolder =
  (folder: string) =>
  async (error: unknown): Promise<never> => {
    const found = await stat(folder).catch(() => null);
    if (found?.isDirectory()) throw error;
    throw new DataError(
      { file: folder },
      `${found === null ? "no such file or folder" : "is a file, expected a folder"}; the first argument is the folder that \`train --output\` wrote, the texts come after it`,
      { cause: error },
    );
  };

/** Where the texts come from. */
interface Source {
  /** As an error calls it; null where the texts are arguments. */
  readonly name: string | null;
  readonly groups: (limit: number) => AsyncIterable<readonly string[]>;
  readonly bytes?: ByteStream;
  readonly total: number | null;
  readonly isTerminal: boolean;
}

async function sourceOf(
  { texts, options: { file } }: PredictRequest,
  stdin: PredictSurroundings["stdin"],
): Promise<Source> {
  if (texts.length > 0)
    return {
      name: null,
      // eslint-disable-next-line @typescript-eslint/require-await -- as a stream of one group
      groups: async function* () {
        yield texts;
      },
      total: texts.length,
      isTerminal: false,
    };
  const bytes = file === undefined ? stdin : await openText(file);
  const name = file ?? "stdin";
  return {
    name,
    groups: (limit) => lineGroups(bytes, { name, limit }),
    bytes,
    total: file === undefined ? null : await countLines(file),
    isTerminal: file === undefined && stdin.isTTY === true,
  };
}

async function translateAll(
  { name, groups, total }: Source,
  translator: Translator,
  {
    options,
    surroundings: { stdout, stderr },
    stopping: { signal },
    work,
  }: {
    readonly options: TranslatePredictOptions;
    readonly surroundings: PredictSurroundings;
    readonly stopping: AbortController;
    readonly work: WorkProgress;
  },
): Promise<void> {
  const { beams, lengthPenalty, batchSize, output, json, quiet } = options;
  const sink = output === undefined ? null : await fileSink(output);
  let done = 0;
  let unfinished = 0;
  try {
    for await (const texts of groups(batchSize * BATCHES_IN_GROUP)) {
      // As the pairs were that it has learned from.
      const trimmed = texts.map((text) => text.trim());
      const translations = await translator.translate(trimmed, {
        ...{ beams, lengthPenalty, batchSize, signal },
        onProgress: (now) => {
          if (!quiet) work.onEvent({ type: "work", name: "translating", done: done + now, total });
        },
      });
      work.clear();
      const lines = translations.map((translation, i) => {
        const { text, cut, complete } = translation;
        if (cut > 0) stderr.write(`${cutWarning(done + i + 1, name, cut, translator.maxLength)}\n`);
        if (!complete) unfinished += 1;
        return json ? jsonLine(texts[i]!, translation) : oneLine(text);
      });
      await (sink ?? stdout).write(lines.map((line) => `${line}\n`).join(""));
      done += texts.length;
    }
    if (unfinished > 0)
      stderr.write(
        `warning: ${unfinished} of ${done} translations came to the model's limit of ${translator.maxLength} tokens before their end\n`,
      );
  } finally {
    await sink?.close();
  }
}

function cutWarning(number: number, name: string | null, cut: number, limit: number): string {
  const where = name === null ? `text ${number}` : `${name}, line ${number}`;
  return `warning: ${where}: longer than the model's limit of ${limit} tokens; its last ${cut} were left out: translate it in parts`;
}

function jsonLine(text: string, translation: Translation): string {
  const { text: translated, score, tokens, complete, cut } = translation;
  return JSON.stringify({
    text,
    translation: translated,
    score: round(score),
    tokens,
    complete,
    cut,
  });
}

/** Writes to a file as lines come. */
async function fileSink(
  file: string,
): Promise<{ write(text: string): Promise<void>; close(): Promise<void> }> {
  const stream = createWriteStream(file);
  try {
    await once(stream, "open");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new DataError({ file }, `cannot be written (${code})`, { cause: error });
  }
  const finished = once(stream, "close");
  return {
    write: (text) =>
      new Promise((resolve, reject) =>
        stream.write(text, (error) => (error ? reject(error) : resolve())),
      ),
    close: async () => {
      stream.end();
      await finished;
    },
  };
}

/** Writes the page, and gives the model's own translation. */
async function writeAttention(
  file: string,
  source: Source,
  translator: Translator,
  {
    options: { target, beams, lengthPenalty },
    stderr,
    signal,
  }: {
    readonly options: TranslatePredictOptions;
    readonly stderr: Surroundings["stderr"];
    readonly signal: AbortSignal;
  },
): Promise<string> {
  const texts: string[] = [];
  for await (const group of source.groups(2)) {
    texts.push(...group);
    if (texts.length > 1) break;
  }
  const text = texts[0]?.trim() ?? "";
  if (text === "" || texts.length > 1)
    throw new DataError(
      { file: source.name ?? "--attention" },
      `expected one text to show the attention for, got ${texts.length > 1 ? "more" : "none"}`,
    );
  const { attentionPage } = await import("../tasks/translation/attention-page.ts");
  const options = { beams, lengthPenalty, signal };
  const [own] = await translator.translate([text], options);
  const { text: translation, cut } = own!;
  if (cut > 0) stderr.write(`${cutWarning(1, source.name, cut, translator.maxLength)}\n`);
  await writeFileAtomic(
    file,
    attentionPage(await translator.attention(text, target ?? translation)),
  );
  return translation;
}
