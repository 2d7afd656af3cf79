/** What `translate train` and `translate eval` do in their worker: train a translator or load one, measure it, keep the run. */
import { access } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { writeFileAtomic } from "../data/atomic-write.ts";
import { DataError } from "../data/errors.ts";
import { evaluateTranslator } from "../tasks/translation/evaluate.ts";
import type { SentencePair } from "../tasks/translation/pairs.ts";
import type { Recipe } from "../tasks/translation/recipe.ts";
import type { TrainTranslatorOptions } from "../tasks/translation/train.ts";
import type { Translator } from "../tasks/translation/translator.ts";
import type { Tokenizer } from "../text/tokenizer/tokenizer.ts";
import type { TrainBpeOptions } from "../text/tokenizer/trainer.ts";
import type { RunControl, RunFunction } from "../train/worker-serve.ts";
import {
  during,
  stoppedEarly,
  unlessStopped,
  type JobEvent,
  type JobEvents,
  type Outcome,
  type Tell,
} from "./job.ts";
import { HELD_OUT } from "./output-folder.ts";
import { evaluating } from "./resume.ts";
import { ensureOtherFile } from "./same-file.ts";
import {
  trainAndMeasure,
  useDevice,
  type Training,
  type TrainingJob,
  type UseDevice,
} from "./training-job.ts";
import {
  formatPairs,
  loadPairs,
  loadTrainingPairs,
  pairsOf,
  samplePairs,
} from "./translate-data.ts";
import {
  recipeOf,
  TRANSLATE,
  type DecodingOptions,
  type TranslateEvalOptions,
  type TranslateTrainOptions,
} from "./translate-options.ts";
import { lossNote, ownTokenizer } from "./translate-tokenizer.ts";
import { measuredOf, resultLine, type TranslateMeasured } from "./translate-report.ts";

export type TranslateTrainJob = TrainingJob<TranslateTrainOptions>;

export interface TranslateEvalJob {
  /** The run's. */
  readonly folder: string;
  readonly options: TranslateEvalOptions;
}

/** A training, as far as the command needs to know: `translationTraining` gives one. */
export interface TranslateTraining extends Training {
  readonly translator: Translator;
  readonly skipped: { readonly tooLong: number };
  /** Steps in which the learning rate rises: the recipe's or fewer. */
  readonly warmup: number;
}

/** Where translators come from. */
export interface TranslateBackend {
  readonly train: (
    pairs: readonly SentencePair[],
    options: TrainTranslatorOptions,
  ) => Promise<TranslateTraining>;
  /** The translator of a run or saved in a folder. @throws Error when there is none that can be used. */
  readonly load: (folder: string) => Promise<Translator>;
  readonly loadTokenizer: (file: string) => Promise<Tokenizer>;
  readonly trainTokenizer: (
    pairs: readonly SentencePair[],
    recipe: Recipe,
    options: Pick<TrainBpeOptions, "onProgress" | "signal">,
  ) => Promise<Tokenizer>;
  readonly useDevice: UseDevice;
}

type Run<Job> = RunFunction<Job, JobEvent, Outcome<TranslateMeasured>>;

/** The two things that are done in a worker. */
export function translateRuns(backend: TranslateBackend): {
  readonly train: Run<TranslateTrainJob>;
  readonly evaluate: Run<TranslateEvalJob>;
} {
  return {
    train: (job, control) => trainTranslator(job, control, backend),
    evaluate: (job, control) => loadAndMeasure(job, control, backend),
  };
}

// The engine is loaded when the data has been found to be good.
export const BACKEND: TranslateBackend = {
  train: async (pairs, options) =>
    (await import("../tasks/translation/train.ts")).translationTraining(pairs, options),
  load: async (folder) =>
    (await import("../tasks/translation/load-translator.ts")).loadTranslator(folder),
  loadTokenizer: async (file) =>
    (await import("../text/tokenizer/tokenizer.ts")).Tokenizer.load(file),
  trainTokenizer: async (pairs, recipe, options) =>
    (await import("../tasks/translation/train.ts")).trainVocabulary(pairs, recipe, options),
  useDevice,
};
export const { train, evaluate } = translateRuns(BACKEND);

