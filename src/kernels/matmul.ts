/** Matrix products in float32 as kernels: code made for the shapes, by the method of Goto and of BLIS. */

import type { Kernel } from "./kernel.ts";
import { packedProduct } from "./matmul-packed.ts";
import { type MatmulSpec, planMatmul } from "./matmul-plan.ts";

/** The kernel of a product: inputs A, B and, if asked for, the bias; output C. */
export function matmulKernel(spec: MatmulSpec): Kernel {
  const { name, m, n, k, transA = false, transB = false, batch = [], bias = false } = spec;
  const plan = planMatmul(spec);
  const { parts } = plan;
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
    parts: parts.batch * parts.rows * parts.columns,
    code: packedProduct(spec, plan),
  };
}
