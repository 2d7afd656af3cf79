/** What needs elements in order: sorting, medians, quantiles, places in sorted sequences. */

import { isFloat, type DType } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp1 } from "../graph/op.ts";
import { formatShape, numel, ShapeError } from "../graph/shape.ts";
import { eq, isNaN, le, logicalAnd, logicalOr, lt, where } from "./compare.ts";
import { add, intDiv, maximum, minimum, sub } from "./elementwise.ts";
import { lerp } from "./arithmetic.ts";
import { cast, pair } from "./elementwise-rules.ts";
import { emitMath } from "./emit-math.ts";
import { gather, indexSelect } from "./indexing.ts";
import { full } from "./leaf.ts";
import { positionsToInt32 } from "./positions.ts";
import { argmax } from "./reduce.ts";
import { withDim } from "./scan.ts";
import { concat, reshape, slice } from "./shape.ts";
import { any } from "./statistics.ts";
import { kept, sum } from "./sum.ts";

interface OrderAttrs {
  readonly dim: number;
  /** How many positions, from the first in order. */
  readonly k: number;
  readonly descending: boolean;
}

const LARGEST = { float32: 3.4028234663852886e38, float64: Number.MAX_VALUE } as const;

const orderOp = defineOp1<OrderAttrs>({
  name: "argsort",
  infer: ([x], { dim, k }) => ({
    dtype: "int32",
    shape: x!.shape.map((size, i) => (i === dim ? k : size)),
  }),
  vjp: null,
  // TopK keeps the order of equal elements, but has none for NaN: a NaN counts as infinity, infinity as the largest number.
  lower: ({ inputs: [x], types: [type], attrs: { dim, k, descending }, emit }) => {
    const { dtype, shape } = type!;
    let key = x!;
    if (isFloat(dtype) && !emit.target.gpu) {
      const { min, where } = emitMath(emit, dtype);
      key = where(
        emit.node("IsNaN", [x!]),
        Infinity,
        min(x!, LARGEST[dtype as keyof typeof LARGEST]),
      );
    }
    const [, positions] = emit.nodes("TopK", [key, emit.ints([k])], 2, {
      axis: { int: dim },
      largest: { int: descending ? 1 : 0 },
      sorted: { int: 1 },
    });
    return positionsToInt32(emit, positions!, shape[dim]!);
  },
});

/** Positions of the first `k` elements in order along `dim`; equal elements keep their order, NaN is the largest. */
function order(x: Value, dim: number, k: number, descending = false): Value {
  const shape = x.shape.map((size, i) => (i === dim ? k : size));
  if (numel(shape) === 0) return full(shape, 0, "int32");
  const sortable: Partial<Record<DType, DType>> = { bool: "float32", uint32: "int64" };
  return orderOp([cast(x, sortable[x.dtype] ?? x.dtype)], { dim, k, descending });
}

/** Sorted elements and the int32 positions they come from: torch.sort, always stable. */
export const sort = (x: Value, dim: number, descending: boolean): readonly [Value, Value] =>
  withDim("sort", x, dim, (y, axis, like) => {
    const index = order(y, axis, y.shape[axis]!, descending);
    return [like(gather(y, axis, index)), like(index)] as const;
  });

/** The k largest (or smallest) elements along a dimension, sorted, and their int32 positions. */
export const topk = (x: Value, k: number, dim = -1, largest = true): readonly [Value, Value] =>
  withDim("topk", x, dim, (y, axis, like) => {
    const size = y.shape[axis]!;
    if (!Number.isInteger(k) || k < 0 || k > size)
      throw new ShapeError(`topk: k must be 0 … ${size} along dimension ${axis}, got ${k}`);
    if (y.dtype === "bool") throw new ShapeError("topk: bool has no topk, cast to int32 first");
    const index = order(y, axis, k, largest);
    const values = gather(y, axis, index);
    return k === 1 ? [like(values), like(index)] : [values, index];
  });

/** The element at `index` of a dimension of size 1 there, which is dropped. */
const picked = (x: Value, dim: number, index: Value): readonly [Value, Value] => {
  const shape = x.shape.filter((_, i) => i !== dim);
  return [reshape(gather(x, dim, index), shape), reshape(index, shape)];
};

/** The k-th smallest element along a dimension, counted from 1, and its position. */
export const kthvalue = (x: Value, k: number, dim: number): readonly [Value, Value] =>
  withDim("kthvalue", x, dim, (y, axis) => {
    const size = y.shape[axis]!;
    if (!Number.isInteger(k) || k < 1 || k > size)
      throw new ShapeError(`kthvalue: k must be 1 … ${size} along dimension ${dim}, got ${k}`);
    return picked(y, axis, slice(order(y, axis, k), axis, k - 1));
  });

const keptSum = (x: Value, dim: number): Value => reshape(sum(x, dim), kept(x.shape, [dim]));

