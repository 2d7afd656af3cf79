/** Adaptive pooling: as many windows as asked for, which cover the input as evenly as they can. */

import type { DType } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp1 } from "../graph/op.ts";
import { ShapeError } from "../graph/shape.ts";
import { avgPool2d } from "./avg-pool.ts";
import { indexSelect } from "./indexing.ts";
import { constant } from "./leaf.ts";
import { matmul } from "./matmul.ts";
import { maxPool2d } from "./pool.ts";
import { mean } from "./reduce.ts";
import { reshape } from "./shape.ts";

/** Windows along one dimension, or along both; null keeps the input's size. */
export type AdaptiveSize = number | readonly [number | null, number | null];

function sizes(op: string, x: Value, size: AdaptiveSize): [number, number] {
  const wanted = typeof size === "number" ? [size, size] : size;
  const [h, w] = wanted.map((n, i) => n ?? x.shape[2 + i]!);
  if (wanted.length !== 2 || ![h, w].every((n) => Number.isInteger(n) && n! > 0))
    throw new ShapeError(
      `${op}: the output size must be one or two positive integers, got ${String(size)}`,
    );
  return [h!, w!];
}

/** Window i of `count` over `size` elements: from ⌊i·size / count⌋ to ⌈(i + 1)·size / count⌉. */
const bounds = (size: number, count: number): { start: number; length: number }[] =>
  Array.from({ length: count }, (_, i) => {
    const start = Math.floor((i * size) / count);
    return { start, length: Math.ceil(((i + 1) * size) / count) - start };
  });

type Float = "float32" | "float64";

/** [count, size]: row i takes the mean of window i. */
const averagingOp = defineOp1<{ size: number; count: number; dtype: Float }>({
  name: "averagingMatrix",
  infer: (_, { size, count, dtype }) => ({ dtype, shape: [count, size] }),
  vjp: null,
  lower: ({ attrs: { size, count, dtype }, emit }) => {
    const data =
      dtype === "float64" ? new Float64Array(count * size) : new Float32Array(count * size);
    bounds(size, count).forEach(({ start, length }, i) =>
      data.fill(1 / length, i * size + start, i * size + start + length),
    );
    return emit.constant(dtype, [count, size], data);
  },
});

/** The matrix whose product with `size` elements is their means over `count` windows. */
export const averagingMatrix = (size: number, count: number, dtype: DType): Value =>
  averagingOp([], { size, count, dtype: dtype === "float64" ? dtype : "float32" });

/** Means over [h, w] windows of x [N, C, H, W]: torch.nn.functional.adaptive_avg_pool2d. */
export function adaptiveAvgPool(op: string, x: Value, size: AdaptiveSize): Value {
  const [h, w] = sizes(op, x, size);
  const [n, c, height, width] = x.shape as [number, number, number, number];
  if (h === 1 && w === 1) return reshape(mean(x, [2, 3]), [n, c, 1, 1]);
  if (height % h === 0 && width % w === 0) return avgPool2d(x, [height / h, width / w], {}, op);
  const matrix = (from: number, to: number): Value => averagingMatrix(from, to, x.dtype);
  const rows = h === height ? x : matmul(matrix(height, h), reshape(x, [n * c, height, width]));
  const both = w === width ? rows : matmul(rows, matrix(width, w), { transB: true });
  return reshape(both, [n, c, h, w]);
}

/** Maxima over [h, w] windows of x [N, C, H, W]: torch.nn.functional.adaptive_max_pool2d. */
export function adaptiveMaxPool(op: string, x: Value, size: AdaptiveSize): Value {
  const [h, w] = sizes(op, x, size);
  const [height, width] = x.shape.slice(2) as [number, number];
  if (height % h === 0 && width % w === 0) return maxPool2d(x, [height / h, width / w], {}, op);
  const rows = sideBySide(x, 2, h);
  const both = sideBySide(rows.windows, 3, w);
  return maxPool2d(both.windows, [rows.length, both.length], {}, op);
}

/** The windows of a dimension one after another, short ones filled up with their last element, which changes no maximum. */
function sideBySide(x: Value, dim: number, count: number): { windows: Value; length: number } {
  const windows = bounds(x.shape[dim]!, count);
  const length = Math.max(...windows.map((window) => window.length));
  const places = windows.flatMap((window) =>
    Array.from({ length }, (_, i) => window.start + Math.min(i, window.length - 1)),
  );
  const index = constant(Int32Array.from(places), "int32", [places.length]);
  return { windows: indexSelect(x, dim, index), length };
}
