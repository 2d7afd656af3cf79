/** 200 steps with dropout are 100, a new process, and 100 more, bit for bit. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { Run } from "./checkpoint.ts";

const folder = mkdtempSync(join(tmpdir(), "learning-loop-resume-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, `${name}.safetensors`);

test("200 steps = 100 + a new process + 100", async () => {
  const first = new Run();
  const losses = await first.train(100);
  await first.save(path("half"));

  const straight = new Run();
  const all = await straight.train(200);
  await straight.save(path("straight"));
  expect(all.slice(0, 100)).toEqual(losses);
  expect(new Set(all).size, "dropout makes every loss another").toBeGreaterThan(190);

  const script = fileURLToPath(new URL("resume-child.ts", import.meta.url));
  const args = ["--import", "tsx", script, path("half"), "100", path("resumed")];
  const child = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(child.stderr).toBe("");
  expect(JSON.parse(child.stdout)).toEqual(all.slice(100));
  expect(readFileSync(path("resumed")).equals(readFileSync(path("straight")))).toBe(true);
});
