/** Random loops for kernels with what they should compute, from the interpreter. */

import { Formula, type Term } from "../../src/kernels/formula.ts";
import type { Access, Loop, LoopInput, LoopResult } from "../../src/kernels/loop.ts";
import type { Dice } from "./dice.ts";
import { run, toFloat } from "./interpret.ts";
import { Guarded } from "./run-code.ts";

/** What a term's bits stand for. */
type Kind = "float" | "whole" | "mask";

const SIGN = 0x80000000;
const oddFloats = [
  ...[0, -0, 1, -1, 0.5, 1.5, 2.5, -2.5, 1e-40, -1e-45, 3e38, -3e38, 1e10, 2 ** 31, -(2 ** 31)],
  ...[Infinity, -Infinity, NaN, 123.456, 0.1],
];

/** Elements of an input: any numbers, or quarters of which sums are exact. */
export function elementsOf(
  dice: Dice,
  dtype: LoopInput["dtype"],
  count: number,
  exact: boolean,
): Uint8Array {
  if (dtype === "bool") return Uint8Array.from({ length: count }, () => dice.below(2));
  if (dtype !== "float32") {
    const odd = [0, 1, -1, 31, 32, 33, 0x7fffffff, SIGN];
    const words = Uint32Array.from({ length: count }, () =>
      dice.chance(0.3) ? dice.one(odd) : dice.bits(),
    );
    return new Uint8Array(words.buffer);
  }
  const any = (): number =>
    dice.chance(0.2) ? dice.one(oddFloats) : (dice.below(2000) - 1000) / 2 ** dice.below(12);
  const floats = Float32Array.from({ length: count }, () =>
    exact ? (dice.below(65) - 32) / 4 : any(),
  );
  return new Uint8Array(floats.buffer);
}

function accessOf(dice: Dice, rows: number, columns: number): Access {
  const along = dice.chance(0.65) ? 1 : 0;
  const dims = (): Access["rows"] => {
    switch (dice.below(4)) {
      case 0: // one for all rows
        return dice.chance(0.5) ? [] : [{ size: rows, stride: 0 }];
      case 1: {
        // dimensions in any order
        const outer = dice.one([2, 3, 4].filter((n) => rows % n === 0).concat(1));
        const stride = (): number => dice.one([0, 1, columns, 2 * columns + 1, 7]);
        const middle = (rows / outer) % 2 === 0 ? 2 : 1;
        return [outer, middle, rows / outer / middle].map((size) => ({ size, stride: stride() }));
      }
      default: // row after row
        return [{ size: rows, stride: along === 1 ? columns : 1 }];
    }
  };
  return { along, rows: dims() };
}

/** The place of a row's first element. */
function startOf({ rows }: Access, row: number): number {
  let start = 0;
  for (const { size, stride } of rows.toReversed()) {
    start += (row % size) * stride;
    row = Math.floor(row / size);
  }
  return start;
}

const isFull = ({ along, rows: dims }: Access, rows: number, columns: number): boolean =>
  along === 1 && (rows === 1 || (dims.length === 1 && dims[0]!.stride === columns));

export interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly parts: number;
  readonly inputs: number;
  readonly steps: number;
  readonly results: number;
  /** How many sums and maxima of rows; elements are then such that sums are exact. */
  readonly reduces: number;
  /** Values over all rows. */
  readonly sums: boolean;
}

