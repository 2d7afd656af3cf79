/** Everything a training run is made of, saved in Hugging Face's layout and taken up again bit for bit. */

import { tensor } from "../creation.ts";
import { fromSafetensors, toSafetensors } from "../hub/safetensors.ts";
import type { Module, StateDict } from "../nn/module.ts";
import type { AveragedModel } from "../optim/averaging.ts";
import {
  toTorchState,
  type OptimizerState,
  type TorchOptimizerState,
} from "../optim/state-dict.ts";
import { defaultGenerator, type Generator } from "../random.ts";
import {
  CheckpointError,
  json,
  readCheckpoint,
  writeCheckpoint,
  type CheckpointFiles,
  type FolderOptions,
  type FoundCheckpoint,
} from "./checkpoint-folder.ts";
import type { TrainerState } from "./trainer-state.ts";

/** Something whose state is plain JSON: a schedule, a data loader, random numbers on the host. */
export interface Stateful {
  /** What is saved. */
  stateDict(): unknown;
  /** Goes on from what was saved. */
  loadStateDict(state: never): void;
}

/** An optimizer, as checkpoints see it. */
export interface StatefulOptimizer {
  /** What is saved. */
  stateDict(): OptimizerState;
  /** Goes on from what was saved. */
  loadStateDict(state: OptimizerState | TorchOptimizerState): void;
}

/** Something that can be gone on with from a position: a DataLoader. */
export interface Positioned {
  /** Where the data stands, as plain values. */
  cursor(): unknown;
  /** Goes on from where a cursor was taken. */
  seek(cursor: never): void;
}

/** One thing, or several by name. */
export type OneOrMore<T> = T | Readonly<Record<string, T>>;

/** What a checkpoint holds. What is left out is neither saved nor loaded. */
export interface CheckpointParts {
  /** `model.safetensors`; several by name: `model.<name>.safetensors`. */
  readonly model?: OneOrMore<Module>;
  /** `optimizer.safetensors` and, with the groups' options, `optimizer.json`; several: `optimizer.<name>.…`. */
  readonly optimizer?: OneOrMore<StatefulOptimizer>;
  /** `scheduler.json`; several: `scheduler.<name>.json`. */
  readonly schedule?: OneOrMore<Stateful>;
  /** `average.safetensors`; several: `average.<name>.safetensors`. */
  readonly average?: OneOrMore<AveragedModel>;
  /** `rng_state.json` holds their states, and that of the default generator. */
  readonly generators?: Readonly<Record<string, Generator>>;
  /** More that is kept as JSON, in `rng_state.json`: random numbers on the host. */
  readonly host?: Readonly<Record<string, Stateful>>;
  /** `data_cursor.json`: where a DataLoader stands. The Trainer keeps that in its state. */
  readonly data?: Positioned;
  /** `trainer_state.json`. */
  readonly state?: TrainerState;
  /** More files by name, e.g. `config.json` and a tokenizer's; saved only. */
  readonly files?: CheckpointFiles;
}

/**
 * Saves a training run as `output/checkpoint-<step>`, which appears whole or not at all; returns the folder.
 * @throws CheckpointError where it cannot be written; older checkpoints are as they were.
 */
export async function saveCheckpoint(
  output: string,
  step: number,
  parts: CheckpointParts,
  options: FolderOptions = {},
): Promise<string> {
  const files: Record<string, Uint8Array | string> = { ...parts.files };
  for (const [name, model] of named("model", parts.model))
    files[`${name}.safetensors`] = await toSafetensors(model.stateDict());
  for (const [name, optimizer] of named("optimizer", parts.optimizer)) {
    const { state, paramGroups } = optimizer.stateDict();
    const tensors: StateDict = {};
    for (const [number, entry] of Object.entries(state))
      for (const [key, t] of Object.entries(entry)) tensors[`state.${number}.${key}`] = t;
    files[`${name}.safetensors`] = await toSafetensors(tensors);
    const { param_groups } = toTorchState({ state: {}, paramGroups });
    files[`${name}.json`] = json({ param_groups });
  }
  for (const [name, schedule] of named("scheduler", parts.schedule))
    files[`${name}.json`] = json(schedule.stateDict());
  for (const [name, average] of named("average", parts.average))
    files[`${name}.safetensors`] = await toSafetensors(average.stateDict());
  const generators: Record<string, number[]> = {};
  for (const [name, { state }] of generatorsOf(parts))
    generators[name] = Array.from((await state.data()) as Uint32Array);
  const host = Object.entries(parts.host ?? {}).map(
    ([name, of]) => [name, of.stateDict()] as const,
  );
  files["rng_state.json"] = json({ generators, host: Object.fromEntries(host) });
  if (parts.data !== undefined) files["data_cursor.json"] = json(parts.data.cursor());
  if (parts.state !== undefined) files["trainer_state.json"] = json(parts.state);
  return writeCheckpoint(output, step, files, options);
}

