/** Batches of sequences of different lengths, padded so that few shapes occur and little is wasted. */

import { hostArray, type DType } from "../graph/dtype.ts";
import { formatShape, numel, sameShape, ShapeError, type Shape } from "../graph/shape.ts";
import { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import { checkCount } from "./checks.ts";
import {
  checkDTypes,
  fieldDType,
  fillSample,
  joinEqual,
  place,
  walkSamples,
  type Collate,
  type Collated,
  type CollateOptions,
  type Walk,
} from "./collate.ts";
import { elementsOf, hostTensor, type Elements } from "./elements.ts";

/** How a list of sequences is padded. */
export interface PadOptions extends CollateOptions {
  /** What fills the ends: a number, or one for each field, e.g. { inputIds: 0, labels: -100 }; 0 unless given. */
  readonly value?: number | Readonly<Record<string, number>>;
  /** Fields that are padded, the one that tokens are counted in first; all that have a dimension, unless given. */
  readonly fields?: readonly string[];
  /** Lengths are rounded up to a multiple of this; 1 pads to the longest sequence of a batch. */
  readonly padToMultipleOf?: number;
  /** The lengths that may occur, ascending; longer sequences are an error. */
  readonly boundaries?: readonly number[];
  /** Where padding goes; "right" unless given. */
  readonly side?: "left" | "right";
  /** Adds a field of this name to samples that are objects: bool [B, T], true where there is no padding. */
  readonly mask?: string;
}
const OPTIONS = ["value", "fields", "padToMultipleOf", "boundaries", "side", "mask", "dtypes"];

/**
 * The default lengths: 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, …: at least 8 apart and four to an octave from 32.
 * Each shape is a program that is compiled once, about 20 up to length 512 and 28 up to 2048, which `compile` keeps; at most
 * a fifth of a long batch is padding on account of them.
 */
export function defaultPaddedLength(length: number): number {
  const step = Math.max(8, 2 ** (Math.ceil(Math.log2(Math.max(1, length))) - 3));
  return Math.max(8, Math.ceil(length / step) * step);
}

/**
 * A `collate` that pads sequences in their first dimension to the longest of the batch, rounded up so that few different
 * shapes occur (each is a program of its own). Sequences are arrays of numbers (int32 unless `dtypes` says otherwise), typed
 * arrays or tensors [T, …], alone or as fields of objects and tuples; what has no dimension is stacked as by `collate`.
 * Throws for sequences longer than the last boundary, naming field and sample.
 */
export function padSequences<T>(options: PadOptions = {}): Collate<T, Collated<T>> {
  checkOptions("padSequences", options, OPTIONS);
  const { dtypes = {}, fields, mask } = options;
  checkDTypes("padSequences", dtypes);
  const rule = lengthRule(options);
  const paddedLength = (length: number): number => {
    const padded = rule(length);
    if (padded === null) throw new RangeError(`padSequences: ${tooLong(length, options)}`);
    return padded;
  };
  const isPadded = (path: string): boolean => fields === undefined || fields.includes(path);
  const walkOf = (indices: readonly number[]): Walk => ({
    op: "padSequences",
    indices,
    dtypes,
    numbers: (path, item) => (isPadded(path) && Array.isArray(item) ? "int32" : "float32"),
    join: (elements, path, walk) =>
      isPadded(path) && elements[0]!.shape.length > 0
        ? joinPadded(elements, path, walk, options, rule)
        : joinEqual(elements, path, walk),
  });
  const pad = (samples: readonly T[], indices: readonly number[]): Collated<T> => {
    const batch = walkSamples(samples, walkOf(indices)) as Collated<T>;
    if (mask === undefined) return batch;
    const lengths = lengthsOf(samples, fields?.[0]);
    if (lengths === null || typeof samples[0] !== "object" || Array.isArray(samples[0]))
      throw new TypeError(
        `padSequences: { mask: "${mask}" } adds a field and needs samples that are objects with sequences`,
      );
    const made = maskOf(lengths, paddedLength, options.side);
    return { ...batch, [mask]: dtypes[mask] === undefined ? made : made.cast(dtypes[mask]) };
  };
  const measure = (samples: readonly T[]): { real: number; padded: number } => {
    const lengths = lengthsOf(samples, fields?.[0]) ?? [];
    return {
      real: lengths.reduce((a, b) => a + b, 0),
      padded: lengths.length === 0 ? 0 : lengths.length * paddedLength(Math.max(...lengths)),
    };
  };
  return Object.assign(pad, { paddedLength, measure });
}

/** The length that sequences up to a length are padded to; null where they are too long. */
function lengthRule({
  padToMultipleOf,
  boundaries,
}: PadOptions): (length: number) => number | null {
  if (padToMultipleOf !== undefined) {
    if (boundaries !== undefined)
      throw new TypeError("padSequences: give padToMultipleOf or boundaries, not both");
    const step = checkCount("padSequences", "padToMultipleOf", padToMultipleOf, 1);
    return (length) => Math.ceil(length / step) * step;
  }
  if (boundaries === undefined) return defaultPaddedLength;
  boundaries.forEach((boundary, i) =>
    checkCount("padSequences", "each boundary", boundary, (boundaries[i - 1] ?? 0) + 1),
  );
  return (length) => boundaries.find((boundary) => boundary >= length) ?? null;
}

const tooLong = (length: number, { boundaries = [] }: PadOptions): string =>
  `a sequence of length ${length} is longer than the last boundary, ${boundaries.at(-1) ?? "of which there is none"}; cut it or add a boundary`;

function joinPadded(
  elements: readonly Elements[],
  path: string,
  walk: Walk,
  options: PadOptions,
  rule: (length: number) => number | null,
): Tensor {
  const { value = 0, side = "right" } = options;
  const dtype: DType = fieldDType(elements, path, walk);
  const [, ...rest] = elements[0]!.shape;
  let longest = 0;
  elements.forEach(({ shape }, i) => {
    if (shape.length === 0 || !sameShape(shape.slice(1), rest))
      throw new ShapeError(
        `padSequences: ${place(path, walk.indices[i]!)} has shape ${formatShape(shape)}, that of sample ${walk.indices[0]} ${formatShape(elements[0]!.shape)}; only the first dimension may differ`,
      );
    if (shape[0]! > shape0(elements[longest]!)) longest = i;
  });
  const where = (i: number): string => `padSequences: ${place(path, walk.indices[i]!)}`;
  const size = rule(shape0(elements[longest]!));
  if (size === null)
    throw new RangeError(`${where(longest)}: ${tooLong(shape0(elements[longest]!), options)}`);
  const row = numel(rest);
  const host = hostArray(dtype, elements.length * size * row);
  const filler = typeof value === "number" ? value : (value[path] ?? 0);
  if (filler !== 0) {
    const one = hostArray(dtype, 1);
    fillSample(one, 0, { data: [filler], shape: [], dtype: null }, dtype, `padSequences: value`);
    host.fill(one[0] as never);
  }
  elements.forEach((given, i) => {
    const left = side === "left" ? size - shape0(given) : 0;
    fillSample(host, (i * size + left) * row, given, dtype, where(i));
  });
  return hostTensor(host, dtype, [elements.length, size, ...rest]);
}

const shape0 = ({ shape }: Elements): number => shape[0]!;

/** The length of the sequences, in a field or in the first one that is a sequence; null where there are none. */
function lengthsOf(samples: readonly unknown[], field: string | undefined): number[] | null {
  const path = field === undefined ? firstSequence(samples[0]) : field.split(".");
  if (path === null) return null;
  return samples.map((sample) => {
    let item = sample;
    for (const key of path) item = (item as Record<string, unknown>)[key];
    return shapeOf(item)?.[0] ?? 0;
  });
}

const shapeOf = (item: unknown): Shape | null =>
  item instanceof Tensor ? item.shape : (elementsOf(item, "int32")?.shape ?? null);

function firstSequence(sample: unknown): string[] | null {
  const shape = shapeOf(sample);
  if (shape !== null) return shape.length > 0 ? [] : null;
  if (typeof sample !== "object" || sample === null) return null;
  for (const [key, item] of Object.entries(sample)) {
    const found = firstSequence(item);
    if (found !== null) return [key, ...found];
  }
  return null;
}

/** bool [B, T]: true where a sequence has a token. */
function maskOf(
  lengths: readonly number[],
  paddedLength: (length: number) => number,
  side: PadOptions["side"] = "right",
): Tensor {
  const size = paddedLength(Math.max(...lengths));
  const host = hostArray("bool", lengths.length * size);
  lengths.forEach((length, i) => {
    const start = i * size + (side === "left" ? size - length : 0);
    host.fill(1 as never, start, start + length);
  });
  return hostTensor(host, "bool", [lengths.length, size]);
}
