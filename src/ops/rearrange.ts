/** Rearrangements made of the operations in shape.ts: rolled, rotated, repeated, diagonals, triangles, windows. */

import type { Value } from "../graph/node.ts";
import {
  checkShape,
  checkSizes,
  formatShape,
  numel,
  resolveDim,
  ShapeError,
  type Shape,
} from "../graph/shape.ts";
import { le, where } from "./compare.ts";
import { sub } from "./elementwise.ts";
import { indexSelect } from "./indexing.ts";
import { constant, full } from "./leaf.ts";
import { iota } from "./random.ts";
import { concat, expand, flip, permute, reshape, slice, transpose, unslice } from "./shape.ts";

const integer = (op: string, what: string, n: number): number => {
  if (!Number.isInteger(n)) throw new ShapeError(`${op}: ${what} must be an integer, got ${n}`);
  return n;
};

/** Positions known when they are recorded. */
export const fixedPositions = (positions: readonly number[], shape?: Shape): Value =>
  constant(Int32Array.from(positions), "int32", shape ?? [positions.length]);

/** Moves dimensions `from` to the places `to`; the others keep their order: torch.movedim. */
export function movedim(x: Value, from: readonly number[], to: readonly number[]): Value {
  const rank = x.shape.length;
  const resolve = (dims: readonly number[]): number[] => {
    const list = dims.map((dim) => resolveDim("movedim", dim, rank));
    if (new Set(list).size < list.length)
      throw new ShapeError(`movedim: a dimension appears twice in ${formatShape(dims)}`);
    return list;
  };
  const [sources, targets] = [resolve(from), resolve(to)];
  if (sources.length !== targets.length)
    throw new ShapeError(
      `movedim: needs as many places as dimensions, got ${formatShape(from)} and ${formatShape(to)}`,
    );
  const others = x.shape.map((_, i) => i).filter((i) => !sources.includes(i));
  const order = x.shape.map((_, i) => {
    const moved = targets.indexOf(i);
    return moved < 0 ? others.shift()! : sources[moved]!;
  });
  return permute(x, order);
}

/** One dimension taken apart into `sizes`, of which one may be -1. */
export function unflatten(x: Value, dim: number, sizes: Shape): Value {
  const axis = resolveDim("unflatten", dim, x.shape.length);
  checkSizes("unflatten", sizes);
  const whole = x.shape[axis]!;
  const rest = sizes.filter((size) => size !== -1);
  const parts = sizes.map((size) => (size === -1 ? whole / numel(rest) : size));
  const fits = sizes.length - rest.length <= 1 && parts.every((n) => Number.isInteger(n) && n >= 0);
  if (!fits || numel(parts) !== whole || sizes.length === 0)
    throw new ShapeError(
      `unflatten: sizes ${formatShape(sizes)} do not make up ${whole}, dimension ${dim}`,
    );
  return reshape(x, [...x.shape.slice(0, axis), ...parts, ...x.shape.slice(axis + 1)]);
}

/** The tensor laid `counts[i]` times along dimension i, counted from the last: torch.tile. */
export function tile(x: Value, counts: Shape, op = "tile"): Value {
  checkShape(op, counts);
  const rank = Math.max(counts.length, x.shape.length);
  const lead = (list: Shape): number[] => [...Array<number>(rank - list.length).fill(1), ...list];
  const [sizes, times] = [lead(x.shape), lead(counts)];
  // What is laid no times is cut to nothing.
  const used = times.reduce<Value>(
    (y, n, i) => (n === 0 ? slice(y, i, 0, 0) : y),
    reshape(x, sizes),
  );
  if (times.some((n) => n === 0))
    return tile(
      used,
      times.map((n) => Math.max(n, 1)),
      op,
    );
  if (times.every((n) => n === 1)) return used;
  const wide = expand(
    reshape(
      used,
      sizes.flatMap((size) => [1, size]),
    ),
    sizes.flatMap((size, i) => [times[i]!, size]),
  );
  return reshape(
    wide,
    sizes.map((size, i) => size * times[i]!),
  );
}

/** Each slice of a dimension `repeats` times in a row, or slice i `repeats[i]` times: torch.repeat_interleave. */
export function repeatInterleave(
  x: Value,
  repeats: number | readonly number[],
  dim: number,
): Value {
  const axis = resolveDim("repeatInterleave", dim, x.shape.length);
  const size = x.shape[axis]!;
  if (typeof repeats !== "number") {
    checkShape("repeatInterleave", repeats);
    if (repeats.length !== size)
      throw new ShapeError(
        `repeatInterleave: needs a count for each of ${size} slices, got ${repeats.length}`,
      );
    const positions = repeats.flatMap((times, i) => Array<number>(times).fill(i));
    return indexSelect(x, axis, fixedPositions(positions));
  }
  checkShape("repeatInterleave", [repeats]);
  if (repeats === 0) return slice(x, axis, 0, 0);
  const at = (n: number): number[] => [
    ...x.shape.slice(0, axis + 1),
    n,
    ...x.shape.slice(axis + 1),
  ];
  const joined = x.shape.map((n, i) => (i === axis ? n * repeats : n));
  return reshape(expand(reshape(x, at(1)), at(repeats)), joined);
}

