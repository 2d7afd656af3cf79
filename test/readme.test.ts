import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

/** Programs of the README with the output it says they print. */
const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```\n+```text\n([\s\S]*?)```/g)].map(
  ([, program, output]) => ({ program: program!, output: output! }),
);

test("the README shows programs with their output", () => {
  expect(examples.length).toBeGreaterThan(0);
});

test.each(examples)("the README's program prints what it says", ({ program, output }) => {
  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  try {
    const file = join(folder, "example.mts");
    const source = (path: string): string =>
      JSON.stringify(pathToFileURL(join(root, "src", path)).href);
    writeFileSync(
      file,
      program.replace(/"learning-loop(?:\/(\w+))?"/g, (_, room: string | undefined) =>
        source(room === undefined ? "index.ts" : `${room}/index.ts`),
      ),
    );
    const { stdout, stderr, status } = spawnSync(process.execPath, ["--import", "tsx", file], {
      cwd: root,
      encoding: "utf8",
    });
    expect({ stdout, stderr, status }).toEqual({ stdout: output, stderr: "", status: 0 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
