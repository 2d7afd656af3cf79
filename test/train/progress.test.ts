/** Progress on a terminal and elsewhere. */
import { expect, test } from "vitest";
import type { TrainingEvent } from "../../src/train/events.ts";
import { Progress } from "../../src/train/progress.ts";
import { endEvent, startEvent, stepEvent } from "./events.ts";

/** What is written of a run of so many steps of 50 ms. */
function record(isTTY: boolean, events: Iterable<TrainingEvent>, columns = 200): string[] {
  const written: string[] = [];
  let time = 0;
  const stream = { isTTY, columns, write: (text: string) => written.push(text) };
  const progress = new Progress({ stream, now: () => time });
  time = 5000;
  for (const event of events) {
    progress.onEvent(event);
    if (event.type === "step") time += 50;
  }
  progress.end();
  return written;
}

function* run(steps: number | null, made: number, from = 0): Generator<TrainingEvent> {
  yield startEvent({ step: from, steps, resumedFrom: from === 0 ? null : "runs/a/checkpoint-9" });
  for (let step = from + 1; step <= made; step++)
    yield stepEvent({ step, steps, seconds: step, etaSeconds: steps && (steps - step) / 20 });
  yield endEvent();
}

const FIGURES = "160 samples/s  lr 0.00123  epoch 0.25  256 MiB";

test("draws one line again and again on a terminal, ten times a second at most", () => {
  const written = record(true, run(100, 100));
  expect(written[0]).toBe(
    `\r\x1b[2K${"░".repeat(24)} step 1/100  loss 2.0000  0:05 left  ${FIGURES}`,
  );
  expect(written[1]).toContain(`█${"░".repeat(23)} step 3/100 `);
  expect(written.at(-3)).toContain("█".repeat(24) + " step 100/100");
  expect(written.slice(-2)).toEqual(["\n", "ended after 0:10\n"]);
  expect(written).toHaveLength(51 + 2);
});

test("a narrow terminal gets a short bar and as many whole figures as fit", () => {
  const line = (columns: number) =>
    record(true, run(100, 1), columns)[0]?.slice("\r\x1b[2K".length);
  const bar = `${"░".repeat(8)} step 1/100`;
  expect(line(95)).toBe(`${bar}  loss 2.0000  0:05 left  ${FIGURES}`);
  expect(line(83)).toBe(`${bar}  loss 2.0000  0:05 left  160 samples/s  lr 0.00123  epoch 0.25`);
  expect(line(80)).toBe(`${bar}  loss 2.0000  0:05 left  160 samples/s  lr 0.00123`);
  expect(line(40)).toBe(`${bar}  loss 2.0000`);
  expect(line(12)).toBe(`${"░".repeat(8)} st`);
  expect(line(0)).toBe(line(80));
});

test("writes ten plain lines elsewhere", () => {
  const written = record(false, run(1440, 1440));
  expect(written).toHaveLength(11);
  expect(written[0]).toBe(`step 144/1440  loss 2.0000  1:05 left  ${FIGURES}\n`);
  expect(written.at(-1)).toBe("ended after 1:17\n");
  expect(written.join("")).not.toContain("\x1b");
});

test("a run that goes on says from where, one without an end has neither bar nor time left", () => {
  const written = record(false, run(20, 20, 9));
  expect(written[0]).toBe("going on from runs/a/checkpoint-9\n");
  expect(written.slice(1, -1).map((line) => line.split("  ")[0])).toEqual(
    [10, 12, 14, 16, 18, 20].map((step) => `step ${step}/20`),
  );
  const endless = record(false, run(null, 25));
  expect(endless.slice(0, -1)).toEqual([
    `step 10  loss 2.0000  ${FIGURES}\n`,
    `step 20  loss 2.0000  ${FIGURES}\n`,
  ]);
  expect(record(true, run(null, 1))[0]).toBe(`\r\x1b[2Kstep 1  loss 2.0000  ${FIGURES}`);
});

test("evaluations, checkpoints, warnings and the end have lines of their own, above the bar", () => {
  const events: TrainingEvent[] = [
    stepEvent({ tokensPerSecond: 20480, samplesPerSecond: 1.25 }),
    {
      type: "evaluation",
      step: 1,
      epoch: 0.2,
      metrics: { f1: 0.5, recall: 0.25 },
      best: true,
      seconds: 3.21,
    },
    {
      type: "checkpoint",
      step: 1,
      epoch: 0.2,
      folder: "a/checkpoint-1",
      best: true,
      removed: [],
      seconds: 0.1,
    },
    { type: "warning", step: 1, kind: "logger", message: "the disk is full" },
    { type: "paused", step: 1 },
    { type: "resumed", step: 1 },
    endEvent({ reason: "earlyStopping", step: 1, skipped: 2, padding: 0.0345 }),
  ];
  const lines = [
    "step 1  evaluation:  f1 0.5000  recall 0.2500  the best so far  (3.2 s)\n",
    "step 1  saved a/checkpoint-1, the best so far (0.1 s)\n",
    "warning: the disk is full\n",
    "paused at step 1\n",
    "resumed at step 1\n",
    "stopped early after step 1, no longer better\n",
    "2 steps were left out: something was not finite\n",
    "3.5 % of the tokens were padding\n",
    "ended after 0:05\n",
  ];
  expect(record(false, events).slice(1)).toEqual(lines);
  const bar = `\r\x1b[2K${"█".repeat(6)}${"░".repeat(18)} step 1/4  loss 2.0000  1:05 left  1.3 samples/s  20,480 tokens/s  lr 0.00123  epoch 0.25  256 MiB`;
  const above = lines.slice(0, -1).flatMap((line) => ["\r\x1b[2K", line, bar]);
  expect(record(true, events)).toEqual([bar, ...above, "\n", lines.at(-1)]);
});
