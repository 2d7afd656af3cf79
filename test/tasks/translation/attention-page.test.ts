/** The page of attention: it holds the weights it was given, needs nothing else, and runs nobody's script. */

import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attentionPage } from "../../../src/tasks/translation/attention-page.ts";
import type { PageData } from "../../../src/tasks/translation/attention-page-data.ts";
import { visibleToken } from "../../../src/tasks/translation/attention-page-script.ts";
import { temporaryFolder } from "../../data/temp.ts";
import { EVIL, samplePair } from "./attention-sample.ts";

const { file } = temporaryFolder();

const dataOf = (page: string): PageData => {
  const [, json = ""] =
    /<script type="application\/json" id="data">(.*)<\/script>/.exec(page) ?? [];
  return JSON.parse(json) as PageData;
};

/** As the page's docstring says: little-endian uint16, 65535 for 1. */
const unpacked = (text: string): number[] => {
  const bytes = Buffer.from(text, "base64");
  return Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16LE(2 * i) / 65535);
};

describe("the page", () => {
  test("holds the tokens and, to 1/65535, all weights", () => {
    const pair = samplePair();
    const { tokens, kinds } = dataOf(attentionPage(pair));
    expect(tokens).toEqual({ source: pair.source, target: pair.target, predicted: pair.predicted });
    expect(kinds.map(({ name, queries, keys }) => [name, queries, keys])).toEqual([
      ["cross", "predicted", "source"],
      ["encoder", "source", "source"],
      ["decoder", "predicted", "target"],
    ]);
    for (const { name, maps } of kinds) {
      expect(maps.length).toBe(2);
      maps.forEach((heads, layer) => {
        expect(heads.length).toBe(3);
        heads.forEach((head, h) => {
          const weights = pair[name][layer]![h]!;
          const found = unpacked(head);
          expect(found.length).toBe(weights.length);
          weights.forEach((weight, i) => {
            expect(Math.abs(found[i]! - weight)).toBeLessThan(0.51 / 65535);
            // What is masked stays exactly nothing.
            if (weight === 0) expect(found[i]).toBe(0);
          });
        });
      });
    }
  });

  test("has no room for anybody's markup, and asks for no other file", () => {
    const page = attentionPage(samplePair(), { title: EVIL });
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page.match(/<\/script/g)).toHaveLength(2);
    expect(page).toContain("<title>&lt;/script&gt;&lt;script&gt;alert(&quot;1&quot;)");
    expect(page).not.toMatch(/\s(src|href)=|url\(|@import/);
    expect(page).toContain(`content="default-src 'none'`);
    expect(page.startsWith("<!doctype html>\n<html lang=")).toBe(true);
  });

  test("has every id once, a label for every control, and closes what it opens", () => {
    const page = attentionPage(samplePair());
    const markup = page
      .replace(/<(script|style)[^>]*>.*?<\/\1>/gs, "")
      .replace(/<(meta|input)[^>]*>/g, "");
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const open: string[] = [];
    for (const [, slash, tag] of markup.matchAll(/<(\/?)([a-z0-9]+)[^>]*>/g))
      if (slash === "") open.push(tag!);
      else expect(open.pop()).toBe(tag);
    expect(open).toEqual([]);
    for (const [control] of page.matchAll(/<(input|select)[^>]*>/g))
      expect(page.slice(0, page.indexOf(control)).lastIndexOf("<label")).toBeGreaterThan(
        page.slice(0, page.indexOf(control)).lastIndexOf("</label"),
      );
  });

  test("shows a decoder alone without the other kinds", () => {
    const page = attentionPage({ ...samplePair(), sourceText: "", encoder: [], cross: [] });
    expect(dataOf(page).kinds.map(({ name }) => name)).toEqual(["decoder"]);
    expect(page).not.toContain("<dt>Source</dt>");
    expect(page).not.toContain('value="cross"');
  });

  test("is small: 2 bytes a weight in base64", () => {
    const tokens = Array.from({ length: 60 }, (_, i) => `token${i}`);
    const maps = Array.from({ length: 6 }, () =>
      Array.from({ length: 8 }, () => new Float32Array(3600).fill(1 / 60)),
    );
    const texts = { sourceText: "", targetText: "" };
    const names = { source: tokens, target: tokens, predicted: tokens };
    const page = attentionPage({ ...texts, ...names, encoder: maps, decoder: maps, cross: maps });
    expect(page.length).toBeLessThan(3 * 6 * 8 * 3600 * 2 * (4 / 3) * 1.05);
  });

  test("refuses what does not fit, by name", () => {
    const pair = samplePair();
    const wrong = (change: Partial<typeof pair>) => () => attentionPage({ ...pair, ...change });
    expect(wrong({ cross: [[new Float32Array(4)]] })).toThrow(
      "attentionPage: cross[0][0] must hold 4 queries × 5 keys = 20 weights, got 4",
    );
    expect(wrong({ predicted: ["a"] })).toThrow(
      "attentionPage: predicted must have a token for each of the 4 tokens of target, got 1",
    );
    const weights = new Float32Array(16);
    weights[6] = NaN;
    expect(wrong({ decoder: [[new Float32Array(16), weights]] })).toThrow(
      "attentionPage: weights must lie between 0 and 1, got NaN in decoder[0][1] for query 1, key 2",
    );
    expect(wrong({ encoder: [], decoder: [], cross: [] })).toThrow(
      "attentionPage: there is nothing to show",
    );
  });
});

