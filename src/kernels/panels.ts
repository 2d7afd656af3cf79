/** Constant matrices in the order in which products read them, so that no kernel copies them at every call. */

import { type MatmulPlan, type Product, TILE_COLUMNS } from "./matmul-plan.ts";

/** How many elements the panels of B have. */
export const panelElements = ({ k, depth, columns }: MatmulPlan): number =>
  Math.ceil(k / depth) * depth * columns * TILE_COLUMNS;

/**
 * alpha · op(B) for block after block of `depth` terms, of each panel after panel of 16 columns, in which the elements of a
 * term stand together; zeros where B has no more columns or terms.
 */
export function packPanels(b: Float32Array, product: Product, plan: MatmulPlan): Float32Array {
  const { n, k, transB = false, alpha = 1 } = product;
  const { depth, columns } = plan;
  const panels = new Float32Array(panelElements(plan));
  const [termStride, columnStride] = transB ? [1, k] : [n, 1];
  let to = 0;
  for (let block = 0; block < k; block += depth) {
    const terms = Math.min(depth, k - block);
    for (let panel = 0; panel < columns; panel++) {
      const first = panel * TILE_COLUMNS;
      const width = Math.min(TILE_COLUMNS, n - first);
      for (let term = 0; term < terms; term++) {
        const from = (block + term) * termStride + first * columnStride;
        for (let lane = 0; lane < width; lane++)
          panels[to + term * TILE_COLUMNS + lane] = alpha * b[from + lane * columnStride]!;
      }
      to += depth * TILE_COLUMNS;
    }
  }
  return panels;
}
