/** Progress on a terminal and elsewhere. */
import { expect, test } from "vitest";
import { Progress } from "../../src/train/progress.ts";

function record(isTTY: boolean, steps: number): string[] {
  const written: string[] = [];
  let time = 0;
  const stream = { isTTY, columns: 100, write: (text: string) => written.push(text) };
  const progress = new Progress({ stream, now: () => time });
  time = 5000;
  for (let step = 1; step <= steps; step++, time += 50) progress.update({ step, steps, loss: 2 });
  progress.end();
  return written;
}

test("draws one line again and again on a terminal, ten times a second at most", () => {
  const written = record(true, 100);
  expect(written[0]).toBe(`\r\x1b[2K${"░".repeat(24)} step 1/100  loss 2.0000`);
  expect(written[1]).toBe(
    `\r\x1b[2K█${"░".repeat(23)} step 3/100  loss 2.0000  20.0 steps/s  0:05 left`,
  );
  expect(written.at(-3)).toContain("█".repeat(24) + " step 100/100");
  expect(written.slice(-2)).toEqual(["\n", "ended after 0:10\n"]);
  expect(written).toHaveLength(51 + 2);
});

test("writes ten plain lines elsewhere", () => {
  const written = record(false, 72_000 / 50);
  expect(written).toHaveLength(11);
  expect(written[0]).toBe("step 144/1440  loss 2.0000  20.0 steps/s  1:05 left\n");
  expect(written.at(-1)).toBe("ended after 1:17\n");
  expect(written.join("")).not.toContain("\x1b");
});
