/** Reductions over dimensions beside the sum: means, products, extremes, their positions, and running sums. */

import { dtypes, isFloat, type DType } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { positionsToInt32 } from "./positions.ts";
import { defineOp1, type Emitter } from "../graph/op.ts";
import { numel, resolveDim, resolveDims, ShapeError } from "../graph/shape.ts";
import { eq } from "./compare.ts";
import { div, mul } from "./elementwise.ts";
import { cast } from "./elementwise-rules.ts";
import { dropped, kept, reduceInfer, reduceNode, restore, sum, type ReduceAttrs } from "./sum.ts";
import { concat, expand, flip, reshape, slice } from "./shape.ts";
import { full } from "./leaf.ts";

/** Restores reduced dimensions as size 1. */
export const keepDims = (y: Value, x: Value, dims?: number | readonly number[]): Value =>
  reshape(y, kept(x.shape, resolveDims("keepdim", dims, x.shape.length)));

const meanOp = defineOp1<ReduceAttrs>({
  name: "mean",
  infer: reduceInfer("mean"),
  vjp: ({ inputs: [x], outputs: [y], attrs, grads: [g] }) => {
    // Of no elements any factor is right that is a number.
    const count = numel(x!.shape) / numel(y!.shape) || 1;
    return [expand(restore(mul(g!, 1 / count), x!, attrs.dims), x!.shape)];
  },
  lower: ({ inputs: [x], types: [type], outputTypes: [out], attrs, emit }) =>
    // 0/0, where ONNX Runtime says 0.
    numel(type!.shape) === 0
      ? emit.filled(out!.dtype, out!.shape, NaN)
      : reduceNode("ReduceMean", emit, x!, attrs.dims),
});

/** Mean over `dims` (all unless given); floats only. */
export function mean(x: Value, dims?: number | readonly number[]): Value {
  if (!isFloat(x.dtype))
    throw new ShapeError(`mean: needs a floating dtype, got ${x.dtype}; cast it first`);
  const resolved = resolveDims("mean", dims, x.shape.length);
  return resolved.length === 0 ? x : meanOp([x], { dims: resolved });
}

/** Product of all elements but one, along one dimension: from running products of both sides, so zeros are right. */
function productOfOthers(x: Value, dim: number): Value {
  return mul(cumprodExclusive(x, dim), flip(cumprodExclusive(flip(x, [dim]), dim), [dim]));
}

/** Exclusive running product along a dimension by doubling: log₂(size) shifted products. */
function cumprodExclusive(x: Value, dim: number): Value {
  const size = x.shape[dim]!;
  let y = shiftWithOnes(x, dim, 1);
  for (let step = 1; step < size; step *= 2) y = mul(y, shiftWithOnes(y, dim, step));
  return y;
}

/** Moves elements `places` up along a dimension; ones come in from below. */
function shiftWithOnes(x: Value, dim: number, places: number): Value {
  const by = Math.min(places, x.shape[dim]!);
  const ones = full(
    x.shape.map((size, i) => (i === dim ? by : size)),
    1,
    x.dtype,
  );
  return concat([ones, slice(x, dim, 0, x.shape[dim]! - by)], dim);
}

const prodOp = defineOp1<{ dim: number }>({
  name: "prod",
  infer: ([x], { dim }) => ({ dtype: x!.dtype, shape: dropped(x!.shape, [dim]) }),
  vjp: ({ inputs: [x], attrs: { dim }, grads: [g] }) => [
    mul(restore(g!, x!, [dim]), productOfOthers(x!, dim)),
  ],
  lower: ({ inputs: [x], attrs, emit }) => reduceNode("ReduceProd", emit, x!, [attrs.dim]),
});

/** Product over one dimension, or over all. */
export function prod(x: Value, dim?: number): Value {
  // In int64 the low 32 bits are the same.
  if (x.dtype === "uint32") return cast(prod(cast(x, "int64"), dim), "uint32");
  const y = x.dtype === "bool" ? cast(x, "int64") : x;
  if (dim === undefined) return prodOp([reshape(y, [numel(y.shape)])], { dim: 0 });
  return prodOp([y], { dim: resolveDim("prod", dim, y.shape.length) });
}

