/** Matrix products in float32 as kernels: code made for the shapes. */

import type { Kernel } from "./kernel.ts";
import { dotGroups, type DotParts, dotProduct } from "./matmul-dot.ts";
import { packedProduct } from "./matmul-packed.ts";
import { type MatmulSpec, planMatmul, type Product } from "./matmul-plan.ts";

/** The kernel of a product: inputs A, B and, if asked for, the bias; output C. */
export function matmulKernel(spec: MatmulSpec): Kernel {
  const { name, m, n, k, transA = false, transB = false, batch = [], bias = false } = spec;
  const tensor = (shape: readonly number[]): Kernel["inputs"][number] => ({
    dtype: "float32",
    shape,
  });
  return {
    name,
    inputs: [
      tensor([...(spec.sharedA ? [] : batch), ...(transA ? [k, m] : [m, k])]),
      tensor([...(spec.sharedB ? [] : batch), ...(transB ? [n, k] : [k, n])]),
      ...(bias ? [tensor([n])] : []),
    ],
    outputs: [tensor([...batch, m, n])],
    ...work(simplified(spec)),
  };
}

/** The same product, where a matrix is a vector in the form that most can be said about. */
function simplified(spec: MatmulSpec): Product {
  const { m, n, transA = false, transB = false, bias = false } = spec;
  // A column is the row Bᵀ Aᵀ.
  if (n === 1 && m > 1 && !bias)
    return simplified({
      ...spec,
      swapped: true,
      m: 1,
      n: m,
      transB: !transA,
      transA: false,
      sharedA: spec.sharedB ?? false,
      sharedB: spec.sharedA ?? false,
    } as Product);
  return { ...spec, transA: transA && m > 1, transB: transB || n === 1 };
}

function work(product: Product): Pick<Kernel, "parts" | "code"> {
  if (takesDots(product)) {
    const parts = dotParts(product);
    return { parts: parts.batch * parts.columns, code: dotProduct(product, parts) };
  }
  const plan = planMatmul(product);
  const { parts } = plan;
  return {
    parts: parts.batch * parts.rows * parts.columns,
    code: packedProduct(product, plan),
  };
}

/** Whether sums along lines beat copying B into panels, which few rows do not repay: as measured. */
const takesDots = ({ m, k, transA = false, transB = false }: Product): boolean =>
  !transA && transB && m <= (k >= 512 ? 48 : k >= 128 ? 32 : 16);

/** Multiply-adds for which another thread is worth its start. */
const PART_WORK = 2 ** 16;

function dotParts(product: Product): DotParts {
  const { m, n, k, threads, batch = [] } = product;
  const matrices = batch.reduce((all, size) => all * size, 1);
  const most = Math.max(1, Math.min(threads, Math.floor((matrices * m * n * k) / PART_WORK)));
  const parts = { batch: Math.min(most, matrices), columns: 1 };
  // Whole matrices, unless some thread would have one more than others.
  if (matrices % most === 0) return parts;
  return { batch: 1, columns: Math.min(most, dotGroups(product)) };
}
