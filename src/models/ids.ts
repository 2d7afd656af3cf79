/** Token ids as users give them to models: what is none is told before an operation fails on it. */

import { Tensor } from "../tensor.ts";

/** What was given, in words. */
function kindOf(given: unknown): string {
  if (given instanceof Tensor) return "a tensor";
  if (Array.isArray(given)) return "an array";
  return typeof given === "object" && given !== null ? "an object" : String(given);
}

/** Throws unless something is a list of lists of ids, each an array or typed array. */
export function checkIdLists(op: string, name: string, lists: unknown): void {
  if (!Array.isArray(lists))
    throw new TypeError(
      `${op}: expected an array of ${name}s, each an array of ids, got ${kindOf(lists)}; await ids.toArray() makes arrays of a tensor`,
    );
  lists.forEach((ids: unknown, i) => {
    if (!Array.isArray(ids) && !ArrayBuffer.isView(ids))
      throw new TypeError(
        `${op}: ${name} ${i} must be an array of ids, got ${kindOf(ids)}; a single ${name} is given as [ids]`,
      );
  });
}

/** Throws for what `forward` of a model cannot take: ids that are no tensors, and arguments that it does not have. */
export function checkForward(
  op: string,
  ids: Readonly<Record<string, unknown>>,
  others: readonly unknown[],
): void {
  const names = Object.keys(ids);
  for (const name of names)
    if (!(ids[name] instanceof Tensor))
      throw new TypeError(
        `${op}: ${name} must be a tensor of ids [batch, length], got ${kindOf(ids[name])}; tensor(rows, { dtype: "int32" }) makes one`,
      );
  if (others.length > 0)
    throw new TypeError(
      `${op}: takes ${names.join(" and ")} alone, got ${kindOf(others[0])} too; the model masks what its padId fills up itself`,
    );
}
