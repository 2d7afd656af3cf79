/** What the Trainer is told: options, their defaults and checks. */

import type { Module } from "../nn/module.ts";
import type { AveragedModel } from "../optim/averaging.ts";
import { ReduceLROnPlateau } from "../optim/plateau.ts";
import type { Generator } from "../random.ts";
import {
  listOf,
  type CheckpointParts,
  type OneOrMore,
  type Positioned,
  type Stateful,
  type StatefulOptimizer,
} from "./checkpoint.ts";
import type { CheckpointFiles } from "./checkpoint-folder.ts";
import type { Logger, TrainingEvent } from "./events.ts";
import type { FileSystem } from "./file-system.ts";
import type { StepOutput, Stepping } from "./step-program.ts";
import type { WatchOptions } from "./watch.ts";

/** One batch, as a DataLoader delivers it. */
export interface TrainingBatch<B> {
  /** What the step gets: tensors in arrays and plain objects. */
  readonly data: B;
  /** Places of its samples in the data set. */
  readonly indices: readonly number[];
  /** Counted from 0. */
  readonly epoch: number;
  /** Its place in the epoch, counted from 0. */
  readonly index: number;
  readonly samples: number;
  /** Tokens that are no padding. */
  readonly tokens?: number;
}

/** Batches of one epoch after another: a DataLoader, or anything alike. Each loop over it goes through one epoch. */
export interface TrainingData<B> extends AsyncIterable<TrainingBatch<B>>, Positioned {
  /** Null where it is not known. */
  readonly batchesPerEpoch: number | null;
  /** Where it stands behind the last batch delivered, as plain JSON. */
  cursor(): unknown;
  /** One epoch, or what is left of it; a signal ends the wait for data with its reason. */
  epoch?(options: { readonly signal?: AbortSignal | undefined }): AsyncIterator<TrainingBatch<B>>;
  /** Tokens delivered, and what they were padded to. */
  readonly padding?: { readonly real: number; readonly padded: number };
}

/** An optimizer, as the Trainer uses it. */
export interface TrainedOptimizer extends Stepping, StatefulOptimizer {
  readonly paramGroups: readonly { readonly lr: number }[];
}

/** A schedule of learning rates; ReduceLROnPlateau gets the watched metric after each evaluation. */
export interface TrainedSchedule extends Stateful {
  /** Moves the rates one step on; plateaus go by the metric. */
  step(metric?: number): void;
}

/** How often: a number of updates, or at the end of each epoch. */
export type Every = number | "epoch";

/** Where a run stands. */
export interface Progress {
  /** Updates made so far. */
  readonly step: number;
  readonly epoch: number;
}

/** Called during a run, in its order; it is waited for. */
export interface Callback {
  /** After each update. Reading tensors here makes the device wait. */
  onUpdate?(at: Progress): void | Promise<void>;
  /** Told of everything that happens in the run, in order. */
  onEvent?(event: TrainingEvent): void | Promise<void>;
}

/** What is trained, on what, for how long, and what is done meanwhile. Give one of `loss`, `update` and `run`. */
export interface TrainerOptions<B> {
  readonly model: OneOrMore<Module>;
  /** The loss of a batch, or `{ loss, metrics }`; the Trainer makes the whole update of it, one program. */
  readonly loss?: (data: B) => StepOutput;
  /**
   * A whole update recorded by hand, compiled to one program: backward passes, clipping, and steps of any number of
   * optimizers, as a GAN needs.
   */
  readonly update?: (data: B) => StepOutput;
  /** A whole update by any function, e.g. one that runs several compiled functions in turn. */
  readonly run?: (data: B) => Promise<StepOutput>;
  readonly optimizer: OneOrMore<TrainedOptimizer>;
  /** Steps after each update, or each epoch (`scheduleEvery`), skipped updates included. */
  readonly schedule?: OneOrMore<TrainedSchedule>;
  readonly scheduleEvery?: "step" | "epoch";
  readonly data: TrainingData<B>;

