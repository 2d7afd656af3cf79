/** What decoding needs at each step: the most probable of many logits. */

import type { Value } from "../graph/node.ts";
import { defineOp, type Emitter } from "../graph/op.ts";
import { formatShape, ShapeError } from "../graph/shape.ts";
import { positionsToInt32 } from "./positions.ts";

const mostProbableOp = defineOp<{ k: number }>({
  name: "mostProbable",
  infer: ([x], { k }) => {
    const [rows, count] = x!.shape;
    if (x!.shape.length !== 2 || x!.dtype !== "float32")
      throw new ShapeError(
        `mostProbable: expected float32 logits [rows, classes], got ${x!.dtype} ${formatShape(x!.shape)}`,
      );
    if (!Number.isInteger(k) || k < 1 || k > count!)
      throw new ShapeError(`mostProbable: k must be 1 … ${count}, got ${k}`);
    const shape = [rows!, k];
    return [
      { dtype: "float32", shape },
      { dtype: "int32", shape },
    ];
  },
  vjp: null,
  lower: ({ inputs: [x], types: [type], attrs: { k }, emit }) => {
    const [rows, count] = type!.shape as [number, number];
    const [values, found] = largest(emit, x!, rows, count, k);
    const positions = positionsToInt32(emit, found, count);
    if (emit.target.kernels === true) {
      // A kernel reads x once and writes a number a row.
      const over = [emit.ints([1])];
      const most = emit.node("ReduceMax", [values, ...over]);
      const powers = emit.node("Exp", [emit.node("Sub", [x!, most])]);
      const sum = emit.node("Log", [emit.node("ReduceSum", [powers, ...over])]);
      const total = emit.node("Add", [most, sum]);
      return [emit.node("Sub", [values, total]), positions];
    }
    // The largest probability is exp(largest − log Σ exp x), and softmax the quickest way through all x.
    const probabilities = emit.node("Softmax", [x!], { axis: { int: 1 } });
    const first = (of: string): string =>
      k === 1 ? of : emit.node("Slice", [of, ...[0, 1, 1].map((n) => emit.ints([n]))]);
    // A slice of positions would leave WebGPU.
    const highest = emit.target.gpu
      ? emit.node("ReduceMax", [probabilities, emit.ints([1])])
      : emit.node("GatherElements", [probabilities, first(positions)], { axis: { int: 1 } });
    const total = emit.node("Sub", [first(values), emit.node("Log", [highest])]);
    return [emit.node("Sub", [values, total]), positions];
  },
});

/**
 * The `k` most probable classes of softmax(x), x [rows, classes] without NaN: their log-probabilities [rows, k] in order, and
 * which they are, int32. Of equal ones the first comes first.
 */
export const mostProbable = (x: Value, k: number): readonly [Value, Value] =>
  mostProbableOp([x], { k }) as readonly [Value, Value];

/** How many groups of what size many classes are looked through in. */
function grouping(count: number, k: number): readonly [groups: number, size: number] | null {
  const wanted = Math.sqrt(count / k);
  if (wanted < 8) return null;
  for (let size = Math.round(wanted); size <= 2 * wanted; size++)
    if (count % size === 0) return [count / size, size];
  for (let size = Math.round(wanted); size > wanted / 2; size--)
    if (count % size === 0) return [count / size, size];
  return null;
}

/**
 * The k largest of each row and their int64 positions. Maxima are found much faster than orders: of many classes only the k
 * groups with the largest maxima are put in order, which hold the k largest.
 */
function largest(
  emit: Emitter,
  x: string,
  rows: number,
  count: number,
  k: number,
): readonly [values: string, positions: string] {
  const top = (of: string, smallest = false): readonly string[] =>
    emit.nodes("TopK", [of, emit.ints([k])], 2, {
      axis: { int: 1 },
      largest: { int: smallest ? 0 : 1 },
      sorted: { int: 1 },
    });
  const groups = grouping(count, k);
  // A kernel that finds fewer than 32 of rows up to 2¹⁸ does so by itself (`kernels/top-k.ts`).
  const isKernel = emit.target.kernels === true && k < 32 && count <= 2 ** 18;
  if (groups === null || emit.target.gpu || isKernel) return top(x) as [string, string];
  const [number, size] = groups;
  const grouped = emit.node("Reshape", [x, emit.ints([rows, number, size])]);
  const maxima = emit.node("ReduceMax", [grouped, emit.ints([2])], { keepdims: { int: 0 } });
  const unordered = top(maxima)[1]!;
  // In the order of their positions, so that of equal elements the first comes first.
  const chosen = k === 1 ? unordered : top(unordered, true)[0]!; // [rows, k]
  const starts = BigInt64Array.from({ length: rows }, (_, i) => BigInt(i * number));
  const places = emit.node("Add", [chosen, emit.constant("int64", [rows, 1], starts)]);
  const flat = emit.node("Reshape", [x, emit.ints([rows * number, size])]);
  const candidates = emit.node("Reshape", [
    emit.node("Gather", [flat, places]),
    emit.ints([rows, k * size]),
  ]);
  const [values, found] = top(candidates) as [string, string];
  const each = emit.ints([size]);
  const group = emit.node("GatherElements", [chosen, emit.node("Div", [found, each])], {
    axis: { int: 1 },
  });
  const within = emit.node("Mod", [found, each]);
  return [values, emit.node("Add", [emit.node("Mul", [group, each]), within])];
}
