/** The folder that a run is saved in. */
import { access } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../data/atomic-write.ts";
import { DataError } from "../data/errors.ts";
import type { Tagger } from "../tasks/ner/tagger.ts";

const RESULT = "result.json";
/** Files by which a saved run is known, also when only a part of it is left. */
const OF_A_RUN = [RESULT, "config.json", "vocabularies.json", "model.safetensors"];

/** @throws DataError when a run is saved in the folder already. */
export async function ensureNoRun(folder: string): Promise<void> {
  for (const name of OF_A_RUN) {
    const isThere = await access(join(folder, name)).then(
      () => true,
      () => false,
    );
    if (!isThere) continue;
    throw new DataError(
      { file: folder },
      `holds a run already (${name}); name another folder, or replace the run with --overwrite`,
    );
  }
}

/** Writes a tagger and its result, a line of JSON, and gives the files' names. */
export async function saveRun(folder: string, tagger: Tagger, result: string): Promise<string> {
  const files = new Map(await tagger.files()).set(RESULT, `${result}\n`);
  for (const [name, content] of files) await writeFileAtomic(join(folder, name), content);
  return [...files.keys()].join(", ");
}
