/** The pages in docs/ are true: their programs print what the pages say, cells of tables run, mistakes give their errors. */

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import * as core from "../src/index.ts";
import * as hub from "../src/hub/index.ts";
import * as models from "../src/models/index.ts";
import * as optim from "../src/optim/index.ts";
import * as text from "../src/text/index.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const docs = join(root, "docs");

/** A piece of a page that is run. */
interface Piece {
  readonly name: string;
  /** A program, or the statement of a table's cell. */
  readonly code: string;
  /** What a program prints. */
  readonly prints: string;
  /** The error that a mistake gives. */
  readonly throws: string | null;
}

interface Page {
  readonly name: string;
  /** What cells of tables may use. */
  readonly setup: string;
  readonly programs: readonly Piece[];
  readonly cells: readonly Piece[];
}

/** Names that cells of tables may use without importing them. */
const IMPORTS = [
  'import * as nn from "learning-loop/nn";',
  ...Object.entries({
    "learning-loop": core,
    "learning-loop/optim": optim,
    "learning-loop/hub": hub,
    "learning-loop/models": models,
    "learning-loop/text": text,
  }).map(([room, names]) => {
    const free = Object.keys(names).filter(
      (name) => name !== "var" && (names === core || !(name in core)),
    );
    return `import { ${free.join(", ")} } from "${room}";`;
  }),
].join("\n");

/** Files that the pages read, under the names they give them. */
const FILES = {
  "small.safetensors": "weights.safetensors",
  "views.pt": "checkpoint.pt",
  "version-1.npy": "array.npy",
};

const SETUP = /```ts\n\/\/ In the tables:\n([\s\S]*?)```/;
const PROGRAM = /```ts\n(?!\/\/ In the tables:)([\s\S]*?)```(?:\n+```text\n([\s\S]*?)```)?/g;

/** Cells of the lines of a table; "\|" is a bar within one. */
const cellsOf = (line: string): string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));

const codeIn = (cell: string): string[] =>
  Array.from(cell.matchAll(/`([^`]+)`/g), ([, code]) => code!);

/** The cells of the columns "here" and "mistake". */
function cellsIn(text: string): Piece[] {
  let header: string[] = [];
  return text.split("\n").flatMap((line): Piece[] => {
    if (!line.startsWith("|")) {
      header = [];
      return [];
    }
    const row = cellsOf(line);
    if (header.length === 0) {
      header = row;
      return [];
    }
    const mistake = header.indexOf("mistake");
    const column = mistake < 0 ? header.indexOf("here") : mistake;
    const throws = mistake < 0 ? null : codeIn(row[1]!).join();
    return codeIn(row[column] ?? "").map((code) => ({ name: code, code, prints: "", throws }));
  });
}

const programsIn = (text: string): Piece[] =>
  Array.from(text.matchAll(PROGRAM), ([, code, prints = ""], i) => ({
    name: `program ${i + 1}`,
    code: code!,
    prints,
    throws: null,
  }));

function pageOf(name: string): Page {
  const text = readFileSync(join(docs, name), "utf8");
  const setup = SETUP.exec(text)?.[1] ?? null;
  const cells = setup === null ? [] : cellsIn(text);
  return { name, setup: setup ?? "", programs: programsIn(text), cells };
}

const pages = readdirSync(docs)
  .filter((name) => name.endsWith(".md"))
  .map(pageOf)
  .filter(({ programs, cells }) => programs.length + cells.length > 0);

/** What a piece did. */
interface Outcome {
  readonly printed: string;
  readonly error: string | null;
}

/** Prints as JSON what became of the programs named on the command line, run one after another, and of a page's cells. */
const RUNNER = `
import { format } from "node:util";
const outcomes = [];
let printed = "";
for (const name of ["log", "info", "warn", "error"])
  console[name] = (...args) => void (printed += format(...args) + "\\n");
async function run(piece) {
  printed = "";
  const error = await piece().then(() => null, (e) => \`\${e.name}: \${e.message}\`);
  outcomes.push({ printed, error });
}
const [cells, ...programs] = process.argv.slice(2);
for (const program of programs) await run(() => import(program));
for (const cell of (await import(cells)).default) await run(cell);
process.stdout.write(JSON.stringify(outcomes));
`;

const withSources = (program: string): string =>
  program.replace(/"learning-loop(?:\/(\w+))?"/g, (_, room: string | undefined) =>
    JSON.stringify(source(room === undefined ? "src/index.ts" : `src/${room}/index.ts`)),
  );

const source = (path: string): string => pathToFileURL(join(root, path)).href;

/** Runs all pieces of a page in one process, in a folder with the files that the pages read. */
function run({ setup, programs, cells }: Page): Outcome[] {
  const folder = mkdtempSync(join(tmpdir(), "docs-"));
  try {
    for (const [fixture, name] of Object.entries(FILES))
      cpSync(join(root, "test", "fixtures", "hub", fixture), join(folder, name));
    const write = (name: string, text: string): string => {
      writeFileSync(join(folder, name), withSources(text));
      return pathToFileURL(join(folder, name)).href;
    };
    const functions = cells.map(({ code }) => `async () => {\n${setup}\n${code};\n}`);
    const modules = [
      write("cells.mts", `${IMPORTS}\nexport default [\n${functions.join(",\n")}\n];\n`),
      ...programs.map(({ code }, i) => write(`program-${i + 1}.mts`, code)),
    ];
    write("run.mjs", RUNNER);
    const tsx = source("node_modules/tsx/dist/loader.mjs");
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", tsx, "run.mjs", ...modules],
      { cwd: folder, encoding: "utf8" },
    );
    expect(stderr).toBe("");
    return JSON.parse(stdout) as Outcome[];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("pages show programs, tables and mistakes", () => {
  const all = pages.flatMap(({ programs, cells }) => [...programs, ...cells]);
  expect(all.some(({ prints }) => prints !== "")).toBe(true);
  expect(all.some(({ throws }) => throws !== null)).toBe(true);
});

describe.each(pages)("docs/$name", (page) => {
  const pieces = [...page.programs, ...page.cells].map((piece, i) => ({ ...piece, i }));
  let outcomes: readonly Outcome[] = [];

  beforeAll(() => {
    outcomes = run(page);
  }, 60_000);

  test.each(pieces)("$name", ({ i, prints, throws }) => {
    expect(outcomes[i]).toEqual({ printed: prints, error: throws });
  });
});
