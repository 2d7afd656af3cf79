/** Begins a run or goes on with one: which checkpoint, with which options, and which of them must be as they were. */
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { DataError } from "../data/errors.ts";
import { readText } from "../data/read-file.ts";
import { json, listCheckpoints } from "../train/checkpoint-folder.ts";
import { describeFile } from "../train/logging/run-config.ts";
import { readIfThere } from "../train/logging/run-files.ts";
import { ensureNoRun, SAVED_RUN } from "./output-folder.ts";
import type { TrainingOptions } from "./training-options.ts";

/** What a command that trains is known by in its checkpoints, and which options of its own are part of a run. */
export interface TrainingCommand {
  readonly name: string;
  /** Options of its own; other values of these would give another model. */
  readonly fixed: readonly string[];
  /** Those among `fixed` that name a file. */
  readonly files: readonly string[];
  /** Others of its own that are as in the run unless given. */
  readonly inherited: readonly string[];
  /** What it trains on without `--data`, e.g. `made-up resumes`. */
  readonly madeUp: string;
}

/** By what a data file is known again. */
export interface DataIdentity {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** How a run was begun, as the file {@link SAVED_RUN} tells. */
export interface SavedRun {
  readonly format: "learning-loop-training/1";
  /** Name of the command. */
  readonly command: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Null for data that was made up. */
  readonly data: DataIdentity | null;
  /** Other files, by the options that name them. */
  readonly files?: Readonly<Record<string, DataIdentity>>;
}

/** Other values of these would give another model. */
const FIXED = ["batchSize", "accumulate", "lr", "seed"] as const;
/** These are as in the run unless given. */
const INHERITED = [
  ...FIXED,
  ...(["epochs", "maxSteps", "evalSteps", "patience", "saveSteps", "keep"] as const),
  ...(["loggingSteps", "skipNonFinite", "tensorboard", "mlflow", "device"] as const),
];

/** Options before a command has filled in what was not given. */
type GivenOptions = Omit<TrainingOptions, "batchSize" | "lr"> &
  Partial<Pick<TrainingOptions, "batchSize" | "lr">>;

/** What a checkpoint is to tell of its run. */
export async function savedRun(
  { name: command, fixed, files, inherited }: TrainingCommand,
  options: TrainingOptions,
): Promise<SavedRun> {
  const { data } = options;
  const all: Readonly<Record<string, unknown>> = { ...options };
  const named = files.flatMap((name) => {
    const file = all[name];
    return typeof file === "string" ? [[name, file] as const] : [];
  });
  const identities = await Promise.all(
    named.map(async ([name, file]) => [name, await identify(file)] as const),
  );
  return {
    format: "learning-loop-training/1",
    command,
    options: {
      ...Object.fromEntries(
        [...INHERITED, ...fixed, ...inherited].map((name) => [name, all[name]]),
      ),
      ...Object.fromEntries(named.map(([name, file]) => [name, resolve(file)])),
    },
    data: data === undefined ? null : await identify(data),
    ...(identities.length > 0 && { files: Object.fromEntries(identities) }),
  };
}

async function identify(file: string): Promise<DataIdentity> {
  return { ...(await describeFile(file)), path: resolve(file) };
}

export const formatSavedRun = (run: SavedRun): string => json(run);

/**
 * The options of a training, checked against what is in the output folder, with those of the run that it goes on with.
 * @throws DataError where the folder holds another run.
 */
export async function checkedTraining<O extends GivenOptions>(
  training: TrainingCommand,
  given: O,
  command: Command,
  say: (line: string) => void,
): Promise<O> {
  const { output, overwrite } = given;
  const isLast = given.resume === true || given.resume === "true" || given.resume === "last";
  const options: O = isLast ? { ...given, resume: true } : given;
  const { resume } = options;
  if (resume === true && output === undefined) {
    command.error(
      "error: option '--resume' needs '--output <folder>', where the checkpoints are, or the path of one",
      { exitCode: 2 },
    );
  }
  if (output !== undefined && !overwrite) {
    const isThere = typeof resume === "string" && resolve(dirname(resume)) === resolve(output);
    await ensureNoRun(output, { resume: resume === true || isThere });
  }
  return withResumedOptions(training, command, options, say);
}

/**
 * The options of a command with those of the run that it is to go on with, where `--resume` is given and there is one.
 * @throws DataError where the checkpoint is none of this command, or an option that is given is not as in the run.
 */
async function withResumedOptions<O extends GivenOptions>(
  training: TrainingCommand,
  command: Command,
  options: O,
  say: (line: string) => void,
): Promise<O> {
  const found = await findSavedRun(training.name, options);
  if (found === null) {
    if (options.resume !== undefined && options.data === undefined)
      throw new DataError(
        { file: options.output ?? "" },
        "no run there to go on with; leave --resume out to begin one",
      );
    if (options.resume !== undefined)
      say(`${options.output}: no checkpoint there yet, so the run begins`);
    return options;
  }
  const { run, folder } = found;
  if (folder === options.output)
    say(`${folder}: no checkpoint there yet, so the run begins again, with its options`);
  const given = new Map(Object.entries(options));
  const source = (name: string): string | undefined => command.getOptionValueSource(name);
  const isGiven = (name: string): boolean => ![undefined, "default"].includes(source(name));
  const differs = (flag: string, was: unknown, is: unknown): DataError =>
    new DataError(
      { file: folder },
      `--${flag} must be as it was when the run was begun, ${String(was)}, got ${String(is)}; leave it out, or train anew into another folder`,
    );
  const fixed = [...FIXED, ...training.fixed];
  for (const name of fixed)
    if (
      isGiven(name) &&
      given.get(name) !== run.options[name] &&
      // What a file holds matters, not where it lies.
      run.files?.[name] === undefined
    )
      throw differs(flagOf(name), run.options[name] ?? "not given", given.get(name));
  const inherited = [...INHERITED, ...training.fixed, ...training.inherited].filter(
    (name) => !isGiven(name) && run.options[name] !== undefined,
  );
  const all = {
    ...options,
    ...Object.fromEntries(inherited.map((name) => [name, run.options[name]])),
    ...(options.data === undefined && run.data !== null && { data: run.data.path }),
  };
  const evaluates = evaluating(all);
  if (evaluates !== evaluating(run.options)) {
    const flag = options.evalSteps === undefined ? "patience" : "eval-steps";
    throw differs(flag, "not given", "evaluations, for which training data would be held out");
  }
  if (run.data === null && all.data !== undefined)
    throw new DataError(
      { file: folder },
      `--data must be the data that the run was begun with, ${training.madeUp}; leave it out, or train anew into another folder`,
    );
  if (run.data !== null && all.data !== undefined)
    await checkFile("data", all.data, run.data, folder);
  const now = new Map(Object.entries(all));
  for (const [name, was] of Object.entries(run.files ?? {}))
    await checkFile(name, String(now.get(name)), was, folder);
  return all;
}

/** Whether a training evaluates, and needs data for that. */
export const evaluating = ({ evalSteps, patience }: Partial<TrainingOptions>): boolean =>
  evalSteps !== undefined || patience !== undefined;

/** An option as it is written on the command line. */
const flagOf = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

/** @throws DataError where the option's file is not what it was. */
async function checkFile(
  name: string,
  file: string,
  was: DataIdentity,
  folder: string,
): Promise<void> {
  const wrong = (problem: string): DataError =>
    new DataError(
      { file: folder },
      `--${flagOf(name)} must be the ${name === "data" ? "data" : "file"} that the run was begun with, ${problem}`,
    );
  const { sha256 } = await describeFile(file).catch((error: unknown) => {
    throw wrong(`which cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (sha256 !== was.sha256)
    throw wrong(
      `${was.path} with SHA-256 ${was.sha256.slice(0, 12)}…; that of ${file} is ${sha256.slice(0, 12)}…`,
    );
}

/** How the run was begun that is to go on, and the checkpoint or else its folder that says so; null where there is none yet. */
async function findSavedRun(
  command: string,
  { resume, output }: GivenOptions,
): Promise<{ readonly run: SavedRun; readonly folder: string } | null> {
  if (resume === undefined) return null;
  if (typeof resume === "string")
    return { run: await readSavedRun(command, resume), folder: resume };
  const problems: unknown[] = [];
  for (const { folder } of (await listCheckpoints(output ?? "")).reverse())
    try {
      return { run: await readSavedRun(command, folder), folder };
    } catch (error) {
      // A damaged one is passed over, as the Trainer will do with a warning.
      problems.push(error);
    }
  if (problems.length > 0) throw problems[0];
  // One that came to no checkpoint.
  if (output === undefined || (await readIfThere(join(output, SAVED_RUN))) === null) return null;
  return { run: await readSavedRun(command, output), folder: output };
}

async function readSavedRun(command: string, folder: string): Promise<SavedRun> {
  const file = `${folder}/${SAVED_RUN}`;
  const wrong = (problem: string): DataError =>
    new DataError({ file }, `${problem}; is it a checkpoint of this command?`);
  const text = await readText(file).catch((error: unknown) => {
    throw wrong(error instanceof Error ? error.message.slice(file.length + 2) : String(error));
  });
  let parsed: Partial<SavedRun> | null;
  try {
    parsed = JSON.parse(text) as Partial<SavedRun> | null;
  } catch (error) {
    throw new DataError({ file }, "is damaged: it is not JSON", { cause: error });
  }
  if (parsed?.format !== "learning-loop-training/1" || typeof parsed.options !== "object")
    throw wrong("is not about a training");
  if (parsed.command !== command) throw wrong(`is of the command ${String(parsed.command)}`);
  return parsed as SavedRun;
}
