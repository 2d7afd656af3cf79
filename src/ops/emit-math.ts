/** Formulas over emitted values: one short name for each ONNX operator, with numbers as constants. */

import { dtypes, type DType } from "../graph/dtype.ts";
import type { Emitter } from "../graph/op.ts";

/** The name of a value, or a number. */
export type Term = string | number;

type Operator = (...terms: Term[]) => string;

interface EmitMath {
  readonly add: Operator;
  readonly sub: Operator;
  readonly mul: Operator;
  readonly div: Operator;
  readonly abs: Operator;
  readonly neg: Operator;
  readonly exp: Operator;
  readonly log: Operator;
  readonly sqrt: Operator;
  readonly sin: Operator;
  readonly cos: Operator;
  readonly floor: Operator;
  readonly min: Operator;
  readonly max: Operator;
  readonly less: Operator;
  readonly equal: Operator;
  /** The second term where the first, a bool, holds; the third elsewhere. */
  readonly where: (condition: string, a: Term, b: Term) => string;
  /** c₀ + c₁x + c₂x² + … by Horner's rule. */
  readonly polynomial: (x: string, coefficients: readonly number[]) => string;
}

/** The operators for values of one dtype. */
export function emitMath(emit: Emitter, dtype: DType): EmitMath {
  const name = (term: Term): string => (typeof term === "number" ? emit.scalar(dtype, term) : term);
  const node =
    (opType: string): Operator =>
    (...terms) =>
      emit.node(opType, terms.map(name));
  const [add, mul] = [node("Add"), node("Mul")];
  return {
    add,
    mul,
    sub: node("Sub"),
    div: node("Div"),
    abs: node("Abs"),
    neg: node("Neg"),
    exp: node("Exp"),
    log: node("Log"),
    sqrt: node("Sqrt"),
    sin: node("Sin"),
    cos: node("Cos"),
    floor: node("Floor"),
    min: node("Min"),
    max: node("Max"),
    less: node("Less"),
    equal: node("Equal"),
    where: (condition, a, b) => emit.node("Where", [condition, name(a), name(b)]),
    polynomial: (x, coefficients) =>
      coefficients
        .slice(0, -1)
        .reduceRight<Term>((sum, c) => add(mul(x, sum), c), coefficients.at(-1)!) as string,
  };
}

/** Runs a formula in float32 and returns to the dtype of its argument: for kernels that exist in float32 only. */
export function inFloat32(
  emit: Emitter,
  x: string,
  dtype: DType,
  formula: (x: string) => string,
): string {
  if (dtype === "float32") return formula(x);
  const cast = (from: string, to: DType): string =>
    emit.node("Cast", [from], { to: { int: dtypes[to].onnx } });
  return cast(formula(cast(x, "float32")), dtype);
}

/** log(1 + x) for finite x > −1: with u = 1 + x rounded it is log(u) + (x − (u − 1)) / u up to the rest's square. */
export function emitLog1pInside(emit: Emitter, x: string, dtype: DType): string {
  const { add, log } = emitMath(emit, dtype);
  return add(log(add(x, 1)), lostInSum(emit, x, dtype));
}

/** log(1 + x): −∞ and ∞ at −1 and ∞ come from the logarithm, where what the sum loses is 0. */
export function emitLog1p(emit: Emitter, x: string, dtype: DType): string {
  const { add, log } = emitMath(emit, dtype);
  const [after, most] =
    dtype === "float64" ? [2 ** -53, Number.MAX_VALUE] : [2 ** -24, 2 ** 127 * (2 - 2 ** -23)];
  const inside = emit.node("Clip", [x, emit.scalar(dtype, after - 1), emit.scalar(dtype, most)]);
  return add(log(add(x, 1)), lostInSum(emit, inside, dtype));
}

/** (x − (u − 1)) / u with u = 1 + x rounded. */
function lostInSum(emit: Emitter, x: string, dtype: DType): string {
  const { add, sub, div } = emitMath(emit, dtype);
  const u = add(x, 1);
  return div(sub(x, sub(u, 1)), u);
}

/** exp(x) − 1. Kahan: with u = eˣ it is (u − 1)·x / log(u); x where u = 1, u − 1 where x is not small. */
export function emitExpm1(emit: Emitter, x: string, dtype: DType): string {
  const { sub, mul, div, exp, log, abs, where, equal, less } = emitMath(emit, dtype);
  const u = exp(x);
  const d = sub(u, 1);
  const scaled = mul(d, div(x, log(u)));
  return where(equal(u, 1), x, where(less(abs(x), 0.7), scaled, d));
}