  /** How long; the first of both to come, at least one is needed. */
  readonly epochs?: number;
  readonly maxSteps?: number;
  /** Batches whose mean gradient makes one update; the last of an epoch may have fewer. Needs `loss`. */
  readonly accumulate?: number;
  /** Largest norm of all gradients together, and largest gradient of an element. Need `loss`. */
  readonly clipNorm?: number;
  readonly clipValue?: number;
  /** Follows the weights in every update, and stands in for them in evaluations. */
  readonly average?: OneOrMore<AveragedModel>;

  /**
   * Metrics of the model in evaluation mode, with averaged weights where there are any. What it draws of the default
   * generator and of `generators` is not missing afterwards: the curve is the same with and without evaluations.
   */
  readonly evaluate?: (
    at: Progress,
  ) => Readonly<Record<string, number>> | Promise<Readonly<Record<string, number>>>;
  /** When `evaluate` is run, besides at the end; each epoch unless given. */
  readonly evalSteps?: Every;
  /** The metric that says which checkpoint is best, and when to stop early. */
  readonly watch?: WatchOptions;

  /** Folder of the checkpoints; none are written without. */
  readonly output?: string;
  /** When a checkpoint is written, besides at the end and when an evaluation was the best; each epoch unless given. */
  readonly saveSteps?: Every;
  /** How many of the newest checkpoints to keep, besides the best one; all unless given. */
  readonly keep?: number;
  /** Files that each checkpoint holds too: `config.json`, a tokenizer's. */
  readonly files?: CheckpointFiles | (() => CheckpointFiles);
  /** Go on from the newest whole checkpoint in `output`, if there is one (true), or from a folder. */
  readonly resume?: boolean | string;
  /** Remove checkpoints of another run from `output`, or those after the one to go on from. */
  readonly overwrite?: boolean;
  /** Random generators besides the default one, and more state kept as JSON. */
  readonly generators?: Readonly<Record<string, Generator>>;
  readonly host?: Readonly<Record<string, Stateful>>;

  /** Updates in one step event; 10 unless given. Losses are read and checked as often. */
  readonly loggingSteps?: number;
  readonly loggers?: readonly Logger[];
  readonly callbacks?: readonly Callback[];
  /**
   * What happens when a loss or a gradient is not finite: the run ends with a NonFiniteError within `loggingSteps` steps
   * and before anything is saved, or the update is left out on the device and counted. Looking reads each gradient once
   * more, save where `clipNorm` does so anyway; skipping adds two passes over all state.
   */
  readonly onNonFinite?: "stop" | "skip";
  /** Seeds the default generator when the run begins. The data's shuffling has a seed of its own. */
  readonly seed?: number;
  /** Ends the run between two steps, without a checkpoint. */
  readonly signal?: AbortSignal;
  readonly fileSystem?: FileSystem;
}

const KNOWN: Readonly<Record<keyof TrainerOptions<unknown>, true>> = {
  model: true,
  loss: true,
  update: true,
  run: true,
  optimizer: true,
  schedule: true,
  scheduleEvery: true,
  data: true,
  epochs: true,
  maxSteps: true,
  accumulate: true,
  clipNorm: true,
  clipValue: true,
  average: true,
  evaluate: true,
  evalSteps: true,
  watch: true,
  output: true,
  saveSteps: true,
  keep: true,
  files: true,
  resume: true,
  overwrite: true,
  generators: true,
  host: true,
  loggingSteps: true,
  loggers: true,
  callbacks: true,
  onNonFinite: true,
  seed: true,
  signal: true,
  fileSystem: true,
};

