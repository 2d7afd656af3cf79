/** Copies matrices into panels that a product reads one after the other: a panel's elements for a term stand together. */

import { type Assembler, type Gpr, rcx, rdx, type Ymm } from "./assembler.ts";

/** Ones in the bits of the first `lanes` elements. */
export const laneMask = (lanes: number): Uint32Array =>
  Uint32Array.from({ length: 8 }, (_, i) => (i < lanes ? 0xffffffff : 0));

/** Stores the first elements of a vector; `mask` is a register that may be overwritten. */
export function storeLanes(
  a: Assembler,
  to: { readonly base: Gpr; readonly offset: number },
  from: Ymm,
  lanes: number,
  mask: Ymm,
): void {
  if (lanes === 8) a.vstore(to, from);
  else if (lanes === 4) a.vstoreHalf(to, from);
  else if (lanes === 2) a.vstoreLow(to, from);
  else if (lanes === 1) a.vstoreOne(to, from);
  else {
    a.two("vmovups", mask, a.constant(laneMask(lanes)));
    a.vmaskStore(to, mask, from);
  }
}

/** A vector's first elements from memory, the others 0. */
export function loadLanes(
  a: Assembler,
  to: Ymm,
  from: { readonly base: Gpr; readonly offset: number },
  lanes: number,
  mask: Ymm,
): void {
  if (lanes === 8) a.two("vmovups", to, from);
  else {
    a.two("vmovups", mask, a.constant(laneMask(lanes)));
    a.vmaskLoad(to, mask, from);
  }
}

/** What one step of packing copies. */
export interface PackStep {
  /** Width of the panel in elements of memory, and how many of them exist, the others becoming 0. */
  readonly width: number;
  readonly valid: number;
  /** Bytes from one line of the matrix to the next. */
  readonly stride: number;
  /** How many terms. */
  readonly steps: number;
  /** Factor on each element. */
  readonly alpha: number;
}

/**
 * Copies terms from rcx, where each term is a line of the matrix, to a panel at rdx, and advances both. Panels narrower
 * than a vector get whole vectors, each overwriting what the one before has too much: a panel needs room behind it.
 */
export function packLines(a: Assembler, { width, valid, stride, steps, alpha }: PackStep): void {
  for (let step = 0; step < steps; step++)
    for (let lane = 0; lane < width; lane += 8) {
      const lanes = Math.max(0, Math.min(8, width - lane, valid - lane));
      const register = (2 * step + lane / 8) % 12;
      if (lanes === 0) a.three("vxorps", register, register, register);
      else loadLanes(a, register, { base: rcx, offset: step * stride + 4 * lane }, lanes, 15);
      if (alpha !== 1 && lanes > 0)
        a.three("vmulps", register, register, a.constant(new Float32Array(8).fill(alpha)));
      a.vstore({ base: rdx, offset: 4 * (step * width + lane) }, register);
    }
  a.arithmeticImmediate("add", rcx, steps * stride);
  a.arithmeticImmediate("add", rdx, 4 * steps * width);
}

/** The same where each term is a column of the matrix, at most eight of them: turns blocks of 8 × 8. */
export function packColumns(a: Assembler, { width, valid, stride, steps, alpha }: PackStep): void {
  for (let lane = 0; lane < width; lane += 8) {
    const lines = Math.max(0, Math.min(8, width - lane, valid - lane));
    for (let line = 0; line < 8; line++)
      if (line < lines) loadLanes(a, line, { base: rcx, offset: (lane + line) * stride }, steps, 8);
      else a.three("vxorps", line, line, line);
    if (lines > 0) transpose(a);
    for (let step = 0; step < steps; step++) {
      const register = lines > 0 ? 8 + step : 0;
      if (alpha !== 1 && lines > 0)
        a.three("vmulps", register, register, a.constant(new Float32Array(8).fill(alpha)));
      a.vstore({ base: rdx, offset: 4 * (step * width + lane) }, register);
    }
  }
  a.arithmeticImmediate("add", rcx, 4 * steps);
  a.arithmeticImmediate("add", rdx, 4 * steps * width);
}

/** ymm8 to ymm15 become the columns of the matrix whose rows are ymm0 to ymm7, which are lost. */
function transpose(a: Assembler): void {
  for (let pair = 0; pair < 4; pair++) {
    a.three("vunpcklps", 8 + 2 * pair, 2 * pair, 2 * pair + 1);
    a.three("vunpckhps", 9 + 2 * pair, 2 * pair, 2 * pair + 1);
  }
  // Elements 0 to 3 of four rows each in the lower half, 4 to 7 in the upper.
  for (let half = 0; half < 2; half++)
    for (let column = 0; column < 4; column++) {
      const from = 8 + 4 * half + (column >> 1);
      a.vshufps(4 * half + column, from, from + 2, column % 2 === 0 ? 0x44 : 0xee);
    }
  for (let column = 0; column < 4; column++) {
    a.vpermHalves(8 + column, column, 4 + column, 0, 2);
    a.vpermHalves(12 + column, column, 4 + column, 1, 3);
  }
}
