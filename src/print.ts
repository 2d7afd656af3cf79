/** Tensors as text and as nested arrays. */

import { isFloat, type DType, type TypedArray } from "./graph/dtype.ts";
import { halfValue } from "./graph/half.ts";
import { formatShape, numel, type Shape } from "./graph/shape.ts";

export type NestedArray = number | boolean | bigint | readonly NestedArray[];

/** float16 as numbers; what else there is as it is. */
const decoded = (data: TypedArray, dtype: DType): TypedArray =>
  dtype === "float16" ? Float32Array.from(data as Uint16Array, halfValue) : data;

/** Elements in nested arrays: bool as booleans, int64 as numbers where they are exact. */
export function nest(raw: TypedArray, dtype: DType, shape: Shape): NestedArray {
  const data = decoded(raw, dtype);
  const element = (i: number): NestedArray => {
    const value = data[i]!;
    if (dtype === "bool") return value !== 0;
    if (typeof value !== "bigint") return value;
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  };
  const build = (dim: number, start: number, count: number): NestedArray => {
    if (dim === shape.length) return element(start);
    const size = shape[dim]!;
    const step = size === 0 ? 0 : count / size;
    return Array.from({ length: size }, (_, i) => build(dim + 1, start + i * step, step));
  };
  return build(0, 0, numel(shape));
}

const EDGE = 3;
const SUMMARY_ABOVE = 1000;

/** Aligned rows as PyTorch prints them; beyond 1,000 elements only the edges. */
export function format(data: TypedArray, dtype: DType, shape: Shape, requiresGrad = false): string {
  const summarise = numel(shape) > SUMMARY_ABOVE;
  const text = cells(decoded(data, dtype), dtype);
  const width = shown(shape, summarise).reduce((most, i) => Math.max(most, text(i).length), 0);
  const rows = (dim: number, start: number, count: number, indent: number): string => {
    if (dim === shape.length) return text(start).padStart(width);
    const size = shape[dim]!;
    const step = size === 0 ? 0 : count / size;
    const last = dim === shape.length - 1;
    const items = positions(size, summarise).map((i) =>
      i === null ? "..." : rows(dim + 1, start + i * step, step, indent + 1),
    );
    const gap = last ? ", " : `,${"\n".repeat(shape.length - 1 - dim)}${" ".repeat(indent + 1)}`;
    return `[${items.join(gap)}]`;
  };
  const notes = [`dtype=${dtype}`, `shape=${formatShape(shape)}`];
  if (requiresGrad) notes.push("requiresGrad");
  return `tensor(${rows(0, 0, numel(shape), "tensor(".length)}, ${notes.join(", ")})`;
}

const positions = (size: number, summarise: boolean): (number | null)[] => {
  const all = Array.from({ length: size }, (_, i) => i);
  return summarise && size > 2 * EDGE ? [...all.slice(0, EDGE), null, ...all.slice(-EDGE)] : all;
};

/** Offsets of the elements that are printed. */
function shown(shape: Shape, summarise: boolean): number[] {
  let offsets = [0];
  for (const size of shape) {
    const kept = positions(size, summarise).filter((i) => i !== null);
    offsets = offsets.flatMap((offset) => kept.map((i) => offset * size + i));
  }
  return numel(shape) === 0 ? [] : offsets;
}

function cells(data: TypedArray, dtype: DType): (i: number) => string {
  if (dtype === "bool") return (i) => (data[i] ? "true" : "false");
  if (!isFloat(dtype) || data instanceof BigInt64Array) return (i) => String(data[i]);
  const finite = Array.from(data as Float32Array)
    .filter(Number.isFinite)
    .map(Math.abs);
  const largest = finite.reduce((a, b) => Math.max(a, b), 0);
  const smallest = finite.reduce((a, b) => (b > 0 ? Math.min(a, b) : a), Infinity);
  const whole = finite.every(Number.isInteger);
  const scientific =
    largest >= 1e8 ||
    (smallest !== Infinity && (smallest < 1e-4 || (largest / smallest > 1000 && !whole)));
  return (i) => {
    const value = Number(data[i]);
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
    if (scientific) return value.toExponential(4).replace(/e([+-])(\d)$/, "e$10$2");
    return whole ? `${value}.` : value.toFixed(4);
  };
}
