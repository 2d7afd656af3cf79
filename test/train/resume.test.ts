/** A run that is killed goes on bit for bit, wherever it was killed: between steps, in one, while writing a checkpoint. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Rng } from "../../src/data/rng.ts";
import { bundle } from "./bundle.ts";
import { makeRun, STEPS } from "./resume-run.ts";

const KILLS = 20;
const folder = mkdtempSync(join(tmpdir(), "learning-loop-resume-"));
afterAll(() => rmSync(folder, { recursive: true }));
const last = `checkpoint-${STEPS}`;
let script: string;

beforeAll(async () => {
  mkdirSync(join(folder, "bundle"));
  const source = fileURLToPath(new URL("resume-run.ts", import.meta.url));
  script = await bundle(source, join(folder, "bundle"));
  await makeRun(join(folder, "straight")).train();
}, 60_000);

/** All files of the last checkpoint, with paths of the run's folder taken out. */
function files(run: string): Record<string, string> {
  const at = join(folder, run, last);
  const names = readdirSync(at).filter((name) => name !== "checksums.json");
  expect(names).toContain("trainer_state.json");
  const read = (name: string): string =>
    readFileSync(join(at, name), "latin1").replaceAll(join(folder, run), "RUN");
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}

/** When a process is killed: some milliseconds after it has logged so often, or in the midst of a call for a file. */
type Kill = { readonly logs: number; readonly delay: number } | { readonly calls: number };

/** Takes up a run in a process. Returns whether it ended by itself. */
function train(run: string, kill: Kill | null): Promise<boolean> {
  const calls = kill !== null && "calls" in kill ? [String(kill.calls)] : [];
  const child = spawn(process.execPath, [script, join(folder, run), ...calls]);
  let errors = "";
  let logs = 0;
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  child.stdout.on("data", (data: Buffer) => {
    const before = logs;
    logs += data.toString().split("\n").length - 1;
    if (kill !== null && "logs" in kill && before < kill.logs && logs >= kill.logs)
      setTimeout(() => child.kill("SIGKILL"), kill.delay);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (errors === "" && (code === 0 || code === null)) resolve(code === 0);
      else reject(new Error(`the run ended with ${String(code)}: ${errors}`));
    });
  });
}

test("100 steps, and 100 more by another process, are 200", async () => {
  await makeRun(join(folder, "halves"), { maxSteps: 100 }).train();
  expect(await train("halves", null)).toBe(true);
  const halves = files("halves");
  // The first half knew of no more steps, evaluated at its end, and logged there.
  const { history, ...weights } = split(halves);
  const { history: straight, ...expected } = split(files("straight"));
  expect(weights).toEqual(expected);
  expect(history.at(-1)).toEqual(straight.at(-1));
});

function split(all: Record<string, string>): Record<string, unknown> & { history: unknown[] } {
  const { "trainer_state.json": state, ...rest } = all;
  const { log_history: history } = JSON.parse(state!) as { log_history: unknown[] };
  return { ...rest, history };
}

test(`killed at ${KILLS} random moments`, { timeout: 120_000 }, async () => {
  const straight = files("straight");
  const rng = new Rng("kills");
  const kill = (): Kill =>
    rng.chance(0.5) ? { logs: rng.int(1, 12), delay: rng.int(0, 20) } : { calls: rng.int(3, 150) };
  const leftOver = (run: string): string[] =>
    readdirSync(join(folder, run)).filter((entry) => entry.startsWith("."));
  let kills = 0;
  let torn = 0;
  // Two runs at once, each taken up until it has ended, again and again.
  const lane = async (name: string): Promise<void> => {
    for (let round = 0; kills < KILLS; round++) {
      const run = `${name}-${round}`;
      while (!(await train(run, kills < KILLS ? kill() : null))) {
        kills++;
        if (leftOver(run).length > 0) torn++;
      }
      expect(files(run)).toEqual(straight);
      expect(leftOver(run)).toEqual([]);
    }
  };
  await Promise.all([lane("a"), lane("b")]);
  expect(kills).toBeGreaterThanOrEqual(KILLS);
  expect(torn, "kills in the midst of a checkpoint").toBeGreaterThan(3);
});

test("a damaged checkpoint is passed over with a warning, and the run is the same", async () => {
  const run = join(folder, "damaged");
  await makeRun(run, { maxSteps: 30 }).train();
  const weights = join(run, "checkpoint-30", "model.safetensors");
  const bytes = readFileSync(weights);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(weights, bytes);
  const trainer = makeRun(run);
  const warnings: string[] = [];
  for await (const event of trainer.run()) {
    if (event.type === "start")
      expect(event).toMatchObject({ step: 25, resumedFrom: join(run, "checkpoint-25") });
    if (event.type === "warning") warnings.push(event.message);
  }
  expect(warnings).toEqual([
    expect.stringMatching(/checkpoint-30\/model\.safetensors: is damaged.*older/),
  ]);
  expect(split(files("damaged"))).toEqual(split(files("straight")));
});
