/** Products of matrices that are parts of larger tensors, against sums in float64; what lies between must stay. */

import { describe, expect, it } from "vitest";
import type { TypeSpec } from "../../src/graph/node.ts";
import type { Layout } from "../../src/kernels/matmul-layout.ts";
import type { MatmulSpec } from "../../src/kernels/matmul-plan.ts";
import { joinedMatmulKernel, matmulKernel } from "../../src/kernels/matmul.ts";
import { Dice } from "./dice.ts";
import { AtEdge, codeMemory, Guarded, runCode } from "./run-code.ts";

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const product = (numbers: readonly number[]): number => numbers.reduce((a, b) => a * b, 1);
const flat = (size: number): TypeSpec => ({ dtype: "float32", shape: [size] });

/** A layout whose dimensions but the lines' own follow in any order, with gaps, and how many elements it ends after. */
function layoutOf(dice: Dice, batch: readonly number[], lines: number, length: number) {
  const sizes = [...batch, lines];
  const strides = sizes.map(() => 0);
  let step = length + dice.one([0, 0, 3, 16]);
  const left = sizes.map((_, i) => i);
  while (left.length > 0) {
    const [dim] = left.splice(dice.below(left.length), 1) as [number];
    strides[dim] = step;
    step = step * sizes[dim]! + dice.one([0, 0, 5]);
  }
  const offset = dice.one([0, 0, 7]);
  const layout: Layout = { offset, line: strides.at(-1)!, matrices: strides.slice(0, -1) };
  return { layout, end: offset + sum(sizes.map((size, i) => (size - 1) * strides[i]!)) + length };
}

/** Where the matrix of each place in the batch begins. */
function starts({ offset, matrices }: Layout, batch: readonly number[]): number[] {
  return Array.from({ length: product(batch) }, (_, item) => {
    let [start, rest] = [offset, item];
    for (let dim = batch.length - 1; dim >= 0; dim--) {
      start += (rest % batch[dim]!) * matrices[dim]!;
      rest = Math.floor(rest / batch[dim]!);
    }
    return start;
  });
}

interface Case {
  readonly spec: MatmulSpec & { readonly a: Layout; readonly b: Layout; readonly c: Layout };
  /** How many elements A, B and C have with what lies between. */
  readonly sizes: readonly [number, number, number];
}

function caseOf(dice: Dice, m: number, n: number, k: number): Case {
  const batch = dice.one([[], [3], [2, 3], [1, 4], [2, 1, 3], [2, 2, 2]]);
  const [transA, transB] = [dice.chance(0.4), dice.chance(0.5)];
  const a = layoutOf(dice, batch, transA ? k : m, transA ? m : k);
  const b = layoutOf(dice, batch, transB ? n : k, transB ? k : n);
  const c = layoutOf(dice, batch, m, n);
  const spec = {
    ...{ m, n, k, transA, transB, batch, threads: dice.one([1, 2, 4]) },
    ...{ a: a.layout, b: b.layout, c: c.layout },
    ...(dice.chance(0.3) && { bias: true }),
    ...(dice.chance(0.3) && { alpha: -0.4 }),
  };
  return { spec, sizes: [a.end, b.end, c.end] };
}

const numbers = (dice: Dice, count: number): Float32Array =>
  Float32Array.from({ length: count }, () => dice.bits() / 2 ** 31 - 1);

/** Writes the product to where it belongs in C; elements between stay. */
function multiply(
  { m, n, k, transA, transB, batch = [], alpha = 1, ...spec }: Case["spec"],
  [a, b, bias]: readonly Float32Array[],
  c: Float64Array,
): void {
  const [fromA, fromB, to] = [spec.a, spec.b, spec.c].map((layout) => starts(layout, batch));
  to!.forEach((start, item) => {
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let total = 0;
        for (let t = 0; t < k; t++)
          total +=
            a![fromA![item]! + (transA ? t * spec.a.line + i : i * spec.a.line + t)]! *
            b![fromB![item]! + (transB ? j * spec.b.line + t : t * spec.b.line + j)]!;
        c[start + i * spec.c.line + j] = alpha * total + (bias?.[j] ?? 0);
      }
  });
}

