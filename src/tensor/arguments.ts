/** Arguments that methods take in more than one form, and their checks. */

import type { Shape } from "../graph/shape.ts";

/** One dimension or several; negative ones count from the end. */
export type Dims = number | readonly number[];

/** Whether reduced dimensions are kept. */
export interface KeepdimOptions {
  /** Keep reduced dimensions with size 1. */
  readonly keepdim?: boolean;
}

/** Which dimensions are reduced, and whether they are kept. */
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
  if (options !== undefined) checkOptions(op, options, known);
  if (dim === undefined) return { ...options } as O;
  if (typeof dim === "number" || Array.isArray(dim)) return { ...options, dim } as unknown as O;
  return { ...options, ...checkOptions(op, dim as O, known) };
}

/** Whether something is an object made by `{ … }`: nothing of a tensor's or module's would be an option. */
function isPlain(x: unknown): boolean {
  if (typeof x !== "object" || x === null) return false;
  const prototype: unknown = Object.getPrototypeOf(x);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Refuses options that a function does not have: misspelt ones would be ignored. @throws TypeError naming those it has */
export function checkOptions<O extends object>(
  op: string,
  options: O,
  known: readonly string[],
): O {
  const given: unknown = options;
  if (!isPlain(given))
    throw new TypeError(
      `${op}: options must be an object such as { ${known[0]!}: … }, got ${String(given).split("\n")[0]!}`,
    );
  const odd = Object.keys(options).find((key) => !known.includes(key));
  if (odd !== undefined)
    throw new TypeError(`${op}: unknown option "${odd}", expected ${known.join(", ")}`);
  return options;
}
