/** Files are written whole or not at all. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ensureWritableFolder, writeFileAtomic } from "../../src/data/atomic-write.ts";
import { DataError } from "../../src/data/errors.ts";
import { temporaryFolder } from "./temp.ts";

const { folder } = temporaryFolder();

test("replaces a file and leaves nothing else behind", async () => {
  const target = join(folder, "new", "model.json");
  await ensureWritableFolder(join(folder, "new"));
  await writeFileAtomic(target, "old");
  await writeFileAtomic(target, Uint8Array.of(110, 101, 119));
  expect(readFileSync(target, "utf8")).toBe("new");
  expect(readdirSync(join(folder, "new"))).toEqual(["model.json"]);
});

test("keeps the old state when it cannot write", async () => {
  const target = join(folder, "taken");
  mkdirSync(join(target, "x"), { recursive: true });
  await expect(writeFileAtomic(target, "new")).rejects.toThrow(DataError);
  expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  await expect(writeFileAtomic(join(folder, "no", "file"), "x")).rejects.toThrow("ENOENT");
});

test("names a folder that cannot be written to", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  for (const path of [file, join(file, "below")])
    await expect(ensureWritableFolder(path)).rejects.toThrow(
      `${path}: the output folder is not writable (it is, or lies below, a file); name another one`,
    );
  await expect(ensureWritableFolder("/proc/none")).rejects.toThrow(
    "/proc/none: the output folder is not writable (ENOENT); name another one",
  );
});
