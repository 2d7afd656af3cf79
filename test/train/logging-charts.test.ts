/** Charts of runs: scales, what a terminal shows, SVG and the page, none of which a user's text can break. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { describe, expect, test } from "vitest";
import { RunFolderLogger } from "../../src/train/logging/run-folder.ts";
import { readRun, type Run } from "../../src/train/logging/run-reader.ts";
import { chartOf, thin } from "../../src/train/report/chart.ts";
import { differingOptions, extremesOf } from "../../src/train/report/compare.ts";
import { htmlReport } from "../../src/train/report/html.ts";
import { formatNumber, linearScale, logScale } from "../../src/train/report/scale.ts";
import { svgDocument } from "../../src/train/report/svg.ts";
import { terminalPlot } from "../../src/train/report/terminal-plot.ts";
import { temporaryFolder } from "../data/temp.ts";
import { endedAt, evaluationAt, started, stepAt } from "./logging-events.ts";

const { folder, file } = temporaryFolder();
const EVIL = `</script><script>alert("1")</script> & 'b'\u0007`;

async function made(name: string, lr: number): Promise<Run> {
  const path = join(folder, `run${lr}`);
  const logger = new RunFolderLogger(path, { name, options: { lr, same: 1, note: EVIL } });
  await logger.onEvent(started(0));
  for (let step = 1; step <= 50; step++)
    await logger.onEvent(stepAt(step, step === 7 ? NaN : lr * step, { [EVIL]: 1 }));
  await logger.onEvent(evaluationAt(50, { f1: lr }));
  await logger.onEvent(endedAt(50));
  await logger.close();
  return readRun(path);
}

describe("scales", () => {
  test("have ticks at 1, 2 and 5 times powers of ten", () => {
    const { low, high, ticks } = linearScale([0.13, 0.87], { round: true });
    expect([low, high, ticks]).toEqual([0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]]);
    expect(linearScale([0, 9]).ticks).toEqual([0, 2, 4, 6, 8]);
    expect(linearScale([1e-5, 5e-5]).ticks).toEqual([1e-5, 2e-5, 3e-5, 4e-5, 5e-5]);
    expect(linearScale([NaN, Infinity]).ticks).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    const flat = linearScale([3, 3], { round: true });
    expect(flat.at(3)).toBeCloseTo(0.5, 1);
  });

  test("of logarithms have ticks at powers of ten, and no place for what has none", () => {
    const { ticks, at } = logScale([0.02, 30, -1, 0]);
    expect(ticks).toEqual([0.01, 0.1, 1, 10, 100]);
    expect([at(0.01), at(1), at(100), at(0)]).toEqual([0, 0.5, 1, NaN]);
  });

  test.each([
    [0, "0"],
    [0.000_012_345, "1.234e-5"],
    [-12.345_67, "-12.35"],
    [9999, "9999"],
    [123_456, "123.5k"],
    [2e9, "2G"],
    [1e20, "1e20"],
    [NaN, "NaN"],
    [-Infinity, "−∞"],
  ])("format %d as %s", (value, text) => expect(formatNumber(value)).toBe(text));
});

test("thinned curves keep first, last, least and greatest of each part", () => {
  const steps = Array.from({ length: 10_000 }, (_, i) => i);
  const values = steps.map((step) => (step === 5003 ? -9 : step === 5007 ? 9 : Math.sin(step)));
  const curve = thin({ steps, values }, 100);
  expect(curve.steps.length).toBeLessThanOrEqual(404);
  expect([curve.steps[0], curve.steps.at(-1)]).toEqual([0, 9999]);
  expect(curve.values).toContain(-9);
  expect(curve.values).toContain(9);
  expect(curve.steps).toEqual([...curve.steps].sort((a, b) => a - b));
  expect(thin({ steps: [1], values: [2] }, 5)).toEqual({ steps: [1], values: [2] });
});

describe("a terminal", () => {
  const up = { steps: [0, 10], values: [0, 2] };
  const gap = { steps: [0, 5, 6, 10], values: [2, 1, NaN, 0] };
  const options = { title: "loss", columns: 24, rows: 5 };

  test("shows one line in braille: four columns of it a row on the way from corner to corner", () => {
    expect(terminalPlot([{ name: "a", curve: up }], options).split("\n")).toEqual([
      "   loss",
      "2 ┤                ⣀⠤⠒⠉",
      "  │            ⣀⠤⠒⠉",
      "  │        ⣀⠤⠒⠉",
      "  │    ⣀⠤⠒⠉",
      "0 ┤⣀⠤⠒⠉",
      "  └┬─────────┬────────┬",
      "   0         5       10",
      "   ━━ a  2",
      "",
    ]);
  });

  test("shows several by signs, with gaps where values are not finite", () => {
    const series = [
      { name: "a", curve: up },
      { name: "b", curve: gap },
    ];
    expect(terminalPlot(series, options).split("\n").slice(1, -1)).toEqual([
      "2 ┤○○○              ●●●",
      "  │   ○○○○○    ●●●●●",
      "  │        ○○○●",
      "  │   ●●●●●",
      "0 ┤●●●                ○",
      "  └┬─────────┬────────┬",
      "   0         5       10",
      "   ● a  2",
      "   ○ b  0",
    ]);
    const coloured = terminalPlot(series, { ...options, colour: true });
    expect(coloured).toContain("\x1b[33m━━\x1b[39m b");
    expect(coloured).toContain("\x1b[36m⣀\x1b[39m");
  });

  test("shows a single value, none, and values too small for linear scales", () => {
    expect(terminalPlot([{ name: "a", curve: { steps: [3], values: [1] } }], options)).toMatch(
      /[⠁-⣿]/,
    );
    const empty = terminalPlot([{ name: "a", curve: { steps: [3], values: [NaN] } }], options);
    expect(empty).toContain("a  NaN");
    const chart = chartOf([{ name: "a", curve: up }], { title: "", log: true }, { x: 5, y: 5 });
    expect(chart.y.isLog).toBe(true);
  });
});

describe("of runs", () => {
  test("SVG is well-formed whatever names say, and has each finite value", async () => {
    const run = await made(EVIL, 0.5);
    const curve = run.curves.get("train/loss")!;
    const svg = svgDocument([{ title: EVIL, series: [{ name: run.name, curve }], smooth: 0.5 }]);
    const open: string[] = [];
    for (const [, close, name = "", empty] of svg.matchAll(
      /<(\/?)(\w+)(?:\s+[\w:-]+="[^"<]*")*\s*(\/?)>/g,
    ))
      if (close) expect(open.pop()).toBe(name);
      else if (!empty) open.push(name);
    expect(open).toEqual([]);
    expect(svg.replace(/<[^<>]*>/g, "")).not.toMatch(/[<>]|(?!\n)\p{Cc}/u);
    expect(svg).toContain("&lt;/script&gt;&lt;script&gt;alert(&quot;1&quot;)");
    // Two paths, of values and their means; step 7 is a gap.
    const lines = [...svg.matchAll(/<path d="([^"]+)" fill="none" stroke="#0072b2"/g)].map(
      ([, d]) => d!,
    );
    expect(lines.map((d) => [d.match(/M/g)!.length, d.match(/[ML]/g)!.length])).toEqual([
      [2, 49],
      [2, 49],
    ]);
    expect(svg).toContain(">step</text>");
  });

  test("comparison finds options that differ and the ends of curves", async () => {
    const runs = [await made("a", 0.25), await made("b", 0.125)];
    expect(differingOptions(runs)).toEqual(["lr"]);
    expect(extremesOf(runs[0]!, "train/loss")).toEqual({
      ...{ last: 12.5, lowest: 0.25, lowestStep: 1, highest: 12.5, highestStep: 50 },
    });
    expect(extremesOf(runs[0]!, "none")).toBeNull();
  });

  test("the page has its data, needs nothing else, and runs nobody's script", async () => {
    const run = await made(EVIL, 0.75);
    const metrics = ["train/loss", "eval/f1", `train/${EVIL}`];
    const page = await htmlReport([run], { title: EVIL, metrics });
    const [, json = ""] =
      /<script type="application\/json" id="data">(.*)<\/script>/.exec(page) ?? [];
    const data = JSON.parse(json) as {
      charts: { title: string; curves: { values: number[] }[] }[];
    };
    expect(data.charts.map(({ title }) => title)).toEqual(metrics);
    expect(data.charts[0]!.curves[0]!.values.slice(5, 8)).toEqual([4.5, null, 6]);
    expect(page).not.toContain('alert("1")</script>');
    expect(page.match(/<script/g)).toHaveLength(
      3 + (page.match(/createElement\("script/g)?.length ?? 0),
    );
    expect(page).not.toMatch(/\s(src|href)=/);
  });
});

const browser = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";

describe.skipIf(!existsSync(browser))("the page in Chromium (skipped where there is none)", () => {
  test("draws, zooms, smooths, hides runs and tells values, without the network", async () => {
    const runs = [await made(EVIL, 1), await made("b", 2)];
    const metrics = ["train/loss", "eval/f1"];
    const page = file("report.html", await htmlReport(runs, { title: EVIL, metrics }));
    const chrome = await chromium.launch({ executablePath: browser, args: ["--no-sandbox"] });
    try {
      const tab = await chrome.newPage({ viewport: { width: 1200, height: 900 } });
      const troubles: string[] = [];
      tab.on("console", (message) => void troubles.push(message.text()));
      tab.on("pageerror", (error) => void troubles.push(String(error)));
      tab.on("dialog", (dialog) => void troubles.push(dialog.message()));
      const requests: string[] = [];
      tab.on("request", (request) => void requests.push(request.url()));
      const address = pathToFileURL(page).href;
      await tab.goto(address);
      const over = tab.locator("#chart0 .u-over");
      const box = (await over.boundingBox())!;
      // The chart follows the pointer in the frame after.
      const frames = `new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))`;
      const legend = async () => {
        await tab.evaluate(frames);
        return (await tab.locator("#chart0 .u-legend").innerText()).replace(/\s+/g, " ");
      };
      const middle = [box.x + box.width / 2, box.y + box.height / 2] as const;
      await tab.mouse.move(...middle);
      const step = async () => Number(/step\D*?(\d+)/.exec(await legend())?.[1]);
      expect(await step()).toBeGreaterThan(20);
      const before = await step();
      expect(await legend()).toMatch(new RegExp(`b\\W*${2 * before}$`));
      // What is dragged over fills the chart: its left end is then where the drag began.
      await tab.mouse.down();
      await tab.mouse.move(box.x + box.width * 0.9, middle[1], { steps: 5 });
      await tab.mouse.up();
      await tab.mouse.move(box.x + 2, middle[1]);
      expect(Math.abs((await step()) - before)).toBeLessThanOrEqual(1);
      await tab.locator("#smoothing").fill("0.5");
      await tab.locator("#log").check();
      await tab.locator("#run0").uncheck();
      await tab.mouse.move(box.x + 3, middle[1]);
      expect(await legend()).toContain("b, as it is");
      // What was zoomed to stays.
      expect(Math.abs((await step()) - before)).toBeLessThanOrEqual(1);
      expect(await tab.locator("#weight").innerText()).toBe("0.50");
      expect([troubles, requests]).toEqual([[], [address]]);
    } finally {
      await chrome.close();
    }
  });
});
