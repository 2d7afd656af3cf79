/** Compiled loops against the interpreter: every element to the bit, and nothing written or read beyond operands. */

import { describe, expect, it } from "vitest";
import { compileLoop } from "../../src/kernels/compile.ts";
import { Formula } from "../../src/kernels/formula.ts";
import type { Access, Loop } from "../../src/kernels/loop.ts";
import { exp } from "../../src/kernels/vector-math.ts";
import { toFloat } from "./interpret.ts";
import { Dice } from "./dice.ts";
import { expected, operandsOf, randomLoop, received, type Shape } from "./random-loops.ts";
import { AtEdge, codeMemory, Guarded, runCode } from "./run-code.ts";

/** Where a loop's results are not what they should be; NaN is NaN, whatever its bits. */
function differences(loop: Loop, operands: readonly Guarded[]): string[] {
  const truth = expected(loop, operands);
  runCode(compileLoop(loop), operands, loop.parts);
  const found: string[] = [];
  received(loop, operands).forEach((bits, i) => {
    const { dtype, form } = loop.results[i]!;
    const place = bits.findIndex((got, j) => {
      const want = truth[i]![j]!;
      const [a, b] = [toFloat(got), toFloat(want)];
      if (dtype === "float32" && Number.isNaN(a) && Number.isNaN(b)) return false;
      return form === "sums" ? a !== b : got !== want;
    });
    if (place < 0) return;
    const [got, want] = [bits[place]!, truth[i]![place]!];
    found.push(
      `${form} ${i} of ${dtype}, ${place}: ${got} (${toFloat(got)}) for ${want} (${toFloat(want)})`,
    );
  });
  operands.forEach((operand, i) => {
    if (!operand.intact()) found.push(`operand ${i} was left`);
  });
  return found;
}

const plain: Omit<Shape, "rows" | "columns"> = {
  ...{ parts: 1, inputs: 4, steps: 12, results: 2 },
  ...{ reduces: 0, sums: false },
};

/** Tries so many random loops. */
function fuzz(count: number, seed: number, shape: (dice: Dice) => Shape, inPlace = false): void {
  for (let i = 0; i < count; i++) {
    const dice = new Dice(seed * 100000 + i);
    const size = shape(dice);
    const loop = randomLoop(dice, size);
    const operands = operandsOf(dice, loop, size.reduces > 0 || size.sums, inPlace);
    expect(differences(loop, operands), `${seed}.${i} ${JSON.stringify(size)}`).toEqual([]);
  }
}

describe.skipIf(codeMemory === undefined)("loops of random steps", () => {
  it.each(Array.from({ length: 8 }, (_, i) => i))("over rows of 8n + %d elements", (left) => {
    fuzz(20, left, (dice) => ({
      ...plain,
      rows: dice.between(1, 13),
      columns: Math.max(1, 8 * dice.below(4) + left),
      inputs: dice.between(1, 6),
      steps: dice.between(1, 30),
      results: dice.between(1, 4),
    }));
  });

  it("with more values at a time than registers, and more operands", () => {
    fuzz(25, 10, (dice) => ({
      ...plain,
      rows: dice.between(1, 4),
      columns: dice.between(1, 20),
      inputs: dice.between(20, 45),
      steps: dice.between(40, 160),
      results: dice.between(5, 15),
    }));
  });

  it("of one row in parts, also of parts with nothing to do", () => {
    fuzz(60, 11, (dice) => ({
      ...plain,
      rows: 1,
      columns: dice.between(1, 90),
      parts: dice.between(2, 9),
      sums: dice.chance(0.3),
    }));
  });

  it("of rows in parts, also of parts with nothing to do", () => {
    fuzz(60, 12, (dice) => ({
      ...plain,
      rows: dice.between(2, 12),
      columns: dice.between(1, 20),
      parts: dice.between(2, 14),
      sums: dice.chance(0.5),
      results: 3,
    }));
  });

  it("with sums and maxima that need one another", () => {
    fuzz(150, 13, (dice) => ({
      ...plain,
      rows: dice.between(1, 6),
      columns: dice.between(1, 40),
      inputs: dice.between(1, 7),
      steps: dice.between(4, 60),
      results: dice.between(1, 6),
      reduces: dice.between(1, 4),
      sums: dice.chance(0.3),
    }));
  });

  it("that touch nothing beyond operands", () => {
    for (let i = 0; i < 80; i++) {
      const dice = new Dice(7e6 + i);
      const loop = randomLoop(dice, {
        ...{ ...plain, rows: dice.between(1, 3), columns: dice.between(1, 40) },
        ...{
          parts: dice.between(1, 3),
          inputs: dice.between(1, 20),
          results: 5,
          sums: i % 2 === 0,
        },
      });
      const edges = operandsOf(dice, loop, true, false).map(({ bytes }) => new AtEdge(bytes));
      runCode(compileLoop(loop), edges, loop.parts);
      for (const edge of edges) edge.release();
    }
  });

  it("whose results lie where inputs did", () => {
    fuzz(
      100,
      14,
      (dice) => ({
        ...plain,
        rows: dice.between(1, 6),
        columns: dice.between(1, 40),
        inputs: dice.between(2, 8),
        steps: dice.between(4, 60),
        results: dice.between(1, 5),
        reduces: dice.below(4),
      }),
      true,
    );
  });
});

