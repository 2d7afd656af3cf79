/** Makes batches of samples: the same structure, with one tensor in place of each field's numbers. */

import { checkDType, hostArray, type DType, type TypedArray } from "../graph/dtype.ts";
import { formatShape, numel, sameShape, ShapeError, type Shape } from "../graph/shape.ts";
import { stack } from "../joining.ts";
import { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import { elementsOf, fill, hostTensor, type Elements, type Scalar } from "./elements.ts";

/** What `collate` makes of samples of a type. */
export type Collated<T> = T extends Tensor | Scalar | TypedArray | readonly Scalar[]
  ? Tensor
  : T extends string
    ? string[]
    : T extends readonly unknown[] | object
      ? { -readonly [K in keyof T]: Collated<T[K]> }
      : never;

/** Makes a batch of samples, whose indices in the data set it gets too. */
export interface Collate<T, B> {
  (samples: readonly T[], indices: readonly number[]): B | Promise<B>;
  /** The length that a batch gets whose longest sequence is that long; without it, that length. */
  readonly paddedLength?: (length: number) => number;
  /** Tokens of samples, and tokens of the batch they become. */
  readonly measure?: (samples: readonly T[]) => { readonly real: number; readonly padded: number };
}

/** How samples are made a batch. */
export interface CollateOptions {
  /** Dtypes by field, for instance { label: "int32" }; fields of fields are named "a.b", tuples' by their place, "1". */
  readonly dtypes?: Readonly<Record<string, DType>>;
}

/** How a walk through samples makes tensors of fields. */
export interface Walk {
  readonly op: string;
  readonly indices: readonly number[];
  readonly dtypes: Readonly<Record<string, DType>>;
  /** The dtype of a field's plain numbers. */
  readonly numbers: (path: string, item: unknown) => DType;
  readonly join: (elements: readonly Elements[], path: string, walk: Walk) => Tensor;
}

/**
 * Stacks samples along a new first dimension: torch's default_collate. Numbers become float32, booleans bool, bigints int64,
 * typed arrays and tensors keep their dtype; an array of plain numbers is a vector. Objects and other arrays keep their
 * structure and are collated field by field; strings become a list. Each field is one host array: nothing is recorded,
 * except for tensors that are not on the host, which are stacked. Throws for samples that differ, naming field and sample.
 * https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.default_collate
 */
export const collate = <T>(
  samples: readonly T[],
  indices: readonly number[] = samples.map((_, i) => i),
): Collated<T> => walkSamples(samples, stacking(indices, {})) as Collated<T>;

/** As `collate`, with dtypes for some fields: `collate: collateAs({ dtypes: { label: "int32" } })`. */
export function collateAs<T>(options: CollateOptions): Collate<T, Collated<T>> {
  const { dtypes = {} } = checkOptions("collateAs", options, ["dtypes"]);
  checkDTypes("collateAs", dtypes);
  return (samples, indices) => walkSamples(samples, stacking(indices, dtypes)) as Collated<T>;
}

export function checkDTypes(op: string, dtypes: Readonly<Record<string, DType>>): void {
  for (const dtype of Object.values(dtypes)) checkDType(op, dtype);
}

const stacking = (indices: readonly number[], dtypes: Walk["dtypes"]): Walk => ({
  op: "collate",
  indices,
  dtypes,
  numbers: () => "float32",
  join: joinEqual,
});

export function walkSamples(samples: readonly unknown[], walk: Walk): unknown {
  if (samples.length === 0) throw new RangeError(`${walk.op}: expected at least one sample`);
  return collateField(samples, "", walk);
}

/** Names a field of a sample in errors. */
export const place = (path: string, sample: number): string =>
  path === "" ? `sample ${sample}` : `field "${path}" of sample ${sample}`;

const within = (path: string, key: string | number): string =>
  path === "" ? String(key) : `${path}.${key}`;

function collateField(items: readonly unknown[], path: string, walk: Walk): unknown {
  const { op, indices } = walk;
  const first = items[0];
  const kind = kindOf(first);
  const odd = items.findIndex((item) => kindOf(item) !== kind);
  if (odd !== -1)
    throw new TypeError(
      `${op}: ${place(path, indices[odd]!)} is ${kindOf(items[odd])}, that of sample ${indices[0]} ${kind}; all samples must be alike`,
    );
  if (kind === "a string") return [...items];
  if (kind === "a tensor" && !items.every((item) => elementsOf(item, "float32") !== null))
    return stackTensors(items as readonly Tensor[], path, walk);
  const elements = numbersOf(items, path, walk);
  if (elements !== null) return walk.join(elements, path, walk);
  if (kind === "an array") return collateTuple(items as readonly unknown[][], path, walk);
  if (kind === "an object") return collateObject(items as readonly object[], path, walk);
  throw new TypeError(
    `${op}: ${place(path, indices[0]!)} is ${kind}, expected numbers, typed arrays, tensors, strings, or arrays and plain objects of them; give { collate } for anything else`,
  );
}

/** The elements of each sample; null where they are no numbers. */
function numbersOf(items: readonly unknown[], path: string, walk: Walk): Elements[] | null {
  const found: Elements[] = [];
  for (const item of items) {
    const elements = elementsOf(item, walk.numbers(path, item));
    if (elements === null) return null;
    found.push(elements);
  }
  return found;
}

function collateTuple(items: readonly (readonly unknown[])[], path: string, walk: Walk): unknown {
  const { length } = items[0]!;
  const odd = items.findIndex((item) => item.length !== length);
  if (odd !== -1)
    throw new ShapeError(
      `${walk.op}: ${place(path, walk.indices[odd]!)} has ${items[odd]!.length} items, that of sample ${walk.indices[0]} has ${length}`,
    );
  return items[0]!.map((_, k) =>
    collateField(
      items.map((item) => item[k]),
      within(path, k),
      walk,
    ),
  );
}

function collateObject(items: readonly object[], path: string, walk: Walk): unknown {
  const keys = Object.keys(items[0]!);
  items.forEach((item, i) => {
    const missing = keys.find((key) => !Object.hasOwn(item, key));
    const extra = Object.keys(item).find((key) => !keys.includes(key));
    if (missing !== undefined || extra !== undefined)
      throw new TypeError(
        `${walk.op}: ${place(path, walk.indices[i]!)} ${missing === undefined ? `has a field "${extra}" that` : `lacks the field "${missing}" that`} sample ${walk.indices[0]} ${missing === undefined ? "lacks" : "has"}; all samples must be alike`,
      );
  });
  return Object.fromEntries(
    keys.map((key) => [
      key,
      collateField(
        items.map((item) => (item as Record<string, unknown>)[key]),
        within(path, key),
        walk,
      ),
    ]),
  );
}

function kindOf(item: unknown): string {
  if (item instanceof Tensor) return "a tensor";
  if (Array.isArray(item)) return "an array";
  if (ArrayBuffer.isView(item)) return "a typed array";
  if (item === null || item === undefined) return String(item);
  if (typeof item !== "object") return `a ${typeof item}`;
  const proto: unknown = Object.getPrototypeOf(item);
  return proto === Object.prototype || proto === null
    ? "an object"
    : `a ${(item.constructor as { name: string }).name}`;
}

/** The dtype of a field: as an option says, or that of its elements. */
export function fieldDType(elements: readonly Elements[], path: string, walk: Walk): DType {
  const given = Object.hasOwn(walk.dtypes, path) ? walk.dtypes[path] : undefined;
  if (given !== undefined) return given;
  const { dtype, data } = elements[0]!;
  if (dtype === null)
    throw new TypeError(
      `${walk.op}: ${place(path, walk.indices[0]!)} is a ${data.constructor.name}, which is no dtype's array; say how to hold it, e.g. { dtypes: { ${JSON.stringify(path)}: "float32" } }`,
    );
  const odd = elements.findIndex((other) => other.dtype !== dtype);
  if (odd !== -1)
    throw new TypeError(
      `${walk.op}: ${place(path, walk.indices[odd]!)} is ${elements[odd]!.dtype}, that of sample ${walk.indices[0]} ${dtype}; all samples must be alike`,
    );
  return dtype;
}

/** Writes one sample's elements where they belong, naming the sample if they cannot be held. */
export function fillSample(
  host: TypedArray,
  at: number,
  elements: Elements,
  to: DType,
  where: string,
): void {
  try {
    fill(host, at, elements, to);
  } catch (error) {
    throw new RangeError(`${where}: ${(error as Error).message}`, { cause: error });
  }
}

/** Elements of one shape as a tensor with one more dimension in front. */
export function joinEqual(elements: readonly Elements[], path: string, walk: Walk): Tensor {
  const dtype = fieldDType(elements, path, walk);
  const { shape } = elements[0]!;
  const size = numel(shape);
  const host = hostArray(dtype, elements.length * size);
  elements.forEach((given, i) => {
    checkAlike(given.shape, shape, i, path, walk);
    fillSample(host, i * size, given, dtype, `${walk.op}: ${place(path, walk.indices[i]!)}`);
  });
  return hostTensor(host, dtype, [elements.length, ...shape]);
}

function checkAlike(got: Shape, expected: Shape, i: number, path: string, walk: Walk): void {
  if (!sameShape(got, expected))
    throw new ShapeError(
      `${walk.op}: ${place(path, walk.indices[i]!)} has shape ${formatShape(got)}, that of sample ${walk.indices[0]} ${formatShape(expected)}; use { collate: padSequences() } for sequences, or make samples of one shape`,
    );
}

function stackTensors(tensors: readonly Tensor[], path: string, walk: Walk): Tensor {
  tensors.forEach(({ shape }, i) => checkAlike(shape, tensors[0]!.shape, i, path, walk));
  const joined = stack(tensors);
  const dtype = Object.hasOwn(walk.dtypes, path) ? walk.dtypes[path]! : joined.dtype;
  return dtype === joined.dtype ? joined : joined.cast(dtype);
}
