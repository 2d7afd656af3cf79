/** How a matrix product is divided: into parts for threads, and into blocks that stay in the processor's caches. */

import { numel } from "../graph/shape.ts";
import { type Layout, layoutsOf } from "./matmul-layout.ts";

/** C[b] = alpha · op(A[b]) op(B[b]) + bias, in float32, where op transposes when asked; or max(0, that). */
export interface MatmulSpec {
  /** Rows of the product. */
  readonly m: number;
  /** Columns of the product. */
  readonly n: number;
  /** Terms of each sum. */
  readonly k: number;
  /** A is stored as [k, m] instead of [m, k]. */
  readonly transA?: boolean;
  /** B is stored as [n, k] instead of [k, n]. */
  readonly transB?: boolean;
  /** Dimensions before the matrices, those of the result: [] without. */
  readonly batch?: readonly number[];
  /** Factor on the product. */
  readonly alpha?: number;
  /** A third input of shape [n], added to every row. */
  readonly bias?: boolean;
  /** B, one matrix for all, comes as `packPanels` arranges it, multiplied by alpha. */
  readonly packedB?: boolean;
  /** Whether sums below zero become zero. */
  readonly relu?: boolean;
  /** Where A, B and C lie, as they are stored; one line and one matrix after the other unless given. */
  readonly a?: Layout;
  readonly b?: Layout;
  readonly c?: Layout;
  /** How many threads will share the work. */
  readonly threads: number;
}

/** A product as code computes it. */
export interface Product extends MatmulSpec {
  /** Where the addresses of the inputs and of the output stand among those that the code is given; in order unless told. */
  readonly places?: readonly number[];
}

/** Rows of the usual tile of the product: with two vectors each, 12 of the 16 vector registers. */
export const TILE_ROWS = 6;
/** Columns of every tile: two vectors. */
export const TILE_COLUMNS = 16;

/** How the code of a product goes over its matrices. */
export interface MatmulPlan {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: number;
  /** How many panels of six rows, and the heights of those that follow. */
  readonly panels: number;
  readonly rest: readonly number[];
  /** How many panels of 16 columns, the last one perhaps incomplete. */
  readonly columns: number;
  /** Into how many parts the batch, the rows' panels (`rest` counts as one) and the columns' panels are divided. */
  readonly parts: { readonly batch: number; readonly rows: number; readonly columns: number };
  /** Terms summed before the next block of them; a multiple of 8. */
  readonly depth: number;
  /** Panels of columns whose part of B stays in the cache while all rows pass. */
  readonly blockColumns: number;
  /** Panels of six rows that pass together. */
  readonly blockRows: number;
  /** Whether B is copied into panels, comes in panels, or is read where it lies. */
  readonly sourceB: "copied" | "panels" | "inPlace";
  /** Whether A is copied into panels; else it is read where it lies. */
  readonly packA: boolean;
}

/**
 * Sizes of blocks, chosen by measuring on a processor with 32 KiB and 512 KiB of cache for each core: a panel of B, 20 KiB
 * at most, stays in the first level; B's block and the rows that pass, in the second. Where A is copied as often as there
 * are blocks of columns, few are better.
 */
const DEPTH = 320;
const BLOCK_COLUMNS = 8;
const BLOCK_COLUMNS_PACKED = 32;
const BLOCK_ROWS = 4;
const BLOCK_ROWS_PACKED = 16;
/** Most rows and columns for which a transposed A is read where it lies: more would fall on the same places of the cache. */
const IN_PLACE = 256;
/** Longest lines and most elements of a B that is read where it lies. */
const LONGEST_IN_PLACE = 128;
const MOST_IN_PLACE = 2 ** 14;
/** Cycles for copying one element of A and of B, for starting a part, and for other threads to begin. */
const COST_A = 0.5;
const COST_B = 0.36;
const COST_PART = 500;
const COST_THREADS = 6000;
/** How much of its last part a thread is late by, because it does something else too: why smaller parts are better. */
const LATE = 0.1;
/** Parts for each thread. */
const MOST_PARTS = 2;

