/** Padding with the tensor's own elements: mirrored, repeated, or from the other side. */

import type { Value } from "../graph/node.ts";
import { concat, expand, flip, slice } from "./shape.ts";

/** What stands around the edge: elements mirrored there, the edge itself, or elements of the other end. */
export type PadMode = "reflect" | "replicate" | "circular";

/** Adds `before` and `after` elements around dimension `dim`; not more than there are to take. */
export function padWith(
  mode: PadMode,
  x: Value,
  dim: number,
  before: number,
  after: number,
): Value {
  const size = x.shape[dim]!;
  const from = (start: number, end: number): Value => slice(x, dim, start, end);
  const repeated = (part: Value, count: number): Value =>
    expand(
      part,
      part.shape.map((n, i) => (i === dim ? count : n)),
    );
  const sides = {
    // The edge itself is not repeated.
    reflect: () => [
      flip(from(1, before + 1), [dim]),
      flip(from(size - 1 - after, size - 1), [dim]),
    ],
    replicate: () => [repeated(from(0, 1), before), repeated(from(size - 1, size), after)],
    circular: () => [from(size - before, size), from(0, after)],
  }[mode]();
  const parts = [sides[0]!, x, sides[1]!].filter((part) => part.shape[dim]! > 0);
  return concat(parts, dim);
}
