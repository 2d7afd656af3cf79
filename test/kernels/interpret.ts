/** Runs a formula on one lane in plain JavaScript, to the bit as the processor would: the truth for compiled kernels. */

import { predicates, type Formula, type Step, type Term } from "../../src/kernels/formula.ts";

const floats = new Float32Array(1);
const words = new Uint32Array(floats.buffer);
const doubles = new Float64Array(1);
const longs = new BigInt64Array(doubles.buffer);

function toBits(x: number): number {
  floats[0] = x;
  return words[0]!;
}

export function toFloat(bits: number): number {
  words[0] = bits;
  return floats[0]!;
}

/** a·b + c of floats, rounded once. */
export function fma(a: number, b: number, c: number): number {
  const product = a * b; // exact: two floats' 48 bits
  const sum = product + c;
  const part = sum - product;
  const error = product - (sum - part) + (c - part);
  if (error === 0 || !Number.isFinite(sum)) return Math.fround(sum);
  // Rounded to odd instead of to nearest, the sum tells the second rounding on which side of a tie it lies.
  doubles[0] = sum;
  if ((longs[0]! & 1n) === 0n) longs[0]! += error > 0 === sum > 0 ? 1n : -1n;
  return Math.fround(doubles[0]);
}

const floatOperations: Readonly<Record<string, (a: number, b: number) => number>> = {
  vaddps: (a, b) => a + b,
  vsubps: (a, b) => a - b,
  vmulps: (a, b) => a * b,
  vdivps: (a, b) => a / b,
  vminps: (a, b) => (a < b ? a : b),
  vmaxps: (a, b) => (a > b ? a : b),
};

const wordOperations: Readonly<Record<string, (a: number, b: number) => number>> = {
  vandps: (a, b) => a & b,
  vandnps: (a, b) => ~a & b,
  vorps: (a, b) => a | b,
  vxorps: (a, b) => a ^ b,
  vpaddd: (a, b) => a + b,
  vpsubd: (a, b) => a - b,
  vpmulld: Math.imul,
  vpcmpeqd: (a, b) => (a === b ? -1 : 0),
  vpcmpgtd: (a, b) => ((a | 0) > (b | 0) ? -1 : 0),
  vpminsd: (a, b) => Math.min(a | 0, b | 0),
  vpmaxsd: (a, b) => Math.max(a | 0, b | 0),
  vpminud: Math.min,
  vpmaxud: Math.max,
  vpsrlvd: (a, b) => (b < 32 ? a >>> b : 0),
  vpsllvd: (a, b) => (b < 32 ? a << b : 0),
};

/** A float as a whole number of 32 bits; 0x80000000 where it has none. */
const whole = (x: number): number => (x >= -(2 ** 31) && x < 2 ** 31 ? x : -(2 ** 31));

const wordResults: Readonly<Record<string, (bits: number) => number>> = {
  vsqrtps: (bits) => toBits(Math.sqrt(toFloat(bits))),
  vcvtdq2ps: (bits) => toBits(bits | 0),
  vcvttps2dq: (bits) => whole(Math.trunc(toFloat(bits))),
  vmovups: (bits) => bits,
};

const shifts: Readonly<Record<string, (a: number, by: number) => number>> = {
  vpsrld: (a, by) => (by < 32 ? a >>> by : 0),
  vpsrad: (a, by) => (a | 0) >> Math.min(by, 31),
  vpslld: (a, by) => (by < 32 ? a << by : 0),
};

function roundToEven(x: number): number {
  const below = Math.floor(x);
  const up = x - below > 0.5 || (x - below === 0.5 && below % 2 !== 0);
  const result = up ? below + 1 : below;
  return result === 0 ? 0 * x : result; // −0 of −0.3
}

const roundings = [roundToEven, Math.floor, Math.ceil, Math.trunc];

const comparisons = new Map<number, (a: number, b: number) => boolean>([
  [predicates.equal, (a, b) => a === b],
  [predicates.less, (a, b) => a < b],
  [predicates.atMost, (a, b) => a <= b],
  [predicates.notEqual, (a, b) => a !== b],
  [predicates.atLeast, (a, b) => a >= b],
  [predicates.greater, (a, b) => a > b],
  [predicates.unordered, (a, b) => Number.isNaN(a) || Number.isNaN(b)],
]);

function found<K, V>(value: V | undefined, what: K): V {
  if (value === undefined) throw new Error(`interpret: unknown ${String(what)}`);
  return value;
}

/** The bits of a step, for the bits of the steps before it and inputs given as floats. */
export function run(step: Step, values: Uint32Array, inputs: readonly number[]): number {
  const bits = (i: number): number => values[(step as { args: readonly Term[] }).args[i]!]!;
  const float = (i: number): number => toFloat(bits(i));
  switch (step.kind) {
    case "input":
      return toBits(inputs[step.input]!);
    case "constant":
      return step.bits;
    case "three": {
      const operation = floatOperations[step.name];
      if (operation !== undefined) return toBits(operation(float(0), float(1)));
      return found(wordOperations[step.name], step.name)(bits(0), bits(1));
    }
    case "two":
      return found(wordResults[step.name], step.name)(bits(0));
    case "fused":
      return toBits(fma(step.negated ? -float(0) : float(0), float(1), float(2)));
    case "shift":
      return found(shifts[step.name], step.name)(bits(0), step.bits);
    case "round":
      return toBits(found(roundings[step.mode], step.mode)(float(0)));
    case "compare":
      return found(comparisons.get(step.predicate), step.predicate)(float(0), float(1)) ? -1 : 0;
    case "choose":
      return bits(0) >>> 31 === 1 ? bits(1) : bits(2);
    case "reduce":
      throw new Error("interpret: one lane has no row to reduce");
  }
}

/** The bits of every step, for inputs given as floats. */
export function interpret(formula: Formula, inputs: readonly number[]): Uint32Array {
  const values = new Uint32Array(formula.steps.length);
  formula.steps.forEach((step, term) => {
    values[term] = run(step, values, inputs);
  });
  return values;
}
