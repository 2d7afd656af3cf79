/** The k largest of rows as a kernel: against sorting in JavaScript, and where programs get it. */

import { describe, expect, it } from "vitest";
import { fuse } from "../../src/kernels/fuse.ts";
import { topKKernel } from "../../src/kernels/top-k.ts";
import { Dice } from "./dice.ts";
import { lowered, spec } from "./programs.ts";
import { AtEdge, codeMemory, Guarded, runCode } from "./run-code.ts";

/** Values and positions of the k largest of each row; the first of equal ones comes first. */
function largest(x: Float32Array, columns: number, k: number) {
  const [values, positions]: [number[], bigint[]] = [[], []];
  for (let start = 0; start < x.length; start += columns) {
    const row = x.subarray(start, start + columns);
    const order = Array.from(row.keys()).sort((i, j) => {
      const [a, b] = [row[i]!, row[j]!];
      return a === b ? i - j : a < b ? 1 : -1;
    });
    for (const i of order.slice(0, k)) {
      values.push(row[i]!);
      positions.push(BigInt(i));
    }
  }
  return { values: Float32Array.from(values), positions: BigInt64Array.from(positions) };
}

/** What the kernel finds in rows that end where nothing may be read. */
function found(x: Float32Array, columns: number, k: number, threads: number) {
  const rows = x.length / columns;
  const kernel = topKKernel("top", [rows, columns], k, threads);
  const given = new AtEdge(new Uint8Array(x.buffer));
  const [values, positions] = [new Guarded(4 * rows * k), new Guarded(8 * rows * k)];
  runCode(kernel.code, [given, values, positions], kernel.parts);
  given.release();
  expect(values.intact() && positions.intact()).toBe(true);
  return {
    values: new Float32Array(values.bytes.slice().buffer),
    positions: new BigInt64Array(positions.bytes.slice().buffer),
  };
}

describe.skipIf(codeMemory === undefined)("the kernel (needs AVX2)", () => {
  const dice = new Dice(11);
  const kinds: Readonly<Record<string, () => number>> = {
    different: () => dice.bits() / 2 ** 31 - 1,
    "often equal": () => dice.below(4) - 2,
    "all equal": () => -3,
    "mostly −∞": () => (dice.chance(0.05) ? dice.below(3) : -Infinity),
    "all −∞": () => -Infinity,
    "with ∞ and −0": () => dice.one([Infinity, -Infinity, 0, -0, 1e30]),
  };
  it.each(Object.entries(kinds))("puts elements that are %s in order", (_, next) => {
    for (const columns of [1, 7, 8, 31, 32, 33, 64, 255, 256, 263, 1000, 8000])
      for (const k of [1, 2, 8, 31])
        for (const [rows, threads] of [
          [1, 2],
          [3, 1],
          [5, 2],
        ] as const) {
          if (k > columns) continue;
          const x = Float32Array.from({ length: rows * columns }, next);
          expect(found(x, columns, k, threads)).toEqual(largest(x, columns, k));
        }
  });

  it("finds the largest of the longest rows", () => {
    const x = Float32Array.from({ length: 2 ** 18 }, () => dice.bits() / 2 ** 31 - 1);
    expect(found(x, 2 ** 18, 31, 1)).toEqual(largest(x, 2 ** 18, 31));
  });

  it("passes over NaN while there are larger elements, and stays in a row of NaN", () => {
    const x = Float32Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? NaN : Math.sin(i)));
    const numbers = x.map((value) => (Number.isNaN(value) ? -Infinity : value));
    expect(found(x, 300, 20, 1)).toEqual(largest(numbers, 300, 20));
    const { positions } = found(new Float32Array(70).fill(NaN), 35, 31, 1);
    expect(positions.every((i) => i >= 0n && i < 35n)).toBe(true);
  });
});

describe("TopK in a program", () => {
  const operators = (columns: number, k: number, attributes: Record<string, number> = {}) => {
    const program = lowered({
      inputs: [spec("x", "float32", 16, columns)],
      outputs: [spec("v", "float32", 16, k), spec("i", "int64", 16, k)],
      nodes: [
        {
          ...{ opType: "TopK", inputs: ["x", "k"], outputs: ["v", "i"] },
          attributes: Object.fromEntries(
            Object.entries(attributes).map(([name, value]) => [name, { kind: "int", value }]),
          ),
        },
      ],
      constants: [{ name: "k", dtype: "int64", shape: [1], data: BigInt64Array.of(BigInt(k)) }],
    });
    const { model } = fuse(program, { threads: 2, products: true });
    return model.graph.nodes.map(({ opType }) => opType);
  };

  it("is a kernel along the last dimension, for few of many", () => {
    expect(operators(1000, 8)).toEqual(["kernel_0"]);
    expect(operators(1000, 8, { axis: 1 })).toEqual(["kernel_0"]);
  });

  it.each([
    ["many", 1000, 32, {}],
    ["a few elements", 100, 8, {}],
    ["the smallest", 1000, 8, { largest: 0 }],
    ["other dimensions", 1000, 8, { axis: 0 }],
    ["rows too long for the stack", 2 ** 18 + 1, 8, {}],
  ])("stays with ONNX Runtime for %s", (_, columns, k, attributes) => {
    expect(operators(columns, k, attributes)).toEqual(["TopK"]);
  });
});
