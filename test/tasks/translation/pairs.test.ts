/** Files of sentence pairs: what is read, what is left out with a report, and what is refused. */

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { DataError } from "../../../src/data/errors.ts";
import { holdOutPairs } from "../../../src/tasks/translation/hold-out.ts";
import { readPairs, SKIP, type ReadPairsOptions } from "../../../src/tasks/translation/pairs.ts";
import { sharedData } from "../../data/shared-data.ts";
import { temporaryFolder } from "../../data/temp.ts";
import { findPython } from "../../support/python.ts";

const { folder, file } = temporaryFolder();
let files = 0;
const written = (content: string | Uint8Array, ending = "tsv"): string =>
  file(`pairs-${files++}.${ending}`, content);
const read = (content: string | Uint8Array, options?: ReadPairsOptions) =>
  readPairs(written(content), options);

async function refusal(path: string, options?: ReadPairsOptions): Promise<string> {
  const error: unknown = await readPairs(path, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  const { message } = error as DataError;
  expect(message.startsWith(`${path}: `)).toBe(true);
  expect(message).not.toContain("SECRET");
  return message.slice(path.length + 2);
}

const GOOD = "Go.\tVa.\nHi.\tSalut.\nRun!\tCours !\n";
const THREE = [
  { source: "Go.", target: "Va." },
  { source: "Hi.", target: "Salut." },
  { source: "Run!", target: "Cours !" },
];

test("tells how much of a file was read, packed or not", async () => {
  const text = "a line\tof a file\n".repeat(20_000);
  for (const [name, content] of [
    ["long.tsv", Buffer.from(text)],
    ["long.tsv.gz", gzipSync(text)],
  ] as const) {
    const heard: [number, number | null][] = [];
    await readPairs(file(name, content), { onProgress: (...bytes) => void heard.push(bytes) });
    expect(heard.at(-1)).toEqual([content.length, content.length]);
  }
});

describe("what is read", () => {
  test.each<[name: string, content: string | Uint8Array, ending?: string]>([
    ["lines", GOOD],
    ["no line end at the end", GOOD.trimEnd()],
    ["Windows line ends", GOOD.replaceAll("\n", "\r\n")],
    ["a byte order mark", `\ufeff${GOOD}`],
    ["white space around sentences", " Go.\t Va. \nHi. \t\u00a0Salut.\nRun!\tCours !  \n"],
    ["blank lines", `\n${GOOD.replaceAll("\n", "\n \t \n\n")}`],
    ["gzip", gzipSync(GOOD), "tsv.gz"],
    ["gzip by another name", gzipSync(GOOD)],
    ["two gzip files in one", Buffer.concat([gzipSync("Go.\tVa.\n"), gzipSync(GOOD.slice(8))])],
    ["Brotli, with a byte order mark", brotliCompressSync(Buffer.from(`\ufeff${GOOD}`)), "txt.br"],
  ])("%s", async (_, content, ending) => {
    const { pairs, skipped, report } = await readPairs(written(content, ending));
    expect(pairs).toEqual(THREE);
    expect(skipped).toEqual([]);
    expect(report).toEqual([]);
  });

  test("further columns are ignored, and reported", async () => {
    const { pairs, report } = await read(GOOD.replaceAll(".\n", ".\tCC-BY 2.0 #1\t\n"));
    expect(pairs).toEqual(THREE);
    expect(report).toEqual(["2 lines have more than two columns; only the first two are read"]);
  });

  test("text of any script, and any size of line within the limit", async () => {
    const long = "ж".repeat(20_000);
    const { pairs } = await read(`日本 👍\t${long}\ne\u0301\t"quoted ""\n`);
    expect(pairs).toEqual([
      { source: "日本 👍", target: long },
      { source: "e\u0301", target: '"quoted ""' },
    ]);
  });

  test("many pieces: lines that stand across chunks come out whole", async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `source ${i} é\tciblé ${i} 日本`);
    const { pairs, lineCount } = await read(lines.join("\n"));
    expect(lineCount).toBe(20_000);
    expect(pairs.map(({ source, target }) => `${source}\t${target}`)).toEqual(lines);
  });

  test("no more than maxPairs", async () => {
    const { pairs, report } = await read(GOOD, { maxPairs: 2 });
    expect(pairs).toEqual(THREE.slice(0, 2));
    expect(report).toEqual(["only the first 2 pairs were read"]);
    expect((await read(GOOD, { maxPairs: 3 })).report).toEqual([]);
  });
});

