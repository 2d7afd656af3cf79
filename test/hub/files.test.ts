import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadFile, saveFile } from "../../src/hub/index.ts";
import { randn } from "../../src/index.ts";
import { Linear } from "../../src/nn/index.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weights-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("weights written by one model are another's", async () => {
  const path = join(folder, "model.safetensors");
  const [first, second] = [new Linear(3, 2), new Linear(3, 2)];
  await saveFile(first.stateDict(), path);
  second.loadStateDict(await loadFile(path));
  const x = randn([4, 3]);
  expect(await second.forward(x).toArray()).toEqual(await first.forward(x).toArray());
  expect(await readdir(folder)).toEqual(["model.safetensors"]);
});

test("a file that is none is an error that names it", async () => {
  const path = join(folder, "broken.safetensors");
  await writeFile(path, "not weights");
  await expect(loadFile(path)).rejects.toThrow(/broken\.safetensors: /);
  await expect(loadFile(join(folder, "absent"))).rejects.toThrow(/absent/);
});
