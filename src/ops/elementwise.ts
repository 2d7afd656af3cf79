/** Arithmetic and transcendental functions, element by element, with broadcasting. */

import { isFloat, type DType } from "../graph/dtype.ts";
import type { TypeSpec, Value } from "../graph/node.ts";
import type { Emitter } from "../graph/op.ts";
import { constantData, isConstant, onesLike, zerosLike } from "./leaf.ts";
import { eq, ge, gt, logicalAnd, lt, where } from "./compare.ts";
import { emitExpm1, emitLog1p, emitMath } from "./emit-math.ts";
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
  // (x > 0) − (x < 0), 0 for NaN. WebGPU has no Sign; the CPU's is slower, and takes that of wide integers' low 32 bits.
  onnx: ({ inputs: [x], types: [type], emit }) => {
    const { dtype } = type!;
    const zero = emit.scalar(dtype, 0);
    const whether = (opType: "Greater" | "Less"): string =>
      castTo(emit, emit.node(opType, [x!, zero]), "bool", dtype);
    return emit.node("Sub", [whether("Greater"), whether("Less")]);
  },
  grad: null,
  integers: "keep",
});
export const exp = unary("exp", { onnx: "Exp", grad: (_x, y, g) => mul(g, y) });
export const log = unary("log", { onnx: "Log", grad: (x, _y, g) => div(g, x) });
export const log1p = unary("log1p", {
  onnx: ({ inputs: [x], types: [type], emit }) => emitLog1p(emit, x!, type!.dtype),
  grad: (x, _y, g) => div(g, add(x, 1)),
});
export const expm1 = unary("expm1", {
  onnx: ({ inputs: [x], types: [type], emit }) => emitExpm1(emit, x!, type!.dtype),
  grad: (_x, y, g) => mul(g, add(y, 1)),
});
export const sqrt = unary("sqrt", { onnx: "Sqrt", grad: (_x, y, g) => div(mul(g, 0.5), y) });
export const reciprocal = unary("reciprocal", {
  onnx: "Reciprocal",
  grad: (_x, y, g) => neg(mul(g, mul(y, y))),
});
export const sin = unary("sin", { onnx: "Sin", grad: (x, _y, g) => mul(g, cos(x)) });
export const cos = unary("cos", { onnx: "Cos", grad: (x, _y, g) => neg(mul(g, sin(x))) });
export const tanh = unary("tanh", { onnx: "Tanh", grad: (_x, y, g) => mul(g, sub(1, mul(y, y))) });
export const sigmoid = unary("sigmoid", {
  onnx: "Sigmoid",
  grad: (_x, y, g) => mul(g, mul(y, sub(1, y))),
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
/** Integers are whole already. */
const rounding =
  (round: (x: Value) => Value) =>
  (x: Value): Value =>
    isFloat(x.dtype) || x.dtype === "bool" ? round(x) : x;

export const floor = rounding(unary("floor", { onnx: "Floor", grad: null }));
export const ceil = rounding(unary("ceil", { onnx: "Ceil", grad: null }));
export const trunc = rounding(
  unary("trunc", {
    onnx: ({ inputs: [x], types: [type], emit }) => {
      const { less, where, floor } = emitMath(emit, type!.dtype);
      return where(less(x!, 0), emit.node("Ceil", [x!]), floor(x!));
    },
    grad: null,
  }),
);
/** To the nearest integer, halves to even. */
export const round = rounding(
  unary("round", {
    // WebGPU has no Round: adding and taking away 1.5·2²³ rounds in the addition.
    onnx: ({ inputs: [x], types: [type], emit }) => {
      if (!emit.target.gpu) return emit.node("Round", [x!]);
      const { add, sub, abs, less, where } = emitMath(emit, type!.dtype);
      return where(less(abs(x!), 4194304), sub(add(x!, 12582912), 12582912), x!);
    },
    grad: null,
  }),
);

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
    isScalarConstant(b)
      ? mul(g, powerSlope(a, Number(constantData(b)[0])))
      : // At b = 0 the derivative is 0 even where a = 0, as in PyTorch.
        needs[0]
        ? where(eq(b, 0), 0, mul(g, mul(b, pow(a, sub(b, 1)))))
        : null,
    // aᵇ log a; 0 where a = 0 and b ≥ 0, its limit for b > 0.
    needs[1] ? mul(g, mul(y, log(where(logicalAnd(eq(a, 0), ge(b, 0)), 1, a)))) : null,
  ],
});
const isScalarConstant = (x: Value): boolean => x.shape.length === 0 && isConstant(x);

/** n xⁿ⁻¹ */
function powerSlope(x: Value, n: number): Value {
  if (n === 0) return zerosLike(x);
  return n === 1 ? onesLike(x) : mul(n === 2 ? x : pow(x, n - 1), n);
}

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

/** Remainder with the sign of the dividend, as C's fmod and torch.fmod. */
export const fmod = binary("fmod", {
  operands: "arithmetic",
  onnx: ({ inputs: [a, b], types: [type], emit }) => {
    const { dtype } = type!;
    if (!emit.target.gpu) return emit.node("Mod", [a!, b!], { fmod: { int: 1 } });
    const { sub, mul, div, less, where, floor } = emitMath(emit, dtype);
    const quotient = div(a!, b!);
    if (!isFloat(dtype)) return sub(a!, mul(quotient, b!));
    const whole = where(less(quotient, 0), emit.node("Ceil", [quotient]), floor(quotient));
    return sub(a!, mul(whole, b!));
  },
  grad: (a, b, _y, g, needs) => [g, needs[1] ? neg(mul(g, trunc(div(a, b)))) : null],
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
  grad: (a, b, _y, g, needs) => extremeGrad(a, b, g, needs, gt),
  lacks: ["bool"],
  as: "int32",
});
export const minimum = binary("minimum", {
  onnx: (context) =>
    (context.types[0]!.dtype === "int64" ? chosen("Less") : direct("Min"))(context),
  grad: (a, b, _y, g, needs) => extremeGrad(a, b, g, needs, lt),
  lacks: ["bool"],
  as: "int32",
});
/** The winner takes the gradient; equal operands share it. */
function extremeGrad(
  a: Value,
  b: Value,
  g: Value,
  needs: readonly boolean[],
  wins: (a: Value, b: Value) => Value,
): (Value | null)[] {
  const half = mul(cast(eq(a, b), g.dtype), 0.5);
  return [
    needs[0] ? mul(g, add(cast(wins(a, b), g.dtype), half)) : null,
    needs[1] ? mul(g, add(cast(wins(b, a), g.dtype), half)) : null,
  ];
}
