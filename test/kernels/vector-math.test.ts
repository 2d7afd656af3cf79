/** Elementary functions of kernels against float64 over all exponents, and their special values. */

import { describe, expect, it } from "vitest";

import { Formula, type Term } from "../../src/kernels/formula.ts";
import * as vectorMath from "../../src/kernels/vector-math.ts";
import { fma, interpret, toFloat } from "./interpret.ts";

type Name = keyof typeof vectorMath;

/** The function of one float. */
function scalar(name: Name): (x: number) => number {
  const formula = new Formula();
  const x = formula.input(0, "element");
  const y: Term = vectorMath[name](formula, x);
  return (value) => toFloat(interpret(formula, [value])[y]!);
}

/** 2/√π·e^(−x²)·Σ 2ⁿx²ⁿ⁺¹ / (2n+1)!!, whose terms have one sign. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let sum = x;
  for (let n = 1, term = x; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const truth: Readonly<Record<Name, (x: number) => number>> = {
  ...{ exp: Math.exp, log: Math.log, tanh: Math.tanh, erf },
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};

/** The unit in the last place of floats of this size. */
const ulp = (x: number): number => 2 ** Math.max(Math.floor(Math.log2(Math.abs(x))) - 23, -149);

/** Floats of all exponents and both signs, and as many spread over an interval. */
function* points(low: number, high: number): Generator<number> {
  const count = 10_007;
  for (let i = 0; i < count; i++) {
    const x = toFloat(Math.floor((i * 2 ** 32) / count));
    if (Number.isFinite(x)) yield x;
    yield Math.fround(low + ((high - low) * i) / (count - 1));
  }
}

/** The largest error in ulp; NaN where one is. */
function worst(name: Name, xs: Iterable<number>): number {
  const f = scalar(name);
  let found = 0;
  for (const x of xs) {
    const expected = truth[name](x);
    const received = f(x);
    if (Object.is(received, Math.fround(expected))) continue;
    const error = Math.abs(received - expected) / ulp(expected);
    if (Number.isNaN(error)) return error;
    found = Math.max(found, error);
  }
  return found;
}

describe("accuracy", () => {
  const cases: readonly [name: Name, ulps: number, low: number, high: number][] = [
    ["log", 1, 0, 4],
    ["tanh", 3, -9.5, 9.5],
    ["tanh", 3, -1, 1],
    ["erf", 4, -4.5, 4.5],
    ["erf", 4, -1, 1],
  ];
  it.each(cases)("%s within %d ulp, among others from %d to %d", (name, limit, low, high) => {
    expect(worst(name, points(low, high))).toBeLessThanOrEqual(limit);
  });

  it.each<[Name, ulps: number, from: number]>([
    ["exp", 1, -86.98],
    ["sigmoid", 3, -88.72],
  ])("%s within %d ulp from %d, 0 below", (name, limit, from) => {
    const xs = [...points(from, 89), ...points(-10, 10)].filter((x) => x >= from);
    expect(worst(name, xs)).toBeLessThanOrEqual(limit);
    const f = scalar(name);
    for (const x of points(-110, from)) if (x < from - 0.02) expect(f(x)).toBe(0);
  });

  it.each<Name>(["tanh", "erf", "sigmoid"])("%s never exceeds 1", (name) => {
    const f = scalar(name);
    expect([...points(2, 20)].every((x) => Math.abs(f(x)) <= 1)).toBe(true);
  });
});

describe("special values", () => {
  const [least, tiny] = [2 ** -149, 1e-30].map(Math.fround) as [number, number];
  const most = 2 ** 128 - 2 ** 104;
  const odd: (readonly [number, number])[] = [0, least, tiny].flatMap((x) => [
    [x, x] as const,
    [-x, -x] as const,
  ]);
  it.each<[Name, readonly (readonly [x: number, y: number])[]]>([
    [
      "exp",
      [
        [0, 1],
        [-0, 1],
        [-tiny, 1],
        [-Infinity, 0],
        [-1e30, 0],
        [Infinity, Infinity],
        [88.73, Infinity],
        [most, Infinity],
      ],
    ],
    [
      "log",
      [
        [1, 0],
        [0, -Infinity],
        [-0, -Infinity],
        [-least, NaN],
        [-1, NaN],
        [-Infinity, NaN],
        [Infinity, Infinity],
        [least, Math.fround(Math.log(least))],
      ],
    ],
    ["tanh", [...odd, [Infinity, 1], [-Infinity, -1], [20, 1], [-20, -1]]],
    [
      "erf",
      [
        [0, 0],
        [-0, -0],
        [Infinity, 1],
        [-Infinity, -1],
        [5, 1],
        [-5, -1],
      ],
    ],
    [
      "sigmoid",
      [
        [0, 0.5],
        [-0, 0.5],
        [Infinity, 1],
        [-Infinity, 0],
        [100, 1],
        [-100, 0],
      ],
    ],
  ])("%s", (name, cases) => {
    const f = scalar(name);
    for (const [x, y] of [...cases, [NaN, NaN] as const]) expect(f(x), String(x)).toBe(y);
  });
});

describe("the interpreter", () => {
  it("rounds a·b + c once", () => {
    const e = 2 ** -23;
    // (1+ε)² = 1 + 2ε + ε², whose last digit decides what it is with a float's half unit.
    expect(fma(1 + e, 1 + e, -(1 + 2 * e))).toBe(e * e);
    expect(fma(1 + e, 1 + e, 2 ** 24)).toBe(2 ** 24 + 2);
    expect(fma(1, 1, 2 ** 24)).toBe(2 ** 24);
    expect(fma(1 + e, 1, 2 ** 24)).toBe(2 ** 24 + 2);
    // Below a tie by less than 53 bits tell.
    expect(fma(2 ** -24 * (1 + e), 1 - e, 1 + e)).toBe(1 + e);
    expect(fma(2 ** -24, 1 + e, 1)).toBe(1 + e);
    expect(fma(2 ** -24, 1 - e, 1)).toBe(1);
    expect(fma(Infinity, 1, -Infinity)).toBe(NaN);
    expect(fma(-0, 1, -0)).toBe(-0);
  });

  it.each<[number, number]>([
    [0.5, 0],
    [1.5, 1],
    [-0.5, 0],
    [-2.7, -2],
    [3e9, -(2 ** 31)],
    [NaN, -(2 ** 31)],
    [2 ** 31 - 128, 2 ** 31 - 128],
  ])("converts %d towards 0, to %d", (x, expected) => {
    const f = new Formula();
    const y = f.two("vcvttps2dq", f.input(0, "element"));
    expect(interpret(f, [x])[y]! | 0).toBe(expected);
  });
});