/** The division that takes the fewest cycles until all parts are done, as the costs above tell. */
export function planMatmul(spec: Product): MatmulPlan {
  const { m, n, k, threads, transA = false, packedB = false } = spec;
  const batch = numel(spec.batch ?? []);
  const { panels, rest } = rowPanels(m);
  const rowUnits = panels + (rest.length > 0 ? 1 : 0);
  const columns = Math.ceil(n / TILE_COLUMNS);
  const blocks = Math.ceil(k / DEPTH);
  const depth = 8 * Math.ceil(k / blocks / 8);
  const sourceB = packedB ? "panels" : readsInPlace(spec) ? "inPlace" : "copied";
  const packA = transA && Math.max(m, n) > IN_PLACE;

  /** Cycles until all parts are done. */
  const cost = (parts: MatmulPlan["parts"]): number => {
    const rows = Math.min(m, TILE_ROWS * Math.ceil(rowUnits / parts.rows));
    const width = Math.ceil(columns / parts.columns);
    const copies = packA ? Math.ceil(width / BLOCK_COLUMNS_PACKED) : 0;
    const copied = sourceB === "copied" ? TILE_COLUMNS * width : 0;
    const cycles = rows * width + COST_B * copied + COST_A * rows * copies;
    const count = parts.batch * parts.rows * parts.columns;
    const each = COST_PART + Math.ceil(batch / parts.batch) * cycles * k;
    const rounds = Math.ceil(count / threads) + (threads > 1 ? LATE : 0);
    return rounds * each + (count > 1 ? COST_THREADS : 0);
  };
  const most = threads > 1 ? MOST_PARTS * threads : 1;
  let parts = { batch: 1, rows: 1, columns: 1 };
  // Whole matrices first, which share nothing.
  for (let b = Math.min(most, batch); b > 0; b--)
    for (let r = 1; b * r <= most && r <= rowUnits; r++)
      for (let c = 1; b * r * c <= most && c <= columns; c++) {
        const other = { batch: b, rows: r, columns: c };
        if (cost(other) < cost(parts)) parts = other;
      }
  return {
    m,
    n,
    k,
    batch,
    panels,
    rest,
    columns,
    parts,
    depth,
    blockColumns: even(
      Math.ceil(columns / parts.columns),
      packA ? BLOCK_COLUMNS_PACKED : BLOCK_COLUMNS,
    ),
    blockRows: even(
      Math.ceil(Math.max(1, panels) / parts.rows),
      packA ? BLOCK_ROWS_PACKED : BLOCK_ROWS,
    ),
    sourceB,
    packA,
  };
}

/**
 * Whether B is read where it lies: short lines of whole panels, which stay in a cache. Few rows meet them only once, and
 * from memory they come more quickly line by line, as they are copied.
 */
const readsInPlace = (product: Product): boolean => {
  const { m, n, k, transB = false, alpha = 1 } = product;
  return (
    !transB &&
    alpha === 1 &&
    n % TILE_COLUMNS === 0 &&
    layoutsOf(product).b.line <= LONGEST_IN_PLACE &&
    n * k <= MOST_IN_PLACE &&
    m > TILE_ROWS
  );
};

/** The size of equal blocks of at most `most`. */
const even = (count: number, most: number): number => Math.ceil(count / Math.ceil(count / most));

/** m rows as panels of six and a rest of panels that are high enough to keep the processor busy: 8 as 4 + 4, not 6 + 2. */
function rowPanels(m: number): { readonly panels: number; readonly rest: readonly number[] } {
  const [panels, left] = [Math.floor(m / TILE_ROWS), m % TILE_ROWS];
  if (left === 0) return { panels, rest: [] };
  if (left <= 2 && panels > 0) return { panels: panels - 1, rest: [4, left + 2] };
  return { panels, rest: [left] };
}
