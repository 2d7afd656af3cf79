/** Readers of annotated documents: formats, repairs and what they refuse. */
import { strFromU8, strToU8, unzipSync, zipSync } from "fflate";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { REPAIR } from "../../src/data/entities.ts";
import { DataError } from "../../src/data/errors.ts";
import { readAnnotated, type ReadOptions } from "../../src/data/read-annotated.ts";
import { readText } from "../../src/data/read-file.ts";
import { toSpanLine } from "../../src/data/span-lines.ts";
import { sharedData } from "./shared-data.ts";
import { temporaryFolder } from "./temp.ts";

const { folder, file } = temporaryFolder();

const lines = (...records: unknown[]) => records.map((r) => JSON.stringify(r)).join("\n") + "\n";

function dataturks(content: string, ...spans: [label: string[], start: number, text: string][]) {
  return {
    content,
    annotation: spans.map(([label, start, text]) => ({
      label,
      points: [{ start, end: start + text.length - 1, text }],
    })),
  };
}

async function errorOf(path: string, options?: ReadOptions): Promise<string> {
  const error: unknown = await readAnnotated(path, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  const { message } = error as DataError;
  expect(message).toContain(path);
  expect(message).not.toContain("SECRET");
  return message.slice(message.indexOf(path) + path.length);
}

const xml = (body: string) => `<?xml version="1.0" encoding="UTF-8"?>\n<cv>\n${body}\n</cv>\n`;

describe("DataTurks JSON lines", () => {
  const read = async (...records: unknown[]) =>
    readAnnotated(file("turks.json", lines(...records)));
  const slices = (data: Awaited<ReturnType<typeof readAnnotated>>, i = 0) => {
    const document = data.documents[i];
    return document?.entities.map((e) => [e.label, document.text.slice(e.start, e.end)]);
  };

  test("reads inclusive ends", async () => {
    const data = await read(
      dataturks("Jo Doe, Clerk", [["Name"], 0, "Jo Doe"], [["Job"], 8, "Clerk"]),
    );
    expect(data.format).toBe("dataturks");
    expect(data.documents[0]?.id).toBe("line 1");
    expect(data.documents[0]?.entities).toEqual([
      { label: "Name", start: 0, end: 6 },
      { label: "Job", start: 8, end: 13 },
    ]);
    expect(data.repairs.isEmpty).toBe(true);
  });

  test("moves drifted spans to the nearest occurrence of their text", async () => {
    const data = await read(
      dataturks(
        "Acme and Acme &amp; Co, Acme",
        [["Company"], 6, "Acme"],
        [["Other"], 10, "Acme & Co"],
      ),
    );
    expect(data.documents[0]?.entities).toEqual([{ label: "Other", start: 9, end: 22 }]);
    expect(data.repairs.count(REPAIR.drifted)).toBe(2);
    expect(data.repairs.count(REPAIR.overlap)).toBe(1);
    const single = await read(dataturks("Acme and Acme", [["Company"], 6, "Acme"]));
    expect(single.documents[0]?.entities).toEqual([{ label: "Company", start: 9, end: 13 }]);
  });

  test("trims, drops duplicates, resolves overlaps in favour of the longer span", async () => {
    const data = await read(
      dataturks(
        "  Java, C++ and Go",
        [["Skills"], 1, " Java"],
        [["Skills"], 1, " Java"],
        [["Tools"], 2, "Java, C++"],
        [["Skills"], 16, "Go"],
        [["Skills"], 0, "  "],
        [["Skills"], 0, "Rust"],
      ),
    );
    expect(slices(data)).toEqual([
      ["Tools", "Java, C++"],
      ["Skills", "Go"],
    ]);
    expect(data.repairs.entries()).toEqual([
      { kind: REPAIR.unrecoverable, count: 1, records: ["line 1"] },
      { kind: REPAIR.duplicate, count: 1, records: ["line 1"] },
      { kind: REPAIR.whiteSpaceEdge, count: 1, records: ["line 1"] },
      { kind: REPAIR.blank, count: 1, records: ["line 1"] },
      { kind: REPAIR.overlap, count: 1, records: ["line 1"] },
      { kind: REPAIR.overlapDropped, count: 1, records: ["line 1"] },
    ]);
    expect(data.repairs.lines()[1]).toBe("exact duplicate spans left out: 1 in 1 record (line 1)");
  });

  test("counts spans without a usable label and texts that come twice", async () => {
    const data = await read(
      dataturks("a b c", [[], 0, "a"], [["UNKNOWN"], 2, "b"], [["X", "Y"], 4, "c"]),
      { content: "a b c", annotation: null },
    );
    expect(slices(data)).toEqual([["X", "c"]]);
    expect(data.repairs.entries().map(({ kind, count }) => [kind, count])).toEqual([
      [REPAIR.noLabel, 1],
      [REPAIR.unknownLabel, 1],
      [REPAIR.severalLabels, 1],
      [REPAIR.sameText, 1],
    ]);
  });

  test("names line and field of what is malformed", async () => {
    const good = JSON.stringify(dataturks("SECRET", [["A"], 0, "SECRET"]));
    const bad = (record: unknown) =>
      errorOf(file("bad.json", `${good}\n\n${JSON.stringify(record)}\n`));
    expect(await bad({ annotation: [] })).toBe(
      ", line 3, field content: expected a string, got nothing",
    );
    expect(await bad({ content: " " })).toContain("field content: expected text");
    expect(await bad(["SECRET"])).toContain("line 3: expected an object, got a list");
    expect(await bad({ content: "SECRET", annotation: {} })).toContain(
      "field annotation: expected a list",
    );
    expect(await bad({ content: "SECRET", annotation: [{ label: ["A"] }] })).toContain(
      "field annotation[0].points: expected a list, got nothing",
    );
    const point = (p: unknown) =>
      bad({ content: "SECRET", annotation: [{ label: ["A"], points: [p] }] });
    expect(await point({ start: 0, end: "5" })).toContain(
      "field annotation[0].points[0].end: expected a whole number, got a value of type string",
    );
    expect(await point({ start: 0.5, end: 5 })).toContain("expected a whole number, got 0.5");
    expect(await point({ start: 2, end: 6, text: "nowhere" })).toContain(
      "field annotation[0].points[0]: the span 2 to 6 is outside the text of 6 characters",
    );
    expect(await errorOf(file("cut.json", good + "\n" + good.slice(0, -9)))).toBe(
      ", line 2: the line is not valid JSON; is the file truncated?",
    );
    expect(await errorOf(file("cut.json", '{"SECRET\n' + good))).toContain(
      "line 1: the line is not valid JSON; expected one complete JSON object on each line",
    );
  });
});

describe("own JSON lines", () => {
  test("reads what it writes", async () => {
    const document = {
      id: "line 1",
      text: "Zoë 𝒜 Doe",
      entities: [{ label: "Name", start: 0, end: 10 }],
    };
    const data = await readAnnotated(file("own.jsonl", "\ufeff" + toSpanLine(document) + "\r\n"));
    expect(data).toMatchObject({ format: "span-lines", documents: [document] });
    expect(data.repairs.isEmpty).toBe(true);
  });

  test("refuses malformed records", async () => {
    const bad = (record: unknown) => errorOf(file("own.jsonl", lines(record)));
    expect(await bad({ entities: [] })).toContain("line 1, field text: expected a string");
    expect(await bad({ text: "SECRET" })).toContain("field entities: expected a list, got nothing");
    expect(await bad({ text: "SECRET", entities: [{ start: 0, end: 1 }] })).toContain(
      "field entities[0].label",
    );
    for (const [start, end] of [
      [-1, 2],
      [2, 2],
      [3, 7],
    ]) {
      expect(await bad({ text: "SECRET", entities: [{ label: "A", start, end }] })).toContain(
        "is not inside the text of 6 characters",
      );
    }
  });
});

describe("inline XML", () => {
  test("takes the tags out and keeps the offsets", async () => {
    const path = file(
      "one.xml",
      xml(
        String.raw`"<label type="Name">Jo &amp; Flo </label>, R&D <b> <label type='Tool'>C&#43;&#x2b;</label> \xe2\x80\xa2 \xff\x41`,
      ),
    );
    const { documents, repairs, format } = await readAnnotated(path);
    expect(format).toBe("inline-xml");
    expect(documents[0]?.text).toBe(String.raw`"Jo & Flo , R&D <b> C++ • \xffA`);
    expect(documents[0]?.entities).toEqual([
      { label: "Name", start: 1, end: 9 },
      { label: "Tool", start: 20, end: 23 },
    ]);
    expect(repairs.entries().map(({ kind, count }) => [kind, count])).toEqual([
      [REPAIR.unescapedMarkup, 2],
      [REPAIR.byteEscapes, 2],
      [REPAIR.whiteSpaceEdge, 1],
    ]);
  });

  test("reads all XML entries of a zip archive, in order", async () => {
    const path = file(
      "cvs.zip",
      zipSync({
        "cvs/10.xml": strToU8(xml('<label type="Name">Jo</label>')),
        "cvs/9.xml": strToU8(xml("plain")),
        "README.txt": strToU8("hello"),
      }),
    );
    const { documents, repairs } = await readAnnotated(path);
    expect(documents.map(({ id }) => id)).toEqual(["entry cvs/10.xml", "entry cvs/9.xml"]);
    expect(repairs.lines()).toEqual([
      "archive entries left out, not .xml: 1 in 1 record (entry README.txt)",
    ]);
  });

  test("names entry and label of what is malformed", async () => {
    const bad = (body: string) =>
      errorOf(
        file("bad.zip", zipSync({ "a.xml": strToU8(xml("SECRET")), "b.xml": strToU8(body) })),
      );
    expect(await bad(xml("SECRET <label>x</label>"))).toContain(
      ', entry b.xml, field label 1: expected <label type="…">',
    );
    expect(await bad(xml('<label type="A">SECRET'))).toContain(
      "field label 1 (A): <label> is never closed",
    );
    expect(await bad(xml("SECRET </label>"))).toContain("</label> without <label> after 0 labels");
    expect(await bad(xml("SECRET").slice(0, -8))).toContain("expected </cv> at the end");
    expect(await bad("SECRET")).toContain("expected XML with one root element");
    expect(await bad(xml(" "))).toContain("the document has no text");
  });
});

describe("files that cannot be data", () => {
  test("are refused with the reason", async () => {
    expect(await errorOf(join(folder, "none.json"))).toBe(": no such file; check the path");
    mkdirSync(join(folder, "dir.json"));
    expect(await errorOf(join(folder, "dir.json"))).toContain("got a directory");
    expect(await errorOf(file("empty.json", ""))).toBe(": the file is empty");
    expect(await errorOf(file("blank.json", " \n"))).toContain("expected JSON lines");
    expect(await errorOf(file("list.json", "[1]"))).toContain("expected JSON lines");
    expect(await errorOf(file("big.json", "x".repeat(20)), { maxBytes: 10 })).toContain(
      "the file has 20 bytes, the limit is 10",
    );
    expect(await errorOf(file("latin1.json", Buffer.from('{"text":"é"}', "latin1")))).toContain(
      "expected UTF-8",
    );
    expect(
      await errorOf(file("utf16.json", Buffer.from('\ufeff{"text":"é"}', "utf16le"))),
    ).toContain("got UTF-16");
    expect(await errorOf(file("nobom.json", Buffer.from('{"text":"e"}', "utf16le")))).toContain(
      "NUL character",
    );
    expect(await errorOf(file("cv.pdf", "%PDF-1.7 SECRET"))).toContain("got a PDF document");
  });

  test("zip archives are refused when they are none, damaged or bombs", async () => {
    const whole = zipSync({ "a.xml": strToU8(xml("SECRET ".repeat(500))) });
    expect(await errorOf(file("text.zip", "SECRET"))).toContain("expected a zip archive");
    expect(await errorOf(file("cut.zip", whole.slice(0, -30)))).toContain("damaged or truncated");
    expect(await errorOf(file("empty.zip", zipSync({})))).toContain("no .xml entry");
    const limits = { entries: 10, entryBytes: 1000, totalBytes: 2000, ratio: 200 };
    expect(await errorOf(file("big.zip", whole), { zipLimits: limits })).toContain(
      "entry a.xml: unpacked bytes: 3551, the limit is 1000",
    );
    const bomb = zipSync({ "a.xml": new Uint8Array(2 ** 22) });
    expect(await errorOf(file("bomb.zip", bomb))).toContain("compression ratio:");
    const many = zipSync(
      Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`${i}.xml`, strToU8("x")])),
    );
    expect(await errorOf(file("many.zip", many), { zipLimits: limits })).toContain("entries: 11");
  });

  test("plain text is read strictly too", async () => {
    await expect(readText(file("a.txt", "\ufeffhello\n"))).resolves.toBe("hello\n");
    await expect(readText(file("a.txt", " \n"))).rejects.toThrow("nothing but white space");
    await expect(readText(file("a.docx", "PK\u0003\u0004x"))).rejects.toThrow("Office document");
  });
});

