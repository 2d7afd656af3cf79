/** ONNX's elementwise operators as steps of a formula. */

import type { DType } from "../graph/dtype.ts";
import type { NodeProto } from "../onnx/proto.ts";
import { castTarget, numberAttribute } from "./attributes.ts";
import { SIGN, type Formula, type Term } from "./formula.ts";
import { erf, exp, log, sigmoid, tanh } from "./vector-math.ts";

/** What an operator is told besides its operands. */
interface Given {
  readonly f: Formula;
  /** Of the operands. */
  readonly dtypes: readonly DType[];
  readonly node: NodeProto;
}

interface Operator {
  /** The result's dtype; null where operands of these dtypes are not computed here. */
  readonly dtype: (operands: readonly DType[], node: NodeProto) => DType | null;
  readonly build: (given: Given, ...operands: Term[]) => Term;
}

const isFloat = (dtype: DType): boolean => dtype === "float32";
const isWhole = (dtype: DType): boolean => dtype === "int32" || dtype === "uint32";
const allFloat = (operands: readonly DType[]): DType | null =>
  operands.every(isFloat) ? "float32" : null;
const allBool = (operands: readonly DType[]): DType | null =>
  operands.every((dtype) => dtype === "bool") ? "bool" : null;
const numbers = (operands: readonly DType[]): DType | null =>
  operands.every((dtype) => isFloat(dtype) || isWhole(dtype)) ? operands[0]! : null;
const whole = (operands: readonly DType[]): DType | null =>
  operands.every(isWhole) ? operands[0]! : null;

const float = (build: (f: Formula, ...operands: Term[]) => Term): Operator => ({
  dtype: allFloat,
  build: ({ f }, ...operands) => build(f, ...operands),
});

const not = (f: Formula, x: Term): Term => f.xor(x, f.bits(0xffffffff));

/** `a` > `b`, of any dtype. */
function greater({ f, dtypes: [dtype] }: Given, a: Term, b: Term): Term {
  if (dtype === "float32") return f.compare("greater", a, b);
  if (dtype === "int32") return f.three("vpcmpgtd", a, b);
  const turned = (x: Term): Term => f.xor(x, f.bits(SIGN));
  return f.three("vpcmpgtd", turned(a), turned(b));
}

const orders = (build: (given: Given, a: Term, b: Term) => Term): Operator => ({
  dtype: (operands) => (numbers(operands) === null ? null : "bool"),
  build,
});

/** A NaN operand gives NaN. */
const extreme = (least: boolean): Operator => ({
  dtype: numbers,
  build: (given, ...operands) =>
    operands.reduce((a, b) => {
      const { f } = given;
      const [dtype] = given.dtypes;
      if (dtype === "int32") return f.three(least ? "vpminsd" : "vpmaxsd", a, b);
      if (dtype === "uint32") return f.three(least ? "vpminud" : "vpmaxud", a, b);
      const chosen = least ? f.min(a, b) : f.max(a, b);
      return f.choose(f.compare("unordered", a, a), a, chosen);
    }),
});

const arithmetic = (name: "vaddps" | "vsubps", ofWhole: "vpaddd" | "vpsubd"): Operator => ({
  dtype: numbers,
  build: ({ f, dtypes: [dtype] }, ...operands) =>
    operands.reduce((a, b) => f.three(dtype === "float32" ? name : ofWhole, a, b)),
});

const bitwise = (build: (f: Formula, a: Term, b: Term) => Term): Operator => ({
  dtype: whole,
  build: ({ f }, a, b) => build(f, a, b),
});

const logical = (build: (f: Formula, a: Term, b: Term) => Term): Operator => ({
  dtype: allBool,
  build: ({ f }, a, b) => build(f, a, b),
});

const conversions: Readonly<Record<string, (f: Formula, x: Term) => Term>> = {
  "bool>float32": (f, x) => f.and(x, f.constant(1)),
  "bool>int32": (f, x) => f.and(x, f.bits(1)),
  "bool>uint32": (f, x) => f.and(x, f.bits(1)),
  "float32>bool": (f, x) => f.compare("notEqual", x, f.constant(0)),
  "int32>bool": (f, x) => not(f, f.three("vpcmpeqd", x, f.bits(0))),
  "uint32>bool": (f, x) => not(f, f.three("vpcmpeqd", x, f.bits(0))),
  "int32>float32": (f, x) => f.two("vcvtdq2ps", x),
  "float32>int32": (f, x) => f.two("vcvttps2dq", x),
  // Both halves are exact, so their sum is rounded once.
  "uint32>float32": (f, x) =>
    f.add(
      f.mul(f.two("vcvtdq2ps", f.shift("vpsrld", x, 16)), f.constant(65536)),
      f.two("vcvtdq2ps", f.and(x, f.bits(0xffff))),
    ),
  "int32>uint32": (_f, x) => x,
  "uint32>int32": (_f, x) => x,
};

