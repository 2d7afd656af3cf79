/** Imports point only down the rooms of the design, and one room alone knows ONNX Runtime. */

import { readdir, readFile } from "node:fs/promises";
import { posix } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

/** From the ground up: a file may import from its own room and from those before it. */
const ROOMS = [
  "graph",
  "ops",
  "autograd",
  "onnx",
  "kernels",
  "runtime",
  "tensor",
  "nn",
  "optim",
  "data",
  "text",
  "hub",
  "train",
  "models",
  "tasks",
  "cli",
  "server",
  "package",
];
/** What a user holds: the files that lie in src itself, and the families of methods in src/tensor. */
const TOP = "tensor";
const DOOR = "package";

const NATIVE = /^(onnxruntime|koffi|#ort)/;

/** The room of a path below src; undefined where there is none by that name. */
function roomOf(path: string): string | undefined {
  // The package's door: it exports from any room, and no room may go through it.
  if (path === "index.ts") return DOOR;
  const [folder, ...rest] = path.split("/");
  if (rest.length === 0) return TOP;
  return ROOMS.find((room) => room === folder && room !== DOOR);
}

/** Modules that a source imports or exports from, types and dynamic imports included. */
function importsOf(source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const specifier =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
          ? node.argument.literal
          : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
            ? node.arguments[0]
            : undefined;
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) found.push(specifier.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("file.ts", source, ts.ScriptTarget.Latest));
  return found;
}

/** What is wrong with the imports of a file; `path` is below src. */
function complaints(path: string, source: string): string[] {
  const own = roomOf(path);
  if (own === undefined) return [`src/${path} is in no room of the design`];
  return importsOf(source).flatMap((specifier) => {
    if (NATIVE.test(specifier) && own !== "runtime")
      return [`src/${path} imports ${specifier}, which only src/runtime may`];
    if (!specifier.startsWith(".")) return [];
    const target = posix.normalize(posix.join(posix.dirname(path), specifier));
    if (target.startsWith("..")) return [`src/${path} imports ${specifier} from outside of src`];
    const other = roomOf(target);
    if (other === undefined) return [`src/${path} imports src/${target}, which is in no room`];
    if (ROOMS.indexOf(other) <= ROOMS.indexOf(own)) return [];
    return [`src/${path} (${own}) imports src/${target} (${other}), a later room`];
  });
}

test("imports point down", async () => {
  const src = new URL("../src/", import.meta.url);
  const files = (await readdir(src, { recursive: true }))
    .map((file) => file.split("\\").join("/"))
    .filter((file) => file.endsWith(".ts"));
  expect(files.length).toBeGreaterThan(50);
  const found = await Promise.all(
    files.map(async (file) => complaints(file, await readFile(new URL(file, src), "utf8"))),
  );
  expect(found.flat()).toEqual([]);
});

describe("the check itself", () => {
  test.each([
    [
      "ops/a.ts",
      `import { x } from "../nn/b.ts";`,
      "src/ops/a.ts (ops) imports src/nn/b.ts (nn), a later room",
    ],
    [
      "onnx/a.ts",
      `import type { X } from "../tensor.ts";`,
      "src/onnx/a.ts (onnx) imports src/tensor.ts (tensor), a later room",
    ],
    [
      "graph/a.ts",
      `export * from "../ops/b.ts";`,
      "src/graph/a.ts (graph) imports src/ops/b.ts (ops), a later room",
    ],
    [
      "text/a.ts",
      `const b = await import("../hub/b.ts");`,
      "src/text/a.ts (text) imports src/hub/b.ts (hub), a later room",
    ],
    [
      "nn/a.ts",
      `let x: import("../optim/b.ts").X;`,
      "src/nn/a.ts (nn) imports src/optim/b.ts (optim), a later room",
    ],
    [
      "engine.ts",
      `import * as ort from "onnxruntime-node";`,
      "src/engine.ts imports onnxruntime-node, which only src/runtime may",
    ],
    [
      "tasks/ner/a.ts",
      `import koffi from "koffi";`,
      "src/tasks/ner/a.ts imports koffi, which only src/runtime may",
    ],
    [
      "nn/a.ts",
      `import { tensor } from "../index.ts";`,
      "src/nn/a.ts (nn) imports src/index.ts (package), a later room",
    ],
    ["misc/a.ts", ``, "src/misc/a.ts is in no room of the design"],
    [
      "ops/a.ts",
      `import "../../test/x.ts";`,
      "src/ops/a.ts imports ../../test/x.ts from outside of src",
    ],
  ])("%s: %s", (path, source, message) => {
    expect(complaints(path, source)).toEqual([message]);
  });

  test("lets imports down and sideways pass", () => {
    const source = `
      import { a } from "../../graph/shape.ts";
      import { b } from "../../tensor.ts";
      import { c } from "./c.ts";
      import { d } from "node:fs";
      // import "../../cli/x.ts";
      const text = 'import "../../cli/x.ts"';`;
    expect(complaints("tasks/ner/a.ts", source)).toEqual([]);
    expect(complaints("runtime/a.ts", `import "onnxruntime-web/webgpu";`)).toEqual([]);
  });
});