describe("what is left out", () => {
  test("is counted and reported by kind, with line numbers", async () => {
    const bytes = Buffer.concat([
      Buffer.from(`${GOOD}no tab here\n\tonly a target\nonly a source\t \n${GOOD}`),
      Buffer.from([0x61, 0x09, 0xff, 0x0a]),
      Buffer.from(`a\0\tb\n${"x".repeat(400)}\ty\n`),
      Buffer.from(Array.from({ length: 9 }, (_, i) => `s${i}\tt${i}\n`).join("")),
      Buffer.from(GOOD),
    ]);
    const { pairs, lineCount, skipped, report } = await read(bytes, { maxLineBytes: 300 });
    expect(pairs).toHaveLength(12);
    expect(lineCount).toBe(24);
    expect(skipped).toEqual([
      { kind: SKIP.tab, count: 1, lines: [4] },
      { kind: SKIP.empty, count: 2, lines: [5, 6] },
      { kind: SKIP.duplicate, count: 6, lines: [7, 8, 9, 22, 23] },
      { kind: SKIP.encoding, count: 1, lines: [10] },
      { kind: SKIP.nul, count: 1, lines: [11] },
      { kind: SKIP.long, count: 1, lines: [12] },
    ]);
    expect(report).toEqual([
      "1 line left out, without a tab between source and target (line 4)",
      "2 lines left out, with an empty source or target (lines 5, 6)",
      "6 lines left out, a pair that stands above already (lines 7, 8, 9, 22, 23, …)",
      "1 line left out, not UTF-8 (line 10)",
      "1 line left out, with a NUL character (line 11)",
      "1 line left out, too long (line 12)",
    ]);
  });

  test("a pair is repeated only if both sides are", async () => {
    expect((await read("a\tb\na\tc\nb\ta\n a\tb\n")).pairs).toHaveLength(3);
  });

  test("repetitions alone are no reason to refuse a file", async () => {
    expect((await read("a\tb\n".repeat(100))).pairs).toEqual([{ source: "a", target: "b" }]);
  });

  test("up to half of the lines may be bad", async () => {
    expect((await read(`${GOOD}SECRET\nx\ny\n`)).pairs).toHaveLength(3);
    expect(await refusal(written(`${GOOD}SECRET\nx\ny\nz\n`))).toBe(
      "expected a source, a tab and a target in UTF-8 on each line, but 4 of 7 lines are no such pair " +
        "(4 lines left out, without a tab between source and target (lines 4, 5, 6, 7))",
    );
  });
});

