/** A loop over rows of elements, as groups of nodes describe it and `compileLoop` makes a kernel of it. */

import type { DType } from "../graph/dtype.ts";
import type { Formula, Term } from "./formula.ts";

/** How the elements of an input lie to those of the rows: each row begins at the sum of its indices' strides. */
export interface Access {
  /** Elements from one to the next along a row: 1, or 0 where all of a row are the same. */
  readonly along: 0 | 1;
  /** The rows as nested dimensions, the outermost first. */
  readonly rows: readonly { readonly size: number; readonly stride: number }[];
}

/** A tensor that the formula reads: its input of the same number. */
export interface LoopInput {
  readonly dtype: DType;
  readonly access: Access;
}

/** A term that is stored, as a tensor. */
export interface LoopResult {
  readonly term: Term;
  readonly dtype: DType;
  /** Elements [rows, columns], one of each row [rows], or their sums over the rows of each part [parts, columns]. */
  readonly form: "elements" | "rows" | "sums";
}

/** A formula for the elements [rows, columns]. */
export interface Loop {
  readonly rows: number;
  readonly columns: number;
  readonly formula: Formula;
  readonly inputs: readonly LoopInput[];
  readonly results: readonly LoopResult[];
  /** How many parts may run at the same time; the last ones may be smaller. */
  readonly parts: number;
}

/** Elements that kernels compute with. */
export const kernelDTypes: ReadonlySet<DType> = new Set<DType>([
  "float32",
  "int32",
  "uint32",
  "bool",
]);

/** Bytes of an element in memory; in registers all have four. */
export const bytesOf = (dtype: DType): 1 | 4 => (dtype === "bool" ? 1 : 4);
