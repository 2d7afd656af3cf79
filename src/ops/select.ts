/** Python's indexing: what `x[…]` reads and `x[…] = value` writes, with numbers, slices, new axes and index tensors. */

import { Value } from "../graph/node.ts";
import {
  broadcast,
  formatShape,
  numel,
  sameShape,
  ShapeError,
  strides,
  type Shape,
} from "../graph/shape.ts";
import { ge, logicalAnd, lt, where } from "./compare.ts";
import { add, mul } from "./elementwise.ts";
import { cast } from "./elementwise-rules.ts";
import { indexSelect, scatterAdd } from "./indexing.ts";
import { iota } from "./random.ts";
import { fixedPositions } from "./rearrange.ts";
import { scatter } from "./scatter.ts";
import { concat, expand, permute, reshape, slice } from "./shape.ts";

/** Elements start, start + step, … before `stop` of a dimension, as Python's slices. */
export interface IndexRange {
  readonly start?: number;
  readonly stop?: number;
  readonly step?: number;
}

/** One entry of an index, tensors already values: a position, a range ("1:-1:2"), "...", a new axis (null), positions, a mask. */
export type IndexItem = number | null | string | IndexRange | readonly number[] | Value;

const RANGE_TEXT = /^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?$/;

/** What is done with one dimension of the tensor. */
type Step =
  | { readonly kind: "position"; readonly at: number }
  | { readonly kind: "range"; readonly range: IndexRange }
  | { readonly kind: "tensor"; readonly index: Value };

/** Reads one entry; masks, ellipses and new axes are handled by the caller. */
function stepOf(op: string, item: Exclude<IndexItem, null>, dim: number, size: number): Step {
  if (typeof item === "number") return { kind: "position", at: position(op, item, dim, size) };
  if (item instanceof Value) {
    if (item.dtype !== "int32" && item.dtype !== "int64")
      throw new ShapeError(
        `${op}: an index tensor must be int32, int64 or bool, got ${item.dtype}`,
      );
    return { kind: "tensor", index: item };
  }
  if (Array.isArray(item)) {
    const positions = (item as readonly number[]).map((at) => position(op, at, dim, size));
    return { kind: "tensor", index: fixedPositions(positions) };
  }
  return { kind: "range", range: rangeOf(op, item as string | IndexRange) };
}

function position(op: string, at: number, dim: number, size: number): number {
  const from = at < 0 ? at + size : at;
  if (!Number.isInteger(at) || from < 0 || from >= size)
    throw new ShapeError(
      `${op}: position ${String(at)} is out of range for dimension ${dim} of size ${size}`,
    );
  return from;
}

function rangeOf(op: string, item: string | IndexRange): IndexRange {
  if (typeof item === "object") {
    const odd = Object.keys(item).find((key) => !["start", "stop", "step"].includes(key));
    if (odd !== undefined)
      throw new ShapeError(`${op}: unknown key "${odd}" of a range, expected start, stop, step`);
    return item;
  }
  const found = typeof item === "string" ? RANGE_TEXT.exec(item) : null;
  if (found === null)
    throw new ShapeError(
      `${op}: cannot read the index ${JSON.stringify(item) ?? String(item)}; expected a number, null, "...", ` +
        `a range such as "1:-1:2" or { start, stop, step }, or a tensor`,
    );
  const [start, stop, step] = found.slice(1).map((text) => (text ? Number(text) : undefined));
  return {
    ...(start === undefined ? {} : { start }),
    ...(stop === undefined ? {} : { stop }),
    ...(step === undefined ? {} : { step }),
  };
}

export const isMask = (item: IndexItem): item is Value =>
  item instanceof Value && item.dtype === "bool";

/** How many dimensions of the tensor an entry speaks of. */
const covers = (item: IndexItem): number =>
  item === null ? 0 : isMask(item) ? item.shape.length : 1;