function extreme(
  name: "amax" | "amin",
  opType: string,
): (x: Value, dims?: number | readonly number[]) => Value {
  const op = defineOp1<ReduceAttrs>({
    name,
    infer: ([x], { dims }) => {
      if (dims.some((dim) => x!.shape[dim] === 0))
        throw new ShapeError(`${name}: no ${name} of zero elements, shape [${x!.shape.join()}]`);
      return { dtype: x!.dtype, shape: dropped(x!.shape, dims) };
    },
    // Equal extremes share the gradient, as torch.amax.
    vjp: ({ inputs: [x], outputs: [y], attrs: { dims }, grads: [g] }) => {
      const hits = cast(eq(x!, restore(y!, x!, dims)), g!.dtype);
      const share = div(restore(g!, x!, dims), restore(sum(hits, dims), x!, dims));
      return [mul(hits, share)];
    },
    lower: ({ inputs: [x], types: [type], attrs, emit }) => {
      const { dtype } = type!;
      const as =
        dtype === "bool" ? "int32" : dtype === "uint32" && !emit.target.gpu ? "int64" : dtype;
      if (as === dtype) {
        const found = reduceNode(opType, emit, x!, attrs.dims);
        return isFloat(dtype) ? withNaN(emit, found, x!, dtype, attrs.dims) : found;
      }
      const wide = emit.node("Cast", [x!], { to: { int: dtypes[as].onnx } });
      return emit.node("Cast", [reduceNode(opType, emit, wide, attrs.dims)], {
        to: { int: dtypes[dtype].onnx },
      });
    },
  });
  return (x, dims) => {
    const resolved = resolveDims(name, dims, x.shape.length);
    return resolved.length === 0 ? x : op([x], { dims: resolved });
  };
}

/** Largest element over `dims` (all unless given). */
export const amax = extreme("amax", "ReduceMax");
/** Smallest element over `dims` (all unless given). */
export const amin = extreme("amin", "ReduceMin");

/**
 * NaN where one of the elements is, as in PyTorch: ONNX Runtime's kernels may pass it over. Limited to [0, 0] an element
 * is 0 or NaN, and so is their sum. Shaders may take NaN for absent.
 */
function withNaN(
  emit: Emitter,
  found: string,
  x: string,
  dtype: DType,
  dims: readonly number[],
): string {
  if (emit.target.gpu) return found;
  const zero = emit.scalar(dtype, 0);
  const probe = reduceNode("ReduceSum", emit, emit.node("Clip", [x, zero, zero]), dims);
  return emit.node("Add", [found, probe]);
}

function argExtreme(name: "argmax" | "argmin", opType: string): (x: Value, dim?: number) => Value {
  const op = defineOp1<{ dim: number }>({
    name,
    infer: ([x], { dim }) => {
      if (x!.shape[dim] === 0)
        throw new ShapeError(`${name}: no ${name} of zero elements, shape [${x!.shape.join()}]`);
      return { dtype: "int32", shape: dropped(x!.shape, [dim]) };
    },
    vjp: null,
    lower: ({ inputs: [x], types: [type], attrs: { dim }, emit }) => {
      const position = (kind: string, of: string): string =>
        emit.node(kind, [of], { axis: { int: dim }, keepdims: { int: 0 } });
      let found = position(opType, x!);
      // The first NaN, where there is one, as in PyTorch.
      if (isFloat(type!.dtype) && !emit.target.gpu) {
        const nan = emit.node("Cast", [emit.node("IsNaN", [x!])], { to: { int: UINT8 } });
        const some = emit.node("Cast", [reduceNode("ReduceMax", emit, nan, [dim])], {
          to: { int: dtypes.bool.onnx },
        });
        found = emit.node("Where", [some, position("ArgMax", nan), found]);
      }
      return positionsToInt32(emit, found, type!.shape[dim] ?? 1);
    },
  });
  return (x, dim) => {
    const y = x.dtype === "bool" ? cast(x, "int32") : x.dtype === "uint32" ? cast(x, "int64") : x;
    if (dim === undefined) return op([reshape(y, [numel(y.shape)])], { dim: 0 });
    return op([y], { dim: resolveDim(name, dim, y.shape.length) });
  };
}

/** Position of the first largest element along `dim`, or in the flattened tensor; int32. */
export const argmax = argExtreme("argmax", "ArgMax");
/** Position of the first smallest element along `dim`, or in the flattened tensor; int32. */
export const argmin = argExtreme("argmin", "ArgMin");

/** `TensorProto.DataType` of bytes. */
const UINT8 = 2;

interface CumsumAttrs {
  readonly dim: number;
  readonly reverse: boolean;
}

const cumsumOp: (inputs: readonly Value[], attrs: CumsumAttrs) => Value = defineOp1<CumsumAttrs>({
  name: "cumsum",
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  vjp: ({ attrs, grads: [g] }) => [cumsumOp([g!], { dim: attrs.dim, reverse: !attrs.reverse })],
  lower: ({ inputs: [x], attrs, emit }) =>
    emit.node("CumSum", [x!, emit.scalar("int32", attrs.dim)], {
      reverse: { int: attrs.reverse ? 1 : 0 },
    }),
});

/** Running sum along a dimension. */
export function cumsum(x: Value, dim: number): Value {
  const y = x.dtype === "bool" || x.dtype === "uint32" ? cast(x, "int64") : x;
  const total = cumsumOp([y], { dim: resolveDim("cumsum", dim, x.shape.length), reverse: false });
  return x.dtype === "uint32" ? cast(total, "uint32") : total;
}
