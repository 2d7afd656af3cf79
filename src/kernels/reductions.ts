/** Sums and maxima of a row: eight parts of it in a vector register, which are put together at the row's end. */

import type { Assembler, Constant, Ymm } from "./assembler.ts";
import { predicates, type Step } from "./formula.ts";
import { LANES, laneMask } from "./lanes.ts";
import type { Registers } from "./registers.ts";

/** How elements become one. */
export type Reduction = Extract<Step, { kind: "reduce" }>["by"];

/** What changes no sum, or no maximum. */
export const neutral = (a: Assembler, by: Reduction): Constant =>
  a.constant(by === "max" ? new Float32Array(LANES).fill(-Infinity) : laneMask(0));

/** Takes eight elements into the register of a sum or maximum, at the end of a row those that `mask` has. */
export function reduce(
  a: Assembler,
  by: Reduction,
  register: Ymm,
  from: Ymm,
  registers: Registers,
  mask: Ymm | undefined,
): void {
  let value = from;
  if (mask !== undefined) {
    value = registers.spare();
    if (by === "max") {
      a.two("vmovups", value, neutral(a, by));
      a.vblendvps(value, value, from, mask);
    } else a.three("vandps", value, from, mask);
  }
  if (by === "max") larger(a, register, value, registers.spares()[1]);
  else a.three("vaddps", register, register, value);
}

/** Puts the eight sums or maxima of a register together to one, in all places; overwrites registers 0 and 1. */
export function finishReduce(a: Assembler, by: Reduction, register: Ymm): void {
  const [other, spare] = [0, 1];
  const join = (): void => {
    if (by === "max") larger(a, register, other, spare);
    else a.three("vaddps", register, register, other);
  };
  a.vpermHalves(other, register, register, 1, 0);
  join();
  a.vshufps(other, register, register, 0b01_00_11_10);
  join();
  a.vshufps(other, register, register, 0b10_11_00_01);
  join();
}

/** The larger of two registers, in the first; NaN where one is. */
function larger(a: Assembler, register: Ymm, other: Ymm, spare: Ymm): void {
  a.vcmpps(spare, other, other, predicates.unordered);
  // The second operand is returned where one is NaN.
  a.three("vmaxps", register, other, register);
  a.vblendvps(register, register, other, spare);
}