test.each([
  ["cat", "cat"],
  [" cat", "␣cat"],
  ["\n\t", "⏎⇥"],
  ["", "∅"],
  ["\u0301", "◌\u0301"],
  ["\u3000", "‹U+3000›"],
  ["\u202eevil", "‹U+202E›evil"],
  ["\ud800", "‹U+D800›"],
  ["\u0007", "‹U+0007›"],
  ["👩\u200d👧", "👩\u200d👧"],
  ["کتاب\u200cها", "کتاب\u200cها"],
  ["\u200d", "◌\u200d"],
])("of the token %j is shown %j", (token, shown) => {
  expect(visibleToken(token)).toBe(shown);
});

const browser = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";

describe.skipIf(!existsSync(browser))("the page in Chromium (skipped where there is none)", () => {
  let chrome: Awaited<ReturnType<typeof chromium.launch>>;
  let tab: Page;
  const troubles: string[] = [];
  const requests: string[] = [];
  const pair = samplePair();
  const address = pathToFileURL(file("attention.html", attentionPage(pair, { title: EVIL }))).href;

  beforeAll(async () => {
    chrome = await chromium.launch({ executablePath: browser, args: ["--no-sandbox"] });
    tab = await chrome.newPage();
    tab.on("console", (message) => void troubles.push(message.text()));
    tab.on("pageerror", (error) => void troubles.push(String(error)));
    tab.on("dialog", (dialog) => void troubles.push(dialog.message()));
    tab.on("request", (request) => void requests.push(request.url()));
    await tab.goto(address);
  });
  afterAll(async () => {
    await chrome.close();
    expect([troubles, requests]).toEqual([[], [address]]);
  });

  const cells = async (): Promise<string[][]> =>
    tab
      .locator("#map tbody tr")
      .evaluateAll((rows) =>
        rows.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent)),
      );
  const rowsOf = (weights: Float32Array, keys: number): string[][] =>
    Array.from({ length: weights.length / keys }, (_, q) => [
      ...Array.from(weights.subarray(q * keys, (q + 1) * keys), (weight) => weight.toFixed(4)),
      "1.000",
    ]);
  const close = (found: string[][], expected: string[][]) => {
    expect(found.map((row) => row.length)).toEqual(expected.map((row) => row.length));
    found.flat().forEach((text, i) => {
      expect(Math.abs(Number(text) - Number(expected.flat()[i]))).toBeLessThan(1.5e-4);
    });
  };

  test("shows the weights and sums of any head of any kind", async () => {
    close(await cells(), rowsOf(pair.cross[0]![0]!, 5));
    await tab.getByRole("button", { name: "layer 2, head 3," }).click();
    close(await cells(), rowsOf(pair.cross[1]![2]!, 5));
    await tab.getByLabel("decoder self-attention").check();
    expect(await tab.locator("#chosen").innerText()).toBe(
      "Decoder self-attention, layer 2, head 3",
    );
    close(await cells(), rowsOf(pair.decoder[1]![2]!, 4));
  });

  test("shows the mean of the heads, and goes back", async () => {
    await tab.getByRole("checkbox", { name: "mean of the heads" }).check();
    const heads = pair.decoder[1]!;
    const mean = heads[0]!.map((_, i) => heads.reduce((sum, head) => sum + head[i]! / 3, 0));
    close(await cells(), rowsOf(mean, 4));
    await tab.getByRole("checkbox", { name: "mean of the heads" }).uncheck();
    close(await cells(), rowsOf(heads[2]!, 4));
  });

  test("tells the entropy of every head", async () => {
    const weights = pair.decoder[1]![2]!;
    const bits = [...weights].reduce((sum, w) => sum - (w > 0 ? (w * Math.log2(w)) / 4 : 0), 0);
    const small = tab.locator("#overview tr").nth(2).locator("small").nth(2);
    expect(await small.innerText()).toBe(`${bits.toFixed(2)} bits`);
  });

  test("names rows by the token written or read, blanks and all", async () => {
    const names = (part: string) => tab.locator(`#map ${part} th`).allInnerTexts();
    expect(await names("tbody")).toEqual(["אני", "日本語", "‹U+202E›evil", "</s>"]);
    expect(await names("thead")).toEqual(["<s>", "אני", "日本語", "‹U+202E›evil", "sum"]);
    await tab.getByLabel("queries named by").selectOption("target");
    expect(await names("tbody")).toEqual(["<s>", "אני", "日本語", "‹U+202E›evil"]);
  });

  test("tells a weight that is pointed at, or moved to with the keyboard", async () => {
    const told = () => tab.locator("#readout").innerText();
    await tab.locator("#map tbody td").first().hover();
    expect((await told()).replace(/[\u2066-\u2069]/g, "")).toBe(
      "“<s>” read, “אני” written: looks at “<s>” with weight 1.0000, number 1 of 4 in its row.",
    );
    // Away with the mouse: cells that scroll below it would be pointed at.
    await tab.mouse.move(0, 0);
    await tab.locator("#map td[tabindex='0']").focus();
    for (const key of ["ArrowDown", "ArrowDown", "ArrowRight"]) await tab.keyboard.press(key);
    expect(await told()).toContain(`with weight ${pair.decoder[1]![2]![9]!.toFixed(4)},`);
    await tab.keyboard.press("Control+End");
    expect(await tab.locator("#map td:focus").innerText()).toBe("1.000");
  });

  test("draws the lines of the token that is moved to, and those above the threshold", async () => {
    await tab.getByLabel("lines").check();
    const lines = tab.locator("#lines line");
    const weights = [...pair.decoder[1]![2]!];
    const largest = Math.max(...weights);
    expect(await lines.count()).toBe(weights.filter((w) => w / largest >= 0.01).length);
    await tab.locator("#threshold").fill("0.4");
    expect(await lines.count()).toBe(weights.filter((w) => w >= 0.4).length);
    await tab.locator("#threshold").fill("0");
    const query = tab.locator("#lines ol").first().locator("button").first();
    await query.focus();
    expect(await lines.count()).toBe(1);
    expect(await query.getAttribute("aria-label")).toContain("<s> looks at <s> 1.00");
    await tab.keyboard.press("ArrowRight");
    const first = weights.filter((w, i) => i % 4 === 0 && w / largest >= 0.01);
    expect(await lines.count()).toBe(first.length);
    await tab.keyboard.press("Escape");
    expect(await lines.count()).toBe(weights.filter((w) => w / largest >= 0.01).length);
  });

  test("has room for long sentences: cells without text, whose values are told", async () => {
    const tokens = Array.from({ length: 40 }, (_, i) => `token${i}`);
    const weights = new Float32Array(1600).map((_, i) => (i % 41 === 0 ? 0.75 : 0.25 / 39));
    const own = { source: [], target: tokens, predicted: tokens, decoder: [[weights]] };
    const long = attentionPage({ ...pair, ...own, encoder: [], cross: [] });
    const other = await chrome.newPage();
    await other.goto(pathToFileURL(file("long.html", long)).href);
    const cell = other.locator("#map tbody tr").nth(7).locator("td").nth(7);
    expect([await cell.textContent(), await cell.getAttribute("aria-label")]).toEqual([
      "",
      "0.7500",
    ]);
    await cell.hover();
    expect(await other.locator("#readout").innerText()).toContain(
      "with weight 0.7500, number 1 of 40",
    );
    // One head has no mean.
    expect(await other.getByRole("checkbox", { name: "mean of the heads" }).isDisabled()).toBe(
      true,
    );
    await other.close();
  });

  test("moves among the heads by arrow keys, and scales colours as chosen", async () => {
    await tab.getByLabel("heat map").check();
    await tab.locator("#overview button[aria-pressed=true]").focus();
    await tab.keyboard.press("ArrowUp");
    expect(await tab.locator("#chosen").innerText()).toBe(
      "Decoder self-attention, layer 1, head 3",
    );
    const colour = () =>
      tab
        .locator("#map tbody td")
        .nth(6)
        .evaluate((cell) => cell.style.getPropertyValue("--weight"));
    const [a, b] = pair.decoder[0]![2]!.subarray(4, 6);
    expect(await colour()).toBe(b!.toFixed(3));
    await tab.getByLabel("colours").selectOption("row");
    expect(await colour()).toBe((b! / Math.max(a!, b!)).toFixed(3));
  });
});