/** The entries for every dimension: an ellipsis, or the end where there is none, stands for all that are not named. */
function completed(op: string, shape: Shape, items: readonly IndexItem[]): IndexItem[] {
  const dots = items.flatMap((item, i) => (item === "..." ? [i] : []));
  if (dots.length > 1) throw new ShapeError(`${op}: an index can have one "..." only`);
  const named = items.filter((item) => item !== "...");
  const free = shape.length - named.reduce<number>((n, item) => n + covers(item), 0);
  if (free < 0)
    throw new ShapeError(
      `${op}: ${shape.length - free} indices are too many for a tensor of shape ${formatShape(shape)}`,
    );
  const at = dots[0] ?? items.length;
  return [...items.slice(0, at), ...Array<string>(free).fill(":"), ...items.slice(at + 1)];
}

interface Pick {
  readonly dim: number;
  readonly index: Value;
}

/** x[…]: positions drop their dimension, ranges keep it, null makes one, index tensors broadcast and replace theirs. */
export function at(x: Value, items: readonly IndexItem[], op = "at"): Value {
  const all = completed(op, x.shape, items);
  if (all.some(isMask))
    throw new ShapeError(
      `${op}: how many elements a bool mask picks is not known before they are computed; use where(mask, …), maskedFill, or await x.maskedSelect(mask)`,
    );
  let y = x;
  let dim = 0;
  const shape: number[] = [];
  const picks: Pick[] = [];
  for (const item of all) {
    if (item === null) {
      shape.push(1);
      continue;
    }
    const step = stepOf(op, item, dim, x.shape[dim]!);
    if (step.kind === "position") y = slice(y, dim, step.at, step.at + 1);
    else {
      if (step.kind === "tensor") picks.push({ dim: shape.length, index: step.index });
      else y = ranged(op, y, dim, step.range);
      shape.push(y.shape[dim]!);
    }
    dim++;
  }
  return picked(op, reshape(y, shape), picks);
}

function ranged(op: string, x: Value, dim: number, { start, stop, step }: IndexRange): Value {
  const odd = [start, stop].find((n) => n !== undefined && !Number.isInteger(n));
  if (odd !== undefined || (step !== undefined && (!Number.isInteger(step) || step === 0)))
    throw new ShapeError(
      `${op}: start and stop of a range must be integers and step an integer other than 0, got ${String(odd ?? step)}`,
    );
  return slice(x, dim, start, stop, step);
}

/**
 * Index tensors, as PyTorch: those without dimensions pick a position each; the others broadcast, and the dimensions
 * they make stand where theirs were, or in front where theirs are not neighbours.
 */
function picked(op: string, x: Value, picks: readonly Pick[]): Value {
  const scalars = picks.filter(({ index }) => index.shape.length === 0);
  const y = scalars.reduceRight((from, { dim, index }) => indexSelect(from, dim, index), x);
  const others = picks
    .filter(({ index }) => index.shape.length > 0)
    .map(({ dim, index }) => ({ dim: dim - scalars.filter((s) => s.dim < dim).length, index }));
  const [first] = others;
  if (first === undefined) return y;
  if (others.length === 1) return indexSelect(y, first.dim, first.index);
  const dims = others.map(({ dim }) => dim);
  const neighbours = dims.every((dim, i) => dim === first.dim + i);
  const rest = y.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const front = neighbours ? y : permute(y, [...dims, ...rest]);
  const place = neighbours ? first.dim : 0;
  const sizes = dims.map((dim) => y.shape[dim]!);
  const joined = reshape(front, [
    ...front.shape.slice(0, place),
    numel(sizes),
    ...front.shape.slice(place + dims.length),
  ]);
  return indexSelect(joined, place, jointIndex(op, others, sizes));
}

/** Σ indexᵢ · strideᵢ of broadcast indices; out of range for all where one of them is. */
function jointIndex(op: string, picks: readonly Pick[], sizes: readonly number[]): Value {
  const steps = strides(sizes);
  picks.map(({ index }) => index.shape).reduce((a, b) => broadcast(op, a, b));
  const terms = picks.map(({ index }, i) => {
    const size = sizes[i]!;
    const fromStart = where(lt(index, 0), add(index, size), index);
    return {
      term: mul(cast(fromStart, "int32"), steps[i]!),
      valid: logicalAnd(ge(index, -size), lt(index, size)),
    };
  });
  const sum = terms.map(({ term }) => term).reduce(add);
  return where(terms.map(({ valid }) => valid).reduce(logicalAnd), sum, -(2 ** 31));
}

