/** Run folders: what is written, what survives a kill and a full disk, and what readers make of damage. */
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AppendFile, type AppendHandle } from "../../src/train/logging/append-file.ts";
import { curveName, curvesOf, smooth } from "../../src/train/logging/curves.ts";
import { describeFile, type RunConfig } from "../../src/train/logging/run-config.ts";
import { RunFolderLogger } from "../../src/train/logging/run-folder.ts";
import { listRuns, readRun } from "../../src/train/logging/run-reader.ts";
import { temporaryFolder } from "../data/temp.ts";
import { endedAt, evaluationAt, started, stepAt } from "./logging-events.ts";

const { folder, file } = temporaryFolder();
const at = (name: string) => join(folder, name);
const metricsOf = (run: string) => join(run, "metrics.jsonl");
const linesOf = (run: string) => readFileSync(metricsOf(run), "utf8").trimEnd().split("\n");

/** A run of some steps that ends as told. */
async function write(run: string, steps: readonly number[], { from = 0, end = true } = {}) {
  const logger = new RunFolderLogger(run, { command: ["loop", "x"], options: { lr: 0.5 } });
  await logger.onEvent(started(from));
  for (const step of steps) await logger.onEvent(stepAt(step, 1 / step));
  if (end) await logger.onEvent(endedAt(steps.at(-1) ?? from));
  await logger.close();
  return run;
}

