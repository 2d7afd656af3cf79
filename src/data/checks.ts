/** Checks of what users give to data sets and loaders. */

/** Throws unless a number is an integer of at least `least`. */
export function checkCount(op: string, name: string, value: unknown, least: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < least)
    throw new RangeError(
      `${op}: ${name} must be an integer of at least ${least}, got ${String(value)}`,
    );
  return value as number;
}

/** Throws unless an index points into a data set. */
export function checkIndex(op: string, index: number, length: number): number {
  if (!Number.isInteger(index) || index < 0 || index >= length)
    throw new RangeError(
      length === 0
        ? `${op}: index ${String(index)} into an empty data set`
        : `${op}: index ${String(index)} is out of range, expected 0 … ${length - 1}`,
    );
  return index;
}

/** Whether a value has to be waited for. */
export const isPromise = <T>(value: T | Promise<T>): value is Promise<T> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === "function";
