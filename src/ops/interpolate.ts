/** Resizing by nearest neighbours and linear interpolation. */

import type { DType } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp1 } from "../graph/op.ts";
import { numel } from "../graph/shape.ts";
import { upsample } from "./avg-pool.ts";
import { indexSelect } from "./indexing.ts";
import { constant } from "./leaf.ts";
import { matmul } from "./matmul.ts";
import { reshape } from "./shape.ts";

/** Where `size` new elements lie among the old ones. */
export interface Resampling {
  readonly size: number;
  /** Old elements a new one; what size / old size gives where no scale was asked for. */
  readonly step: number;
  /** The first and the last elements coincide, rather than the outer edges of both rows. */
  readonly alignCorners?: boolean;
}

/** Resizes the last two dimensions of x [N, C, H, W] by nearest neighbours: ⌊i · step⌋. */
export function nearest(x: Value, to: readonly [Resampling, Resampling]): Value {
  const [h, w] = x.shape.slice(2) as [number, number];
  const factors = [to[0].size / h, to[1].size / w] as const;
  const blocks = factors.every(
    (factor, i) => Number.isInteger(factor) && Math.abs(to[i]!.step * factor - 1) < 1e-9,
  );
  if (blocks) return upsample(x, factors);
  return nearestAlong(nearestAlong(x, 2, to[0]), 3, to[1]);
}

function nearestAlong(x: Value, dim: number, { size, step }: Resampling): Value {
  const last = x.shape[dim]! - 1;
  // PyTorch multiplies in single precision.
  const single = Math.fround(step);
  const places = Int32Array.from({ length: size }, (_, i) =>
    Math.min(Math.floor(Math.fround(i * single)), last),
  );
  return places.length === last + 1 && places.every((place, i) => place === i)
    ? x
    : indexSelect(x, dim, constant(places, "int32", [size]));
}

interface MatrixAttrs extends Resampling {
  readonly from: number;
  readonly dtype: "float32" | "float64";
}

/** [size, from]: row i mixes the two old elements that new element i lies between. */
const matrixOp = defineOp1<MatrixAttrs>({
  name: "interpolationMatrix",
  infer: (_, { from, size, dtype }) => ({ dtype, shape: [size, from] }),
  vjp: null,
  lower: ({ attrs: { from, size, step, alignCorners, dtype }, emit }) => {
    const data =
      dtype === "float64" ? new Float64Array(size * from) : new Float32Array(size * from);
    for (let i = 0; i < size; i++) {
      const at = alignCorners ? i * step : Math.max(0, (i + 0.5) * step - 0.5);
      const low = Math.min(Math.floor(at), from - 1);
      const high = Math.min(low + 1, from - 1);
      const share = Math.min(at - low, 1);
      data[i * from + low]! += 1 - share;
      data[i * from + high]! += share;
    }
    return emit.constant(dtype, [size, from], data);
  },
});

/** The matrix that interpolates `from` elements at the places of `to`. */
export const interpolationMatrix = (from: number, to: Resampling, dtype: DType): Value =>
  matrixOp([], { ...to, from, dtype: dtype === "float64" ? dtype : "float32" });

/** Resizes the last two dimensions of x [N, C, H, W] linearly in each. */
export function linear(x: Value, to: readonly [Resampling, Resampling]): Value {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const [rows, columns] = to;
  let y = reshape(x, [n * c, h, w]);
  if (columns.size !== w || columns.step !== 1) {
    const flat = reshape(y, [numel(y.shape) / w, w]);
    const matrix = interpolationMatrix(w, columns, x.dtype);
    y = reshape(matmul(flat, matrix, { transB: true }), [n * c, h, columns.size]);
  }
  if (rows.size !== h || rows.step !== 1) y = matmul(interpolationMatrix(h, rows, x.dtype), y);
  return reshape(y, [n, c, rows.size, columns.size]);
}