/** Defects of a DataTurks file, counted span by span in the plainest way. */
function rawDataTurks(text: string) {
  const counts = { drifted: 0, driftedRecords: 0, edges: 0, overlaps: 0 };
  for (const line of text.split("\n").filter((l) => l.trim() !== "")) {
    const { content, annotation } = JSON.parse(line) as {
      content: string;
      annotation: { label: string[]; points: { start: number; end: number; text: string }[] }[];
    };
    const spans = annotation
      .filter(({ label }) => label.length > 0 && label[0] !== "UNKNOWN")
      .flatMap(({ label, points }) => points.map((point) => ({ label: label[0], ...point })));
    const drifted = spans.filter((s) => content.slice(s.start, s.end + 1) !== s.text).length;
    counts.drifted += drifted;
    counts.driftedRecords += drifted > 0 ? 1 : 0;
    const unique = new Map(spans.map((s) => [`${s.label} ${s.start} ${s.end}`, s]));
    counts.edges += [...unique.values()].filter((s) => s.text !== s.text.trim()).length;
    spans.forEach((a, i) => {
      counts.overlaps += spans
        .slice(i + 1)
        .filter((b) => a.start <= b.end && b.start <= a.end).length;
    });
  }
  return counts;
}

describe("real data", () => {
  const turks = sharedData("resumes/dataturks/traindata.json");
  test.skipIf(turks.missing)(`DataTurks resumes${turks.title}`, async () => {
    const { documents, repairs } = await readAnnotated(turks.file);
    expect(documents).toHaveLength(200);
    const raw = rawDataTurks(readFileSync(turks.file, "utf8"));
    const drifted = repairs.entries().find(({ kind }) => kind === REPAIR.drifted);
    expect(drifted?.count).toBe(raw.drifted);
    expect(drifted?.records).toHaveLength(raw.driftedRecords);
    // One drifted span is found only by its letters, so without the white space at its edge.
    expect(repairs.count(REPAIR.whiteSpaceEdge)).toBe(raw.edges - 1);
    expect(raw.overlaps - repairs.count(REPAIR.overlap)).toBeLessThan(0.05 * raw.overlaps);
    expect(repairs.count(REPAIR.duplicate)).toBe(3);
    expect(repairs.count(REPAIR.noLabel)).toBe(2);
    expect(repairs.count(REPAIR.unknownLabel)).toBe(2);
    expect(repairs.count(REPAIR.sameText)).toBe(1);
    expect(repairs.count(REPAIR.unrecoverable)).toBe(0);
    const kept = documents.reduce((n, { entities }) => n + entities.length, 0);
    expect(kept + repairs.count(REPAIR.overlapDropped)).toBe(3208 - 3 - 2 - 2);
  });

  const dotin = sharedData("resumes/dotin/545_cvs_train_v2.zip");
  test.skipIf(dotin.missing)(`inline-XML resumes${dotin.title}`, async () => {
    const { documents, repairs } = await readAnnotated(dotin.file);
    expect(documents).toHaveLength(310);
    expect(documents.reduce((n, { entities }) => n + entities.length, 0)).toBe(15_681);
    // Counted in the XML as it stands.
    const sources = Object.entries(unzipSync(new Uint8Array(readFileSync(dotin.file))))
      .filter(([name]) => name.endsWith(".xml"))
      .map(([, bytes]) => strFromU8(bytes));
    const edges = sources.map(
      (xml) =>
        [...xml.matchAll(/<label\b[^>]*>([^]*?)<\/label\s*>/g)].filter(
          ([, label = ""]) => label !== label.trim(),
        ).length,
    );
    const trimmed = repairs.entries().find(({ kind }) => kind === REPAIR.whiteSpaceEdge);
    expect(trimmed?.count).toBe(edges.reduce((a, b) => a + b, 0));
    expect(trimmed?.records).toHaveLength(edges.filter((n) => n > 0).length);
    for (const { text, entities } of documents) {
      for (const { start, end } of entities) {
        const slice = text.slice(start, end);
        if (slice === "" || slice !== slice.trim() || slice.includes("<label")) {
          throw new Error("a span is not a trimmed piece of its text");
        }
      }
    }
  });
});