// ---- passes that need one another --------------------------------------------------------------------------------

const full = (rows: number, columns: number): Access => ({
  along: 1,
  rows: [{ size: rows, stride: columns }],
});

/** Runs a loop over one input of floats, row after row. */
function runRows(
  rows: number,
  columns: number,
  data: Float32Array,
  build: (f: Formula, x: number) => Loop["results"],
): Float32Array[] {
  const formula = new Formula();
  const results = build(formula, formula.input(0, "element"));
  const loop: Loop = {
    ...{ rows, columns, formula, results, parts: 2 },
    inputs: [{ dtype: "float32", access: full(rows, columns) }],
  };
  const operands = [
    new Guarded(new Uint8Array(data.buffer)),
    ...results.map(({ form }) => new Guarded(4 * rows * (form === "rows" ? 1 : columns))),
  ];
  runCode(compileLoop(loop), operands, loop.parts);
  expect(operands.every((operand) => operand.intact())).toBe(true);
  return operands.slice(1).map(({ bytes }) => new Float32Array(bytes.slice().buffer));
}

const rowOf = (data: Float32Array, row: number, columns: number): number[] =>
  Array.from(data.subarray(row * columns, (row + 1) * columns));

function close(got: readonly number[], want: readonly number[], tolerance = 2e-6): void {
  expect(got.length).toBe(want.length);
  const worst = Math.max(...got.map((x, i) => Math.abs(x - want[i]!) / (1 + Math.abs(want[i]!))));
  expect(worst).toBeLessThan(tolerance);
}

/** eˣ / Σ eˣ, from x less its largest. */
function softmax(f: Formula, x: number): Loop["results"] {
  const powers = exp(f, f.sub(x, f.reduce("max", x)));
  const term = f.div(powers, f.reduce("sum", powers));
  return [{ term, dtype: "float32", form: "elements" }];
}

const random = (count: number, seed: number): Float32Array => {
  const dice = new Dice(seed);
  return Float32Array.from({ length: count }, () => dice.below(20001) / 1000 - 10);
};

