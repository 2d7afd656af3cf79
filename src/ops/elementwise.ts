/** Arithmetic and transcendental functions, element by element, with broadcasting. */

import { isFloat, type DType } from "../graph/dtype.ts";
import type { TypeSpec, Value } from "../graph/node.ts";
import type { Emitter } from "../graph/op.ts";
import { eq, ge, gt, logicalAnd, lt, where } from "./compare.ts";
import { binary, cast, castTo, direct, unary, type Lowering } from "./elementwise-rules.ts";

/**
 * The operand that wins a comparison. ONNX Runtime 1.30 has Max, Min and Relu of int64, but compares the halves of a
 * number apart: its larger of 2³² − 1 and 0 is 0.
 */
const chosen =
  (opType: "Greater" | "Less"): Lowering =>
  ({ inputs: [a, b], emit }) =>
    emit.node("Where", [emit.node(opType, [a!, b!]), a!, b!]);

// ---- one operand -----------------------------------------------------------------------------------------------

/** Whether this runs on WebGPU, whose kernels are fewer, on elements of the dtype. */
const onGpuAs = (dtype: DType, { target }: Emitter, type: TypeSpec): boolean =>
  target.gpu && type.dtype === dtype;

const one = (emit: Emitter, type: TypeSpec): string => emit.scalar(type.dtype, 1);

