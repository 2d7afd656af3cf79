/** Where the matrices of a product lie: one after the other, or as parts of larger tensors, such as heads of attention. */

import { strides } from "../graph/shape.ts";
import type { MatmulSpec } from "./matmul-plan.ts";

/** Places of an operand's elements; those along a line always follow each other. */
export interface Layout {
  /** The first one's. */
  readonly offset: number;
  /** Elements from line to line of a matrix. */
  readonly line: number;
  /** Elements from matrix to matrix along each dimension of the batch. */
  readonly matrices: readonly number[];
}

/** The layouts of A, B and C as stored; where a product does not tell, matrices and their lines follow each other. */
export function layoutsOf(spec: MatmulSpec): Readonly<Record<"a" | "b" | "c", Layout>> {
  const { m, n, k, transA = false, transB = false, batch = [] } = spec;
  const inOrder = (lines: number, line: number): Layout => ({
    ...{ offset: 0, line },
    matrices: strides(batch).map((stride) => stride * lines * line),
  });
  return {
    a: spec.a ?? (transA ? inOrder(k, m) : inOrder(m, k)),
    b: spec.b ?? (transB ? inOrder(n, k) : inOrder(k, n)),
    c: spec.c ?? inOrder(m, n),
  };
}
