/** Operations on the bits of integers; on bool they are logic. */

import type { Value } from "../graph/node.ts";
import { isFloat } from "../graph/dtype.ts";
import { ShapeError } from "../graph/shape.ts";
import { logicalAnd, logicalNot, logicalOr, logicalXor } from "./compare.ts";
import { mul, pow } from "./elementwise.ts";
import { binary, cast, pair, unary, type Operand } from "./elementwise-rules.ts";
import { roundedDiv } from "./arithmetic.ts";

type Binary = (a: Operand, b: Operand) => Value;

function needIntegers(op: string, x: Value): void {
  if (isFloat(x.dtype))
    throw new ShapeError(`${op}: needs integers or bool, got ${x.dtype}; cast it first`);
}

function bits(name: string, opType: string, logic: Binary): Binary {
  const op = binary(name, { onnx: opType, grad: null });
  return (a, b) => {
    const [x, y] = pair(name, a, b);
    needIntegers(name, x);
    return x.dtype === "bool" ? logic(x, y) : op(x, y);
  };
}

export const bitwiseAnd = bits("bitwiseAnd", "BitwiseAnd", logicalAnd);
export const bitwiseOr = bits("bitwiseOr", "BitwiseOr", logicalOr);
export const bitwiseXor = bits("bitwiseXor", "BitwiseXor", logicalXor);

const notOp = unary("bitwiseNot", { onnx: "BitwiseNot", grad: null, integers: "keep" });

export function bitwiseNot(x: Value): Value {
  needIntegers("bitwiseNot", x);
  return x.dtype === "bool" ? logicalNot(x) : notOp(x);
}

/** Products and quotients of powers of 2, which are int64 where they are not known: ONNX shifts unsigned integers only. */
function shifted(name: string, a: Operand, b: Operand, shift: Binary): Value {
  const [x, y] = pair(name, a, b);
  needIntegers(name, x);
  if (x.dtype === "bool") throw new ShapeError(`${name}: bool has no ${name}, cast to int32 first`);
  if (typeof b === "number" && b >= 0 && b < 31) return shift(x, 2 ** b);
  return cast(shift(cast(x, "int64"), pow(2, cast(y, "int64"))), x.dtype);
}

/** a · 2ᵇ */
export const bitwiseLeftShift = (a: Operand, b: Operand): Value =>
  shifted("bitwiseLeftShift", a, b, mul);

/** a / 2ᵇ rounded down, as shifts that keep the sign do. */
export const bitwiseRightShift = (a: Operand, b: Operand): Value =>
  shifted("bitwiseRightShift", a, b, (x, factor) => roundedDiv(x, factor, "floor"));
