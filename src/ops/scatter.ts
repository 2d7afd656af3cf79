/** Writing at positions given by tensors: scatter and its reductions, and the same along one dimension. */

import { isFloat, type DType } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp1 } from "../graph/op.ts";
import { formatShape, numel, resolveDim, sameShape, ShapeError } from "../graph/shape.ts";
import { eq, where } from "./compare.ts";
import { div, maximum, mul, sub } from "./elementwise.ts";
import { cast, castTo } from "./elementwise-rules.ts";
import { checkIndex, checkScatter, gather, indexSelect, scatterAdd } from "./indexing.ts";
import { constant, full, onesLike, scalar, zerosLike } from "./leaf.ts";
import { cumsum } from "./reduce.ts";
import { expand, reshape } from "./shape.ts";

const scatterOp = defineOp1<{ dim: number }>({
  name: "scatter",
  overwrites: true,
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  vjp: ({ inputs: [, index, src], attrs: { dim }, grads: [g], needs }) => [
    needs[0] ? scatter(g!, dim, index!, zerosLike(src!)) : null,
    null,
    needs[2] ? gather(g!, dim, index!) : null,
  ],
  lower: ({ inputs: [x, index, src], types: [type], attrs, emit }) => {
    const { dtype } = type!;
    // WebGPU scatters no bool: as int32 there.
    const as = emit.target.gpu && dtype === "bool" ? "int32" : dtype;
    const operands = [castTo(emit, x!, dtype, as), index!, castTo(emit, src!, dtype, as)];
    const placed = emit.node("ScatterElements", operands, { axis: { int: attrs.dim } });
    return castTo(emit, placed, as, dtype);
  },
});

/** x with the elements of `src` (or one number) at `index` along a dimension; of repeated positions any one stays: torch.scatter. */
export function scatter(x: Value, dim: number, index: Value, src: Value | number): Value {
  const source = typeof src === "number" ? full(index.shape, src, x.dtype) : src;
  const [axis, used] = checkScatter("scatter", x, dim, index, source);
  return scatterOp([x, index, used], { dim: axis });
}

/** How elements that meet at one position are combined. */
export type Reduction = "sum" | "prod" | "mean" | "amax" | "amin";
const REDUCTIONS: readonly string[] = ["sum", "prod", "mean", "amax", "amin"];

const onnxReductions = { prod: "mul", amax: "max", amin: "min" } as const;

const scatterReduceOp = defineOp1<{ dim: number; reduce: keyof typeof onnxReductions }>({
  name: "scatterReduce",
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  vjp: ({ inputs: [x, index, src], outputs: [y], attrs: { dim, reduce }, grads: [g], needs }) => {
    if (reduce === "prod") {
      const others = (): Value => scatterReduceOp([onesLike(x!), index!, src!], { dim, reduce });
      return [
        needs[0] ? mul(g!, others()) : null,
        null,
        needs[2] ? prodGradient(x!, index!, src!, y!, g!, dim) : null,
      ];
    }
    // Elements that equal the extreme share its gradient.
    const own = cast(eq(x!, y!), g!.dtype);
    const theirs = cast(eq(src!, gather(y!, dim, index!)), g!.dtype);
    const share = div(g!, scatterAdd(own, dim, index!, theirs));
    return [mul(share, own), null, mul(gather(share, dim, index!), theirs)];
  },
  lower: ({ inputs, attrs, emit }) =>
    emit.node("ScatterElements", inputs, {
      axis: { int: attrs.dim },
      reduction: { string: onnxReductions[attrs.reduce] },
    }),
});

/** dy/dsrc = y / src; where src is the only 0 at its position, the product of the others. */
function prodGradient(x: Value, index: Value, src: Value, y: Value, g: Value, dim: number): Value {
  const isZero = eq(src, 0);
  const zeros = gather(scatterAdd(zerosLike(x), dim, index, cast(isZero, x.dtype)), dim, index);
  const nonzero = where(isZero, 1, src);
  const others = scatterReduceOp([x, index, nonzero], { dim, reduce: "prod" });
  const alone = cast(eq(zeros, 1), src.dtype);
  return where(
    isZero,
    mul(gather(mul(g, others), dim, index), alone),
    div(gather(mul(g, y), dim, index), nonzero),
  );
}