function trainTranslator(
  job: TranslateTrainJob,
  control: RunControl,
  backend: TranslateBackend,
): JobEvents<Outcome<TranslateMeasured>> {
  const { options } = job;
  const recipe = recipeOf(options);
  const { stopping } = control;
  const trainTokenizer = (pairs: readonly SentencePair[], recipe: Recipe, tell: Tell) =>
    unlessStopped(stopping, () =>
      backend.trainTokenizer(pairs, recipe, {
        signal: stopping,
        onProgress: ({ phase, done, total }) =>
          phase === "words"
            ? tell({ type: "work", name: "reading sentences", done, total: 2 * pairs.length })
            : tell({ type: "work", name: "learning tokens", done, total }),
      }),
    );
  return trainAndMeasure(
    {
      command: TRANSLATE,
      useDevice: backend.useDevice,
      load: async (tell) => {
        const { tokenizer } = options;
        const own =
          tokenizer === undefined
            ? undefined
            : await ownTokenizer(tokenizer, backend.loadTokenizer);
        const pairs = await loadTrainingPairs(options, {
          ...{ evaluates: evaluating(options), tell },
        });
        const loss = own && lossNote(own, pairs.train);
        if (loss) tell({ type: "note", text: `${tokenizer}: ${loss}` });
        return { ...pairs, tokenizer: own };
      },
      folderFiles: ({ heldOut }) => new Map([[HELD_OUT, formatPairs(heldOut)]]),
      begin: async ({ train, validation, tokenizer: own }, common, tell) => {
        const tokenizer = own ?? (await trainTokenizer(train, recipe, tell));
        if (tokenizer === null) return null;
        const { batchSize: _, learningRate: __, ...rest } = common;
        const begun = unlessStopped(stopping, () =>
          backend.train(train, {
            ...{ ...rest, recipe, tokenizer },
            ...(validation && { validation }),
            onExamples: (done, total) => {
              stopping.throwIfAborted();
              tell({ type: "work", name: "cutting pairs into tokens", done, total });
            },
          }),
        );
        const training = await begun.catch((error: unknown) => {
          if (!(error instanceof RangeError)) throw error;
          const file = options.data ?? "made-up dates";
          const problem = error.message
            .replace(/^translationTraining: /, "")
            .replace("raise maxLength", "raise --max-length");
          throw new DataError({ file }, problem, { cause: error });
        });
        if (training === null) return null;
        const { tooLong } = training.skipped;
        if (tooLong > 0)
          tell({
            type: "note",
            text: `${pairsOf(tooLong)} left out, longer than ${recipe.maxLength} tokens`,
          });
        if (training.warmup < recipe.warmup)
          tell({
            type: "note",
            text: `--warmup ${recipe.warmup} would take the whole training: the learning rate rises until step ${training.warmup} instead, then it falls`,
          });
        tell({ type: "note", text: `a model of ${training.translator.description}` });
        return training;
      },
      modelOf: ({ translator }: TranslateTraining) => translator,
      measure: ({ translator, skipped: { tooLong } }, data, at) => {
        const { heldOut, skipped } = data;
        const left = tooLong === 0 ? {} : { [`longer than ${recipe.maxLength} tokens`]: tooLong };
        return measure(translator, heldOut, options, {
          ...at,
          on: `${heldOut.length} pairs held out`,
          skipped: { ...skipped, ...left },
        });
      },
      line: (measured) => resultLine(measured, { speed: false }),
    },
    job,
    control,
  );
}

async function* loadAndMeasure(
  { folder, options }: TranslateEvalJob,
  { stopping }: RunControl,
  backend: TranslateBackend,
): JobEvents<Outcome<TranslateMeasured>> {
  const { maxPairs = Infinity, reverse = false, outputTranslations } = options;
  const device = await backend.useDevice(options.device);
  const translator = await backend.load(folder);
  yield { type: "note", text: described(folder, translator) };
  const file = options.data ?? (await heldOutFile(folder));
  if (outputTranslations !== undefined) await ensureOtherFile(outputTranslations, file);
  const result = yield* during(async (tell) => {
    const { pairs, skipped } = await loadPairs(file, { reverse, tell });
    const sample = samplePairs(pairs, maxPairs);
    const on =
      sample.length === pairs.length
        ? `all ${pairs.length} pairs of ${file}`
        : `${sample.length} of the ${pairs.length} pairs of ${file}`;
    return measure(translator, sample, options, {
      ...{ on, skipped, device, stopping, tell },
      ...(outputTranslations !== undefined && {
        take: (translations: readonly string[]) =>
          writeFileAtomic(
            outputTranslations,
            translations.map((text) => `${oneLine(text)}\n`).join(""),
          ),
      }),
    });
  });
  if (result === null) return { type: "stopped", extent: undefined, device, wrote: null };
  return { type: "result", result, wrote: null };
}

/** What a folder's translator is, for people. */
export const described = (folder: string, { description, training }: Translator): string =>
  `${folder}: a translator of ${description}${stoppedEarly(training)}`;

/** A text that takes one line of a file. */
export const oneLine = (text: string): string => text.replace(/[\r\n\u2028\u2029]+/g, " ");

/** The pairs that the run of a folder held out: there, or beside the model or checkpoint that the folder is. */
async function heldOutFile(folder: string): Promise<string> {
  for (const place of [folder, dirname(resolve(folder))]) {
    const file = join(place, HELD_OUT);
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  throw new DataError({ file: folder }, `has no ${HELD_OUT}; name pairs to measure on with --data`);
}

/** Null where it was stopped. */
function measure(
  translator: Translator,
  pairs: readonly SentencePair[],
  { beams, lengthPenalty, batchSize }: DecodingOptions & { readonly batchSize?: number },
  {
    stopping,
    tell,
    take,
    ...rest
  }: Pick<TranslateMeasured, "on" | "skipped" | "device"> & {
    readonly stopping: AbortSignal;
    readonly tell: Tell;
    readonly take?: (translations: readonly string[]) => Promise<void>;
  },
): Promise<TranslateMeasured | null> {
  return unlessStopped(stopping, async () => {
    const start = performance.now();
    const report = await evaluateTranslator(translator, pairs, {
      ...{ beams, lengthPenalty, signal: stopping },
      ...(batchSize !== undefined && { batchSize }),
      onProgress: (done, total) => tell({ type: "work", name: "translating", done, total }),
    });
    const seconds = (performance.now() - start) / 1000;
    await take?.(report.translations);
    return measuredOf(report, pairs, { ...rest, seconds });
  });
}
