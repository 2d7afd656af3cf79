/** A training from the command line that is killed goes on bit for bit, and only with what it was begun with. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { runNer } from "../../src/cli/ner-command.ts";
import { Rng } from "../../src/data/rng.ts";
import { toSpanLine } from "../../src/data/span-lines.ts";
import { generateResumes } from "../../src/tasks/ner/generate/resumes.ts";
import { temporaryFolder } from "../data/temp.ts";
import { start } from "./start.ts";

const { folder, file } = temporaryFolder();
const resumes = generateResumes(12, 3).map(toSpanLine);
const DATA = file("data.jsonl", resumes.join("\n"));
const STEPS = 40;
const straight = join(folder, "straight");
const args = [
  ...["--data", DATA, "--max-steps", String(STEPS), "--batch-size", "4", "--lr", "0.01"],
  ...["--save-steps", "6", "--eval-steps", "8", "--logging-steps", "2", "--keep", "2"],
  "--json",
];

beforeAll(async () => {
  expect(await start([...args, "--output", straight, "--quiet"])).toMatchObject({ code: 0 });
}, 60_000);

/** What a run has made: its result, its model, and its last checkpoint, with paths of its folder taken out. */
function made(run: string): Record<string, string> {
  const checkpoint = `checkpoint-${STEPS}`;
  const names = [
    "result.json",
    ...["model", checkpoint].flatMap((sub) =>
      readdirSync(join(run, sub)).map((name) => join(sub, name)),
    ),
  ].filter((name) => !name.endsWith("checksums.json"));
  expect(names).toContain("model/model.safetensors");
  const read = (name: string) => readFileSync(join(run, name), "latin1").replaceAll(run, "RUN");
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}

test("killed at a few moments", { timeout: 120_000 }, async () => {
  const run = join(folder, "killed");
  const rng = new Rng("kills of the program");
  // Before the first checkpoint, then later and later.
  for (const events of [2, 6, 9]) {
    let isKilled = false;
    const { signal } = await start([...args, "--output", run, "--resume"], {
      onStdout: (text, kill) => {
        if (isKilled || text.split("\n").length <= events) return;
        isKilled = true;
        setTimeout(() => kill("SIGKILL"), rng.int(0, 30));
      },
    });
    expect(signal).toBe("SIGKILL");
  }
  // What is left out is as it was.
  const { code, stderr, stdout } = await start(["--output", run, "--resume"]);
  expect([code, stderr.match(/^error/gm)]).toEqual([0, null]);
  expect(stderr).toMatch(/^going on from .*killed\/checkpoint-\d+$/m);
  expect(stdout).toContain("Scores on");
  expect(made(run)).toEqual(made(straight));
  const losses = (of: string) =>
    readFileSync(join(of, "metrics.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; step: number; loss: number })
      .filter(({ type }) => type === "step")
      .map(({ step, loss }) => [step, loss]);
  expect(losses(straight).length).toBe(STEPS / 2);
  expect(losses(run)).toEqual(losses(straight));
  // A checkpoint is a model's folder too.
  const [first] = readdirSync(run).filter((name) => name.startsWith("checkpoint-"));
  const read = await start(["--model", join(run, first ?? ""), "--quiet"]);
  expect([read.code, read.stderr]).toEqual([0, ""]);
});

test.each<[string, string[], string]>([
  ["another learning rate", ["--lr", "0.1"], "--lr must be as it was"],
  ["another batch", ["--batch-size", "8"], "--batch-size must be as it was"],
  ["another seed", ["--seed", "8"], "--seed must be as it was when the run was begun, 1, got 8"],
  ["other data", ["--data", file("other.jsonl", resumes.slice(1).join("\n"))], "--data must be"],
])("%s is one error naming the option", async (_, changed, message) => {
  let stderr = "";
  const code = await runNer(["--output", straight, "--resume", ...changed, "--quiet"], {
    program: "loop",
    version: "1",
    stdout: { write: () => undefined },
    stderr: { write: (text) => (stderr += text) },
    run: () => {
      throw new Error("training was begun");
    },
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: [^\n]+\n$/);
  expect(stderr).toContain(`straight/checkpoint-${STEPS}: ${message}`);
});
