/** What the `ner` command does in its worker: trains a tagger or loads one, measures it, reads a text, keeps the run. */
import type { AnnotatedDocument } from "../data/annotated.ts";
import { ensureWritableFolder } from "../data/atomic-write.ts";
import type { RepairEntry } from "../data/repairs.ts";
import {
  entitiesOf,
  evaluateTagger,
  type Tagger,
  type TrainingExtent,
} from "../tasks/ner/tagger.ts";
import type { TrainTaggerOptions } from "../tasks/ner/train.ts";
import type { EndEvent, TrainingEvent } from "../train/events.ts";
import type { RunControl, RunFunction, Steered } from "../train/worker-serve.ts";
import { loadAnnotated, loadDocuments } from "./ner-data.ts";
import type { NerOptions } from "./ner-options.ts";
import { interruptedLine, resultLine, type NerResult } from "./ner-report.ts";
import { lockFolder } from "./folder-lock.ts";
import { clearResult, modelFolder, saveRun } from "./output-folder.ts";
import { evaluating, formatSavedRun, SAVED_RUN, savedRun } from "./resume.ts";
import { runLoggers } from "./run-loggers.ts";
import type { Device } from "./training-options.ts";

export interface NerJob {
  readonly options: NerOptions;
  /** The text to find entities in. */
  readonly text: string;
  /** Program and arguments. */
  readonly command: readonly string[];
}

/** What the command tells while it is under way. */
export type NerEvent = TrainingEvent | { readonly type: "note"; readonly text: string };

/** How it ended; `wrote` tells what was written into the output folder. */
export type NerOutcome =
  | {
      readonly type: "result";
      readonly result: NerResult;
      /** What was measured on. */
      readonly documents: string;
      /** True entities that begin or end inside a token. */
      readonly misaligned: number;
      readonly wrote: string | null;
    }
  | {
      readonly type: "stopped";
      /** Undefined before the first step. */
      readonly extent: TrainingExtent | undefined;
      readonly device: string;
      readonly wrote: string | null;
    };

/** A training, as far as the command needs to know: `taggerTraining` gives one. */
export interface NerTraining {
  readonly trainer: Steered & { run(): AsyncIterable<TrainingEvent> };
  readonly tagger: Tagger;
  takeBest(end: EndEvent): Promise<void>;
}

/** Where taggers come from. */
export interface NerBackend {
  readonly train: (
    documents: readonly AnnotatedDocument[],
    options: TrainTaggerOptions,
  ) => NerTraining | Promise<NerTraining>;
  /** The tagger saved in a folder. @throws Error when there is none that can be used. */
  readonly load: (folder: string) => Promise<Tagger>;
  /**
   * Makes a device the default one, unless undefined, and gives the name of the one in use.
   * @throws Error when it is not to be had.
   */
  readonly useDevice: (device: Device | undefined) => Promise<string>;
}

type NerRun = RunFunction<NerJob, NerEvent, NerOutcome>;

/** The two things that the command can do. */
export function nerRuns(backend: NerBackend): { readonly train: NerRun; readonly read: NerRun } {
  return {
    train: (job, control) => trainAndMeasure(job, control, backend),
    read: (job, control) => loadAndMeasure(job, control, backend),
  };
}

// The engine is loaded when the data has been found to be good.
export const { train, read } = nerRuns({
  train: async (documents, options) =>
    (await import("../tasks/ner/train.ts")).taggerTraining(documents, options),
  load: async (folder) => (await import("../tasks/ner/load-tagger.ts")).loadTagger(folder),
  useDevice: async (device) => {
    const { executor, setDevice } = await import("../device.ts");
    return device === undefined ? (await executor()).device : setDevice(device);
  },
});

type Events<R> = AsyncGenerator<NerEvent, R, void>;

async function* trainAndMeasure(
  job: NerJob,
  control: RunControl,
  backend: NerBackend,
): Events<NerOutcome> {
  const { options } = job;
  const { output, data, seed } = options;
  const notes: string[] = [];
  const say = (line: string) => void notes.push(line);
  const documents = await loadDocuments(data, { seed, validation: evaluating(options), say });
  yield* told(notes);
  if (output === undefined) return yield* trainOn(documents, job, control, backend);
  await ensureWritableFolder(output);
  const release = await lockFolder(output);
  try {
    return yield* trainOn(documents, job, control, backend);
  } finally {
    await release();
  }
}