/** Shifts elements along dimensions; what leaves one end enters at the other. */
export function roll(x: Value, shifts: readonly number[], dims: readonly number[]): Value {
  if (shifts.length !== dims.length)
    throw new ShapeError(
      `roll: needs a shift for each dimension, got ${formatShape(shifts)} and ${formatShape(dims)}`,
    );
  return dims.reduce((y, dim, i) => {
    const axis = resolveDim("roll", dim, x.shape.length);
    const size = x.shape[axis]!;
    const shift = integer("roll", "the shift", shifts[i]!);
    const cut = size === 0 ? 0 : ((-shift % size) + size) % size;
    return cut === 0 ? y : concat([slice(y, axis, cut), slice(y, axis, 0, cut)], axis);
  }, x);
}

/** Turns the plane of two dimensions by 90° k times, from the first towards the second. */
export function rot90(x: Value, k: number, dims: readonly number[]): Value {
  if (dims.length !== 2)
    throw new ShapeError(`rot90: needs two dimensions, got ${formatShape(dims)}`);
  const [a, b] = dims.map((dim) => resolveDim("rot90", dim, x.shape.length));
  if (a === b)
    throw new ShapeError(`rot90: needs two different dimensions, got ${formatShape(dims)}`);
  switch (((integer("rot90", "the number of turns", k) % 4) + 4) % 4) {
    case 1:
      return transpose(flip(x, [b!]), a!, b!);
    case 2:
      return flip(x, [a!, b!]);
    case 3:
      return flip(transpose(x, a!, b!), [b!]);
    default:
      return x;
  }
}

/** bool [n, m]: column − row ≤ k. */
function onOrBelow(n: number, m: number, k: number): Value {
  const [rows, columns] = [reshape(iota(n), [n, 1]), reshape(iota(m), [1, m])];
  return le(sub(columns, rows), k);
}

function lastTwo(op: string, x: Value): readonly [number, number] {
  const [n, m] = x.shape.slice(-2);
  if (m === undefined)
    throw new ShapeError(`${op}: needs at least 2 dimensions, got ${formatShape(x.shape)}`);
  return [n!, m];
}

/** The last two dimensions with zeros above diagonal k. */
export function tril(x: Value, k = 0): Value {
  const [n, m] = lastTwo("tril", x);
  return where(onOrBelow(n, m, integer("tril", "the diagonal", k)), x, full([], 0, x.dtype));
}

/** The last two dimensions with zeros below diagonal k. */
export function triu(x: Value, k = 0): Value {
  const [n, m] = lastTwo("triu", x);
  return where(onOrBelow(n, m, integer("triu", "the diagonal", k) - 1), full([], 0, x.dtype), x);
}

/** Elements of diagonal `offset` of the plane of two dimensions, as a last dimension: torch.diagonal. */
export function diagonal(x: Value, offset: number, dim1: number, dim2: number): Value {
  const rank = x.shape.length;
  const [a, b] = [resolveDim("diagonal", dim1, rank), resolveDim("diagonal", dim2, rank)];
  if (a === b)
    throw new ShapeError(`diagonal: the dimensions must differ, got ${dim1} and ${dim2}`);
  integer("diagonal", "the offset", offset);
  const moved = movedim(x, [a, b], [rank - 2, rank - 1]);
  const lead = moved.shape.slice(0, -2);
  const [n, m] = lastTwo("diagonal", moved);
  const length = Math.max(0, offset >= 0 ? Math.min(n, m - offset) : Math.min(n + offset, m));
  // In the flattened plane neighbours on a diagonal are m + 1 apart.
  const start = length === 0 ? 0 : offset >= 0 ? offset : -offset * m;
  const end = length === 0 ? 0 : start + (length - 1) * (m + 1) + 1;
  return slice(reshape(moved, [...lead, n * m]), -1, start, end, m + 1);
}

/** The last dimension on diagonal `offset` of a new plane of two dimensions, zeros elsewhere: torch.diag_embed. */
export function diagEmbed(x: Value, offset: number, dim1: number, dim2: number): Value {
  const length = x.shape.at(-1);
  if (length === undefined) throw new ShapeError("diagEmbed: needs at least 1 dimension, got []");
  integer("diagEmbed", "the offset", offset);
  const rank = x.shape.length + 1;
  const [a, b] = [resolveDim("diagEmbed", dim1, rank), resolveDim("diagEmbed", dim2, rank)];
  if (a === b)
    throw new ShapeError(`diagEmbed: the dimensions must differ, got ${dim1} and ${dim2}`);
  const n = length + Math.abs(offset);
  const lead = x.shape.slice(0, -1);
  const start = offset >= 0 ? offset : -offset * n;
  const flat = unslice(x, n * n, { dim: rank - 2, start, length, step: n + 1 });
  return movedim(reshape(flat, [...lead, n, n]), [rank - 2, rank - 1], [a, b]);
}

/** Windows of `size` elements, `step` apart, along a dimension, as a last dimension: Tensor.unfold. */
export function unfold(x: Value, dim: number, size: number, step: number): Value {
  const axis = resolveDim("unfold", dim, x.shape.length);
  const whole = x.shape[axis]!;
  if (!Number.isInteger(size) || size < 0 || size > whole)
    throw new ShapeError(`unfold: the size must be 0 … ${whole}, dimension ${dim}, got ${size}`);
  if (!Number.isInteger(step) || step < 1)
    throw new ShapeError(`unfold: the step must be a positive integer, got ${step}`);
  const windows = Math.floor((whole - size) / step) + 1;
  const positions = Array.from(
    { length: windows * size },
    (_, i) => Math.floor(i / size) * step + (i % size),
  );
  const picked = indexSelect(x, axis, fixedPositions(positions, [windows, size]));
  return movedim(picked, [axis + 1], [x.shape.length]);
}
