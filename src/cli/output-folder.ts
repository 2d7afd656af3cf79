/** The folder that a run is kept in: its model and result, beside the checkpoints and logs of its training. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ensureWritableFolder, writeFileAtomic } from "../data/atomic-write.ts";
import { DataError } from "../data/errors.ts";
import { CHECKPOINT, MODEL } from "../tasks/model-folder.ts";

const RESULT = "result.json";
/** Files by which a kept model is known, also when only a part of it is left. */
const OF_A_MODEL = [RESULT, MODEL, "vocabularies.json", "model.safetensors"];
/** The pairs that a translator was not trained on, in its run's folder. */
export const HELD_OUT = "held-out.tsv";
/** How the run was begun, in its folder and in each checkpoint. */
export const SAVED_RUN = "training.json";
/** Files of a training's logs and data. */
const OF_LOGS = [
  ...["config.json", "metrics.jsonl", "summary.json", "mlflow.json"],
  ...[HELD_OUT, SAVED_RUN],
];
const EVENTS = /^events\.out\.tfevents\./;

/**
 * Makes sure that nothing is replaced that was not meant to be.
 * @param resume whether a run may go on there.
 * @throws DataError when a run, or with `resume` something else, is kept in the folder already.
 */
export async function ensureNoRun(folder: string, { resume }: { resume: boolean }): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  if (resume && names.some((name) => CHECKPOINT.test(name))) return;
  const odd = names.find(
    (name) =>
      OF_A_MODEL.includes(name) || CHECKPOINT.test(name) || (!resume && OF_LOGS.includes(name)),
  );
  if (odd === undefined) return;
  throw new DataError(
    { file: folder },
    resume
      ? `holds a model already (${odd}), but no checkpoint to go on from; name another folder`
      : `holds a run already (${odd}); name another folder, go on with it with --resume, or replace it with --overwrite`,
  );
}

/** Removes what an earlier training has left of its result, and, unless it is gone on with, of its logs. */
export async function clearResult(folder: string, { resume }: { resume: boolean }): Promise<void> {
  const names = await readdir(folder);
  const old = names.filter(
    (name) =>
      OF_A_MODEL.includes(name) || (!resume && (OF_LOGS.includes(name) || EVENTS.test(name))),
  );
  for (const name of old) await rm(join(folder, name), { recursive: true });
}

/** Writes a model's files and its result, a line of JSON, and gives their names. */
export async function saveRun(
  folder: string,
  model: ReadonlyMap<string, Uint8Array | string>,
  result: string,
): Promise<string> {
  await ensureWritableFolder(join(folder, MODEL));
  const inModel = [...model].map(([name, content]) => [join(MODEL, name), content] as const);
  const files = [...inModel, [RESULT, `${result}\n`] as const];
  await writeFiles(folder, new Map(files));
  return files.map(([name]) => name).join(", ");
}

/** Writes files into a folder that is there, in their order. */
export async function writeFiles(
  folder: string,
  files: ReadonlyMap<string, Uint8Array | string>,
): Promise<void> {
  for (const [name, content] of files) await writeFileAtomic(join(folder, name), content);
}