/** What leaves any element as it is, 0-d. */
function neutral(dtype: DType, reduce: Reduction): Value {
  if (reduce === "sum" || reduce === "mean") return scalar(0, dtype);
  if (reduce === "prod") return scalar(1, dtype);
  const least = reduce === "amax";
  if (isFloat(dtype)) return scalar(least ? -Infinity : Infinity, dtype);
  if (dtype === "int32") return scalar(least ? -(2 ** 31) : 2 ** 31 - 1, dtype);
  if (dtype === "uint32") return scalar(least ? 0 : 2 ** 32 - 1, dtype);
  // Exact, which 2⁶³ − 1 as a number is not.
  return constant(BigInt64Array.of(least ? -(2n ** 63n) : 2n ** 63n - 1n), dtype, []);
}

/**
 * x with `src` combined into it at `index`; with `includeSelf: false` elements of x that any source meets do not count.
 * torch.scatter_reduce
 */
export function scatterReduce(
  x: Value,
  dim: number,
  index: Value,
  src: Value,
  reduce: Reduction,
  includeSelf = true,
): Value {
  if (!REDUCTIONS.includes(reduce))
    throw new ShapeError(
      `scatterReduce: unknown reduction "${String(reduce)}", expected ${REDUCTIONS.join(", ")}`,
    );
  if (x.dtype === "bool")
    throw new ShapeError("scatterReduce: bool has no scatterReduce, cast to int32 first");
  const [axis, source] = checkScatter("scatterReduce", x, dim, index, src);
  const start = includeSelf
    ? x
    : scatter(x, axis, index, expand(neutral(x.dtype, reduce), index.shape));
  if (reduce === "sum") return scatterAdd(start, axis, index, source);
  if (reduce !== "mean")
    return scatterReduceOp([start, index, source], {
      dim: axis,
      reduce,
    });
  if (!isFloat(x.dtype))
    throw new ShapeError(
      `scatterReduce: a mean needs a floating dtype, got ${x.dtype}; cast it first`,
    );
  const total = scatterAdd(start, axis, index, source);
  const before = includeSelf ? onesLike(x) : zerosLike(x);
  return div(total, maximum(scatterAdd(before, axis, index, onesLike(source)), 1));
}

// ---- along one dimension -----------------------------------------------------------------------------------------

/** A 1-d index in the shape of what it places along a dimension of x, and that shape. */
function along(op: string, x: Value, dim: number, index: Value): readonly [number, Value] {
  const axis = resolveDim(op, dim, x.shape.length);
  const places = checkPlaces(op, index);
  const count = numel(places.shape);
  const column = x.shape.map((_, i) => (i === axis ? count : 1));
  const shape = x.shape.map((size, i) => (i === axis ? count : size));
  return [axis, expand(reshape(places, column), shape)];
}

/** An index of one dimension; one without is a list of one. */
function checkPlaces(op: string, index: Value): Value {
  checkIndex(op, index);
  if (index.shape.length > 1)
    throw new ShapeError(
      `${op}: the index must have one dimension, got ${formatShape(index.shape)}`,
    );
  return reshape(index, [numel(index.shape)]);
}

function checkPlaced(op: string, index: Value, source: Value): void {
  if (!sameShape(source.shape, index.shape))
    throw new ShapeError(
      `${op}: the source must be ${formatShape(index.shape)}, the tensor's shape with one slice for each index, got ${formatShape(source.shape)}`,
    );
}

/** x with slices of `source` times `alpha` added at the slices of x that `index` names: torch.index_add. */
export function indexAdd(x: Value, dim: number, index: Value, source: Value, alpha = 1): Value {
  const [axis, places] = along("indexAdd", x, dim, index);
  checkPlaced("indexAdd", places, source);
  return scatterAdd(x, axis, places, alpha === 1 ? source : mul(source, alpha));
}