const anyNaN = (x: Value, dim: number): Value => reshape(any(isNaN(x), dim), kept(x.shape, [dim]));

function needElements(op: string, x: Value, dim: number): void {
  if (x.shape[dim] === 0)
    throw new ShapeError(`${op}: no ${op} of zero elements, shape ${formatShape(x.shape)}`);
}

/** The middle element along a dimension, of two the smaller, and its position; NaN where one is. */
export const median = (x: Value, dim: number): readonly [Value, Value] =>
  withDim("median", x, dim, (y, axis) => {
    needElements("median", y, axis);
    const k = (y.shape[axis]! - 1) >> 1;
    let index = slice(order(y, axis, k + 1), axis, k);
    if (isFloat(y.dtype)) {
      const nan = reshape(argmax(isNaN(y), axis), index.shape);
      index = where(anyNaN(y, axis), nan, index);
    }
    return picked(y, axis, index);
  });

/** As `median`, of the elements that are numbers; NaN where none is. */
export const nanmedian = (x: Value, dim: number): readonly [Value, Value] =>
  withDim("nanmedian", x, dim, (y, axis) => {
    needElements("nanmedian", y, axis);
    if (!isFloat(y.dtype)) return median(y, axis);
    const numbers = keptSum(cast(eq(y, y), "int32"), axis);
    const k = intDiv(maximum(sub(numbers, 1), 0), 2);
    const index = gather(order(y, axis, y.shape[axis]!), axis, k);
    return picked(y, axis, index);
  });

const INTERPOLATIONS = ["linear", "lower", "higher", "nearest", "midpoint"] as const;
export type Interpolation = (typeof INTERPOLATIONS)[number];

/** What lies at the fractions `q` of the sorted elements of a dimension, in a new first dimension: torch.quantile. */
export function quantile(
  x: Value,
  q: readonly number[],
  dim: number,
  interpolation: Interpolation,
): Value {
  if (!isFloat(x.dtype))
    throw new ShapeError(`quantile: needs a floating dtype, got ${x.dtype}; cast it first`);
  if (!INTERPOLATIONS.includes(interpolation))
    throw new ShapeError(
      `quantile: interpolation must be one of ${INTERPOLATIONS.join(", ")}, got ${String(interpolation)}`,
    );
  const outside = q.find((fraction) => !(fraction >= 0 && fraction <= 1));
  if (outside !== undefined)
    throw new ShapeError(`quantile: q must lie between 0 and 1, got ${outside}`);
  return withDim("quantile", x, dim, (y, axis) => {
    needElements("quantile", y, axis);
    const [sorted] = sort(y, axis, false);
    const nan = anyNaN(y, axis);
    const at = (position: number): Value => slice(sorted, axis, position, position + 1);
    const found = q.map((fraction) => {
      const place = fraction * (y.shape[axis]! - 1);
      const [low, high] = [Math.floor(place), Math.ceil(place)];
      const weight = {
        linear: place - low,
        lower: 0,
        higher: 1,
        midpoint: 0.5,
        // Halves to the even position.
        nearest: place - low > 0.5 || (place - low === 0.5 && low % 2 === 1) ? 1 : 0,
      }[interpolation];
      const value =
        low === high || weight === 0
          ? at(low)
          : weight === 1
            ? at(high)
            : lerp(at(low), at(high), weight);
      return reshape(where(nan, NaN, value), [1, ...y.shape.filter((_, i) => i !== axis)]);
    });
    return concat(found, 0);
  });
}

/**
 * How many elements of each sorted row lie before each value (`right`: or equal it), by halving: log₂(size) steps.
 * The sequence is 1-d, or has the values' leading dimensions.
 */
export function searchsorted(sequence: Value, values: Value, right: boolean): Value {
  const size = sequence.shape.at(-1);
  const shared = sequence.shape.length === 1;
  if (
    size === undefined ||
    (!shared && formatShape(sequence.shape.slice(0, -1)) !== formatShape(values.shape.slice(0, -1)))
  )
    throw new ShapeError(
      `searchsorted: the sequence must be 1-d or have the leading dimensions of the values ${formatShape(values.shape)}, got ${formatShape(sequence.shape)}`,
    );
  const [rows, wanted] = pair("searchsorted", sequence, values);
  let found = full(values.shape, 0, "int32");
  if (size === 0) return found;
  for (let step = 2 ** Math.floor(Math.log2(size)); step >= 1; step /= 2) {
    const next = add(found, step);
    const index = sub(minimum(next, size), 1);
    const element = shared ? indexSelect(rows, 0, index) : gather(rows, -1, index);
    const before = right ? le(element, wanted) : lt(element, wanted);
    // NaN comes after everything.
    const passes = isFloat(wanted.dtype) ? logicalOr(before, isNaN(wanted)) : before;
    found = where(logicalAnd(passes, le(next, size)), next, found);
  }
  return found;
}