export const neg = unary("neg", {
  // ONNX has no Neg of uint32, WebGPU none of int32.
  onnx: ({ inputs: [x], types: [type], emit }) =>
    type!.dtype === "uint32" || onGpuAs("int32", emit, type!)
      ? emit.node("Sub", [emit.scalar(type!.dtype, 0), x!])
      : emit.node("Neg", [x!]),
  grad: (_x, _y, g) => neg(g),
  integers: "keep",
});
export const abs = unary("abs", {
  onnx: ({ inputs: [x], types: [type], emit }) =>
    onGpuAs("int32", emit, type!)
      ? emit.node("Max", [x!, emit.node("Sub", [emit.scalar("int32", 0), x!])])
      : emit.node("Abs", [x!]),
  grad: (x, _y, g) => mul(g, sign(x)),
  integers: "keep",
});
export const sign = unary("sign", {
  // (x > 0) − (x < 0), where WebGPU has no Sign and the CPU takes it of the low 32 bits.
  onnx: ({ inputs: [x], types: [type], emit }) => {
    const wide = type!.dtype === "int64" || type!.dtype === "uint32";
    if (!emit.target.gpu && !wide) return emit.node("Sign", [x!]);
    const zero = emit.scalar(type!.dtype, 0);
    const above = castTo(emit, emit.node("Greater", [x!, zero]), "bool", type!.dtype);
    return emit.node("Sub", [
      above,
      castTo(emit, emit.node("Less", [x!, zero]), "bool", type!.dtype),
    ]);
  },
  grad: null,
  integers: "keep",
});
export const exp = unary("exp", { onnx: "Exp", grad: (_x, y, g) => mul(g, y) });
export const log = unary("log", { onnx: "Log", grad: (x, _y, g) => div(g, x) });
export const log1p = unary("log1p", {
  // Kahan: with u = 1 + x, log1p(x) = log(u)·x / (u − 1), and x itself where u = 1; exact where x is tiny.
  onnx: ({ inputs: [x], types: [type], emit }) => {
    const u = emit.node("Add", [x!, one(emit, type!)]);
    const d = emit.node("Sub", [u, one(emit, type!)]);
    const scaled = emit.node("Mul", [emit.node("Log", [u]), emit.node("Div", [x!, d])]);
    const tiny = emit.node("Equal", [d, emit.scalar(type!.dtype, 0)]);
    const infinite = emit.node("Equal", [u, x!]);
    return emit.node("Where", [
      tiny,
      x!,
      emit.node("Where", [infinite, emit.node("Log", [u]), scaled]),
    ]);
  },
  grad: (x, _y, g) => div(g, add(x, 1)),
});
export const expm1 = unary("expm1", {
  // Kahan: with u = eˣ, expm1(x) = (u − 1)·x / log(u); x where u = 1, u − 1 where that is −1 or infinite.
  onnx: ({ inputs: [x], types: [type], emit }) => {
    const u = emit.node("Exp", [x!]);
    const d = emit.node("Sub", [u, one(emit, type!)]);
    const scaled = emit.node("Mul", [d, emit.node("Div", [x!, emit.node("Log", [u])])]);
    const tiny = emit.node("Equal", [u, one(emit, type!)]);
    const small = emit.node("Less", [emit.node("Abs", [x!]), emit.scalar(type!.dtype, 0.7)]);
    return emit.node("Where", [tiny, x!, emit.node("Where", [small, scaled, d])]);
  },
  grad: (_x, y, g) => mul(g, add(y, 1)),
});
export const sqrt = unary("sqrt", { onnx: "Sqrt", grad: (_x, y, g) => div(mul(g, 0.5), y) });
export const reciprocal = unary("reciprocal", {
  onnx: "Reciprocal",
  grad: (_x, y, g) => neg(mul(g, mul(y, y))),
});
export const sin = unary("sin", { onnx: "Sin", grad: (x, _y, g) => mul(g, cos(x)) });
export const cos = unary("cos", { onnx: "Cos", grad: (x, _y, g) => neg(mul(g, sin(x))) });
export const tan = unary("tan", {
  onnx: "Tan",
  grad: (_x, y, g) => mul(g, add(mul(y, y), 1)),
  lacks: ["float64"],
});
export const asin = unary("asin", {
  onnx: "Asin",
  grad: (x, _y, g) => div(g, sqrt(sub(1, mul(x, x)))),
  lacks: ["float64"],
});
export const acos = unary("acos", {
  onnx: "Acos",
  grad: (x, _y, g) => neg(div(g, sqrt(sub(1, mul(x, x))))),
  lacks: ["float64"],
});
export const atan = unary("atan", {
  onnx: "Atan",
  grad: (x, _y, g) => div(g, add(mul(x, x), 1)),
  lacks: ["float64"],
});
export const sinh = unary("sinh", {
  onnx: "Sinh",
  grad: (x, _y, g) => mul(g, cosh(x)),
  lacks: ["float64"],
});
export const cosh = unary("cosh", {
  onnx: "Cosh",
  grad: (x, _y, g) => mul(g, sinh(x)),
  lacks: ["float64"],
});
export const asinh = unary("asinh", {
  onnx: "Asinh",
  grad: (x, _y, g) => div(g, sqrt(add(mul(x, x), 1))),
  lacks: ["float64"],
});
export const acosh = unary("acosh", {
  onnx: "Acosh",
  grad: (x, _y, g) => div(g, sqrt(sub(mul(x, x), 1))),
  lacks: ["float64"],
});
export const atanh = unary("atanh", {
  onnx: "Atanh",
  grad: (x, _y, g) => div(g, sub(1, mul(x, x))),
  lacks: ["float64"],
});
export const tanh = unary("tanh", { onnx: "Tanh", grad: (_x, y, g) => mul(g, sub(1, mul(y, y))) });
export const sigmoid = unary("sigmoid", {
  onnx: "Sigmoid",
  grad: (_x, y, g) => mul(g, mul(y, sub(1, y))),
});
export const erf = unary("erf", {
  onnx: "Erf",
  // d/dx erf = 2/√π · exp(−x²)
  grad: (x, _y, g) => mul(g, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI))),
  lacks: ["float64"],
});
export const relu = unary("relu", {
  onnx: (context) => {
    const { inputs, types, emit } = context;
    const { dtype } = types[0]!;
    const withZero = (): string[] => [inputs[0]!, emit.scalar(dtype, 0)];
    if (onGpuAs("int32", emit, types[0]!)) return emit.node("Max", withZero());
    if (dtype === "int64") return chosen("Greater")({ ...context, inputs: withZero() });
    return emit.node("Relu", inputs);
  },
  grad: (_x, y, g) => mul(g, cast(gt(y, 0), g.dtype)),
  integers: "keep",
  lacks: ["uint32"],
  as: "int64",
});
export const floor = unary("floor", { onnx: "Floor", grad: null });
export const ceil = unary("ceil", { onnx: "Ceil", grad: null });
export const round = unary("round", {
  // Half to even. WebGPU has no Round: adding and taking away 1.5·2²³ rounds in the addition.
  onnx: ({ inputs: [x], types: [type], emit }) => {
    if (!emit.target.gpu) return emit.node("Round", [x!]);
    const big = emit.scalar(type!.dtype, 12582912);
    const rounded = emit.node("Sub", [emit.node("Add", [x!, big]), big]);
    const large = emit.node("GreaterOrEqual", [
      emit.node("Abs", [x!]),
      emit.scalar(type!.dtype, 4194304),
    ]);
    return emit.node("Where", [large, x!, rounded]);
  },
  grad: null,
});
// ---- two operands ----------------------------------------------------------------------------------------------

