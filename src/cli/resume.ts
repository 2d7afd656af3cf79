/** Goes on with a run: which checkpoint, with which options, and which of them must be as they were. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { DataError } from "../data/errors.ts";
import { readText } from "../data/read-file.ts";
import { json, listCheckpoints } from "../train/checkpoint-folder.ts";
import { describeFile } from "../train/logging/run-config.ts";
import type { TrainingOptions } from "./training-options.ts";

/** Each checkpoint has this file with {@link SavedRun}. */
export const SAVED_RUN = "training.json";

/** By what a data file is known again. */
export interface DataIdentity {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** How a run was begun. */
export interface SavedRun {
  readonly format: "learning-loop-training/1";
  /** Name of the command. */
  readonly command: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Null for data that was made up. */
  readonly data: DataIdentity | null;
}

/** Other values of these would give another model. */
const FIXED = ["batchSize", "accumulate", "lr", "seed"] as const;
/** These are as in the run unless given. */
const INHERITED = [
  ...FIXED,
  ...(["epochs", "maxSteps", "evalSteps", "patience", "saveSteps", "keep"] as const),
  ...(["loggingSteps", "skipNonFinite", "tensorboard", "mlflow", "device"] as const),
];

/** What a checkpoint is to tell of its run. */
export async function savedRun(command: string, options: TrainingOptions): Promise<SavedRun> {
  const { data } = options;
  return {
    format: "learning-loop-training/1",
    command,
    options: Object.fromEntries(INHERITED.map((name) => [name, options[name]])),
    data: data === undefined ? null : { ...(await describeFile(data)), path: resolve(data) },
  };
}

export const formatSavedRun = (run: SavedRun): string => json(run);

/**
 * The options of a command (`name`: as in its checkpoints) with those of the run that it is to go on with, where `--resume` is given and there is one.
 * @throws DataError where the checkpoint is none of this command, or an option that is given is not as in the run.
 */
export async function withResumedOptions<O extends TrainingOptions>(
  name: string,
  command: Command,
  options: O,
  say: (line: string) => void,
): Promise<O> {
  const found = await findSavedRun(name, options);
  if (found === null) {
    if (options.resume !== undefined)
      say(`${options.output}: no checkpoint there yet, so the run begins`);
    return options;
  }
  const { run, folder } = found;
  const source = (name: string): string | undefined => command.getOptionValueSource(name);
  const isGiven = (name: string): boolean => ![undefined, "default"].includes(source(name));
  const differs = (flag: string, was: unknown, is: unknown): DataError =>
    new DataError(
      { file: folder },
      `--${flag} must be as it was when the run was begun, ${String(was)}, got ${String(is)}; leave it out, or train anew into another folder`,
    );
  for (const name of FIXED)
    if (isGiven(name) && options[name] !== run.options[name])
      throw differs(flagOf(name), run.options[name], options[name]);
  const inherited = INHERITED.filter((name) => !isGiven(name) && run.options[name] !== undefined);
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
  await checkData(all.data, run.data, folder);
  return all;
}

/** Whether a training evaluates, and needs data for that. */
export const evaluating = ({ evalSteps, patience }: Partial<TrainingOptions>): boolean =>
  evalSteps !== undefined || patience !== undefined;

/** An option as it is written on the command line. */
const flagOf = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

async function checkData(
  file: string | undefined,
  was: DataIdentity | null,
  folder: string,
): Promise<void> {
  const wrong = (problem: string): DataError =>
    new DataError(
      { file: folder },
      `--data must be the data that the run was begun with, ${problem}`,
    );
  if (was === null && file !== undefined)
    throw wrong("made-up resumes; leave it out, or train anew into another folder");
  if (was === null || file === undefined) return;
  const { sha256 } = await describeFile(file).catch((error: unknown) => {
    throw wrong(`which cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (sha256 !== was.sha256)
    throw wrong(
      `${was.path} with SHA-256 ${was.sha256.slice(0, 12)}…; that of ${file} is ${sha256.slice(0, 12)}…`,
    );
}

/** How the run was begun that is to go on, and the checkpoint that says so; null where there is none yet. */
async function findSavedRun(
  command: string,
  { resume, output }: TrainingOptions,
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
  return null;
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
