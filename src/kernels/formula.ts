/**
 * What a kernel computes, step by step: each step makes eight elements of earlier steps' elements.
 *
 * Elements have 32 bits; a step says what they are to it: floats, whole numbers, or masks with all bits set or none. Steps
 * that are equal are one.
 */

import type { ThreeOperand, TwoOperand, Shift } from "./assembler.ts";

/** A step of a formula, by its number. */
export type Term = number;

/** Whether a step changes within a row of elements, or is the same all along it. */
type Extent = "element" | "row";

/** What makes eight elements, and of which terms. */
export type Step = { readonly extent: Extent } & (
  | { readonly kind: "input"; readonly input: number }
  | { readonly kind: "constant"; readonly bits: number }
  | { readonly kind: "three"; readonly name: ThreeOperand; readonly args: readonly [Term, Term] }
  | { readonly kind: "two"; readonly name: TwoOperand; readonly args: readonly [Term] }
  /** args[0]·args[1] + args[2], rounded once; `negated`: args[2] − args[0]·args[1]. */
  | {
      readonly kind: "fused";
      readonly negated: boolean;
      readonly args: readonly [Term, Term, Term];
    }
  | {
      readonly kind: "shift";
      readonly name: Shift;
      readonly bits: number;
      readonly args: readonly [Term];
    }
  | { readonly kind: "round"; readonly mode: number; readonly args: readonly [Term] }
  | { readonly kind: "compare"; readonly predicate: number; readonly args: readonly [Term, Term] }
  /** args[1] where the mask args[0] is set, else args[2]. */
  | { readonly kind: "choose"; readonly args: readonly [Term, Term, Term] }
  /** The sum, or the largest, of a row's elements. */
  | { readonly kind: "reduce"; readonly by: "sum" | "max"; readonly args: readonly [Term] }
);

/** A float's bit that says whether it is negative. */
export const SIGN = 0x80000000;

const word = new DataView(new ArrayBuffer(4));

/** The 32 bits of a number as a float. */
export function bitsOf(x: number): number {
  word.setFloat32(0, x);
  return word.getUint32(0);
}

/** Predicates of `compare`, false (`notEqual`: true) where an operand is NaN. */
export const predicates = {
  equal: 0,
  less: 17,
  atMost: 18,
  notEqual: 4,
  atLeast: 29,
  greater: 30,
  unordered: 3,
} as const;

const roundings = { nearest: 0, down: 1, up: 2, zero: 3 } as const;

/** Steps in the order in which they are made; methods return the term of the step that they add. */
export class Formula {
  readonly steps: Step[] = [];
  readonly #known = new Map<string, Term>();

  /** The elements of an input; one that is the same along a row has the extent of a row. */
  input(input: number, extent: Extent): Term {
    return this.#step({ kind: "input", input, extent });
  }

  constant(x: number): Term {
    return this.bits(bitsOf(x));
  }

  /** A constant by its bits, e.g. a whole number or a mask. */
  bits(bits: number): Term {
    return this.#step({ kind: "constant", bits: bits >>> 0, extent: "row" });
  }

  three(name: ThreeOperand, a: Term, b: Term): Term {
    return this.#step({ kind: "three", name, args: [a, b], extent: this.#extent(a, b) });
  }

  two(name: TwoOperand, a: Term): Term {
    return this.#step({ kind: "two", name, args: [a], extent: this.#extent(a) });
  }

  add = (a: Term, b: Term): Term => this.three("vaddps", a, b);
  sub = (a: Term, b: Term): Term => this.three("vsubps", a, b);
  mul = (a: Term, b: Term): Term => this.three("vmulps", a, b);
  div = (a: Term, b: Term): Term => this.three("vdivps", a, b);
  /** The smaller; `b` where one is NaN. */
  min = (a: Term, b: Term): Term => this.three("vminps", a, b);
  /** The larger; `b` where one is NaN. */
  max = (a: Term, b: Term): Term => this.three("vmaxps", a, b);
  and = (a: Term, b: Term): Term => this.three("vandps", a, b);
  or = (a: Term, b: Term): Term => this.three("vorps", a, b);
  xor = (a: Term, b: Term): Term => this.three("vxorps", a, b);
  /** Bits of `b` that are not set in `a`. */
  andNot = (a: Term, b: Term): Term => this.three("vandnps", a, b);
  sqrt = (a: Term): Term => this.two("vsqrtps", a);

  /** a·b + c, rounded once. */
  fma(a: Term, b: Term, c: Term): Term {
    return this.#step({
      kind: "fused",
      negated: false,
      args: [a, b, c],
      extent: this.#extent(a, b, c),
    });
  }

  /** c − a·b, rounded once. */
  fnma(a: Term, b: Term, c: Term): Term {
    return this.#step({
      kind: "fused",
      negated: true,
      args: [a, b, c],
      extent: this.#extent(a, b, c),
    });
  }

  shift(name: Shift, a: Term, bits: number): Term {
    return this.#step({ kind: "shift", name, bits, args: [a], extent: this.#extent(a) });
  }

  round(mode: keyof typeof roundings, a: Term): Term {
    return this.#step({ kind: "round", mode: roundings[mode], args: [a], extent: this.#extent(a) });
  }

  /** A mask of where the comparison of floats holds. */
  compare(predicate: keyof typeof predicates, a: Term, b: Term): Term {
    return this.#step({
      ...{ kind: "compare", predicate: predicates[predicate], args: [a, b] },
      extent: this.#extent(a, b),
    });
  }

  /** `a` where the mask is set, else `b`. */
  choose(mask: Term, a: Term, b: Term): Term {
    return this.#step({ kind: "choose", args: [mask, a, b], extent: this.#extent(mask, a, b) });
  }

  reduce(by: "sum" | "max", a: Term): Term {
    return this.#step({ kind: "reduce", by, args: [a], extent: "row" });
  }

  /** c₀ + c₁x + c₂x² + … by Horner's rule. */
  polynomial(x: Term, coefficients: readonly number[]): Term {
    return coefficients
      .slice(0, -1)
      .reduceRight(
        (sum, c) => this.fma(sum, x, this.constant(c)),
        this.constant(coefficients.at(-1)!),
      );
  }

  #extent(...args: readonly Term[]): Extent {
    return args.some((arg) => this.steps[arg]!.extent === "element") ? "element" : "row";
  }

  #step(step: Step): Term {
    const key = JSON.stringify(step);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, this.steps.push(step) - 1);
    return this.steps.length - 1;
  }
}

/** The steps that a step is made of. */
export const argsOf = (step: Step): readonly Term[] => ("args" in step ? step.args : []);
