/** Attributes of ONNX's nodes, with the values that they have where a node does not say. */

import type { NodeProto } from "../onnx/proto.ts";

/** An attribute that is one number. */
export function numberAttribute(
  { attributes }: Pick<NodeProto, "attributes">,
  name: string,
  otherwise: number,
): number {
  const value = attributes[name];
  return value?.kind === "int" || value?.kind === "float" ? Number(value.value) : otherwise;
}