/** A loop of random steps. */
export function randomLoop(dice: Dice, shape: Shape): Loop {
  const { rows, columns, parts } = shape;
  const exact = shape.reduces > 0 || shape.sums;
  const f = new Formula();
  const pools: Record<Kind, Term[]> = { float: [], whole: [], mask: [] };
  const inputs = Array.from({ length: shape.inputs }, (_, i): LoopInput => {
    const dtype =
      i === 0 ? "float32" : dice.one(["float32", "float32", "int32", "uint32", "bool"] as const);
    const access = accessOf(dice, rows, columns);
    const term = f.input(i, access.along === 1 ? "element" : "row");
    pools[dtype === "float32" ? "float" : dtype === "bool" ? "mask" : "whole"].push(term);
    return { dtype, access };
  });
  const floats = (): Term =>
    dice.chance(0.1)
      ? f.constant(exact ? dice.below(9) - 4 : dice.one(oddFloats))
      : pick(pools.float, () => f.constant(1));
  const wholes = (): Term =>
    dice.chance(0.1) ? f.bits(dice.bits()) : pick(pools.whole, () => f.bits(dice.below(40)));
  const masks = (): Term =>
    pick(pools.mask, () => f.compare("less", floats(), f.constant(dice.below(3))));
  /** Old terms as well as new ones, so that many are needed for long. */
  const pick = (pool: readonly Term[], otherwise: () => Term): Term =>
    pool.length === 0 ? otherwise() : dice.chance(0.5) ? dice.one(pool) : dice.one(pool.slice(-4));
  const bounded = (x: Term): Term => f.min(f.constant(16), f.max(f.constant(-16), x));

  const exactFloats: readonly (() => Term)[] = [
    () => bounded(f.add(floats(), floats())),
    () => bounded(f.sub(floats(), floats())),
    () => f.min(floats(), floats()),
    () => f.max(floats(), floats()),
    () => bounded(f.fma(floats(), f.constant(dice.one([1, -1])), floats())),
    () => f.xor(floats(), f.bits(SIGN)),
    () => f.choose(masks(), floats(), floats()),
    () => f.and(masks(), floats()),
  ];
  const anyFloats: readonly (() => Term)[] = [
    ...exactFloats,
    () => f.add(floats(), floats()),
    () => f.sub(floats(), floats()),
    () => f.mul(floats(), floats()),
    () => f.div(floats(), floats()),
    () => f.fma(floats(), floats(), floats()),
    () => f.fnma(floats(), floats(), floats()),
    () => {
      const x = floats();
      return dice.one([() => f.fma(x, x, floats()), () => f.fma(x, floats(), x)])();
    },
    () => f.sqrt(floats()),
    () => f.andNot(f.bits(SIGN), floats()),
    () => f.round(dice.one(["nearest", "down", "up", "zero"] as const), floats()),
    () => f.two("vcvtdq2ps", wholes()),
  ];
  const three = (names: readonly Parameters<Formula["three"]>[0][], of: () => Term) => (): Term =>
    f.three(dice.one(names), of(), of());
  const bitwise = ["vandps", "vandnps", "vorps", "vxorps"] as const;
  const anyWholes: readonly (() => Term)[] = [
    three(["vpaddd", "vpsubd", "vpmulld", "vpsrlvd", "vpsllvd"], wholes),
    three(["vpminsd", "vpmaxsd", "vpminud", "vpmaxud", ...bitwise], wholes),
    () => f.shift(dice.one(["vpsrld", "vpsrad", "vpslld"] as const), wholes(), dice.below(32)),
    () => f.choose(masks(), wholes(), wholes()),
    () => f.two("vcvttps2dq", floats()),
  ];
  const predicates = ["equal", "less", "atMost", "notEqual", "atLeast", "greater", "unordered"];
  const anyMasks: readonly (() => Term)[] = [
    () => f.compare(dice.one(predicates) as "less", floats(), floats()),
    three(["vpcmpeqd", "vpcmpgtd"], wholes),
    three(bitwise, masks),
    () => f.xor(masks(), f.bits(0xffffffff)),
  ];

  const due = Array.from({ length: shape.reduces }, () => dice.below(shape.steps));
  for (let i = 0; i < shape.steps; i++) {
    if (due.includes(i)) {
      const by = dice.one(["sum", "max"] as const);
      pools.float.push(bounded(f.reduce(by, floats())));
    }
    const kind = dice.one(["float", "float", "float", "whole", "mask"] as const);
    const make = { float: exact ? exactFloats : anyFloats, whole: anyWholes, mask: anyMasks }[kind];
    pools[kind].push(dice.one(make)());
  }

  const isConstant = (term: Term): boolean => f.steps[term]!.kind === "constant";
  const results = Array.from({ length: shape.results }, (_, i): LoopResult => {
    const kind =
      i === 0
        ? "float"
        : dice.one((["float", "whole", "mask"] as const).filter((k) => pools[k].length > 0));
    const term = dice.chance(0.4) ? pools[kind].at(-1)! : dice.one(pools[kind]);
    const rowwise = f.steps[term]!.extent === "row" && !isConstant(term) && kind !== "mask";
    const form =
      shape.sums && kind === "float" && dice.chance(0.5)
        ? "sums"
        : rowwise && dice.chance(0.7)
          ? "rows"
          : "elements";
    const dtype = { float: "float32", whole: dice.one(["int32", "uint32"]), mask: "bool" }[kind];
    return { term, dtype: dtype as LoopResult["dtype"], form };
  });
  return { rows, columns, parts, formula: f, inputs, results };
}