const table: Readonly<Record<string, Operator>> = {
  Add: arithmetic("vaddps", "vpaddd"),
  Sum: { ...arithmetic("vaddps", "vpaddd"), dtype: allFloat },
  Sub: arithmetic("vsubps", "vpsubd"),
  Mul: {
    dtype: numbers,
    build: ({ f, dtypes: [dtype] }, a, b) =>
      f.three(dtype === "float32" ? "vmulps" : "vpmulld", a, b),
  },
  Div: float((f, a, b) => f.div(a, b)),
  Neg: {
    dtype: (operands) => (operands[0] === "uint32" ? null : numbers(operands)),
    build: ({ f, dtypes: [dtype] }, x) =>
      dtype === "float32" ? f.xor(x, f.bits(SIGN)) : f.three("vpsubd", f.bits(0), x),
  },
  Abs: float((f, x) => f.and(x, f.bits(0x7fffffff))),
  Reciprocal: float((f, x) => f.div(f.constant(1), x)),
  Sqrt: float((f, x) => f.sqrt(x)),
  Exp: float((f, x) => exp(f, x)),
  Log: float((f, x) => log(f, x)),
  Tanh: float((f, x) => tanh(f, x)),
  Sigmoid: float((f, x) => sigmoid(f, x)),
  Erf: float((f, x) => erf(f, x)),
  Floor: float((f, x) => f.round("down", x)),
  Ceil: float((f, x) => f.round("up", x)),
  Round: float((f, x) => f.round("nearest", x)),
  // The second operand is returned where one is NaN.
  Relu: float((f, x) => f.max(f.constant(0), x)),
  HardSigmoid: {
    dtype: allFloat,
    build: ({ f, node }, x) => {
      const line = f.add(
        f.mul(x, f.constant(numberAttribute(node, "alpha", 0.2))),
        f.constant(numberAttribute(node, "beta", 0.5)),
      );
      return f.min(f.constant(1), f.max(f.constant(0), line));
    },
  },
  Max: extreme(false),
  Min: extreme(true),
  Where: {
    dtype: ([condition, a, b]) => (condition === "bool" && a === b && a !== undefined ? a : null),
    build: ({ f }, condition, a, b) => f.choose(condition, a, b),
  },
  Greater: orders(greater),
  Less: orders((given, a, b) => greater(given, b, a)),
  GreaterOrEqual: orders((given, a, b) =>
    given.dtypes[0] === "float32"
      ? given.f.compare("atLeast", a, b)
      : not(given.f, greater(given, b, a)),
  ),
  LessOrEqual: orders((given, a, b) =>
    given.dtypes[0] === "float32"
      ? given.f.compare("atMost", a, b)
      : not(given.f, greater(given, a, b)),
  ),
  Equal: {
    dtype: (operands) => (numbers(operands) === null && allBool(operands) === null ? null : "bool"),
    build: ({ f, dtypes: [dtype] }, a, b) =>
      dtype === "float32" ? f.compare("equal", a, b) : f.three("vpcmpeqd", a, b),
  },
  Not: { dtype: allBool, build: ({ f }, x) => not(f, x) },
  And: logical((f, a, b) => f.and(a, b)),
  Or: logical((f, a, b) => f.or(a, b)),
  Xor: logical((f, a, b) => f.xor(a, b)),
  BitwiseAnd: bitwise((f, a, b) => f.and(a, b)),
  BitwiseOr: bitwise((f, a, b) => f.or(a, b)),
  BitwiseXor: bitwise((f, a, b) => f.xor(a, b)),
  BitwiseNot: { dtype: whole, build: ({ f }, x) => not(f, x) },
  BitShift: {
    dtype: (operands) => (operands.every((dtype) => dtype === "uint32") ? "uint32" : null),
    build: ({ f, node }, x, by) => {
      const { direction } = node.attributes;
      const left = direction?.kind === "string" && direction.value === "LEFT";
      return f.three(left ? "vpsllvd" : "vpsrlvd", x, by);
    },
  },
  Cast: {
    dtype: ([from], node) => {
      const to = castTarget(node);
      return to !== undefined && `${from}>${to}` in conversions ? to : null;
    },
    build: ({ f, dtypes: [from], node }, x) => conversions[`${from}>${castTarget(node)}`]!(f, x),
  },
};

/** The dtype of an operator's result on operands of these dtypes; null where kernels do not compute it. */
export function resultDType(node: NodeProto, operands: readonly DType[]): DType | null {
  if ((node.domain ?? "") !== "" || node.outputs.length !== 1) return null;
  return table[node.opType]?.dtype(operands, node) ?? null;
}

/** The operator on terms: one of those for which `resultDType` is not null. */
export const apply = (
  f: Formula,
  node: NodeProto,
  operands: readonly Term[],
  operandTypes: readonly DType[],
): Term => table[node.opType]!.build({ f, dtypes: operandTypes, node }, ...operands);