describe("what is refused", () => {
  const utf16 = Buffer.from(GOOD.repeat(3), "utf16le");
  test.each<[name: string, content: string | Uint8Array, ending: string, message: RegExp]>([
    ["an empty file", "", "tsv", /^the file is empty$/],
    ["white space", "\n \n\t\n", "tsv", /^there is nothing but white space in it$/],
    ["a byte order mark alone", "\ufeff", "tsv", /^there is nothing but white space in it$/],
    ["text without tabs", "SECRET\nb\n", "txt", /but 2 of 2 lines are no such pair/],
    ["comma-separated text", "a,b\nc,d\n", "csv", /without a tab .*\(lines 1, 2\)/],
    ["Latin-1", Buffer.from("é\té\nà\tà\n", "latin1"), "tsv", /2 lines left out, not UTF-8/],
    ["UTF-16", Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]), "tsv", /got UTF-16.*iconv/],
    ["UTF-16 without a mark", utf16, "tsv", /is it UTF-16 or binary\?$/],
    ["xz", Buffer.from("fd377a585a000004", "hex"), "xz", /got xz data; decompress it first \(xz/],
    ["zstd", Buffer.from("28b52ffd04000000", "hex"), "zst", /got Zstandard data; decompress it/],
    ["zip", Buffer.from("504b030414000000", "hex"), "zip", /got a zip archive.*extract its text/],
    [
      "half a gzip file",
      gzipSync(GOOD).subarray(0, 30),
      "gz",
      /ends too soon; fetch the file again/,
    ],
    ["no gzip file inside", Buffer.from(`1f8b${"77".repeat(99)}`, "hex"), "gz", /damaged \(Z_/],
    ["half a Brotli file", brotliCompressSync(GOOD).subarray(0, 20), "br", /ends too soon/],
    ["text named .br", GOOD, "br", /damaged|ends too soon/],
    ["one endless line", "a\tb".repeat(40_000), "tsv", /1 line left out, too long \(line 1\)/],
  ])("%s", async (_, content, ending, message) => {
    expect(await refusal(written(content, ending))).toMatch(message);
  });

  test("a missing file and a folder", async () => {
    mkdirSync(join(folder, "inner"));
    expect(await refusal(join(folder, "none.tsv"))).toBe("no such file; check the path");
    expect(await refusal(join(folder, "inner"))).toContain("expected a file, got a directory");
    expect(await refusal(join(written(GOOD), "below"))).toBe("no such file; check the path");
    expect(await refusal("/dev/null")).toBe("expected a regular file or a pipe");
  });

  test("a text that unpacks to more than the limit", async () => {
    const bomb = gzipSync(Buffer.alloc(2_000_000, "\n"));
    expect(bomb.length).toBeLessThan(5000);
    expect(await refusal(written(bomb, "gz"), { maxBytes: 1_000_000 })).toBe(
      "the text has more than 1000000 bytes; split it or raise the limit",
    );
  });

  test("limits that are none", async () => {
    await expect(read(GOOD, { maxPairs: 0 })).rejects.toThrow(
      "readPairs: maxPairs must be an integer of at least 1, got 0",
    );
  });
});

const tatoeba = sharedData("translation/tatoeba-en-fr/fra.txt.xz");

describe(`Tatoeba's English and French${tatoeba.title}`, () => {
  test.skipIf(tatoeba.missing)("as it comes is refused with advice", async () => {
    expect(await refusal(tatoeba.file)).toContain("got xz data; decompress it first (xz -d)");
  });

  test("is read whole, and 1,000 pairs held out", { timeout: 60_000 }, async (context) => {
    if (tatoeba.missing) return context.skip("set LEARNING_LOOP_DATA");
    const python = findPython(["lzma"]);
    if (python === null) return context.skip("no Python with lzma; set LEARNING_LOOP_PYTHON");
    const path = join(folder, "fra.txt");
    const unpack =
      "import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.argv[1]), open(sys.argv[2], 'wb'))";
    execFileSync(python, ["-c", unpack, tatoeba.file, path]);
    const { pairs, lineCount, report } = await readPairs(path);
    expect([lineCount, pairs.length]).toEqual([142_787, 142_782]);
    expect(report).toEqual([
      "5 lines left out, a pair that stands above already (lines 1725, 7427, 28230, 44804, 52562)",
    ]);
    const { train, heldOut, largestGroup } = holdOutPairs(pairs, { count: 1000, seed: 0 });
    expect([train.length, heldOut.length]).toEqual([141_782, 1000]);
    expect(largestGroup).toBeLessThan(100);
    const known = new Set(train.flatMap(({ source, target }) => [source, target].map(plain)));
    expect(heldOut.filter((p) => known.has(plain(p.source)) || known.has(plain(p.target)))).toEqual(
      [],
    );
  });

  const plain = (text: string): string =>
    text
      .normalize("NFKD")
      .toLowerCase()
      .replace(/[\s\p{P}]/gu, "");
});