export const add = binary("add", {
  onnx: "Add",
  grad: (_a, _b, _y, g) => [g, g],
  lacks: ["bool"],
  as: "int32",
});
export const sub = binary("sub", {
  onnx: "Sub",
  operands: "arithmetic",
  grad: (_a, _b, _y, g, needs) => [g, needs[1] ? neg(g) : null],
});
export const mul = binary("mul", {
  onnx: "Mul",
  grad: (a, b, _y, g, needs) => [needs[0] ? mul(g, b) : null, needs[1] ? mul(g, a) : null],
  lacks: ["bool"],
  as: "int32",
});
/** True division: integers become float32. */
export const div = binary("div", {
  onnx: "Div",
  operands: "float",
  grad: (_a, b, y, g, needs) => {
    const overB = div(g, b);
    return [overB, needs[1] ? neg(mul(overB, y)) : null];
  },
});
/** Integer division as the hardware does it, towards zero; for unsigned bit arithmetic. */
export const intDiv = binary("intDiv", { onnx: "Div", operands: "arithmetic", grad: null });
export const pow = binary("pow", {
  onnx: "Pow",
  operands: "arithmetic",
  lacks: ["uint32"],
  as: "int64",
  grad: (a, b, y, g, needs) => [
    // At b = 0 the derivative is 0 even where a = 0, as in PyTorch.
    needs[0] ? where(eq(b, 0), 0, mul(g, mul(b, pow(a, sub(b, 1))))) : null,
    // aᵇ log a; 0 where a = 0 and b ≥ 0, its limit for b > 0.
    needs[1] ? mul(g, mul(y, log(where(logicalAnd(eq(a, 0), ge(b, 0)), 1, a)))) : null,
  ],
});
/** Remainder with the sign of the divisor, as Python's `%` and torch.remainder. */
export const remainder = binary("remainder", {
  operands: "arithmetic",
  onnx: ({ inputs: [a, b], types: [type], emit }) => {
    const { dtype } = type!;
    if (emit.target.gpu && (dtype === "int32" || dtype === "uint32"))
      return remainderByDivision(emit, a!, b!, dtype);
    if (!isFloat(dtype)) return emit.node("Mod", [a!, b!]);
    if (emit.target.gpu) {
      const quotient = emit.node("Floor", [emit.node("Div", [a!, b!])]);
      return emit.node("Sub", [a!, emit.node("Mul", [quotient, b!])]);
    }
    // C's fmod, which is exact, has the dividend's sign.
    const rest = emit.node("Mod", [a!, b!], { fmod: { int: 1 } });
    return withSignOf(emit, rest, b!, dtype);
  },
  grad: (a, b, _y, g, needs) => [g, needs[1] ? neg(mul(g, floor(div(a, b)))) : null],
});

/** WebGPU has no Mod. Its Div rounds towards zero. */
function remainderByDivision(emit: Emitter, a: string, b: string, dtype: DType): string {
  const whole = emit.node("Mul", [emit.node("Div", [a, b]), b]);
  const rest = emit.node("Sub", [a, whole]);
  return dtype === "uint32" ? rest : withSignOf(emit, rest, b, dtype);
}

/** A remainder of truncated division made one of floored division: where signs differ, the divisor is added. */
function withSignOf(emit: Emitter, rest: string, b: string, dtype: DType): string {
  const zero = emit.scalar(dtype, 0);
  const negative = (x: string): string =>
    castTo(emit, emit.node("Less", [x, zero]), "bool", "int32");
  const differ = emit.node("Not", [emit.node("Equal", [negative(rest), negative(b)])]);
  const some = emit.node("Not", [emit.node("Equal", [rest, zero])]);
  return emit.node("Where", [emit.node("And", [some, differ]), emit.node("Add", [rest, b]), rest]);
}

export const maximum = binary("maximum", {
  onnx: (context) =>
    (context.types[0]!.dtype === "int64" ? chosen("Greater") : direct("Max"))(context),
  grad: (a, b, _y, g) => extremeGrad(a, b, g, gt),
  lacks: ["bool"],
  as: "int32",
});
export const minimum = binary("minimum", {
  onnx: (context) =>
    (context.types[0]!.dtype === "int64" ? chosen("Less") : direct("Min"))(context),
  grad: (a, b, _y, g) => extremeGrad(a, b, g, lt),
  lacks: ["bool"],
  as: "int32",
});
/** The winner takes the gradient; equal operands share it. */
function extremeGrad(a: Value, b: Value, g: Value, wins: (a: Value, b: Value) => Value): Value[] {
  const half = mul(cast(eq(a, b), g.dtype), 0.5);
  return [
    mul(g, add(cast(wins(a, b), g.dtype), half)),
    mul(g, add(cast(wins(b, a), g.dtype), half)),
  ];
}
