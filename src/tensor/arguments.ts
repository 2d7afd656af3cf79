/** Arguments that methods take in more than one form, and their checks. */

import { ShapeError, type Shape } from "../graph/shape.ts";

/** One dimension or several; negative ones count from the end. */
export type Dims = number | readonly number[];

export interface KeepdimOptions {
  /** Keep reduced dimensions with size 1. */
  readonly keepdim?: boolean;
}

export interface ReduceOptions extends KeepdimOptions {
  /** Dimensions to reduce; all unless given. */
  readonly dim?: Dims;
}

/** A shape as an array or as arguments: `reshape([2, 3])` or `reshape(2, 3)`. */
export type ShapeArguments = readonly number[] | readonly [shape: Shape];

export function shapeOf(args: ShapeArguments): Shape {
  return args.length === 1 && typeof args[0] !== "number" ? args[0] : (args as readonly number[]);
}

/** `sum(1, { keepdim: true })` and `sum({ dim: 1, keepdim: true })` as options. */
export function reduceOptions<O extends ReduceOptions>(
  op: string,
  dim: Dims | O | undefined,
  options: Omit<O, "dim"> | undefined,
  known: readonly (keyof O & string)[] = ["dim", "keepdim"],
): O {
  const given = (
    dim === undefined || typeof dim === "number" || Array.isArray(dim)
      ? { ...options, ...(dim === undefined ? {} : { dim }) }
      : dim
  ) as O;
  return checkOptions(op, given, known);
}

/** Refuses options that a function does not have: misspelt ones would be ignored. */
export function checkOptions<O extends object>(
  op: string,
  options: O,
  known: readonly string[],
): O {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new ShapeError(
      `${op}: options must be an object such as { ${known[0]!}: … }, got ${String(options)}`,
    );
  const odd = Object.keys(options).find((key) => !known.includes(key));
  if (odd !== undefined)
    throw new ShapeError(`${op}: unknown option "${odd}", expected ${known.join(", ")}`);
  return options;
}