describe("a run folder", () => {
  test("tells how to repeat the run, each event, and how it ended", async () => {
    const data = await describeFile(file("abc.txt", "abc"));
    expect([data.bytes, data.sha256.slice(0, 8)]).toEqual([3, "ba7816bf"]);
    const options = { lr: 0.5, data: "abc.txt" };
    const logger = new RunFolderLogger(at("whole"), {
      command: ["loop", "train"],
      ...{ options, seed: 7, device: "cpu", data },
    });
    await logger.onEvent(started(0));
    await logger.onEvent(stepAt(1, 2, { gradNorm: 3 }));
    await logger.onEvent(stepAt(2, NaN));
    await logger.onEvent(evaluationAt(2, { f1: 0.25 }, true));
    expect((await readRun(at("whole"))).status).toBe("running");
    await logger.onEvent(endedAt(2, { reason: "earlyStopping", bestMetric: 0.25 }));
    await logger.close();

    expect(readdirSync(at("whole")).sort()).toEqual([
      "config.json",
      "metrics.jsonl",
      "summary.json",
    ]);
    const config = JSON.parse(readFileSync(join(at("whole"), "config.json"), "utf8")) as RunConfig;
    const pinned = JSON.parse(readFileSync("package.json", "utf8")) as {
      dependencies: Record<string, string>;
    };
    expect(config).toMatchObject({
      ...{ name: "whole", command: ["loop", "train"], options, seed: 7, device: "cpu", data },
      versions: {
        node: process.versions.node,
        "onnxruntime-node": pinned.dependencies["onnxruntime-node"],
      },
    });
    expect(linesOf(at("whole")).map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(
      [...["start", "step", "step", "evaluation", "end"]],
    );
    const run = await readRun(at("whole"));
    expect(run).toMatchObject({ status: "finished", step: 2, steps: 10, seconds: 2, problems: [] });
    expect(run.best).toEqual({ step: 2, metrics: { f1: 0.25 } });
    expect(run.curves.get("train/loss")).toEqual({ steps: [1, 2], values: [2, NaN] });
    expect(run.curves.get("train/gradNorm")).toEqual({ steps: [1], values: [3] });
    expect(run.summary).toMatchObject({ reason: "earlyStopping", bestMetric: 0.25 });
    expect(run.summary?.metrics["eval/f1"]).toBe(0.25);
  });

  test("of a run that goes on has each step once, a half line or not", async () => {
    const run = await write(at("resumed"), [1, 2, 3, 4, 5], { end: false });
    appendFileSync(metricsOf(run), '{"type":"step","ste');
    await write(run, [4, 5, 6], { from: 3 });
    const { curves, config, seconds, status } = await readRun(run);
    expect(curves.get("train/loss")!.steps).toEqual([1, 2, 3, 4, 5, 6]);
    expect(config?.resumed.map(({ step, options }) => [step, options])).toEqual([[3, { lr: 0.5 }]]);
    expect([seconds, status]).toEqual([3 + 6, "finished"]);
  });

  test("is begun anew by a run that begins", async () => {
    const run = await write(at("again"), [1, 2, 3]);
    await write(run, [1]);
    expect((await readRun(run)).curves.get("train/loss")!.steps).toEqual([1]);
  });

  test("says that a run failed, and why", async () => {
    const logger = new RunFolderLogger(at("failed"));
    await logger.onEvent(started(0));
    logger.fail(new Error("no more memory"));
    await logger.close();
    const { status, summary } = await readRun(at("failed"));
    expect([status, summary?.error]).toEqual(["failed", "no more memory"]);
    await write(at("silent"), [1], { end: false });
    expect((await readRun(at("silent"))).status).toBe("failed");
  });

  test("of a process that was killed has whole lines and is called interrupted", () => {
    const script = `
      import { RunFolderLogger } from "./src/train/logging/run-folder.ts";
      import { started, stepAt } from "./test/train/logging-events.ts";
      const logger = new RunFolderLogger(${JSON.stringify(at("killed"))});
      await logger.onEvent(started(0));
      for (let step = 1; ; step++) {
        void logger.onEvent(stepAt(step, 1));
        if (step === 500) setTimeout(() => process.kill(process.pid, "SIGKILL"), 5);
        if (step % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      }`;
    const args = ["--import", "tsx", "--input-type=module", "-e", script];
    expect(spawnSync(process.execPath, args, { stdio: "ignore" }).signal).toBe("SIGKILL");
    return expect(readRun(at("killed"))).resolves.toMatchObject({
      status: "interrupted",
      problems: [],
    });
  });
});

describe("a piece that cannot be written whole", () => {
  /** A file in memory whose disk has some space, and gives at most 4 bytes a write. */
  class Disk implements AppendHandle {
    content: number[] = [];
    space = Infinity;
    broken = false;
    write(bytes: Uint8Array) {
      if (this.broken) return Promise.reject(new Error("EIO"));
      const some = bytes.subarray(0, Math.min(4, this.space - this.content.length));
      if (some.length === 0) return Promise.reject(new Error("ENOSPC"));
      this.content.push(...some);
      return Promise.resolve({ bytesWritten: some.length });
    }
    truncate(length: number) {
      if (this.broken) return Promise.reject(new Error("EIO"));
      this.content.length = length;
      return Promise.resolve();
    }
    sync = () => Promise.resolve();
    close = () => Promise.resolve();
    get text() {
      return Buffer.from(this.content).toString();
    }
  }
  const bytes = (text: string) => new TextEncoder().encode(text);

  test("leaves nothing of itself", async () => {
    const disk = new Disk();
    const appended = new AppendFile(disk, 0);
    await appended.append(bytes("first line\n"));
    disk.space = 18;
    await expect(appended.append(bytes("second line\n"))).rejects.toThrow("ENOSPC");
    expect(disk.text).toBe("first line\n");
    disk.space = Infinity;
    await appended.append(bytes("third\n"));
    expect(disk.text).toBe("first line\nthird\n");
  });

  test("is taken back later where that fails at first", async () => {
    const disk = new Disk();
    const appended = new AppendFile(disk, 0);
    disk.space = 3;
    const write = disk.write.bind(disk);
    disk.write = (piece) => {
      const written = write(piece);
      disk.broken = true;
      return written;
    };
    await expect(appended.append(bytes("first\n"))).rejects.toThrow("EIO");
    expect(disk.text).toBe("fir");
    disk.write = write;
    await expect(appended.append(bytes("second\n"))).rejects.toThrow("EIO");
    disk.broken = false;
    disk.space = Infinity;
    await appended.append(bytes("third\n"));
    await appended.close();
    expect(disk.text).toBe("third\n");
  });
});

describe("readers", () => {
  test("tolerate a last line that was cut short, and name it", async () => {
    const run = await write(at("cut"), [1, 2]);
    appendFileSync(metricsOf(run), '{"type":"st');
    const { problems, step } = await readRun(run);
    expect(problems).toEqual(["metrics.jsonl: line 5 was cut short and is left out"]);
    expect(step).toBe(2);
  });

  test.each([
    ["metrics.jsonl", "{]\n", "line 1: is damaged: it is not JSON"],
    ["metrics.jsonl", "[]\n", "line 1: is damaged: it is no JSON object"],
    ["metrics.jsonl", '{"type":"end"}\n', "line 1: is damaged: its step is no number"],
    [
      "metrics.jsonl",
      '{"type":"step","step":1,"time":1,"metrics":{"a":"x"}}\n',
      "line 1: is damaged: its metrics are no numbers",
    ],
    ["config.json", '{"format":"learning-loop-run/1"}', "config.json: is damaged: name, command"],
    ["config.json", "{", "config.json: is damaged: it is not JSON"],
    ["summary.json", "{}", "summary.json: is damaged: status, step"],
  ])("name damage: %s %s", async (name, content, message) => {
    const run = await write(at(`damaged-${message.length}-${content.length}`), [1]);
    writeFileSync(join(run, name), content);
    await expect(readRun(run)).rejects.toThrow(message);
    const [found] = await listRuns(run);
    expect(found?.error?.message).toContain(message);
  });

  test("say what is none of a run, and obey their limit", async () => {
    await expect(readRun(at("nowhere"))).rejects.toThrow("is no run folder");
    await expect(listRuns(at("nowhere"))).rejects.toThrow("no such folder; check the path");
    const run = await write(at("large"), [1, 2]);
    await expect(readRun(run, { maxBytes: 10 })).rejects.toThrow("the limit is 10");
  });

  test("find runs below a folder, not in checkpoints, and take no model for one", async () => {
    const runs = at("many");
    await write(join(runs, "b"), [1]);
    await write(join(runs, "a", "nested"), [1]);
    await write(join(runs, "b", "checkpoint-1"), [1]);
    mkdirSync(join(runs, "model"));
    writeFileSync(join(runs, "model", "config.json"), '{"model_type":"bert"}');
    const found = await listRuns(`${runs}/`);
    expect(found.map(({ folder }) => folder)).toEqual([`${runs}/a/nested`, `${runs}/b`]);
  });
});

describe("curves", () => {
  test("where a step comes again, what was after it is void", () => {
    const steps = [1, 2, 3, 2, 4];
    const events = steps.map((step, i) => stepAt(step, i));
    const curve = { steps: [1, 2, 4], values: [0, 3, 4] };
    expect(curvesOf(events).get("train/loss")).toEqual(curve);
  });

  test("smoothed as TensorBoard does: bias corrected, NaN skipped", () => {
    // By hand: (0.5·1) / 0.5, (0.25·1 + 0.5·3) / 0.75.
    expect(smooth([1, 3, NaN, 3], 0.5)).toEqual([
      1,
      1.75 / 0.75,
      NaN,
      (0.125 + 0.75 + 1.5) / 0.875,
    ]);
    expect(smooth([4, 5], 0)).toEqual([4, 5]);
    expect(() => smooth([1], 1)).toThrow("weight must be at least 0 and below 1, got 1");
  });

  test("by the name a user gives", () => {
    const names = ["system/memoryBytes", "eval/loss", "train/loss", "eval/f1"];
    const given = ["loss", "f1", "eval/loss", "memoryBytes", "x"];
    expect(given.map((name) => curveName(names, name))).toEqual([
      ...["train/loss", "eval/f1", "eval/loss", "system/memoryBytes", undefined],
    ]);
  });
});
