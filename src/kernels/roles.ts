/** What each node of a program could do in a kernel. */

import type { TypeSpec } from "../graph/node.ts";
import { broadcast, numel } from "../graph/shape.ts";
import type { NodeProto } from "../onnx/proto.ts";
import { numberAttribute } from "./attributes.ts";
import { kernelDTypes } from "./loop.ts";
import { resultDType } from "./operators.ts";
import { productOf } from "./products.ts";
import type { Program } from "./program.ts";
import { noteResultTypes } from "./result-types.ts";
import { isRowOperator, rowsOf } from "./row-operators.ts";

/** How a node takes part in a kernel. */
export type Role =
  /** Each element of the result is made of one of each operand; or is the operand itself, in another shape. */
  | { readonly kind: "element" | "alias" }
  /** A sum, mean or maximum of each row. */
  | { readonly kind: "reduce"; readonly columns: number; readonly by: "sum" | "mean" | "max" }
  /** Elements made of all those of their row: layer normalization, whose statistics are results too, or softmax. */
  | { readonly kind: "rows"; readonly columns: number }
  /** Sums over all rows. */
  | { readonly kind: "sums"; readonly columns: number };

/** The value whose elements a node takes part in walking over. */
export const walkedOver = ({ inputs, outputs }: NodeProto, role: Role): string =>
  role.kind === "element" ? outputs[0]! : inputs[0]!;

/** A node's part in a kernel, null where it can have none; notes the types of its results. Nodes come in order. */
export function roleOf(program: Program, node: NodeProto): Role | null {
  const { types } = program;
  const operands = node.inputs.map((name) => types.get(name));
  const [first] = operands;
  const [result] = node.outputs;
  if (first === undefined || result === undefined) return null;

  noteResultTypes(program, node);
  const product = productOf(node, (name) => types.get(name));
  if (product !== null) program.note(result, { dtype: "float32", shape: product.shape });
  if ((node.domain ?? "") !== "") return null;
  if (node.opType === "Reshape") {
    const sizes = program.integers(node.inputs[1]!);
    if (sizes === null || numel(first.shape) === 0) return null;
    program.note(result, { dtype: first.dtype, shape: reshaped(first.shape, sizes) });
    return kernelDTypes.has(first.dtype) ? { kind: "alias" } : null;
  }
  if (node.opType in reductions) return reductionOf(program, node, first);
  if (isRowOperator(node)) {
    const columns = rowsOf(node, first.shape);
    program.note(result, first);
    const known = node.outputs.every((name) => types.has(name));
    return columns === null || first.dtype !== "float32" || !known
      ? null
      : { kind: "rows", columns };
  }
  const all = operands.filter((type) => type !== undefined);
  const computed =
    all.length === operands.length && all.every(({ dtype }) => kernelDTypes.has(dtype));
  const operandTypes = all.map(({ dtype }) => dtype);
  const dtype = computed ? resultDType(node, operandTypes) : null;
  if (dtype === null) return null;
  program.note(result, {
    dtype,
    shape: all.map(({ shape }) => shape).reduce((a, b) => broadcast(node.opType, a, b)),
  });
  return { kind: "element" };
}

const reductions = { ReduceSum: "sum", ReduceMean: "mean", ReduceMax: "max" } as const;

function reductionOf(program: Program, node: NodeProto, { dtype, shape }: TypeSpec): Role | null {
  const dims = node.inputs[1] === undefined ? null : program.integers(node.inputs[1]);
  if (dims === null || dims.length === 0) return null;
  const axes = new Set(dims.map((dim) => (dim < 0 ? dim + shape.length : dim)));
  const keep = numberAttribute(node, "keepdims", 1) === 1;
  program.note(node.outputs[0]!, {
    dtype,
    shape: shape.flatMap((size, i) => (!axes.has(i) ? [size] : keep ? [1] : [])),
  });
  if (dtype !== "float32") return null;
  const by = reductions[node.opType as keyof typeof reductions];
  const isReduced = shape.map((_, i) => axes.has(i));
  const after = isReduced.lastIndexOf(false) + 1;
  const until = isReduced.indexOf(false);
  // What is kept comes first, then what is summed; or the other way round.
  if (!isReduced.slice(0, after).includes(true))
    return { kind: "reduce", columns: numel(shape.slice(after)), by };
  if (by === "sum" && !isReduced.slice(until).includes(true))
    return { kind: "sums", columns: numel(shape.slice(until)) };
  return null;
}

/** ONNX's rule for Reshape: 0 keeps a size, −1 stands for what is left. */
function reshaped(shape: readonly number[], sizes: readonly number[]): number[] {
  const known = sizes.map((size, i) => (size === 0 ? (shape[i] ?? 0) : size));
  const product = numel(known.filter((size) => size > 0));
  return known.map((size) => (size < 0 ? numel(shape) / product : size));
}