/**
 * Takes up a checkpoint: a folder, or what `latestCheckpoint` found. The parts must be made as they were when it was
 * saved. Returns its `trainer_state.json`, null where it has none.
 * @throws CheckpointError naming the file that is missing, damaged or does not fit.
 */
export async function loadCheckpoint(
  from: string | Pick<FoundCheckpoint, "folder" | "files">,
  parts: CheckpointParts,
  options: FolderOptions = {},
): Promise<TrainerState | null> {
  const folder = typeof from === "string" ? from : from.folder;
  const files = typeof from === "string" ? await readCheckpoint(from, options) : from.files;
  const load = <T>(file: string, take: (bytes: Uint8Array) => T): T => {
    const bytes = files[file];
    if (bytes === undefined) throw new CheckpointError(folder, file, "is missing");
    try {
      return take(bytes);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      throw new CheckpointError(folder, file, `does not fit: ${problem}`, { cause: error });
    }
  };
  const parse = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

  for (const [name, model] of named("model", parts.model))
    load(`${name}.safetensors`, (bytes) => model.loadStateDict(fromSafetensors(bytes).tensors));
  for (const [name, optimizer] of named("optimizer", parts.optimizer)) {
    const tensors = load(`${name}.safetensors`, (bytes) => fromSafetensors(bytes).tensors);
    const state: Record<number, Record<string, (typeof tensors)[string]>> = {};
    for (const [key, t] of Object.entries(tensors)) {
      const [, number, ...rest] = key.split(".");
      (state[Number(number)] ??= {})[rest.join(".")] = t;
    }
    load(`${name}.json`, (bytes) =>
      optimizer.loadStateDict({ ...(parse(bytes) as TorchOptimizerState), state }),
    );
  }
  for (const [name, schedule] of named("scheduler", parts.schedule))
    load(`${name}.json`, (bytes) => schedule.loadStateDict(parse(bytes) as never));
  for (const [name, average] of named("average", parts.average))
    load(`${name}.safetensors`, (bytes) => average.loadStateDict(fromSafetensors(bytes).tensors));
  load("rng_state.json", (bytes) => {
    const { generators, host } = parse(bytes) as {
      generators: Record<string, number[]>;
      host: Record<string, unknown>;
    };
    for (const [name, { state }] of generatorsOf(parts)) {
      const words = generators[name];
      if (words?.length !== 2) throw new Error(`there is no state of the generator "${name}"`);
      state.assign(tensor(words, { dtype: "uint32" }));
    }
    for (const [name, of] of Object.entries(parts.host ?? {}))
      of.loadStateDict(host[name] as never);
  });
  const { data } = parts;
  if (data) load("data_cursor.json", (bytes) => data.seek(parse(bytes) as never));
  return "trainer_state.json" in files
    ? load("trainer_state.json", (bytes) => parse(bytes) as TrainerState)
    : null;
}

/** Parts with the beginnings of their files' names. */
function named<T extends object>(
  kind: string,
  given: OneOrMore<T> | undefined,
): (readonly [string, T])[] {
  if (given === undefined) return [];
  if (!isRecord(given)) return [[kind, given]];
  return Object.entries(given).map(([name, part]) => [`${kind}.${name}`, part] as const);
}

/** Whether several are given by name: a plain object, and no instance of a class. */
const isRecord = <T extends object>(given: OneOrMore<T>): given is Readonly<Record<string, T>> =>
  Object.getPrototypeOf(given) === Object.prototype && !("stateDict" in given);

/** The one thing, or the several, as a list. */
export const listOf = <T extends object>(given: OneOrMore<T> | undefined): T[] =>
  named("", given).map(([, part]) => part);

const generatorsOf = ({ generators = {} }: CheckpointParts): [string, Generator][] =>
  Object.entries({ default: defaultGenerator, ...generators });
