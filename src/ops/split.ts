/** Split: consecutive pieces of one dimension as one operation, so that its gradient is one concatenation. */

import { dtypes, type DType } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp, type Emitter } from "../graph/op.ts";
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
    if (!emit.target.gpu) return splitNode(emit, x!, sizes, dim);
    if (type!.dtype !== "bool") return splitOnGpu(emit, x!, sizes, dim);
    // WebGPU splits no bool: as int32 there.
    const cast = (part: string, to: DType): string =>
      emit.node("Cast", [part], { to: { int: dtypes[to].onnx } });
    return splitOnGpu(emit, cast(x!, "int32"), sizes, dim).map((part) => cast(part, "bool"));
  },
});

const splitNode = (
  emit: Emitter,
  x: string,
  sizes: readonly number[],
  dim: number,
): readonly string[] =>
  emit.nodes("Split", [x, emit.ints(sizes)], sizes.length, { axis: { int: dim } });

/** A shader may have eight buffers, WebGPU's default limit: the input and this many pieces. */
const MOST_PIECES = 7;

/** Splits into at most `MOST_PIECES` groups of pieces, and those again. */
function splitOnGpu(
  emit: Emitter,
  x: string,
  sizes: readonly number[],
  dim: number,
): readonly string[] {
  if (sizes.length === 1) return [x];
  if (sizes.length <= MOST_PIECES) return splitNode(emit, x, sizes, dim);
  const each = Math.ceil(sizes.length / MOST_PIECES);
  const groups = Array.from({ length: Math.ceil(sizes.length / each) }, (_, i) =>
    sizes.slice(i * each, (i + 1) * each),
  );
  const totals = groups.map((group) => group.reduce((a, b) => a + b, 0));
  return splitNode(emit, x, totals, dim).flatMap((part, i) =>
    splitOnGpu(emit, part, groups[i]!, dim),
  );
}

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
