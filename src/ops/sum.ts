/** Sums over dimensions, with which gradients undo broadcasting, and what all reductions share. */

import { dtypes, type DType } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp1, type Emitter } from "../graph/op.ts";
import { resolveDims, sameShape, ShapeError, type Shape } from "../graph/shape.ts";
import { cast } from "./elementwise-rules.ts";
import { expand, reshape } from "./shape.ts";

export interface ReduceAttrs {
  /** Sorted, non-negative. */
  readonly dims: readonly number[];
}

/** The shape with reduced dimensions kept as 1. */
export const kept = (shape: Shape, dims: readonly number[]): number[] =>
  shape.map((size, i) => (dims.includes(i) ? 1 : size));

export const dropped = (shape: Shape, dims: readonly number[]): number[] =>
  shape.filter((_, i) => !dims.includes(i));

export const reduceNode = (
  opType: string,
  emit: Emitter,
  x: string,
  dims: readonly number[],
): string =>
  emit.node(opType, [x, emit.ints(dims)], {
    keepdims: { int: 0 },
    noop_with_empty_axes: { int: 1 },
  });

/** Undoes a reduction's change of shape: back to the reduced dimensions as 1, ready to broadcast. */
export const restore = (y: Value, like: Value, dims: readonly number[]): Value =>
  reshape(y, kept(like.shape, dims));

export const reduceInfer =
  (name: string) =>
  ([x]: readonly Value[], { dims }: ReduceAttrs): { dtype: DType; shape: Shape } => {
    if (x!.dtype === "bool")
      throw new ShapeError(`${name}: bool has no ${name}, cast to int32 first`);
    return { dtype: x!.dtype, shape: dropped(x!.shape, dims) };
  };

const sumOp = defineOp1<ReduceAttrs>({
  name: "sum",
  infer: reduceInfer("sum"),
  vjp: ({ inputs: [x], attrs, grads: [g] }) => [expand(restore(g!, x!, attrs.dims), x!.shape)],
  lower: ({ inputs: [x], types: [type], attrs, emit }) => {
    // On a CPU ReduceSum has no uint32: through int64, whose low bits are the same.
    if (type!.dtype !== "uint32" || emit.target.gpu)
      return reduceNode("ReduceSum", emit, x!, attrs.dims);
    const wide = emit.node("Cast", [x!], { to: { int: dtypes.int64.onnx } });
    return emit.node("Cast", [reduceNode("ReduceSum", emit, wide, attrs.dims)], {
      to: { int: dtypes.uint32.onnx },
    });
  },
});

/** Sum over `dims` (all unless given), which are dropped. bool is summed as int64, as in PyTorch. */
export function sum(x: Value, dims?: number | readonly number[]): Value {
  const resolved = resolveDims("sum", dims, x.shape.length);
  const y = x.dtype === "bool" ? cast(x, "int64") : x;
  return resolved.length === 0 ? y : sumOp([y], { dims: resolved });
}

/** Sums a gradient over the dimensions that broadcasting added or stretched. */
export function sumTo(g: Value, shape: Shape): Value {
  if (sameShape(g.shape, shape)) return g;
  const lead = g.shape.length - shape.length;
  const dims: number[] = [];
  for (let i = 0; i < g.shape.length; i++) {
    if (i < lead || (shape[i - lead] === 1 && g.shape[i] !== 1)) dims.push(i);
  }
  return reshape(sum(g, dims), shape);
}