describe.skipIf(codeMemory === undefined)("rows that are gone over several times", () => {
  it.each([1, 7, 8, 31, 1000, 4097])("normalises %d elements", (columns) => {
    const data = random(3 * columns, columns);
    const [normal, means, variances] = runRows(3, columns, data, (f, x) => {
      const share = f.constant(1 / columns);
      const mean = f.mul(f.reduce("sum", x), share);
      // Dear enough to be kept from one pass to the next.
      const centred = f.sub(
        f.sub(f.sub(f.mul(x, f.constant(1)), mean), mean),
        f.sub(mean, f.add(mean, mean)),
      );
      const variance = f.mul(f.reduce("sum", f.mul(centred, centred)), share);
      const scale = f.div(f.constant(1), f.sqrt(f.add(variance, f.constant(1e-5))));
      return [
        { term: f.mul(centred, scale), dtype: "float32", form: "elements" },
        { term: mean, dtype: "float32", form: "rows" },
        { term: variance, dtype: "float32", form: "rows" },
      ];
    }) as [Float32Array, Float32Array, Float32Array];
    for (let row = 0; row < 3; row++) {
      const x = rowOf(data, row, columns);
      const mean = x.reduce((a, b) => a + b, 0) / columns;
      const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / columns;
      close([means[row]!, variances[row]!], [mean, variance], 1e-5);
      close(
        rowOf(normal, row, columns),
        x.map((a) => (a - mean) / Math.sqrt(variance + 1e-5)),
        columns === 1 ? 1e-2 : 1e-5,
      );
    }
  });

  it.each([1, 5, 16, 999])("softmax of %d elements", (columns) => {
    const data = random(4 * columns, columns);
    const [result] = runRows(4, columns, data, softmax) as [Float32Array];
    for (let row = 0; row < 4; row++) {
      const powers = rowOf(data, row, columns).map(Math.exp);
      const sum = powers.reduce((a, b) => a + b, 0);
      close(
        rowOf(result, row, columns),
        powers.map((power) => power / sum),
      );
    }
  });

  it("softmax of −∞ is 0, and of NaN or −∞ alone NaN", () => {
    const masked = new Float32Array(20).fill(-Infinity);
    const data = Float32Array.of(
      ...masked.with(3, 1).with(17, 1),
      ...masked,
      ...masked.with(19, NaN),
    );
    const [result] = runRows(3, 20, data, softmax) as [Float32Array];
    const half = new Array<number>(20).fill(0).with(3, 0.5).with(17, 0.5);
    expect(rowOf(result, 0, 20)).toEqual(half);
    expect(result.subarray(20).every(Number.isNaN)).toBe(true);
  });

  it.each(Array.from({ length: 17 }, (_, i) => i))(
    "the largest is NaN where NaN is element %d",
    (place) => {
      const data = random(34, 5);
      data[17 + place] = NaN;
      const [largest] = runRows(2, 17, data, (f, x) => [
        { term: f.reduce("max", x), dtype: "float32", form: "rows" },
      ]) as [Float32Array];
      expect([...largest]).toEqual([Math.max(...data.subarray(0, 17)), NaN]);
    },
  );

  it("keeps no more of long rows than a thread's stack has room for", () => {
    const columns = 30_000;
    const data = random(2 * columns, 3);
    let code: Uint8Array = new Uint8Array();
    const build = (f: Formula, x: number): Loop["results"] => {
      const scaled = Array.from({ length: 12 }, (_, i) => {
        let y = f.mul(x, f.constant(1 + i / 8));
        for (let n = 0; n < 5; n++) y = f.add(y, f.mul(y, f.constant(2 ** -9)));
        return y;
      });
      const total = f.reduce(
        "sum",
        scaled.reduce((a, b) => f.max(a, b)),
      );
      const term = scaled.reduce((a, b) => f.fma(a, b, total));
      const results: Loop["results"] = [{ term, dtype: "float32", form: "elements" }];
      const inputs = [{ dtype: "float32", access: full(2, columns) }] as const;
      code = compileLoop({ rows: 2, columns, parts: 2, formula: f, results, inputs });
      return results;
    };
    const [result] = runRows(2, columns, data, build) as [Float32Array];
    expect(result.every(Number.isFinite)).toBe(true);
    // sub rsp, …
    const at = code.findIndex(
      (_, i) => code[i] === 0x48 && code[i + 1] === 0x81 && code[i + 2] === 0xec,
    );
    const frame = new DataView(code.buffer).getInt32(at + 3, true);
    expect(frame).toBeGreaterThan(4 * columns);
    expect(frame).toBeLessThan(2 ** 18 + 2 ** 14);
  });

  it.each([0, 8, 16])("the largest of negative numbers, and of −∞, in rows of %d + 3", (whole) => {
    const columns = whole + 3;
    const data = Float32Array.from({ length: 2 * columns }, (_, i) =>
      i < columns ? -1 - i : -Infinity,
    );
    const [largest] = runRows(2, columns, data, (f, x) => [
      { term: f.reduce("max", x), dtype: "float32", form: "rows" },
    ]) as [Float32Array];
    expect([...largest]).toEqual([-1, -Infinity]);
  });
});
