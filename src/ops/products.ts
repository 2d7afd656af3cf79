/** Products of vectors and matrices by PyTorch's names, with the ranks each of them asks for. */

import { promote } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { formatShape, numel, resolveDim, ShapeError } from "../graph/shape.ts";
import { add, div, mul, sqrt, sub } from "./elementwise.ts";
import { cast } from "./elementwise-rules.ts";
import { contract } from "./contract.ts";
import { matmul } from "./matmul.ts";
import { diagonal } from "./rearrange.ts";
import { mean } from "./reduce.ts";
import { concat, reshape, slice } from "./shape.ts";
import { sum } from "./sum.ts";

function needRanks(op: string, operands: readonly Value[], ranks: readonly number[]): void {
  if (operands.some((x, i) => x.shape.length !== ranks[i]))
    throw new ShapeError(
      `${op}: needs ${ranks.map((rank) => `${rank}-d`).join(" and ")}, got ${operands.map((x) => formatShape(x.shape)).join(" and ")}`,
    );
}

/** A product of operands of the ranks given: mm, mv, bmm, dot. */
export function productOf(
  op: string,
  a: Value,
  b: Value,
  ranks: readonly [number, number],
  alpha = 1,
): Value {
  needRanks(op, [a, b], ranks);
  const inner = b.shape.length === 1 ? b.shape[0] : b.shape.at(-2);
  const batches = op === "bmm" && a.shape[0] !== b.shape[0];
  if (a.shape.at(-1) !== inner || batches)
    throw new ShapeError(
      `${op}: sizes do not fit, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  return matmul(a, b, { alpha });
}

/** beta · x + alpha · a b: addmm, addmv, baddbmm. */
export function addProduct(
  op: string,
  [x, a, b]: readonly [Value, Value, Value],
  ranks: readonly [number, number],
  beta: number,
  alpha: number,
): Value {
  const product = productOf(op, a, b, ranks, alpha);
  // With beta 0 the tensor counts for nothing, NaN in it included.
  if (beta === 0) return product;
  return add(beta === 1 ? x : mul(x, beta), product);
}

/** a[i] b[j] for vectors. */
export function outer(a: Value, b: Value): Value {
  needRanks("outer", [a, b], [1, 1]);
  return mul(reshape(a, [a.shape[0]!, 1]), b);
}

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

/** Σ a · b over pairs of dimensions: the last `n` of a with the first `n` of b, or those listed. */
export function tensordot(
  a: Value,
  b: Value,
  dims: number | readonly [readonly number[], readonly number[]],
): Value {
  const [n, m] = [a.shape.length, b.shape.length];
  const count = (k: number): number[] => Array.from({ length: k }, (_, i) => i);
  if (typeof dims === "number" && !(Number.isInteger(dims) && dims >= 0 && dims <= Math.min(n, m)))
    throw new ShapeError(
      `tensordot: dims must be 0 … ${Math.min(n, m)} for ${formatShape(a.shape)} and ${formatShape(b.shape)}, got ${dims}`,
    );
  const [left, right] =
    typeof dims === "number" ? [count(dims).map((i) => n - dims + i), count(dims)] : dims;
  const dtype = promote(a.dtype, b.dtype);
  const [labelsA, labelsB] = [names("a", n), names("b", m)];
  if (left.length !== right.length)
    throw new ShapeError(
      `tensordot: lists of dimensions must be equally long, got ${left.length} and ${right.length}`,
    );
  left.forEach((dim, i) => {
    const at = resolveDim("tensordot", dim, n);
    const other = resolveDim("tensordot", right[i]!, m);
    if (a.shape[at] !== b.shape[other])
      throw new ShapeError(
        `tensordot: dimension ${dim} of ${formatShape(a.shape)} and ${right[i]} of ${formatShape(b.shape)} differ in size`,
      );
    labelsB[other] = labelsA[at]!;
  });
  const kept = new Set(
    [...labelsA, ...labelsB].filter((l) => !(labelsA.includes(l) && labelsB.includes(l))),
  );
  return contract(
    { value: cast(a, dtype), labels: labelsA },
    { value: cast(b, dtype), labels: labelsB },
    kept,
  ).value;
}

/** Σ over the last dimensions of both; with a 0-d operand the product. */
export function inner(a: Value, b: Value): Value {
  if (a.shape.length === 0 || b.shape.length === 0) return mul(a, b);
  if (a.shape.at(-1) !== b.shape.at(-1))
    throw new ShapeError(
      `inner: last dimensions differ, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  return tensordot(a, b, [[-1], [-1]]);
}

/** Kronecker's product: each element of `a` times all of `b`. */
export function kron(a: Value, b: Value): Value {
  const rank = Math.max(a.shape.length, b.shape.length);
  const sizes = (x: Value): number[] => [
    ...Array.from({ length: rank - x.shape.length }, () => 1),
    ...x.shape,
  ];
  const [left, right] = [sizes(a), sizes(b)];
  const spread = (own: readonly number[], first: boolean): number[] =>
    own.flatMap((size) => (first ? [size, 1] : [1, size]));
  const product = mul(reshape(a, spread(left, true)), reshape(b, spread(right, false)));
  return reshape(
    product,
    left.map((size, i) => size * right[i]!),
  );
}

/** The vector product along a dimension of size 3, the first one unless given. */
export function cross(a: Value, b: Value, dim?: number): Value {
  const rank = a.shape.length;
  const axis = dim === undefined ? a.shape.indexOf(3) : resolveDim("cross", dim, rank);
  if (rank !== b.shape.length || a.shape[axis] !== 3 || b.shape[axis] !== 3)
    throw new ShapeError(
      `cross: needs two tensors of one rank with a dimension of size 3, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  const turned = (x: Value, by: number): Value =>
    concat([slice(x, axis, by), slice(x, axis, 0, by)], axis);
  return sub(mul(turned(a, 1), turned(b, 2)), mul(turned(a, 2), turned(b, 1)));
}

/** The sum of a matrix's diagonal. */
export function trace(x: Value): Value {
  needRanks("trace", [x], [2]);
  return sum(diagonal(x, 0, 0, 1));
}

/** A square matrix times itself; n ≥ 0. */
export function matrixPower(x: Value, n: number): Value {
  const [rows, columns] = [x.shape.at(-2), x.shape.at(-1)];
  if (!Number.isInteger(n) || n < 1)
    throw new ShapeError(`matrixPower: n must be a positive integer, got ${n}`);
  if (rows === undefined || rows !== columns)
    throw new ShapeError(`matrixPower: needs square matrices, got ${formatShape(x.shape)}`);
  if (n === 1) return x;
  const half = matrixPower(x, n >> 1);
  const square = matmul(half, half);
  return n % 2 === 0 ? square : matmul(square, x);
}

/** Covariances of the rows of a matrix (variables) over its columns (observations). */
export function cov(x: Value, correction: number): Value {
  if (x.shape.length > 2)
    throw new ShapeError(`cov: needs at most two dimensions, got ${formatShape(x.shape)}`);
  const rows = x.shape.length === 2 ? x : reshape(x, [1, numel(x.shape)]);
  const [variables, count] = [rows.shape[0]!, rows.shape[1]!];
  const centred = sub(rows, reshape(mean(rows, 1), [variables, 1]));
  const products = matmul(centred, centred, { transB: true });
  const result = div(products, Math.max(0, count - correction));
  return x.shape.length === 2 ? result : reshape(result, []);
}

/** Correlations of the rows of a matrix. */
export function corrcoef(x: Value): Value {
  const c = cov(x, 1);
  if (c.shape.length === 0) return div(c, c);
  const deviations = sqrt(diagonal(c, 0, 0, 1));
  return div(div(c, reshape(deviations, [c.shape[0]!, 1])), deviations);
}
