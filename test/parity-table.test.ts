/** The published table is what the fixtures say, and what it calls missing is missing. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { notSupported } from "../scripts/not-supported.ts";
import { parityPage } from "../scripts/parity-table.ts";
import * as root from "../src/index.ts";
import * as nn from "../src/nn/index.ts";

test("docs/pytorch-parity.md is made from the fixtures as they are", () => {
  const page = readFileSync(new URL("../docs/pytorch-parity.md", import.meta.url), "utf8");
  expect(page, "run: npx tsx scripts/parity-table.ts").toBe(parityPage());
});

test("what is said to be missing is missing", () => {
  const camel = (name: string): string =>
    name
      .split(".")
      .at(-1)!
      .replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const places = [root, nn, nn.functional, root.Tensor.prototype];
  const there = notSupported
    .flatMap(([names]) => names)
    .filter((name) => places.some((place) => camel(name) in place));
  expect(there).toEqual([]);
});
