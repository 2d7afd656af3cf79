/** Finds the data sets that are not part of the repository. */
import { existsSync } from "node:fs";
import { join } from "node:path";

const ROOT = process.env["LEARNING_LOOP_DATA"] ?? join(import.meta.dirname, "../../../shared/data");

/** The path of a data file when it is there; a test without it is skipped, with the reason in its title. */
export function sharedData(path: string): { file: string; missing: boolean; title: string } {
  const file = join(ROOT, path);
  const missing = !existsSync(file);
  return { file, missing, title: missing ? " (skipped: set LEARNING_LOOP_DATA)" : "" };
}
