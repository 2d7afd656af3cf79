/** Sums of products of two tensors with named dimensions, as one batched matrix product where anything is summed. */

import type { Value } from "../graph/node.ts";
import { numel } from "../graph/shape.ts";
import { mul } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { permute, reshape } from "./shape.ts";
import { sum } from "./sum.ts";

/** A tensor with a name for each dimension, no name twice. */
export interface Labelled {
  readonly value: Value;
  readonly labels: readonly string[];
}

/** The dimensions in another order. */
export function arranged({ value, labels }: Labelled, order: readonly string[]): Value {
  return permute(
    value,
    order.map((label) => labels.indexOf(label)),
  );
}

/** Sums over dimensions. */
export function summedOut({ value, labels }: Labelled, away: readonly string[]): Labelled {
  if (away.length === 0) return { value, labels };
  return {
    value: sum(
      value,
      away.map((label) => labels.indexOf(label)),
    ),
    labels: labels.filter((label) => !away.includes(label)),
  };
}

const sameOrder = (a: readonly string[], b: readonly string[]): boolean =>
  a.every((label, i) => label === b[i]);

/**
 * Σ a · b over the dimensions that both have and `kept` does not name. The result has those both keep, then those of `a`
 * alone, then those of `b` alone.
 */
export function contract(a: Labelled, b: Labelled, kept: ReadonlySet<string>): Labelled {
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => kept.has(label));
  const summed = shared.filter((label) => !kept.has(label));
  const onlyA = a.labels.filter((label) => !shared.includes(label));
  const onlyB = b.labels.filter((label) => !shared.includes(label));
  const labels = [...batch, ...onlyA, ...onlyB];
  const size = (x: Labelled, names: readonly string[]): number[] =>
    names.map((label) => x.value.shape[x.labels.indexOf(label)]!);
  const [lead, rows, columns] = [size(a, batch), size(a, onlyA), size(b, onlyB)];

  if (summed.length === 0) {
    const ones = (names: readonly string[]): number[] => names.map(() => 1);
    const left = arranged(a, [...batch, ...onlyA]);
    const right = arranged(b, [...batch, ...onlyB]);
    const value = mul(
      reshape(left, [...lead, ...rows, ...ones(onlyB)]),
      reshape(right, [...lead, ...ones(onlyA), ...columns]),
    );
    return { value, labels };
  }

  // Where a tensor lies as the transpose of what the product needs, the product transposes it.
  const transA = sameOrder(a.labels, [...batch, ...summed, ...onlyA]) && onlyA.length > 0;
  const transB = !sameOrder(b.labels, [...batch, ...summed, ...onlyB]);
  const count = numel(size(a, summed));
  const stack = batch.length === 0 ? [] : [numel(lead)];
  const matrix = (x: Labelled, order: readonly string[], m: number, n: number): Value =>
    reshape(arranged(x, order), [...stack, m, n]);
  const left = transA
    ? matrix(a, [...batch, ...summed, ...onlyA], count, numel(rows))
    : matrix(a, [...batch, ...onlyA, ...summed], numel(rows), count);
  const right = transB
    ? matrix(b, [...batch, ...onlyB, ...summed], numel(columns), count)
    : matrix(b, [...batch, ...summed, ...onlyB], count, numel(columns));
  const product = matmul(left, right, { transA, transB });
  return { value: reshape(product, [...lead, ...rows, ...columns]), labels };
}
