/** Arithmetic made of elementary operations: rounded division, interpolation, limits, signs, replaced values. */

import { isFloat } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { ShapeError } from "../graph/shape.ts";
import { eq, gt, isNaN, logicalAnd, logicalNot, logicalOr, lt, where } from "./compare.ts";
import {
  abs,
  add,
  div,
  fmod,
  intDiv,
  maximum,
  minimum,
  mul,
  neg,
  remainder,
  round,
  sub,
  trunc,
} from "./elementwise.ts";
import { binary, cast, pair, type Operand } from "./elementwise-rules.ts";
import { emitMath } from "./emit-math.ts";
import { emitAtan } from "./trigonometric.ts";

/** Towards zero, or down. */
export type RoundingMode = "trunc" | "floor";

/** a / b rounded towards zero ("trunc") or down ("floor"), in the operands' dtype: torch.div with rounding_mode. */
export function roundedDiv(a: Operand, b: Operand, mode: RoundingMode): Value {
  const [x, y] = pair("div", a, b);
  if (mode !== "trunc" && mode !== "floor")
    throw new ShapeError(`div: roundingMode must be "trunc" or "floor", got ${String(mode)}`);
  if (x.dtype === "bool")
    throw new ShapeError("div: bool has no rounded division, cast to int32 first");
  if (!isFloat(x.dtype))
    return mode === "trunc" ? intDiv(x, y) : intDiv(sub(x, remainder(x, y)), y);
  if (mode === "trunc") return trunc(div(x, y));
  // As PyTorch: from the exact remainder, so that a quotient that rounds up to an integer is not taken for it.
  const rest = fmod(x, y);
  const lower = logicalAnd(logicalNot(eq(rest, 0)), logicalNot(eq(lt(rest, 0), lt(y, 0))));
  const quotient = round(sub(div(sub(x, rest), y), cast(lower, x.dtype)));
  return where(eq(y, 0), div(x, y), quotient);
}

/** x − trunc(x) */
export const frac = (x: Value): Value => sub(x, trunc(x));

/** Rounds to `decimals` places after the point; negative ones before it. Halves to even. */
export function roundTo(x: Value, decimals: number): Value {
  if (decimals === 0 || !isFloat(x.dtype)) return round(x);
  if (!Number.isInteger(decimals))
    throw new ShapeError(`round: decimals must be an integer, got ${decimals}`);
  const scale = 10 ** Math.abs(decimals);
  return decimals > 0 ? div(round(mul(x, scale)), scale) : mul(round(div(x, scale)), scale);
}

/** start + weight · (end − start) */
export function lerp(start: Value, end: Value, weight: Operand): Value {
  // From the nearer side, so that weight 1 gives the end exactly.
  return typeof weight === "number" && weight >= 0.5
    ? sub(end, mul(sub(end, start), 1 - weight))
    : add(start, mul(sub(end, start), weight));
}

/** Elements with a sign bit: negative ones and −0. */
export const signbit = (x: Value): Value =>
  isFloat(x.dtype) ? logicalOr(lt(x, 0), eq(div(1, x), -Infinity)) : lt(x, 0);

/** The magnitude of `a` with the sign of `b`; zeros have signs too. */
export function copysign(a: Operand, b: Operand): Value {
  const [x, y] = pair("copysign", a, b);
  const size = abs(isFloat(x.dtype) ? x : cast(x, "float32"));
  return where(signbit(y), neg(size), size);
}

/** 0 below zero, 1 above, `values` at zero. */
export function heaviside(x: Operand, values: Operand): Value {
  const [a, b] = pair("heaviside", x, values);
  return where(eq(a, 0), b, cast(gt(a, 0), a.dtype));
}

/** The larger; a number where the other is NaN. */
export function fmax(a: Operand, b: Operand): Value {
  const [x, y] = pair("fmax", a, b);
  return where(isNaN(y), x, where(isNaN(x), y, maximum(x, y)));
}

/** The smaller; a number where the other is NaN. */
export function fmin(a: Operand, b: Operand): Value {
  const [x, y] = pair("fmin", a, b);
  return where(isNaN(y), x, where(isNaN(x), y, minimum(x, y)));
}

/** What replaces NaN and infinities. */
export interface NanToNumOptions {
  readonly nan?: number;
  /** In place of Infinity; the dtype's largest number unless given. */
  readonly posinf?: number;
  readonly neginf?: number;
}

const LARGEST = {
  float16: 65504,
  float32: 3.4028234663852886e38,
  float64: Number.MAX_VALUE,
} as const;

/** NaN and infinities replaced by numbers. */
export function nanToNum(x: Value, { nan = 0, posinf, neginf }: NanToNumOptions = {}): Value {
  if (!isFloat(x.dtype)) return x;
  const largest = LARGEST[x.dtype as keyof typeof LARGEST];
  const numbers = where(isNaN(x), nan, x);
  const below = where(eq(numbers, Infinity), posinf ?? largest, numbers);
  return where(eq(below, -Infinity), neginf ?? -largest, below);
}

/** √(a² + b²) without overflow. */
export const hypot = binary("hypot", {
  operands: "float",
  onnx: ({ inputs: [a, b], types: [type], emit }) => {
    const { add, mul, div, abs, max, min, sqrt, equal, where } = emitMath(emit, type!.dtype);
    const [x, y] = [abs(a!), abs(b!)];
    const [large, small] = [max(x, y), min(x, y)];
    const ratio = div(small, large);
    const length = mul(large, sqrt(add(mul(ratio, ratio), 1)));
    const infinite = equal(large, Infinity);
    return where(equal(large, 0), 0, where(infinite, large, length));
  },
  grad: (a, b, y, g, needs) => {
    const slope = div(g, y);
    return [needs[0] ? mul(slope, a) : null, needs[1] ? mul(slope, b) : null];
  },
});

/** The angle of the point (x, y) in (−π, π]. */
export const atan2 = binary("atan2", {
  operands: "float",
  onnx: ({ inputs: [y, x], types: [type], emit }) => {
    const { dtype } = type!;
    const { add, div, abs, min, equal, where } = emitMath(emit, dtype);
    const zero = emit.scalar(dtype, 0);
    const negative = (v: string): string => {
      const [below, belowZero] = [v, div(1, v)].map((u) => emit.node("Less", [u, zero]));
      // WebGPU has no Or.
      const not = (c: string): string => emit.node("Not", [c]);
      return not(emit.node("And", [not(below!), not(belowZero!)]));
    };
    // Two infinities have the angle of a diagonal.
    const both = equal(min(abs(x!), abs(y!)), Infinity);
    const [unit, least] = [emit.scalar(dtype, 1), emit.scalar(dtype, -1)];
    const [ys, xs] = [y!, x!].map((v) => where(both, emit.node("Clip", [v, least, unit]), v));
    const angle = where(equal(y!, 0), y!, emitAtan(emit, div(ys!, xs!), dtype));
    return where(negative(x!), add(angle, where(negative(y!), -Math.PI, Math.PI)), angle);
  },
  grad: (y, x, _angle, g, needs) => {
    const square = add(mul(x, x), mul(y, y));
    // At the origin, where the angle has no slope, 0 as in PyTorch.
    const slope = where(eq(square, 0), 0, div(g, square));
    return [needs[0] ? mul(slope, x) : null, needs[1] ? neg(mul(slope, y)) : null];
  },
});
