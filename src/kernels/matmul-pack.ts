/** Copies matrices into panels that a product reads one after the other: a panel's elements for a term stand together. */

import { type Assembler, rcx, rdx, type Ymm } from "./assembler.ts";
import { laneMask } from "./lanes.ts";

/** What packing copies. */
export interface PackSpec {
  /** Elements for each term in the panel: 8 or 16. */
  readonly width: number;
  /** How many of them the matrix has; the others become 0. */
  readonly valid: number;
  /** Bytes from one line of the matrix to the next. */
  readonly stride: number;
  /** Factor on each element. */
  readonly alpha: number;
}

const factor = (a: Assembler, register: Ymm, alpha: number): void => {
  if (alpha !== 1)
    a.three("vmulps", register, register, a.constant(new Float32Array(8).fill(alpha)));
};

/** How many lines before they are copied the cache is asked for them. */
const AHEAD = 16;
/** Masks that `packLines` uses, kept in registers. */
const MASK = 15;

/** What must run once before `packLines`. */
export function preparePackLines(a: Assembler, { valid }: PackSpec): void {
  if (valid % 8 !== 0) a.two("vmovups", MASK, a.constant(laneMask(valid % 8)));
}

/**
 * Copies terms from rcx, where each term is a line of the matrix, to a panel at rdx, and advances both; several panels at
 * once, `columns` apart in the matrix and `bytes` in the copy, so that what a line has is used while it is in the cache.
 */
export function packLines(
  a: Assembler,
  spec: PackSpec,
  steps: number,
  panels = { count: 1, columns: 0, bytes: 0 },
): void {
  const { width, valid, stride, alpha } = spec;
  let next = 0;
  const bytes = 4 * ((panels.count - 1) * panels.columns + width);
  for (let step = 0; step < steps; step++) {
    for (let ahead = 0; ahead < bytes; ahead += 64)
      a.prefetch({ base: rcx, offset: (step + AHEAD) * stride + ahead });
    for (let panel = 0; panel < panels.count; panel++)
      for (let lane = 0; lane < width; lane += 8) {
        const register = next++ % 12;
        const column = panel * panels.columns + lane;
        const from = { base: rcx, offset: step * stride + 4 * column };
        if (valid >= lane + 8) a.two("vmovups", register, from);
        else if (valid > lane) a.vmaskLoad(register, MASK, from);
        else a.three("vxorps", register, register, register);
        if (valid > lane) factor(a, register, alpha);
        const offset = panel * panels.bytes + 4 * (step * width + lane);
        a.vstore({ base: rdx, offset }, register);
      }
  }
  a.arithmeticImmediate("add", rcx, steps * stride);
  a.arithmeticImmediate("add", rdx, 4 * steps * width);
}

/** The same where each term is a column of the matrix, at most eight of them: turns blocks of 8 × 8. */
export function packColumns(a: Assembler, spec: PackSpec, steps: number): void {
  const { width, valid, stride, alpha } = spec;
  for (let lane = 0; lane < width; lane += 8) {
    const lines = Math.max(0, Math.min(8, valid - lane));
    if (steps < 8) a.two("vmovups", 8, a.constant(laneMask(steps)));
    for (let line = 0; line < 8; line++) {
      const from = { base: rcx, offset: (lane + line) * stride };
      if (line >= lines) a.three("vxorps", line, line, line);
      else if (steps < 8) a.vmaskLoad(line, 8, from);
      else a.two("vmovups", line, from);
    }
    if (lines > 0) transpose(a);
    for (let step = 0; step < steps; step++) {
      const register = lines > 0 ? 8 + step : 0;
      if (lines > 0) factor(a, register, alpha);
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
