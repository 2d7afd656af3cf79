/** Random shapes and arguments: we and PyTorch agree on the result's shape, or on there being none. */

import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import * as root from "../../src/index.ts";
import { ShapeError, Tensor, zeros } from "../../src/index.ts";

type Sizes = readonly number[];
type Outcome = Sizes | readonly Sizes[] | null;
type Row = readonly [name: string, tensors: readonly Sizes[], args: readonly unknown[], Outcome];
type Call = (...args: unknown[]) => Tensor | readonly Tensor[];

const file = new URL("../fixtures/ops/shapes.json", import.meta.url);
const rows = JSON.parse(await readFile(file, "utf8")) as readonly Row[];

const indexed = new Set(
  "gather scatter scatterAdd indexSelect indexAdd indexCopy takeAlongDim".split(" "),
);

function outcome([name, tensors, args]: Row): Outcome {
  try {
    const result = call(name, tensors, args);
    return result instanceof Tensor ? result.shape : result.map((x) => x.shape);
  } catch (error) {
    if (error instanceof ShapeError && error.message.startsWith(name)) return null;
    throw error;
  }
}

function call(name: string, shapes: readonly Sizes[], args: readonly unknown[]): ReturnType<Call> {
  if (name in root)
    return (root as unknown as Record<string, Call>)[name]!(
      shapes.map((s) => zeros(s)),
      ...args,
    );
  const x = zeros(shapes[0]!);
  const method = (x as unknown as Record<string, Call>)[name]!.bind(x);
  if (!indexed.has(name)) return method(...args);
  const index = zeros(shapes[1]!, { dtype: "int32" });
  const source = zeros(shapes[2]!);
  return name === "takeAlongDim" ? method(index, ...args) : method(...args, index, source);
}

describe("shapes agree with PyTorch's", () => {
  test.each([...new Set(rows.map(([name]) => name))])("%s", (name) => {
    const odd: string[] = [];
    for (const row of rows) {
      if (row[0] !== name) continue;
      let got: unknown;
      try {
        got = outcome(row);
      } catch (error) {
        got = String(error);
      }
      if (JSON.stringify(got) !== JSON.stringify(row[3]))
        odd.push(`${JSON.stringify(row)}: ${JSON.stringify(got)}`);
    }
    expect(odd).toEqual([]);
  });
});
