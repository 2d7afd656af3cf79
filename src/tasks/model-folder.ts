/** Finds the model in what a training wrote, so that a run's folder serves wherever a model's does. */
import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { latestCheckpoint } from "../train/checkpoint-folder.ts";

/** The folder of the trained model, a Hugging Face folder, within that of the run. */
export const MODEL = "model";
export const CHECKPOINT = /^checkpoint-\d+$/;

/**
 * The folder with the model of a run: the one it has kept, or else its newest checkpoint that is whole. A folder without
 * either is given back: it may be a model's itself.
 * @throws CheckpointError when there are checkpoints and all are damaged.
 */
export async function modelFolder(folder: string): Promise<string> {
  // The weights are written last.
  const hasModel = await access(join(folder, MODEL, "model.safetensors")).then(
    () => true,
    () => false,
  );
  if (hasModel) return join(folder, MODEL);
  const names = await readdir(folder).catch(() => []);
  if (!names.some((name) => CHECKPOINT.test(name))) return folder;
  const { checkpoint, damaged } = await latestCheckpoint(folder);
  if (checkpoint === null) throw damaged[0] ?? new Error(`${folder}: has no checkpoint`);
  return checkpoint.folder;
}
