/** Attributes of ONNX's nodes, with the values that they have where a node does not say. */

import { type DType, dtypeOfOnnx } from "../graph/dtype.ts";
import type { NodeProto } from "../onnx/proto.ts";

type WithAttributes = Pick<NodeProto, "attributes">;

/** An attribute that is one number. */
export function numberAttribute(
  { attributes }: WithAttributes,
  name: string,
  otherwise: number,
): number {
  const value = attributes[name];
  return value?.kind === "int" || value?.kind === "float" ? Number(value.value) : otherwise;
}

/** The dimension that a node works along, of a tensor with so many; the first, or another one, unless it says. */
export function axisOf(node: WithAttributes, rank: number, otherwise = 0): number {
  const axis = numberAttribute(node, "axis", otherwise);
  return axis < 0 ? axis + rank : axis;
}

/** What a Cast makes of elements; undefined for a type that tensors have not. */
export const castTarget = (node: WithAttributes): DType | undefined =>
  dtypeOfOnnx(numberAttribute(node, "to", 0));

/** The dimensions of a Transpose's input in the order of its result's; reversed unless it says. */
export const orderOf = ({ attributes: { perm } }: WithAttributes, rank: number): number[] =>
  perm?.kind === "ints"
    ? perm.value.map(Number)
    : Array.from({ length: rank }, (_, i) => rank - 1 - i);
