/** The innermost part of a matrix product: a tile of up to 6 × 16 sums, kept in vector registers while all terms pass. */

import {
  type Address,
  type Assembler,
  type Gpr,
  rax,
  rbx,
  rcx,
  rdx,
  r14,
  r15,
} from "./assembler.ts";
import { laneMask, storeLanes } from "./lanes.ts";
import { TILE_COLUMNS } from "./matmul-plan.ts";

interface TileSpec {
  /** 1 to 6. */
  readonly rows: number;
  /** Bytes between rows of A and between their terms. */
  readonly rowStride: number;
  readonly termStride: number;
  /** Bytes between terms of B. */
  readonly termStrideB: number;
  /** Bytes between rows of C. */
  readonly stride: number;
  /** How many columns the last panel has, and whether there are others. */
  readonly lastColumns: number;
  readonly others: boolean;
  /** Whether sums of earlier terms may stand in C. */
  readonly accumulates: boolean;
  /** The first term of the block of terms with which sums below zero become zero. */
  readonly reluFrom?: number;
  /** Where the address of this panel's part of the bias is. */
  readonly bias: Address | undefined;
}

/** The vector registers: two of B, two for elements of A, then the sums. */
const B = [0, 1] as const;
const A = [2, 3] as const;
const sum = (row: number, half: number): number => 4 + 2 * row + half;

/**
 * One tile: A's elements from rax, B's panel from rcx, the result at rbx. `terms` makes the loop over terms of what it is
 * given: the code for a number of them. r14 is 0 at the first block of terms, r15 1 at the last panel of columns.
 */
export function emitTile(
  a: Assembler,
  spec: TileSpec,
  terms: (emit: (steps: number) => void) => void,
): void {
  const { rows, stride, lastColumns, others } = spec;
  for (let row = 0; row < rows; row++) {
    a.prefetch({ base: rbx, offset: row * stride });
    // Rows that need not begin with a cache line may need two.
    if (stride % 64 !== 0) a.prefetch({ base: rbx, offset: row * stride + 60 });
  }
  for (let row = 0; row < rows; row++)
    for (const half of B) a.three("vxorps", sum(row, half), sum(row, half), sum(row, half));

  const narrow = lastColumns <= 8;
  const [last, done] = [a.label(), a.label()];
  const branchToLast = (): void => {
    a.arithmeticImmediate("cmp", r15, 1);
    a.jump(last, "equal");
  };
  if (narrow && others) branchToLast();
  if (others || !narrow) {
    terms((steps) => emitSums(a, spec, steps, B));
    if (!narrow && others && lastColumns < TILE_COLUMNS) branchToLast();
  }
  if (others) emitEnd(a, spec, TILE_COLUMNS);
  if (others && lastColumns === TILE_COLUMNS) return;
  if (others) a.jump(done);
  a.bind(last);
  if (narrow) {
    // One vector of B: both halves of the sums take terms in turn, so that none waits for the other.
    terms((steps) => emitSums(a, spec, steps, [0]));
    for (let row = 0; row < rows; row++) a.three("vaddps", sum(row, 0), sum(row, 0), sum(row, 1));
  }
  emitEnd(a, spec, lastColumns);
  a.bind(done);
}

/** Adds `steps` terms to the sums. */
function emitSums(
  a: Assembler,
  { rows, rowStride, termStride, termStrideB }: TileSpec,
  steps: number,
  halves: readonly number[],
): void {
  for (let step = 0; step < steps; step++) {
    for (const half of halves)
      a.two("vmovups", half, { base: rcx, offset: step * termStrideB + 32 * half });
    for (let row = 0; row < rows; row++) {
      const element = A[row % 2]!;
      a.two("vbroadcastss", element, { base: rax, offset: row * rowStride + step * termStride });
      for (const half of halves) {
        const to = halves.length === 1 ? step % 2 : half;
        a.three("vfmadd231ps", sum(row, to), element, half);
      }
    }
  }
  a.arithmeticImmediate("add", rax, steps * termStride);
  a.arithmeticImmediate("add", rcx, steps * termStrideB);
}

/** Adds what belongs to the sums, and stores them. */
function emitEnd(
  a: Assembler,
  { rows, stride, accumulates, bias, reluFrom }: TileSpec,
  columns: number,
): void {
  const [add, store] = [a.label(), a.label()];
  const lanes = B.map((half) => Math.max(0, Math.min(8, columns - 8 * half)));
  const halves = B.filter((half) => lanes[half]! > 0);
  const at = (base: Gpr, row: number, half: number) => ({ base, offset: row * stride + 32 * half });
  if (accumulates) {
    a.arithmeticImmediate("cmp", r14, 0);
    a.jump(add, "notEqual");
  }
  if (bias !== undefined) {
    a.mov(rdx, bias);
    for (const half of halves) {
      if (lanes[half] === 8) a.two("vmovups", half, at(rdx, 0, half));
      else {
        a.two("vmovups", A[0], a.constant(laneMask(lanes[half]!)));
        a.vmaskLoad(half, A[0], at(rdx, 0, half));
      }
      for (let row = 0; row < rows; row++) a.three("vaddps", sum(row, half), sum(row, half), half);
    }
  }
  if (accumulates) {
    a.jump(store);
    a.bind(add);
    for (const half of halves) {
      if (lanes[half]! < 8) a.two("vmovups", A[0], a.constant(laneMask(lanes[half]!)));
      for (let row = 0; row < rows; row++) {
        if (lanes[half]! < 8) a.vmaskLoad(A[1], A[0], at(rbx, row, half));
        a.three(
          "vaddps",
          sum(row, half),
          sum(row, half),
          lanes[half] === 8 ? at(rbx, row, half) : A[1],
        );
      }
    }
    a.bind(store);
  }
  if (reluFrom !== undefined) {
    const open = a.label();
    if (accumulates) {
      a.arithmeticImmediate("cmp", r14, reluFrom);
      a.jump(open, "less");
    }
    a.three("vxorps", B[0], B[0], B[0]);
    for (let row = 0; row < rows; row++)
      // NaN in the second operand stays.
      for (const half of halves) a.three("vmaxps", sum(row, half), B[0], sum(row, half));
    a.bind(open);
  }
  for (let row = 0; row < rows; row++)
    for (const half of halves)
      storeLanes(a, at(rbx, row, half), sum(row, half), lanes[half]!, A[0]);
}