/** Memory for a loop: inputs with elements, and results; some of these over inputs, if wanted. */
export function operandsOf(dice: Dice, loop: Loop, exact: boolean, inPlace: boolean): Guarded[] {
  const { rows, columns, parts, inputs, results } = loop;
  const given = inputs.map(({ dtype, access }) => {
    const last = access.rows.reduce((sum, { size, stride }) => sum + (size - 1) * stride, 0);
    return new Guarded(elementsOf(dice, dtype, last + (access.along === 1 ? columns : 1), exact));
  });
  const free = new Set(inputs.keys());
  // An input that is a result as it is would be read after another result was written over it.
  const computed = results.every(({ term }) => loop.formula.steps[term]!.kind !== "input");
  const made = results.map(({ dtype, form }) => {
    const count = { elements: rows * columns, rows, sums: parts * columns }[form];
    const size = dtype === "bool" ? 1 : 4;
    const over = inputs.findIndex(
      (input, i) =>
        free.has(i) &&
        (input.dtype === "bool") === (dtype === "bool") &&
        isFull(input.access, rows, columns),
    );
    if (!inPlace || form !== "elements" || over < 0 || !computed)
      return new Guarded(new Uint8Array(count * size).fill(0x5a));
    free.delete(over);
    return given[over]!;
  });
  return [...given, ...made];
}

/** The bits of a loop's results; `sums` as [columns], over all parts. */
export function expected(loop: Loop, operands: readonly Guarded[]): Uint32Array[] {
  const { rows, columns, formula, inputs, results } = loop;
  const { steps } = formula;
  const words = operands
    .slice(0, inputs.length)
    .map(({ bytes }, i) =>
      inputs[i]!.dtype === "bool"
        ? Uint32Array.from(bytes, (byte) => (byte === 0 ? 0 : 0xffffffff))
        : new Uint32Array(bytes.slice().buffer),
    );
  const found = results.map(
    ({ form }) => new Uint32Array({ elements: rows * columns, rows, sums: columns }[form]),
  );
  const totals = results.map(() => new Float32Array(columns));
  const row = Array.from({ length: columns }, () => new Uint32Array(steps.length));
  for (let r = 0; r < rows; r++) {
    const starts = inputs.map(({ access }) => startOf(access, r));
    steps.forEach((step, term) => {
      if (step.kind === "reduce") {
        const elements = row.map((values) => toFloat(values[step.args[0]]!));
        const reduced =
          step.by === "sum" ? elements.reduce((a, b) => a + b, 0) : Math.max(...elements);
        const bits = new Uint32Array(Float32Array.of(reduced).buffer)[0]!;
        for (const values of row) values[term] = bits;
        return;
      }
      row.forEach((values, c) => {
        values[term] =
          step.kind === "input"
            ? words[step.input]![starts[step.input]! + c * inputs[step.input]!.access.along]!
            : run(step, values, []);
      });
    });
    results.forEach(({ term, form }, i) => {
      if (form === "rows") found[i]![r] = row[0]![term]!;
      else if (form === "elements")
        row.forEach((values, c) => (found[i]![r * columns + c] = values[term]!));
      else row.forEach((values, c) => (totals[i]![c]! += toFloat(values[term]!)));
    });
  }
  return found.map((bits, i) =>
    results[i]!.form === "sums" ? new Uint32Array(totals[i]!.buffer) : bits,
  );
}

/** The bits of a loop's results after it ran, in the form of `expected`. */
export function received(loop: Loop, operands: readonly Guarded[]): Uint32Array[] {
  return loop.results.map(({ dtype, form }, i) => {
    const { bytes } = operands[loop.inputs.length + i]!;
    if (dtype === "bool")
      return Uint32Array.from(bytes, (byte) => (byte === 1 ? 0xffffffff : byte));
    if (form !== "sums") return new Uint32Array(bytes.slice().buffer);
    const parts = new Float32Array(bytes.slice().buffer);
    const totals = new Float32Array(loop.columns);
    parts.forEach((x, j) => (totals[j % loop.columns]! += x));
    return new Uint32Array(totals.buffer);
  });
}
