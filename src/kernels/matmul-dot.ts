/** Products of few rows with a transposed matrix: sums of products along both operands' lines, read where they lie. */

import {
  type Address,
  type Assembler,
  r10,
  r11,
  r12,
  r14,
  r8,
  r9,
  rax,
  rbx,
  rcx,
  rdx,
} from "./assembler.ts";
import { at, FRAME, MatmulFrame } from "./matmul-frame.ts";
import { laneMask, storeLanes } from "./lanes.ts";
import type { Product } from "./matmul-plan.ts";

/** Columns of a tile: those whose sums are put together at once; two times as many where there is but one row. */
const COLUMNS = 4;
const columnsOf = (rows: number): number => (rows === 1 ? 2 * COLUMNS : COLUMNS);
/** Terms of the inner loop. */
const STEP = 32;

/** Into how many parts the batch and the columns are divided. */
export interface DotParts {
  readonly batch: number;
  readonly columns: number;
}

/** How many groups of columns a product has: what parts consist of. */
export const dotGroups = ({ m, n }: Product): number => Math.ceil(n / columnsOf(m));

/** The code of a product whose A is not transposed, and whose B is. */
export const dotProduct = (spec: Product, parts: DotParts): Uint8Array =>
  new DotProduct(spec).code(parts);

/** Where sums are: registers 4 to 15. B has register 3, A those before it. */
const sum = (rows: number, row: number, column: number): number =>
  4 + row * columnsOf(rows) + column;
const B = 3;

class DotProduct extends MatmulFrame {
  code(parts: DotParts): Uint8Array {
    const { a } = this;
    const { m, n, bias = false } = this.spec;
    const width = columnsOf(m);
    const groups = dotGroups(this.spec);
    this.enter(FRAME);
    this.range("columnFirst", "columnEnd", groups, parts.columns);
    this.range("batch", "batchEnd", this.batch, parts.batch);
    this.blocks("batch", "batchEnd", 1, undefined, () => {
      this.matrices();
      a.mov(r11, at("columnFirst"));
      a.multiply(r9, r11, width * this.lineB);
      a.arithmetic("add", r9, at("b"));
      a.multiply(r12, r11, width * 4);
      a.mov(r14, r12);
      a.arithmetic("add", r12, at("c"));
      if (bias) a.arithmetic("add", r14, at("bias"));
      const [next, last, end] = [a.label(), a.label(), a.label()];
      a.bind(next);
      if (n % width > 0) {
        a.arithmeticImmediate("cmp", r11, groups - 1);
        a.jump(last, "equal");
      }
      if (n >= width) {
        this.#rows(width);
        a.arithmeticImmediate("add", r9, width * this.lineB);
        a.arithmeticImmediate("add", r12, width * 4);
        a.arithmeticImmediate("add", r14, width * 4);
        a.arithmeticImmediate("add", r11, 1);
        a.arithmetic("cmp", r11, at("columnEnd"));
        a.jump(next, "less");
      }
      if (n % width > 0) {
        a.jump(end);
        a.bind(last);
        this.#rows(n % width);
        a.bind(end);
      }
    });
    this.leave();
    return a.finish();
  }