// ---- writing -----------------------------------------------------------------------------------------------------

/**
 * x with `value`, which broadcasts, at x[…]; with `accumulate` it is added, repeated positions adding up:
 * `x[…] = value` and torch.index_put. A bool mask takes a value that broadcasts against the masked elements' places.
 */
export function put(
  x: Value,
  items: readonly IndexItem[],
  value: Value,
  accumulate = false,
  op = "setAt",
): Value {
  const all = completed(op, x.shape, items);
  const given = cast(value, x.dtype);
  if (all.some(isMask)) return putMasked(op, x, all, given, accumulate);
  const region = at(x, all, op);
  const filled = expand(withoutLeadingOnes(given, region.shape.length), region.shape, op);
  if (numel(region.shape) === 0) return x;
  const advanced = all.some((item) => item instanceof Value || Array.isArray(item));
  if (!advanced) {
    const contiguous = putRanges(op, x, all, accumulate ? add(region, filled) : filled);
    if (contiguous !== null) return contiguous;
  }
  // The region of a tensor of positions says where each element goes.
  const count = numel(x.shape);
  const places = reshape(at(reshape(iota(count), x.shape), all, op), [numel(region.shape)]);
  const flat = reshape(x, [count]);
  const source = reshape(filled, places.shape);
  return reshape((accumulate ? scatterAdd : scatter)(flat, 0, places, source), x.shape);
}

function withoutLeadingOnes(value: Value, rank: number): Value {
  const extra = value.shape.length - rank;
  const drop = extra > 0 && value.shape.slice(0, extra).every((size) => size === 1);
  return drop ? reshape(value, value.shape.slice(extra)) : value;
}

/** Positions and ranges of step 1, by cutting the tensor around them; null for other steps. */
function putRanges(op: string, x: Value, items: readonly IndexItem[], region: Value): Value | null {
  const bounds: (readonly [from: number, to: number])[] = [];
  for (const item of items) {
    if (item === null) continue;
    const dim = bounds.length;
    const size = x.shape[dim]!;
    const step = stepOf(op, item, dim, size);
    if (step.kind === "position") bounds.push([step.at, step.at + 1]);
    else if (step.kind === "range") {
      const { start = 0, stop = size, step: stride = 1 } = step.range;
      if (stride !== 1) return null;
      const clip = (n: number): number => Math.min(Math.max(n < 0 ? n + size : n, 0), size);
      bounds.push([clip(start), clip(stop)]);
    }
  }
  const inside = bounds.map(([from, to]) => to - from);
  const write = (target: Value, dim: number): Value => {
    if (dim === bounds.length) return reshape(region, inside);
    const [from, to] = bounds[dim]!;
    const inner = write(slice(target, dim, from, to), dim + 1);
    const parts = [slice(target, dim, 0, from), inner, slice(target, dim, to)];
    return concat(
      parts.filter((part) => part.shape[dim] !== 0),
      dim,
    );
  };
  return write(x, 0);
}

function putMasked(
  op: string,
  x: Value,
  items: readonly IndexItem[],
  value: Value,
  accumulate: boolean,
): Value {
  const at = items.findIndex(isMask);
  const mask = items[at] as Value;
  if (items.some((item, i) => i !== at && item !== ":"))
    throw new ShapeError(`${op}: a bool mask can stand beside ":" and "..." only`);
  const rank = mask.shape.length;
  const covered = x.shape.slice(at, at + rank);
  if (!sameShape(mask.shape, covered))
    throw new ShapeError(
      `${op}: the mask ${formatShape(mask.shape)} must have the sizes ${formatShape(covered)} of the dimensions it stands for`,
    );
  const after = x.shape.length - at - rank;
  const wide = reshape(mask, [...mask.shape, ...Array<number>(after).fill(1)]);
  const given = withoutLeadingOnes(value, after);
  if (given.shape.length > after)
    throw new ShapeError(
      `${op}: with a bool mask the value must be one for all masked places, of at most ${after} dimensions, got ${formatShape(value.shape)}`,
    );
  const spread = expand(given, x.shape.slice(at + rank), op);
  return where(wide, accumulate ? add(x, spread) : spread, x);
}
