/** Weights on disk: `saveFile` and `loadFile`, as the Python package safetensors names them. */

import type { StateDict } from "../nn/module.ts";
import { fromSafetensors, toSafetensors } from "./safetensors.ts";

/** Writes a state dict as a safetensors file, which appears whole or not at all. Node only. */
export async function saveFile(tensors: StateDict, path: string): Promise<void> {
  const { writeFileAtomic } = await import("../data/atomic-write.ts");
  await writeFileAtomic(path, await toSafetensors(tensors));
}

/**
 * Reads a safetensors file, e.g. for `model.loadStateDict(await loadFile(path))`. Node only.
 * @throws Error naming the file and what is wrong with it.
 */
export async function loadFile(path: string): Promise<StateDict> {
  const { readFile } = await import("node:fs/promises");
  const bytes = await readFile(path);
  try {
    return fromSafetensors(bytes).tensors;
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}