  /** All rows of A times `columns` of B's lines from r9 on. */
  #rows(columns: number): void {
    const { a } = this;
    a.mov(r8, at("a"));
    a.mov(rbx, r12);
    for (const { rows, times } of rowGroups(this.spec.m)) {
      const next = a.label();
      a.movImmediate(r10, times);
      a.bind(next);
      this.#tile(rows, columns);
      a.arithmeticImmediate("add", r8, rows * this.lineA);
      a.arithmeticImmediate("add", rbx, rows * this.lineC);
      a.arithmeticImmediate("sub", r10, 1);
      a.jump(next, "notEqual");
    }
  }

  #tile(rows: number, columns: number): void {
    const { a } = this;
    const { k } = this.spec;
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columnsOf(rows); column++) {
        const register = sum(rows, row, column);
        a.three("vxorps", register, register, register);
      }
    a.mov(rax, r8);
    a.mov(rcx, r9);
    const loops = Math.floor(k / STEP);
    if (loops > 0) {
      const next = a.label();
      a.movImmediate(rdx, loops);
      a.bind(next);
      for (let term = 0; term < STEP; term += 8) this.#step(rows, columns, term, 8);
      a.arithmeticImmediate("add", rax, 4 * STEP);
      a.arithmeticImmediate("add", rcx, 4 * STEP);
      a.arithmeticImmediate("sub", rdx, 1);
      a.jump(next, "notEqual");
    }
    for (let term = 0; term < k % STEP; term += 8)
      this.#step(rows, columns, term, Math.min(8, (k % STEP) - term));
    for (let first = 0; first < columns; first += COLUMNS)
      for (let row = 0; row < rows; row++)
        this.#store(rows, row, first, Math.min(COLUMNS, columns - first));
  }

  /** Eight terms, or at the end fewer. */
  #step(rows: number, columns: number, term: number, terms: number): void {
    const { a } = this;
    // A mask has the register of B, from which it is loaded again.
    const load = (to: number, from: Address): void => {
      if (terms === 8) return a.two("vmovups", to, from);
      a.two("vmovups", B, a.constant(laneMask(terms)));
      a.vmaskLoad(to, B, from);
    };
    for (let row = 0; row < rows; row++)
      load(row, { base: rax, offset: row * this.lineA + 4 * term });
    for (let column = 0; column < columns; column++) {
      const from = { base: rcx, offset: column * this.lineB + 4 * term };
      if (rows === 1 && terms === 8) {
        a.three("vfmadd231ps", sum(rows, 0, column), 0, from);
        continue;
      }
      load(B, from);
      for (let row = 0; row < rows; row++) a.three("vfmadd231ps", sum(rows, row, column), row, B);
    }
  }

  /** Adds up four sums' elements, and stores what they give for a row at rbx. */
  #store(rows: number, row: number, first: number, columns: number): void {
    const { a } = this;
    const { alpha = 1, bias = false, relu = false } = this.spec;
    const total = addUp(a, sum(rows, row, first));
    if (alpha !== 1)
      a.threeHalf("vmulps", total, total, a.constant(new Float32Array(8).fill(alpha)));
    if (bias) {
      const from = { base: r14, offset: 4 * first };
      if (columns === 4) a.threeHalf("vaddps", total, total, from);
      else {
        a.two("vmovups", 1, a.constant(laneMask(columns)));
        a.vmaskLoad(0, 1, from);
        a.threeHalf("vaddps", total, total, 0);
      }
    }
    if (relu) {
      a.three("vxorps", 0, 0, 0);
      a.threeHalf("vmaxps", total, 0, total);
    }
    storeLanes(a, { base: rbx, offset: row * this.lineC + 4 * first }, total, columns, 1);
  }
}

/** The sums of the elements of four registers from `first` on, as the lower half of the register that is returned. */
function addUp(a: Assembler, first: number): number {
  for (const pair of [first, first + 2]) {
    a.three("vunpcklps", 0, pair, pair + 1);
    a.three("vunpckhps", 1, pair, pair + 1);
    a.three("vaddps", pair, 0, 1);
  }
  a.vshufps(0, first, first + 2, 0x44);
  a.vshufps(1, first, first + 2, 0xee);
  a.three("vaddps", first, 0, 1);
  a.vextractUpper(0, first);
  a.threeHalf("vaddps", first, first, 0);
  return first;
}

/** m rows by threes and twos: single ones would wait for their sums. */
function rowGroups(m: number): readonly { readonly rows: number; readonly times: number }[] {
  if (m === 1) return [{ rows: 1, times: 1 }];
  const twos = (3 - (m % 3)) % 3;
  return [
    { rows: 3, times: (m - 2 * twos) / 3 },
    { rows: 2, times: twos },
  ].filter(({ times }) => times > 0);
}
