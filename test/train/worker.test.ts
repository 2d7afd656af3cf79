/** Runs in workers: their events, errors, ends, and that the caller's event loop stays free. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import type { TrainingEvent } from "../../src/train/events.ts";
import { runHere, runInWorker } from "../../src/train/worker.ts";
import * as runs from "./worker-runs.ts";
import { train } from "./worker-training.ts";

const TRAINING = new URL("worker-training.ts", import.meta.url);
const MODULE = new URL("worker-runs.ts", import.meta.url);
const start = (name: string, options: unknown = {}, signal?: AbortSignal) =>
  runInWorker<number, number>(MODULE, name, options, signal === undefined ? {} : { signal });

async function all<T>(events: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const event of events) found.push(event);
  return found;
}

test("events and the result come from a worker, and from this thread alike", async () => {
  for (const run of [start("count", { to: 5 }), runHere(runs.count, { to: 5 })]) {
    expect(await all(run)).toEqual([1, 2, 3, 4, 5]);
    expect(await run.result).toBe(15);
    run.pause();
    run.stop();
  }
  const unread = start("count", { to: 5 });
  expect(await unread.result).toBe(15);
  expect(await all(unread)).toEqual([1, 2, 3, 4, 5]);
});

describe("what goes wrong is thrown, with the message and the stack of there", () => {
  test.each([
    ["fail", "it went wrong", [1]],
    ["crash", "the worker is lost: uncaught", [1]],
    ["exit", "its exit code is 3", [1]],
    ["unsendable", "could not be cloned", []],
    ["missing", 'no function "missing"; there are count,', []],
    ["notAFunction", 'no function "notAFunction"', []],
    ["toString", 'no function "toString"', []],
  ])("%s", async (name, message, events) => {
    const run = start(name);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const event of run) seen.push(event);
    })();
    await expect(reading).rejects.toThrow(message);
    await expect(run.result).rejects.toThrow(message);
    expect(seen).toEqual(events);
  });

  test("errors keep name, stack, cause and fields", async () => {
    for (const run of [start("fail"), runHere(runs.fail, {})]) {
      const error = await run.result.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ name: "TypeError", code: "EWRONG", step: 7 });
      expect(error).toHaveProperty("cause.name", "RangeError");
      expect((error as Error).stack).toContain("worker-runs");
      expect(Object.keys(error as Error)).toEqual(["code", "step"]);
    }
  });

  test("a module that is not there, options that cannot be copied, a worker that serves nothing", async () => {
    const nowhere = new URL("nowhere.ts", import.meta.url);
    await expect(runInWorker(nowhere, "train", {}).result).rejects.toThrow("nowhere");
    await expect(start("count", { to: () => 5 }).result).rejects.toThrow("could not be cloned");
    const silent = new Worker("", { eval: true });
    await expect(runInWorker(silent, "train", {}).result).rejects.toThrow(
      "it ended before its run",
    );
  });
});

test(
  "an AbortSignal ends the run with its reason, also one that hangs",
  { timeout: 20_000 },
  async () => {
    const aborted = start("count", { to: 1 }, AbortSignal.abort(new Error("before")));
    await expect(aborted.result).rejects.toThrow("before");
    for (const [module, name] of [
      [TRAINING, "train"],
      [MODULE, "hang"],
    ] as const) {
      const controller = new AbortController();
      const { signal } = controller;
      const run = runInWorker(module, name, { maxSteps: 1e6 }, { signal });
      const reading = (async () => {
        for await (const event of run)
          if (event !== undefined) controller.abort(new Error("enough"));
      })();
      await expect(reading).rejects.toThrow("enough");
      await expect(run.result).rejects.toThrow("enough");
    }
  },
);

test("leaving the loop early ends the run", async () => {
  const run = runInWorker(TRAINING, "train", { maxSteps: 1e6 });
  for await (const event of run) if (event !== undefined) break;
  await expect(run.result).rejects.toThrow("left unread");
});

test("a training in a worker can be paused, resumed and stopped, and saves when it is stopped", async () => {
  const output = mkdtempSync(join(tmpdir(), "learning-loop-worker-"));
  try {
    const run = runInWorker<TrainingEvent, { steps: number; reason: string }>(TRAINING, "train", {
      maxSteps: 1e6,
      output,
    });
    run.pause();
    const seen: string[] = [];
    for await (const event of run) {
      if (seen.at(-1) !== event.type) seen.push(event.type);
      if (event.type === "paused") setTimeout(() => run.resume(), 50);
      if (event.type === "step" && event.step >= 20) run.stop();
    }
    expect(seen).toEqual(["start", "paused", "resumed", "step", "checkpoint", "end"]);
    const { steps, reason } = await run.result;
    expect(reason).toBe("stopped");
    expect(readdirSync(output)).toEqual([`checkpoint-${steps}`]);
  } finally {
    rmSync(output, { recursive: true });
  }
});

test("a training here and in a worker is the same, and only here it keeps the event loop", async () => {
  const losses = (events: readonly TrainingEvent[]): number[] =>
    events.flatMap((event) => (event.type === "step" ? [event.loss] : []));
  const delays: number[] = [];
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    delays.push(now - last - 5);
    last = now;
  }, 5);
  const run = runInWorker<TrainingEvent>(TRAINING, "train", { maxSteps: 300 });
  const there = losses(await all(run));
  clearInterval(timer);
  // Other programs delay a few turns of any event loop.
  const sorted = delays.sort((a, b) => a - b);
  expect(sorted[Math.floor(0.95 * sorted.length)]).toBeLessThan(50);
  expect(there).toHaveLength(60);
  expect(losses(await all(runHere(train, { maxSteps: 300 })))).toEqual(there);
});
