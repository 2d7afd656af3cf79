/** One training at a time writes into a folder; a killed one does not keep it. */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockFolder } from "../../src/cli/folder-lock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

const heldBy = (pid: number, host: string): Promise<void> =>
  writeFile(join(folder, ".training.lock"), `${pid} ${host}\n`);

test("a second one is refused until the first is done", async () => {
  const release = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toThrow(
    `${folder}: a training writes there (process ${process.pid} on ${hostname()})`,
  );
  await release();
  expect(await readdir(folder)).toEqual([]);
  await (
    await lockFolder(folder)
  )();
});

test("a process that is gone does not hold it, one that lives does", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  const gone = new Promise((resolve) => child.on("exit", resolve));
  await heldBy(child.pid!, hostname());
  await expect(lockFolder(folder)).rejects.toThrow(`process ${child.pid}`);
  child.kill("SIGKILL");
  await gone;
  await (
    await lockFolder(folder)
  )();
  expect(await readdir(folder)).toEqual([]);
});

test("of a process on another computer nothing is known", async () => {
  await heldBy(1, "another-computer");
  await expect(lockFolder(folder)).rejects.toThrow("process 1 on another-computer");
});
