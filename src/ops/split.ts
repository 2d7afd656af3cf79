/** Split: consecutive pieces of one dimension as one operation, so that its gradient is one concatenation. */

import { dtypes, type DType } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp } from "../graph/op.ts";
import { formatShape, resolveDim, ShapeError } from "../graph/shape.ts";
import { zerosLike } from "./leaf.ts";
import { concat } from "./shape.ts";

interface SplitAttrs {
  readonly dim: number;
  readonly sizes: readonly number[];
}

const splitOp = defineOp<SplitAttrs>({
  name: "split",
  infer: ([x], { dim, sizes }) =>
    sizes.map((size) => ({
      dtype: x!.dtype,
      shape: x!.shape.map((whole, i) => (i === dim ? size : whole)),
    })),
  vjp: ({ outputs, attrs, grads }) => [
    concat(
      outputs.map((output, i) => grads[i] ?? zerosLike(output)),
      attrs.dim,
    ),
  ],
  lower: ({ inputs: [x], types: [type], attrs: { dim, sizes }, emit }) => {
    const split = (whole: string): string[] =>
      emit.nodes("Split", [whole, emit.ints(sizes)], sizes.length, { axis: { int: dim } });
    if (!emit.target.gpu || type!.dtype !== "bool") return split(x!);
    // WebGPU splits no bool: as int32 there.
    const cast = (part: string, to: DType): string =>
      emit.node("Cast", [part], { to: { int: dtypes[to].onnx } });
    return split(cast(x!, "int32")).map((part) => cast(part, "bool"));
  },
});

/** Consecutive pieces along a dimension, of the sizes given, which must add up to it. */
export function split(x: Value, sizes: readonly number[], dim: number): readonly Value[] {
  const axis = resolveDim("split", dim, x.shape.length);
  const total = x.shape[axis]!;
  if (
    sizes.some((size) => !Number.isInteger(size) || size < 0) ||
    sizes.reduce((a, b) => a + b, 0) !== total
  )
    throw new ShapeError(
      `split: sizes ${formatShape(sizes)} do not add up to ${total}, dimension ${dim}`,
    );
  return sizes.length === 1 ? [x] : splitOp([x], { dim: axis, sizes });
}
