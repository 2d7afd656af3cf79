/** Every operation that any file of src/ops defines has samples, imported by the library or not. */

import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import * as root from "../../src/index.ts";
import * as F from "../../src/nn/functional/index.ts";
import { Tensor } from "../../src/tensor.ts";
import { registry } from "../../src/graph/op.ts";
import type { Sample } from "./sample.ts";
import { exempt, families } from "./samples.ts";

test("every operation has samples", async () => {
  const folder = new URL("../../src/ops/", import.meta.url);
  for (const file of await readdir(folder)) await import(new URL(file, folder).href);
  const sampled = new Set(
    Object.values<readonly Sample[]>(families).flatMap((list) => list.map(({ op }) => op)),
  );
  const missing = [...registry.keys()].filter((op) => !sampled.has(op) && !(op in exempt));
  expect(missing, "operations without samples in test/ops/samples").toEqual([]);
  const isPublic = (op: string): boolean => op in Tensor.prototype || op in root || op in F;
  const unknown = [...sampled, ...Object.keys(exempt)].filter(
    (op) => !registry.has(op) && !isPublic(op),
  );
  expect(unknown, "samples of what is neither an operation nor a public function").toEqual([]);
});
