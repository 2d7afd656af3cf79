/** The examples run as their first lines say, and learn what they say. */

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

function run(name: string): string {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--import", "tsx", join("examples", `${name}.ts`)],
    { cwd: root, encoding: "utf8" },
  );
  expect({ stderr, status }, name).toEqual({ stderr: "", status: 0 });
  return stdout;
}

/** The last number that follows a text. */
function numberAfter(output: string, text: string): number {
  const at = output.lastIndexOf(text);
  expect(at, `"${text}" in\n${output}`).toBeGreaterThanOrEqual(0);
  return Number.parseFloat(output.slice(at + text.length));
}

const checks: Readonly<Record<string, (output: string) => void>> = {
  "linear-regression": (output) => {
    expect(numberAfter(output, "y = ")).toBeCloseTo(3, 1);
    // The noise moves the offset by about 0.1 / √100.
    expect(Math.abs(numberAfter(output.split("made with")[0]!, " x + ") + 2)).toBeLessThan(0.05);
  },
  spiral: (output) => {
    expect(numberAfter(output, "accuracy ")).toBeGreaterThan(0.97);
    // All three classes have places on the map.
    const map = output.trimEnd().split("\n").slice(-24).join("");
    expect(new Set(map.replaceAll(" ", ""))).toEqual(new Set("·o#"));
  },
  digits: (output) => {
    expect(numberAfter(output, "\nepoch 6  loss ")).toBeLessThan(0.2);
    const line = output.split("\n").find((text) => text.includes("are read right"));
    expect(Number.parseFloat(line ?? "")).toBeGreaterThan(97);
  },
};

test.each(Object.entries(checks))("%s", (name, check) => check(run(name)));

test("every example is checked", () => {
  const programs = readdirSync(join(root, "examples"))
    .filter((file) => file !== "drawn-digits.ts")
    .map((file) => file.replace(/\.ts$/, ""));
  expect(Object.keys(checks).toSorted()).toEqual(programs.toSorted());
});