const bytesOf = (data: Float32Array): Uint8Array => new Uint8Array(data.buffer);

/** What code gives for inputs that end where nothing may be read, in an output of NaN. */
function run(
  { code, parts }: { readonly code: Uint8Array; readonly parts: number },
  inputs: readonly Float32Array[],
  size: number,
): Float32Array {
  const given = inputs.map((data) => new AtEdge(bytesOf(data)));
  const output = new Guarded(bytesOf(new Float32Array(size).fill(NaN)));
  runCode(code, [...given, output], parts);
  for (const input of given) input.release();
  expect(output.intact()).toBe(true);
  return new Float32Array(output.bytes.slice().buffer);
}

function expectClose(got: Float32Array, expected: Float64Array, k: number, what: unknown): void {
  const off = got.findIndex((x, i) => {
    const truth = expected[i]!;
    return Number.isNaN(truth) ? !Number.isNaN(x) : !(Math.abs(x - truth) < 8 * 2 ** -24 * (2 + k));
  });
  expect(
    off < 0 ? "" : `[${off}]: ${got[off]} for ${expected[off]} of ${JSON.stringify(what)}`,
  ).toBe("");
}

const sizes: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [1, 1, 40],
  [1, 9, 33],
  [9, 1, 33],
  [1, 40, 130],
  [40, 1, 130],
  [5, 7, 3],
  [16, 16, 8],
  [24, 24, 64],
  [24, 64, 24],
  [13, 35, 17],
  [37, 50, 96],
  [70, 33, 20],
  [60, 20, 641],
  [20, 270, 330],
];

describe.skipIf(codeMemory === undefined)("matrices in larger tensors", () => {
  it.each(sizes)("are multiplied where they lie: m %d, n %d, k %d", (m, n, k) => {
    const dice = new Dice(m + 100 * n + 7 * k);
    for (let i = 0; i < (m * n * k < 50_000 ? 40 : 10); i++) {
      const { spec, sizes } = caseOf(dice, m, n, k);
      const inputs = sizes.slice(0, 2).map((size) => numbers(dice, size));
      if (spec.bias) inputs.push(numbers(dice, n));
      const expected = new Float64Array(sizes[2]).fill(NaN);
      multiply(spec, inputs, expected);
      expectClose(run(matmulKernel("product", spec), inputs, sizes[2]), expected, k, spec);
    }
  });

  it("of which several products make their parts in one kernel", () => {
    const dice = new Dice(5);
    for (let i = 0; i < 20; i++) {
      const inputs: Float32Array[] = [];
      const parts: { spec: Case["spec"]; inputs: number[] }[] = [];
      let size = 0;
      for (let count = dice.between(1, 4); count > 0; count--) {
        const [m, n, k] = dice.one(sizes.slice(0, -3));
        const { spec, sizes: own } = caseOf(dice, m, n, k);
        const places = own.slice(0, 2).map((length) => inputs.push(numbers(dice, length)) - 1);
        if (spec.bias) places.push(inputs.push(numbers(dice, n)) - 1);
        const c = { ...spec.c, offset: size + spec.c.offset };
        parts.push({ spec: { ...spec, c }, inputs: places });
        size += own[2];
      }
      const expected = new Float64Array(size).fill(NaN);
      for (const { spec, inputs: own } of parts)
        multiply(
          spec,
          own.map((place) => inputs[place]!),
          expected,
        );
      const kernel = joinedMatmulKernel("products", parts, {
        inputs: inputs.map(({ length }) => flat(length)),
        outputs: [flat(size)],
      });
      expectClose(run(kernel, inputs, size), expected, 641, parts);
    }
  });
});
