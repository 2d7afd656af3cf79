/** What all commands that train do in their worker: data, training, measure, and the run that is kept. */
import { ensureWritableFolder } from "../data/atomic-write.ts";
import type { TrainingExtent } from "../tasks/training-extent.ts";
import type { CheckpointFiles } from "../train/checkpoint-folder.ts";
import type { EndEvent, TrainingEvent } from "../train/events.ts";
import type { TaskTrainerOptions } from "../tasks/best-weights.ts";
import type { RunControl, Steered } from "../train/worker-serve.ts";
import { lockFolder } from "./folder-lock.ts";
import { during, interruptedLine, type JobEvents, type Outcome, type Tell } from "./job.ts";
import { clearResult, SAVED_RUN, saveRun, writeFiles } from "./output-folder.ts";
import { formatSavedRun, savedRun, type TrainingCommand } from "./resume.ts";
import { runLoggers } from "./run-loggers.ts";
import type { Device, TrainingOptions } from "./training-options.ts";

/** A command as it was called. */
export interface TrainingJob<O extends TrainingOptions> {
  readonly options: O;
  /** Program and arguments. */
  readonly command: readonly string[];
}

/** What is kept of a training. */
export interface TrainedModel {
  /** Undefined when it is not known. */
  readonly training: TrainingExtent | undefined;
  /** Everything needed to load it again: file name to content. */
  files(): Promise<ReadonlyMap<string, Uint8Array | string>>;
}

/** A training, as far as the commands need to know. */
export interface Training {
  readonly trainer: Steered & { run(): AsyncIterable<TrainingEvent> };
  takeBest(end: EndEvent): Promise<void>;
}

/** What all trainings take alike; they have it of the command's options. */
export interface TrainOptions extends Omit<TaskTrainerOptions<never>, "callbacks"> {
  readonly epochs?: number;
  readonly maxSteps?: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly patience?: number;
  readonly files?: CheckpointFiles;
}

/**
 * Makes a device the default one, unless undefined, and gives the name of the one in use.
 * @throws Error when it is not to be had.
 */
export type UseDevice = (device: Device | undefined) => Promise<string>;

// The engine is loaded when the data has been found to be good.
export const useDevice: UseDevice = async (device) => {
  const { executor, setDevice } = await import("../device.ts");
  return device === undefined ? (await executor()).device : setDevice(device);
};

/** What differs from one command to the other. */
export interface TrainingPlan<Data, T extends Training, Result> {
  readonly command: TrainingCommand;
  readonly useDevice: UseDevice;
  /** Gets the data. @throws DataError where it is of no use. */
  readonly load: (tell: Tell) => Promise<Data>;
  /** More files of the run's folder, written when training begins. */
  readonly folderFiles?: (data: Data) => ReadonlyMap<string, string>;
  /** Null where it was stopped. */
  readonly begin: (data: Data, options: TrainOptions, tell: Tell) => Promise<T | null> | T;
  readonly modelOf: (training: T) => TrainedModel;
  /** Null where it was stopped. */
  readonly measure: (
    training: T,
    data: Data,
    at: { readonly device: string; readonly stopping: AbortSignal; readonly tell: Tell },
  ) => Promise<Result | null>;
  /** The result as one line of JSON. */
  readonly line: (result: Result) => string;
}

/** Trains, measures and keeps the run; stopped in order, it keeps what was trained so far. */
export async function* trainAndMeasure<Data, T extends Training, Result>(
  plan: TrainingPlan<Data, T, Result>,
  job: TrainingJob<TrainingOptions>,
  control: RunControl,
): JobEvents<Outcome<Result>> {
  const { output } = job.options;
  const data = yield* during(plan.load);
  if (output === undefined) return yield* trainOn(data, plan, job, control);
  await ensureWritableFolder(output);
  const release = await lockFolder(output);
  try {
    return yield* trainOn(data, plan, job, control);
  } finally {
    await release();
  }
}

async function* trainOn<Data, T extends Training, Result>(
  data: Data,
  plan: TrainingPlan<Data, T, Result>,
  { options, command }: TrainingJob<TrainingOptions>,
  control: RunControl,
): JobEvents<Outcome<Result>> {
  const { output, resume } = options;
  const notes: string[] = [];
  const device = await plan.useDevice(options.device);
  const stopped = { type: "stopped", extent: undefined, device, wrote: null } as const;
  if (control.stopping.aborted) return stopped;

  const saved = await savedRun(plan.command, options);
  const loggers = await runLoggers({
    ...{ options, command, device, data: saved.data },
    say: (line) => void notes.push(line),
  });
  const training = yield* during(async (tell) =>
    plan.begin(
      data,
      {
        ...trainOptions(options),
        files: { [SAVED_RUN]: formatSavedRun(saved) },
        loggers,
        signal: control.signal,
      },
      tell,
    ),
  );
  if (training === null) return stopped;
  const model = plan.modelOf(training);
  const folderFiles = plan.folderFiles?.(data) ?? new Map<string, string>();
  if (output !== undefined && resume === undefined) await clearResult(output, { resume: false });
  let end: EndEvent | undefined;
  try {
    for await (const event of control.steer(training.trainer).run()) {
      // From here on there is something newer than the result of an earlier session.
      if (event.type === "start" && output !== undefined) {
        await clearResult(output, { resume: true });
        await writeFiles(output, new Map([...folderFiles, [SAVED_RUN, formatSavedRun(saved)]]));
      }
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
    const { stopping } = control;
    const result = yield* during((tell) =>
      plan.measure(training, data, { device, stopping, tell }),
    );
    if (result !== null) {
      const line = plan.line(result);
      const wrote = output === undefined ? null : await saveRun(output, await model.files(), line);
      return { type: "result", result, wrote };
    }
  }
  const extent = model.training;
  if (extent === undefined || extent.steps === 0) return stopped;
  // What was trained so far is worth keeping where it can be kept.
  const line = interruptedLine(extent, device);
  const wrote = output === undefined ? null : await saveRun(output, await model.files(), line);
  return { ...stopped, extent, wrote };
}

/** The command's options as a training takes them. */
function trainOptions(options: TrainingOptions): TrainOptions {
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
function* told(notes: string[]): Generator<{ type: "note"; text: string }> {
  for (const text of notes.splice(0)) yield { type: "note", text };
}