/** Throws for options that are missing, unknown, out of range, or mean nothing together. */
export function checkTrainerOptions<B>(options: TrainerOptions<B>): void {
  if (typeof options !== "object" || options === null)
    throw new Error(`Trainer: options must be an object, got ${String(options)}`);
  const odd = Object.keys(options).find((key) => !(key in KNOWN));
  if (odd !== undefined)
    throw new Error(`Trainer: unknown option "${odd}"; there are ${Object.keys(KNOWN).join(", ")}`);
  for (const name of ["model", "optimizer", "data"] as const)
    if (options[name] === undefined) throw new Error(`Trainer: ${name} is missing`);
  const steps = (["loss", "update", "run"] as const).filter((name) => options[name] !== undefined);
  if (steps.length !== 1)
    throw new Error(
      `Trainer: needs one of loss, update and run, got ${steps.join(" and ") || "none"}`,
    );
  if (options.loss === undefined)
    for (const name of ["accumulate", "clipNorm", "clipValue"] as const)
      if (options[name] !== undefined)
        throw new Error(`Trainer: ${name} needs loss; do it inside of ${steps[0]!}`);
  if (options.run !== undefined && (options.onNonFinite === "skip" || options.average))
    throw new Error(
      "Trainer: with run, updates are not the Trainer's: onNonFinite and average have to be done inside of it",
    );
  if (options.epochs === undefined && options.maxSteps === undefined)
    throw new Error("Trainer: needs epochs or maxSteps");
  for (const name of ["epochs", "maxSteps", "accumulate", "keep", "loggingSteps"] as const)
    needCount(name, options[name]);
  for (const name of ["evalSteps", "saveSteps"] as const)
    if (options[name] !== "epoch") needCount(name, options[name], ' or "epoch"');
  needOneOf("scheduleEvery", options.scheduleEvery, ["step", "epoch"]);
  needOneOf("onNonFinite", options.onNonFinite, ["stop", "skip"]);
  if (options.evaluate === undefined) {
    const { watch, evalSteps } = options;
    const first = firstGiven({ watch, evalSteps });
    if (first !== undefined)
      throw new Error(`Trainer: ${first} needs evaluate, which returns metrics`);
  }
  if (options.scheduleEvery !== undefined && options.schedule === undefined)
    throw new Error("Trainer: scheduleEvery needs schedule");
  const plateaus = listOf(options.schedule).some((each) => each instanceof ReduceLROnPlateau);
  if (plateaus && options.watch === undefined)
    throw new Error("Trainer: ReduceLROnPlateau needs watch, which names the metric it goes by");
  if (options.output === undefined) {
    const { saveSteps, keep, overwrite, resume } = options;
    const wanted = { saveSteps, keep, overwrite, resume: resume === true || undefined };
    const first = firstGiven(wanted);
    if (first !== undefined)
      throw new Error(`Trainer: ${first} needs output, the folder of the checkpoints`);
  }
}

const firstGiven = (options: Readonly<Record<string, unknown>>): string | undefined =>
  Object.keys(options).find((name) => options[name] !== undefined);

function needOneOf(name: string, value: string | undefined, known: readonly string[]): void {
  if (value !== undefined && !known.includes(value))
    throw new Error(
      `Trainer: ${name} must be ${known.map((one) => `"${one}"`).join(" or ")}, got ${String(value)}`,
    );
}

function needCount(name: string, value: number | string | undefined, or = ""): void {
  if (value !== undefined && !(Number.isInteger(value) && Number(value) >= 1))
    throw new Error(`Trainer: ${name} must be an integer of at least 1${or}, got ${String(value)}`);
}

/** The parts of a run that its checkpoints hold, without its own state and files. */
export function partsOf<B>(options: TrainerOptions<B>): CheckpointParts {
  const { model, optimizer, schedule, average, generators, host } = options;
  return {
    model,
    optimizer,
    ...(schedule === undefined ? {} : { schedule }),
    ...(average === undefined ? {} : { average }),
    ...(generators === undefined ? {} : { generators }),
    ...(host === undefined ? {} : { host }),
  };
}
