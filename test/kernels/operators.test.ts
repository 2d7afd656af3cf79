/** Operators in kernels against ONNX Runtime's own, on special values and random ones. */

import { describe, expect, it } from "vitest";
import { dtypes, type DType, type TypedArray } from "../../src/graph/dtype.ts";
import { fuse } from "../../src/kernels/fuse.ts";
import { attr, type AttributeValue } from "../../src/onnx/proto.ts";
import { FfiExecutor } from "../../src/runtime/node-ffi.ts";
import { lowered, outputsOf, spec } from "./programs.ts";
import { Dice } from "./dice.ts";
import { codeMemory } from "./run-code.ts";

const executor = new FfiExecutor({ threads: 2 });

const least = 2 ** -149;
const most = 2 ** 128 - 2 ** 104;
const floats = [
  ...[0, -0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.49999997, 8388609, -8388609, 0.1, 3.7, -3.7],
  ...[least, -least, 2 ** -126, 1e-30, 1e10, -1e10, most, -most, Infinity, -Infinity, NaN],
  ...[2 ** 31, 2 ** 31 - 128, -(2 ** 31), -(2 ** 31) - 256, 2 ** 32, 4294967040, 88.5, -88.5, 20],
];
const words = [
  ...[0, 1, 2, 3, 7, 31, 32, 33, 63, 64, 100, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff],
  ...[0xfffffffe, 0xffffff80, 16777217, 16777219, 0x80000080, 0x80000180, 0xc0000000, 255, 65536],
];

/** Special values, and random ones. */
function values(dtype: DType): readonly number[] {
  const dice = new Dice(dtype.length);
  if (dtype === "bool") return [0, 1];
  if (dtype === "float32")
    return [
      ...floats,
      ...Array.from({ length: 24 }, () => (dice.below(2e6) - 1e6) / 2 ** dice.below(24)),
    ];
  return [...words, ...Array.from({ length: 16 }, () => dice.bits())];
}

function arrayOf(dtype: DType, numbers: readonly number[]): TypedArray {
  const array =
    dtype === "float32"
      ? new Float32Array(numbers.length)
      : dtype === "bool"
        ? new Uint8Array(numbers.length)
        : dtype === "int32"
          ? new Int32Array(numbers.length)
          : new Uint32Array(numbers.length);
  array.set(numbers);
  return array;
}

/** Every value with every other, for each of the operands. */
function operands(types: readonly DType[]): TypedArray[] {
  const lists = types.map(values);
  const size = lists.reduce((product, list) => product * list.length, 1);
  let step = 1;
  return lists.map((list, i) => {
    const every = step;
    step *= list.length;
    return arrayOf(
      types[i]!,
      Array.from({ length: size }, (_, j) => list[Math.floor(j / every) % list.length]!),
    );
  });
}

interface Case {
  readonly op: string;
  readonly types: readonly DType[];
  readonly result: DType;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Most by which normal results may differ, in units in the last place; 0 unless given. */
  readonly ulps?: number;
  /** Most by which results may differ. */
  readonly error?: number;
  /** The result, where ONNX Runtime has none or not the right one. */
  readonly truth?: (operands: readonly TypedArray[]) => [TypedArray];
}

/** What keeps a result company in its kernel: one operator alone becomes none. */
const company: Readonly<Record<string, string>> = {
  ...{ float32: "Neg", int32: "Neg", uint32: "BitwiseNot", bool: "Not" },
};

function program({ op, types, result, attributes = {} }: Case, size: number) {
  const inputs = types.map((dtype, i) => spec(`x${i}`, dtype, size));
  const names = inputs.map(({ name }) => name);
  return lowered({
    inputs,
    outputs: [spec("y", result, size), spec("z", result, size)],
    nodes: [
      { opType: op, inputs: names, outputs: ["y"], attributes },
      { opType: company[result]!, inputs: ["y"], outputs: ["z"], attributes: {} },
    ],
  });
}

/** A float as a whole number that grows by one from each to the next. */
function rank(x: number): number {
  const bits = new Int32Array(Float32Array.of(x).buffer)[0]!;
  return bits < 0 ? -(bits & 0x7fffffff) : bits;
}

function differs(a: number, b: number, { ulps = 0, error = 0 }: Case): boolean {
  if (Object.is(a, b) || Math.abs(a - b) <= error) return false;
  if (ulps === 0 || Number.isNaN(a) || Number.isNaN(b)) return true;
  const subnormal = Math.max(Math.abs(a), Math.abs(b)) < 2 ** -125;
  return !subnormal && Math.abs(rank(a) - rank(b)) > ulps;
}

