/** Tensors as text and as nested arrays. */

import { isFloat, type DType, type TypedArray } from "./graph/dtype.ts";
import { exponential, fixed } from "./print-numbers.ts";
import { halfValue } from "./graph/half.ts";
import { formatShape, numel, ShapeError, type Shape } from "./graph/shape.ts";

/** Elements in nested arrays, as `toArray` gives them: numbers, booleans for bool, bigints for int64 beyond 2⁵³. */
export type NestedArray = number | boolean | bigint | readonly NestedArray[];

/** Elements in nested arrays: bool as booleans, int64 as numbers where they are exact. */
export function nest(data: TypedArray, dtype: DType, shape: Shape): NestedArray {
  const read = reader(data, dtype);
  const element = (i: number): NestedArray => {
    const value = read(i);
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

/** The element at a place: float16 as a number, what else there is as it is. */
function reader(data: TypedArray, dtype: DType): (i: number) => number | bigint {
  return dtype === "float16" ? (i) => halfValue(data[i] as number) : (i) => data[i]!;
}

// ---- text --------------------------------------------------------------------------------------------------------

/** How tensors are printed: torch.set_printoptions. */
export interface PrintOptions {
  /** Digits after the point. */
  readonly precision: number;
  /** Tensors of more elements are summarised. */
  readonly threshold: number;
  /** Elements shown at both ends of each dimension of a summary. */
  readonly edgeitems: number;
  /** Characters in a line. */
  readonly linewidth: number;
  /** Powers of ten always or never; null: where the numbers ask for them. */
  readonly sciMode: boolean | null;
}

const DEFAULTS: PrintOptions = {
  precision: 4,
  threshold: 1000,
  edgeitems: 3,
  linewidth: 80,
  sciMode: null,
};
const PROFILES: Readonly<Record<string, PrintOptions>> = {
  default: DEFAULTS,
  short: { ...DEFAULTS, precision: 2, edgeitems: 2 },
  full: { ...DEFAULTS, threshold: Infinity },
};

let options = DEFAULTS;

/** Options that are in use. */
export const printOptions = (): PrintOptions => options;

/**
 * Changes how tensors are printed from now on: the options given, on those of the profile ("default", "short" or "full") where
 * one is named. Throws for numbers that are no counts.
 */
export function setPrintOptions({
  profile,
  ...changes
}: Partial<PrintOptions> & { readonly profile?: "default" | "short" | "full" }): void {
  const base = profile === undefined ? options : PROFILES[profile];
  if (base === undefined)
    throw new ShapeError(
      `setPrintOptions: profile must be one of ${Object.keys(PROFILES).join(", ")}, got "${String(profile)}"`,
    );
  for (const [name, value] of Object.entries(changes)) {
    if (!(name in DEFAULTS))
      throw new ShapeError(
        `setPrintOptions: unknown option "${name}", expected ${Object.keys(DEFAULTS).join(", ")}, profile`,
      );
    const count = Number.isInteger(value) || (value === Infinity && name !== "precision");
    if (name !== "sciMode" && !(count && (value as number) >= 0))
      throw new ShapeError(
        `setPrintOptions: ${name} must be a non-negative integer, got ${String(value)}`,
      );
  }
  options = { ...base, ...changes };
}

/** What is known of a tensor beside its elements. */
export interface PrintNotes {
  readonly requiresGrad?: boolean;
  /** Named where it is not the CPU, as PyTorch does. */
  readonly device?: string;
}

const OPENING = "tensor(";

/** Aligned rows as PyTorch prints them, and what is known of the tensor; beyond `threshold` elements only the edges. */
export function format(
  data: TypedArray,
  dtype: DType,
  shape: Shape,
  { requiresGrad = false, device = "cpu" }: PrintNotes = {},
): string {
  const notes = [`dtype=${dtype}`, `shape=${formatShape(shape)}`];
  if (device !== "cpu") notes.push(`device=${device}`);
  if (requiresGrad) notes.push("requiresGrad");
  let text = OPENING + elements(data, dtype, shape);
  for (const note of notes) {
    const column = text.length - text.lastIndexOf("\n") - 1;
    const fits = column + note.length + 3 <= options.linewidth;
    text += fits ? `, ${note}` : `,\n${" ".repeat(OPENING.length)}${note}`;
  }
  return `${text})`;
}

function elements(data: TypedArray, dtype: DType, shape: Shape): string {
  const count = numel(shape);
  if (count === 0) return "[]";
  const summarise = count > options.threshold;
  const cell = aligned(reader(data, dtype), dtype, shown(shape, summarise));
  const rows = (dim: number, start: number, size: number, indent: number): string => {
    if (dim === shape.length) return cell.text(start);
    const step = size / shape[dim]!;
    const places = positions(shape[dim]!, summarise);
    const last = dim === shape.length - 1;
    const items = places.map((i) =>
      i === null
        ? last && options.edgeitems > 0
          ? " ..."
          : "..."
        : rows(dim + 1, start + i * step, step, indent + 1),
    );
    const newline = `,${"\n".repeat(Math.max(1, shape.length - 1 - dim))}${" ".repeat(indent + 1)}`;
    if (!last) return `[${items.join(newline)}]`;
    const inLine = Math.max(1, Math.floor((options.linewidth - indent) / (cell.width + 2)));
    const lines: string[] = [];
    for (let i = 0; i < items.length; i += inLine)
      lines.push(items.slice(i, i + inLine).join(", "));
    return `[${lines.join(newline)}]`;
  };
  return rows(0, 0, count, OPENING.length);
}

/** Positions of a dimension that are shown; null stands for those left out. */
function positions(size: number, summarise: boolean): (number | null)[] {
  const edge = options.edgeitems;
  const range = (from: number, to: number): number[] =>
    Array.from({ length: to - from }, (_, i) => from + i);
  return summarise && size > 2 * edge
    ? [...range(0, edge), null, ...range(size - edge, size)]
    : range(0, size);
}

/** Offsets of the elements that are shown. */
function shown(shape: Shape, summarise: boolean): number[] {
  let offsets = [0];
  for (const size of shape) {
    const kept = positions(size, summarise).filter((i) => i !== null);
    offsets = offsets.flatMap((offset) => kept.map((i) => offset * size + i));
  }
  return offsets;
}

interface Cells {
  readonly width: number;
  readonly text: (i: number) => string;
}

/** Elements as text of one width, which those shown decide, by PyTorch's rules (torch/_tensor_str.py). */
function aligned(
  read: (i: number) => number | bigint,
  dtype: DType,
  places: readonly number[],
): Cells {
  const write = isFloat(dtype)
    ? floatText(places.map((i) => Number(read(i))).filter((x) => Number.isFinite(x) && x !== 0))
    : (x: number | bigint) => (dtype === "bool" ? String(x !== 0) : String(x));
  let width = 1;
  for (const i of places) {
    const x = read(i);
    // Zeros, infinities and NaN have no say.
    if (!isFloat(dtype) || (Number.isFinite(Number(x)) && Number(x) !== 0))
      width = Math.max(width, write(x).length);
  }
  return { width, text: (i) => write(read(i)).padStart(width) };
}

function floatText(finite: readonly number[]): (x: number | bigint) => string {
  const { precision, sciMode } = options;
  let [least, most] = [Infinity, 0];
  for (const x of finite) {
    least = Math.min(least, Math.abs(x));
    most = Math.max(most, Math.abs(x));
  }
  const wide = finite.length > 0 && (most / least > 1000 || most > 1e8 || least < 1e-4);
  const scientific = finite.length > 0 && (sciMode ?? wide);
  const whole = finite.every((x) => Number.isInteger(x));
  return (given) => {
    const x = Number(given);
    if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
    if (scientific) return exponential(x, precision);
    return whole ? `${fixed(x, 0)}.` : fixed(x, precision);
  };
}