async function* trainOn(
  documents: Awaited<ReturnType<typeof loadDocuments>>,
  { options, text, command }: NerJob,
  control: RunControl,
  backend: NerBackend,
): Events<NerOutcome> {
  const { output, resume } = options;
  const notes: string[] = [];
  const say = (line: string) => void notes.push(line);
  const device = await backend.useDevice(options.device);
  const stopped = { type: "stopped", extent: undefined, device, wrote: null } as const;
  if (control.stopping.aborted) return stopped;

  const saved = await savedRun("ner", options);
  const training = await backend.train(documents.train, {
    ...trainerOptions(options),
    ...(documents.validation && { validation: documents.validation }),
    files: { [SAVED_RUN]: formatSavedRun(saved) },
    loggers: await runLoggers({ options, command, device, data: saved.data, say }),
    signal: control.signal,
  });
  const { tagger } = training;
  if (output !== undefined && resume === undefined) await clearResult(output, { resume: false });
  let end: EndEvent | undefined;
  try {
    for await (const event of control.steer(training.trainer).run()) {
      // From here on there is something newer than the result of an earlier session.
      if (event.type === "start" && output !== undefined)
        await clearResult(output, { resume: true });
      if (event.type === "end") end = event;
      yield event;
      yield* told(notes);
    }
  } catch (error) {
    const { describeNonFinite, NonFiniteError } = await import("../train/safety.ts");
    if (!(error instanceof NonFiniteError)) throw error;
    const advice = "lower --lr, or leave such steps out with --skip-non-finite";
    throw new Error(`${describeNonFinite(error)}; ${advice}`, { cause: error });
  }
  yield* told(notes);
  if (end?.reason !== "stopped") {
    if (end !== undefined) await training.takeBest(end);
    const { heldOut } = documents;
    const on = {
      documents: heldOut,
      description: `${heldOut.length} documents held out`,
      repairs: documents.repairs.entries(),
    };
    const measured = await measureAndRead(tagger, { on, text, device }, control.stopping);
    if (measured !== null) {
      const line = resultLine(measured.result);
      const wrote = output === undefined ? null : await saveRun(output, await tagger.files(), line);
      return { ...measured, wrote };
    }
  }
  const extent = tagger.training;
  if (extent === undefined || extent.steps === 0) return stopped;
  // What was trained so far is worth keeping where it can be kept.
  const line = interruptedLine(extent, device);
  const wrote = output === undefined ? null : await saveRun(output, await tagger.files(), line);
  return { ...stopped, extent, wrote };
}

async function* loadAndMeasure(
  { options, text }: NerJob,
  control: RunControl,
  backend: NerBackend,
): Events<NerOutcome> {
  const { model = "", data } = options;
  const device = await backend.useDevice(options.device);
  const tagger = await backend.load(await modelFolder(model));
  const { steps, plannedSteps } = tagger.training ?? { steps: 0, plannedSteps: 0 };
  const early =
    steps < plannedSteps
      ? `, whose training was stopped after ${steps} of ${plannedSteps} steps`
      : "";
  const notes = [`${model}: a model of ${tagger.labels.length} labels${early}`];
  let on: Measure | null = null;
  if (data !== undefined) {
    const { documents, repairs } = await loadAnnotated(data, (line) => void notes.push(line));
    const description = `all ${documents.length} documents of ${data}`;
    on = { documents, description, repairs: repairs.entries() };
  }
  yield* told(notes);
  const measured = await measureAndRead(tagger, { on, text, device }, control.stopping);
  if (measured === null) return { type: "stopped", extent: undefined, device, wrote: null };
  return { ...measured, wrote: null };
}

/** Documents to measure on, and how to call them. */
interface Measure {
  readonly documents: readonly AnnotatedDocument[];
  readonly description: string;
  readonly repairs: readonly RepairEntry[];
}

/** Null where it was stopped. */
async function measureAndRead(
  tagger: Tagger,
  { on, text, device }: { on: Measure | null; text: string; device: string },
  stopping: AbortSignal,
): Promise<Omit<Extract<NerOutcome, { type: "result" }>, "wrote"> | null> {
  try {
    const evaluation = on && (await evaluateTagger(tagger, on.documents, stopping));
    const [tagged] = await tagger.tag([text], stopping);
    stopping.throwIfAborted();
    const measured =
      evaluation === null || on === null
        ? undefined
        : { report: evaluation.report, repairs: on.repairs };
    return {
      type: "result",
      result: { measured, entities: tagged ? entitiesOf(tagged) : [], device },
      documents: on?.description ?? "",
      misaligned: evaluation?.misaligned ?? 0,
    };
  } catch (error) {
    if (!stopping.aborted) throw error;
    return null;
  }
}

/** The command's options as the training takes them. */
function trainerOptions(options: NerOptions): TrainTaggerOptions {
  const { epochs, maxSteps, patience, resume, overwrite, output, saveSteps, keep } = options;
  const { evalSteps } = options;
  return {
    batchSize: options.batchSize,
    learningRate: options.lr,
    seed: options.seed,
    accumulate: options.accumulate,
    loggingSteps: options.loggingSteps,
    onNonFinite: options.skipNonFinite ? "skip" : "stop",
    ...(epochs !== undefined && { epochs }),
    ...(maxSteps !== undefined && { maxSteps }),
    ...(evalSteps !== undefined && { evalSteps }),
    ...(patience !== undefined && { patience }),
    ...(resume !== undefined && { resume }),
    ...(output !== undefined && { output, saveSteps, keep }),
    ...(output !== undefined && overwrite && { overwrite }),
  };
}

/** Passes on what was said meanwhile. */
function* told(notes: string[]): Generator<NerEvent> {
  for (const text of notes.splice(0)) yield { type: "note", text };
}
