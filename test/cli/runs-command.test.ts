/** The `runs` command on folders of runs: what it prints, what it writes, and its exit codes. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runRuns, type RunsEnvironment } from "../../src/cli/runs-command.ts";
import { duration } from "../../src/cli/runs-report.ts";
import { RunFolderLogger } from "../../src/train/logging/run-folder.ts";
import { temporaryFolder } from "../data/temp.ts";
import { endedAt, evaluationAt, started, stepAt } from "../train/logging-events.ts";

const { folder } = temporaryFolder();
const runs = join(folder, "runs");
const at = (name: string) => join(runs, name);

async function run(args: readonly string[], environment: Partial<RunsEnvironment> = {}) {
  let [stdout, stderr] = ["", ""];
  const code = await runRuns(args, {
    program: "loop",
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env: {},
    ...environment,
  });
  return { code, stdout, stderr };
}

beforeAll(async () => {
  for (const [name, lr, f1] of [
    ["first", 0.5, 0.25],
    ["second", 0.25, 0.75],
  ] as const) {
    const options = { lr, batchSize: 8 };
    const logger = new RunFolderLogger(at(name), { options, seed: 3, command: ["loop", "ner"] });
    await logger.onEvent(started(0));
    for (let step = 1; step <= 10; step++)
      await logger.onEvent(stepAt(step, lr * (11 - step), { gradNorm: step }));
    await logger.onEvent(evaluationAt(10, { precision: 0.5, f1 }, true));
    await logger.onEvent(endedAt(10, { seconds: 3725, bestMetric: f1 }));
    await logger.close();
  }
});

describe("list", () => {
  test("shows status, steps, loss, best, time and age", async () => {
    const now = () => Date.now() + 7_200_000;
    const { code, stdout, stderr } = await run(["list", runs], { now });
    expect([code, stderr]).toEqual([0, ""]);
    const [header, , first, second] = stdout.split("\n");
    expect(header).toMatch(/^run +status +steps +loss +best +time +age$/);
    expect(first).toMatch(/runs\/first +finished +10\/10 +0\.5 +f1 0\.25 +1 h 2 min +2 h ago$/);
    expect(second).toMatch(/runs\/second +finished +10\/10 +0\.25 +f1 0\.75 +1 h 2 min +2 h ago$/);
  });

  test("prints one line of JSON", async () => {
    const { stdout } = await run(["list", runs, "--json"]);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    const [first] = JSON.parse(stdout) as Record<string, unknown>[];
    expect(first).toMatchObject({
      ...{ name: "first", status: "finished", step: 10, loss: 0.5, seconds: 3725 },
      best: { step: 10, metrics: { precision: 0.5, f1: 0.25 } },
    });
  });

  test("names damaged runs, and shows the others", async () => {
    const broken = join(folder, "broken");
    for (const name of ["a", "b", "c"]) {
      const logger = new RunFolderLogger(join(broken, name));
      await logger.onEvent(started(0));
      await logger.close();
    }
    writeFileSync(join(broken, "a", "config.json"), "{");
    appendFileSync(join(broken, "b", "metrics.jsonl"), '{"type"');
    const { code, stdout } = await run(["list", broken]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/broken\/a +damaged/);
    expect(stdout).toMatch(/broken\/c +failed/);
    expect(stdout).toMatch(/note: .*a\/config\.json: is damaged: it is not JSON/);
    expect(stdout).toMatch(/note: .*b: metrics\.jsonl: line 2 was cut short/);
    const { stdout: json } = await run(["list", broken, "--json"]);
    expect((JSON.parse(json) as { status: string }[]).map(({ status }) => status)).toEqual([
      ...["damaged", "failed", "failed"],
    ]);
  });

  test("says where there is nothing", async () => {
    const empty = join(folder, "empty.txt");
    writeFileSync(empty, "");
    expect(await run(["list", join(folder, "nowhere")])).toMatchObject({
      code: 1,
      stderr: `error: ${folder}/nowhere: no such folder; check the path\n`,
    });
    expect(await run(["list", empty])).toMatchObject({
      code: 1,
      stderr: `error: ${empty}: cannot be read (ENOTDIR)\n`,
    });
  });
});

test("show tells how the run was made, its options and its curves", async () => {
  const { code, stdout } = await run(["show", at("first")]);
  expect(code).toBe(0);
  for (const line of [
    /^first \(.*runs\/first\)$/m,
    /^ {2}status: finished$/m,
    /^ {2}command: loop ner$/m,
    /^ {2}seed: 3$/m,
    /^ {2}versions: learning-loop .*node \d+.*onnxruntime-node \d+/m,
    /^ {2}best: f1 0\.25$/m,
    /^lr +0\.5$/m,
    /^train\/loss +0\.5 +0\.5 +10 +5 +1$/m,
  ])
    expect(stdout).toMatch(line);
  const { stdout: json } = await run(["show", at("first"), "--json"]);
  expect(JSON.parse(json)).toMatchObject({
    config: { options: { lr: 0.5, batchSize: 8 }, seed: 3 },
    metrics: { "train/gradNorm": { last: 10, lowest: 1, lowestStep: 1, highest: 10 } },
  });
  const { stderr } = await run(["show", folder]);
  expect(stderr).toContain("is no run folder");
});

describe("compare", () => {
  test("shows options that differ and values of curves", async () => {
    const { code, stdout } = await run(["compare", at("first"), at("second")]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^option that differs +first +second$/m);
    expect(stdout).toMatch(/^lr +0\.5 +0\.25$/m);
    expect(stdout).not.toContain("batchSize");
    expect(stdout).toMatch(/^train\/loss +second +0\.25 +0\.25 +10 +2\.5 +1$/m);
    expect(stdout).toMatch(/^eval\/f1 +first +0\.25 +0\.25 +10 +0\.25 +10$/m);
    expect(stdout).not.toContain("memoryBytes");
  });

  test("of some metrics, as JSON", async () => {
    const args = ["compare", at("first"), at("second"), "--metric", "f1,loss", "--json"];
    const { stdout } = await run(args);
    const json = JSON.parse(stdout) as {
      options: unknown;
      runs: { metrics: Record<string, { last: number }> }[];
    };
    expect(json.options).toEqual({ lr: [0.5, 0.25] });
    expect(
      json.runs.map(({ metrics }) => [Object.keys(metrics), metrics["eval/f1"]!.last]),
    ).toEqual([
      [["eval/f1", "train/loss"], 0.25],
      [["eval/f1", "train/loss"], 0.75],
    ]);
  });

  test("a run with itself has no options that differ, and is told by its folder", async () => {
    const { stdout } = await run(["compare", at("first"), `${at("first")}/`]);
    expect(stdout).toContain("all options are the same");
    expect(stdout).toMatch(/train\/loss +\S*runs\/first +0\.5/);
  });
});

describe("plot", () => {
  test("draws in the terminal, as wide as it is less one column, which some terminals wrap at", async () => {
    const write = { text: "" };
    const stdout = { columns: 40, write: (text: string) => (write.text += text) };
    const { code } = await run(["plot", at("first")], { stdout });
    expect(code).toBe(0);
    expect(write.text).toContain("train/loss by step");
    expect(write.text).toMatch(/━━ first {2}0\.5$/m);
    expect(Math.max(...write.text.split("\n").map((line) => line.length))).toBe(39);
    const colours = { ...stdout, isTTY: true };
    await run(["plot", at("first"), at("second")], { stdout: colours });
    expect(write.text).toContain("\x1b[");
    write.text = "";
    await run(["plot", at("first"), at("second")], { stdout: colours, env: { NO_COLOR: "1" } });
    expect(write.text).not.toContain("\x1b[");
    expect(write.text).toMatch(/○ second {2}0\.25$/m);
  });

  test("writes SVG and HTML", async () => {
    const svg = join(folder, "loss.svg");
    const args = ["plot", at("first"), at("second"), "--smooth", "0.5", "--output"];
    expect(await run([...args, svg, "--metric", "loss", "--metric", "gradNorm"])).toEqual({
      ...{ code: 0, stdout: "", stderr: `wrote ${svg}\n` },
    });
    expect(readFileSync(svg, "utf8").match(/by step<\/text>/g)).toHaveLength(2);
    const html = join(folder, "report.html");
    await run([...args, html]);
    const page = readFileSync(html, "utf8");
    expect(page).toMatch(/"title":"eval\/f1"/);
    expect(page).toMatch(/"title":"system\/memoryBytes"/);
    expect(page).toContain('value="0.5"');
    const missing = await run([...args, join(folder, "no", "x.svg")]);
    expect([missing.code, missing.stderr]).toEqual([
      1,
      expect.stringContaining("cannot be written"),
    ]);
  });

  test("gives curves as JSON", async () => {
    const { stdout } = await run(["plot", at("second"), "--metric", "eval/f1", "--json"]);
    expect(JSON.parse(stdout)).toEqual({
      runs: [
        {
          name: "second",
          folder: at("second"),
          curves: { "eval/f1": { steps: [10], values: [0.75] } },
        },
      ],
    });
  });

  test("names the curves there are", async () => {
    const { code, stderr } = await run(["plot", at("first"), "--metric", "bleu"]);
    expect(code).toBe(1);
    expect(stderr).toContain('no curve "bleu"; there are train/loss, train/lr, train/gradNorm');
  });
});

test.each([
  [["plot", "x", "--smooth", "1"], "Expected a number from 0 to below 1."],
  [["plot", "x", "--output", "x.png"], "Expected a file that ends in .svg or .html."],
  [["plot"], "missing required argument 'runs'"],
  [["compare", "x"], "compare needs at least two runs"],
  [["list", "a", "b"], "too many arguments"],
  [["erase"], "unknown command 'erase'"],
  [[], "Usage: loop runs"],
])("wrong usage %j is told, with exit code 2", async (args, message) => {
  const { code, stdout, stderr } = await run(args);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(message);
});

test.each(["list", "show", "compare", "plot"])("%s --help has an example", async (command) => {
  const { code, stdout } = await run([command, "--help"]);
  expect(code).toBe(0);
  expect(stdout).toContain(`Usage: loop runs ${command} [options]`);
  expect(stdout).toMatch(new RegExp(`Example:\n {2}loop runs ${command} `));
});

test.each([
  [0, "0 s"],
  [59.6, "1 min"],
  [61, "1 min 1 s"],
  [3600, "1 h"],
  [90_061, "1 d 1 h"],
])("%d seconds are %s", (seconds, text) => expect(duration(seconds)).toBe(text));

test("nothing was written beside", () => expect(existsSync(join(folder, "no"))).toBe(false));