const indexCopyOp: (inputs: readonly Value[], attrs: { dim: number }) => Value = defineOp1<{
  dim: number;
}>({
  name: "indexCopy",
  overwrites: true,
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  vjp: ({ inputs: [, index, source], attrs, grads: [g], needs }) => [
    needs[0] ? indexCopyOp([g!, index!, zerosLike(source!)], attrs) : null,
    null,
    needs[2] ? indexSelect(g!, attrs.dim, index!) : null,
  ],
  lower: ({ inputs: [x, index, source], types: [type, places, given], attrs: { dim }, emit }) => {
    const { dtype, shape } = type!;
    const count = places!.shape[0]!;
    const column = shape.map((_, i) => (i === dim ? count : 1));
    if (emit.target.gpu) {
      // WebGPU casts no int64, which ScatterND needs, and scatters no bool.
      const one = emit.node("Reshape", [index!, emit.ints(column)]);
      const each = emit.node("Expand", [one, emit.ints(given!.shape)]);
      const as = dtype === "bool" ? "int32" : dtype;
      const operands = [castTo(emit, x!, dtype, as), each, castTo(emit, source!, dtype, as)];
      const placed = emit.node("ScatterElements", operands, { axis: { int: dim } });
      return castTo(emit, placed, as, dtype);
    }
    // Whole slices are copied at coordinates [..., count, dim + 1], 10 times as fast as element by element.
    const at = [...shape.slice(0, dim), count, 1];
    const positions = castTo(emit, index!, places!.dtype, "int64");
    const coordinates = at.slice(0, -1).map((size, i) => {
      const own = i === dim ? positions : emit.ints(Array.from({ length: size }, (_, n) => n));
      const alone = at.map((_, axis) => (axis === i ? size : 1));
      return emit.node("Expand", [emit.node("Reshape", [own, emit.ints(alone)]), emit.ints(at)]);
    });
    const joined =
      dim === 0
        ? coordinates[0]!
        : emit.node("Concat", coordinates, { axis: { int: at.length - 1 } });
    return emit.node("ScatterND", [x!, joined, source!]);
  },
});

/** x with slices of `source` in place of those that `index` names: torch.index_copy. */
export function indexCopy(x: Value, dim: number, index: Value, source: Value): Value {
  const axis = resolveDim("indexCopy", dim, x.shape.length);
  const places = checkPlaces("indexCopy", index);
  const [, expanded] = along("indexCopy", x, axis, places);
  checkPlaced("indexCopy", expanded, source);
  checkScatter("indexCopy", x, axis, expanded, source);
  return indexCopyOp([x, places, source], { dim: axis });
}

/** x with `value`, a number or a 0-d tensor, in the slices that `index` names: torch.index_fill. */
export function indexFill(x: Value, dim: number, index: Value, value: Value | number): Value {
  const axis = resolveDim("indexFill", dim, x.shape.length);
  const places = checkPlaces("indexFill", index);
  const filling = typeof value === "number" ? full([], value, x.dtype) : cast(value, x.dtype);
  if (filling.shape.length > 0)
    throw new ShapeError(
      `indexFill: the value must be a number or a 0-d tensor, got ${formatShape(filling.shape)}`,
    );
  // A mask counts a place that is named twice once, in the gradient too.
  const size = x.shape[axis]!;
  const named = scatter(full([size], 0, "int32"), 0, places, 1);
  const column = x.shape.map((_, i) => (i === axis ? size : 1));
  return where(reshape(cast(named, "bool"), column), filling, x);
}

/** The elements of `source` in order where the mask holds, x elsewhere: the k-th place that holds takes element k. */
export function maskedScatter(x: Value, mask: Value, source: Value): Value {
  if (mask.dtype !== "bool" || source.dtype !== x.dtype)
    throw new ShapeError(
      `maskedScatter: needs a bool mask and a source of ${x.dtype} like the tensor, got ${mask.dtype} and ${source.dtype}`,
    );
  const held = reshape(expand(cast(mask, "int32"), x.shape, "maskedScatter"), [numel(x.shape)]);
  const order = maximum(sub(cumsum(held, 0), 1), 0);
  const chosen = indexSelect(reshape(source, [numel(source.shape)]), 0, order);
  return where(mask, reshape(chosen, x.shape), x);
}
