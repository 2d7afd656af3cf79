/** Progress of work: silent for a second, then a bar on a terminal, else a line for each tenth. */
import { expect, test } from "vitest";
import { WorkProgress } from "../../src/cli/work-progress.ts";

/** Progress whose clock a test moves; what it wrote, with a line cleared as `<`. */
function progressOn(isTTY: boolean) {
  let written = "";
  const clock = { ms: 5000 };
  const progress = new WorkProgress({
    stream: { isTTY, columns: 60, write: (text) => (written += text) },
    now: () => clock.ms,
  });
  const at = (seconds: number, done: number, total: number | null, name = "reading"): void => {
    clock.ms = 5000 + seconds * 1000;
    progress.onEvent({ type: "work", name, done, total });
  };
  return { progress, at, written: () => written.replaceAll("\r\x1b[2K", "<") };
}

test("work of less than a second is not told of", () => {
  const { at, written } = progressOn(false);
  at(0, 0, 10);
  at(0.9, 10, 10);
  expect(written()).toBe("");
});

test("lines tell each tenth, with the time left at the present speed", () => {
  const { at, written } = progressOn(false);
  at(0, 0, 2000);
  at(2, 100, 2000);
  at(4, 400, 2000);
  at(4.1, 410, 2000);
  at(10, 1000, 2000);
  // Other work has a clock of its own.
  at(10, 1, 2, "translating");
  at(20, 1, 2, "translating");
  expect(written()).toBe(
    "reading 400/2,000  0:16 left\nreading 1,000/2,000  0:10 left\ntranslating 1/2  0:10 left\n",
  );
});

test("without a known end a line comes every ten seconds", () => {
  const { at, written } = progressOn(false);
  for (let seconds = 0; seconds <= 25; seconds++) at(seconds, seconds * 10, null);
  expect(written()).toBe("reading 100\nreading 200\n");
});

test("a terminal has a bar, which makes way for lines and is gone at the end", () => {
  const { progress, at, written } = progressOn(true);
  at(0, 0, 4);
  at(2, 1, 4);
  at(2.05, 2, 4);
  at(3, 3, 4);
  progress.end();
  progress.end();
  expect(written()).toBe(
    "<██████░░░░░░░░░░░░░░░░░░ reading 1/4  0:06 left<██████████████████░░░░░░ reading 3/4  0:01 left<",
  );
});