function check(one: Case): void {
  const given = operands(one.types);
  const whole = program(one, given[0]!.length);
  expect(fuse(whole, { threads: 2, products: true }).model.graph.nodes.length).toBe(1);
  const [truth] = one.truth?.(given) ?? outputsOf(executor, whole, given);
  const [got] = outputsOf(executor, whole, given, 2) as [TypedArray];
  const found: string[] = [];
  for (let i = 0; i < got.length && found.length < 12; i++) {
    if (!differs(Number(got[i]), Number(truth![i]), one)) continue;
    found.push(`${given.map((x) => String(x[i])).join()} → ${got[i]} for ${truth![i]}`);
  }
  expect(found).toEqual([]);
}

const cases = (
  ops: readonly string[],
  operandTypes: readonly (readonly DType[])[],
  more: Partial<Case> = {},
): Case[] =>
  ops.flatMap((op) => operandTypes.map((types) => ({ op, types, result: types[0]!, ...more })));

const [f, i, u, b] = ["float32", "int32", "uint32", "bool"] as const;
const to = (dtype: DType): NonNullable<Case["attributes"]> => ({
  to: attr.int(dtypes[dtype].onnx),
});

/** ONNX Runtime's Where loses the sign of 0, and has neither uint32 nor bool. */
const chosen = ([condition, x, y]: readonly TypedArray[]): [TypedArray] => [
  (x as Float32Array).map((value, j) => (condition![j] ? value : Number(y![j]))),
];

const all: readonly Case[] = [
  ...cases(
    ["Add", "Sub", "Mul"],
    [
      [f, f],
      [i, i],
      [u, u],
    ],
  ),
  ...cases(
    ["Sum"],
    [
      [f, f],
      [f, f, f],
    ],
  ),
  ...cases(["Div"], [[f, f]]),
  ...cases(
    ["Max", "Min"],
    [
      [f, f],
      [f, f, f],
      [i, i],
      [u, u],
    ],
  ),
  ...cases(["Neg"], [[f], [i]]),
  ...cases(["Abs", "Reciprocal", "Sqrt", "Floor", "Ceil", "Round", "Relu"], [[f]]),
  ...cases(["HardSigmoid"], [[f]]),
  ...cases(["HardSigmoid"], [[f]], {
    attributes: { alpha: attr.float(1 / 6), beta: attr.float(0.5) },
  }),
  ...cases(["Exp", "Log"], [[f]], { ulps: 2 }),
  ...cases(["Tanh", "Erf"], [[f]], { ulps: 8 }),
  // ONNX Runtime's is 0 below −18.
  ...cases(["Sigmoid"], [[f]], { ulps: 8, error: 6e-8 }),
  ...cases(
    ["Greater", "Less", "GreaterOrEqual", "LessOrEqual", "Equal"],
    [
      [f, f],
      [i, i],
      [u, u],
    ],
    { result: b },
  ),
  ...cases(["Equal"], [[b, b]], { result: b }),
  ...cases(["And", "Or", "Xor"], [[b, b]]),
  ...cases(["Not"], [[b]]),
  ...cases(
    ["BitwiseAnd", "BitwiseOr", "BitwiseXor"],
    [
      [i, i],
      [u, u],
    ],
  ),
  ...cases(["BitwiseNot"], [[i], [u]]),
  ...cases(["BitShift"], [[u, u]], { attributes: { direction: attr.string("LEFT") } }),
  ...cases(["BitShift"], [[u, u]], { attributes: { direction: attr.string("RIGHT") } }),
  ...[f, i, u, b].map((dtype) => ({
    op: "Where",
    types: [b, dtype, dtype],
    result: dtype,
    truth: chosen,
  })),
  ...[i, b].map((dtype) => ({ op: "Cast", types: [f], result: dtype, attributes: to(dtype) })),
  ...[f, u, b].map((dtype) => ({ op: "Cast", types: [i], result: dtype, attributes: to(dtype) })),
  ...[f, i, b].map((dtype) => ({ op: "Cast", types: [u], result: dtype, attributes: to(dtype) })),
  ...[f, i, u].map((dtype) => ({ op: "Cast", types: [b], result: dtype, attributes: to(dtype) })),
];

describe.skipIf(codeMemory === undefined)("operators in kernels", () => {
  it.each(all.map((one) => [`${one.op}(${one.types.join()}) of ${one.result}`, one] as const))(
    "%s",
    (_, one) => check(one),
  );
});
