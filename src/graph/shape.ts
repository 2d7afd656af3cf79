/** Shape arithmetic shared by every operation: sizes, dimensions counted from the end, broadcasting. */

export type Shape = readonly number[];

export const formatShape = (shape: Shape): string => `[${shape.join(",")}]`;

/** Number of elements. */
export function numel(shape: Shape): number {
  let n = 1;
  for (const size of shape) n *= size;
  return n;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Thrown for shapes, dimensions or dtypes an operation cannot take, at the call that caused it. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
}

/** Checks that all operands have one dtype, where nothing is converted by itself. */
export function checkSameDType(op: string, operands: readonly { readonly dtype: string }[]): void {
  const found = [...new Set(operands.map(({ dtype }) => dtype))];
  if (found.length > 1)
    throw new ShapeError(
      `${op}: all tensors must have one dtype, got ${found.join(" and ")}; cast them to one`,
    );
}

/** Resolves a dimension that may count from the end (`-1` is the last). */
export function resolveDim(op: string, dim: number, rank: number): number {
  const resolved = dim < 0 ? dim + rank : dim;
  if (!Number.isInteger(dim) || resolved < 0 || resolved >= rank) {
    const range = rank === 0 ? "the tensor has none" : `expected ${-rank} … ${rank - 1}`;
    throw new ShapeError(`${op}: dimension ${dim} is out of range, ${range}`);
  }
  return resolved;
}

/** Resolves one, several or all (`undefined`) dimensions to a sorted list without repeats. */
export function resolveDims(
  op: string,
  dims: number | readonly number[] | undefined,
  rank: number,
): number[] {
  if (dims === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = (typeof dims === "number" ? [dims] : dims).map((dim) => resolveDim(op, dim, rank));
  list.sort((a, b) => a - b);
  for (let i = 1; i < list.length; i++) {
    if (list[i] === list[i - 1])
      throw new ShapeError(`${op}: dimension ${list[i]} appears twice in ${formatShape(list)}`);
  }
  return list;
}

/** NumPy broadcasting of two shapes. */
export function broadcast(op: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b) || b.length === 0) return a;
  if (a.length === 0) return b;
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - 1 - i] ?? 1;
    const y = b[b.length - 1 - i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(
        `${op}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast, ` +
          `sizes ${x} and ${y} differ at dimension ${-1 - i} and neither is 1`,
      );
    }
    out[rank - 1 - i] = x === 1 ? y : x;
  }
  return out;
}

/** Checks that a shape is an array of integers, of which -1 may mean something to the operation. */
export function checkSizes(op: string, shape: Shape): Shape {
  // Not narrowed: `isArray` would make its elements any.
  const isArray: boolean = Array.isArray(shape);
  if (!isArray)
    throw new ShapeError(
      `${op}: the shape must be an array of sizes, e.g. [2, 3], got ${String(shape)}`,
    );
  if (!shape.every(Number.isInteger))
    throw new ShapeError(`${op}: sizes must be integers, got [${shape.map(String).join()}]`);
  return shape;
}

/** Checks that every size is a non-negative integer. */
export function checkShape(op: string, shape: Shape): Shape {
  if (!Array.isArray(shape)) checkSizes(op, shape);
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 0)
      throw new ShapeError(`${op}: sizes must be non-negative integers, got ${formatShape(shape)}`);
  }
  return shape;
}

/** Row-major strides, in elements. */
export function strides(shape: Shape): number[] {
  const out = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    out[i] = stride;
    stride *= shape[i] ?? 1;
  }
  return out;
}
