/** Reads the expected results of samples from the repository, in Node. */

import { readFile } from "node:fs/promises";
import type { Fixture } from "./check.ts";
import type { Family } from "./samples.ts";

export async function readFixture(family: Family): Promise<Fixture> {
  const file = new URL(`../fixtures/ops/${family}.json`, import.meta.url);
  return JSON.parse(await readFile(file, "utf8")) as Fixture;
}
