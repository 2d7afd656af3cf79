/** Types of results that lowerings do not tell: of nodes that only move or convert elements, and of products. */

import type { TypeSpec } from "../graph/node.ts";
import { broadcast } from "../graph/shape.ts";
import type { NodeProto } from "../onnx/proto.ts";
import { axisOf, castTarget, numberAttribute, orderOf } from "./attributes.ts";
import type { Program } from "./program.ts";

type Rule = (
  program: Program,
  node: NodeProto,
  inputs: readonly (TypeSpec | undefined)[],
) => readonly (readonly number[])[] | null;

const resized = (shape: readonly number[], axis: number, size: number): number[] =>
  shape.map((old, i) => (i === axis ? size : old));

/** Shapes of results from those of inputs. */
const rules: Readonly<Record<string, Rule>> = {
  Split: (program, node, [x]) => {
    const axis = axisOf(node, x!.shape.length);
    const sizes = node.inputs[1] === undefined ? null : program.integers(node.inputs[1]);
    if (sizes?.length !== node.outputs.length) return null;
    return sizes.map((size) => resized(x!.shape, axis, size));
  },
  Concat: (_program, node, inputs) => {
    const shapes = inputs.flatMap((type) => (type === undefined ? [] : [type.shape]));
    const axis = axisOf(node, inputs[0]!.shape.length);
    if (shapes.length !== inputs.length) return null;
    return [
      resized(
        shapes[0]!,
        axis,
        shapes.reduce((sum, shape) => sum + shape[axis]!, 0),
      ),
    ];
  },
  Transpose: (_program, node, [x]) => [orderOf(node, x!.shape.length).map((dim) => x!.shape[dim]!)],
  Expand: (program, node, [x]) => {
    const sizes = program.integers(node.inputs[1]!);
    return sizes === null ? null : [broadcast("Expand", x!.shape, sizes)];
  },
  // Positions are int64.
  TopK: (program, node, [x]) => {
    const [k] = program.integers(node.inputs[1]!) ?? [];
    const { shape } = x!;
    return k === undefined ? null : [resized(shape, axisOf(node, shape.length, -1), k)];
  },
  Identity: (_program, _node, [x]) => [x!.shape],
  Cast: (_program, _node, [x]) => [x!.shape],
  Gemm: (_program, node, [a, b]) => {
    if (b === undefined) return null;
    const [transA, transB] = [
      numberAttribute(node, "transA", 0),
      numberAttribute(node, "transB", 0),
    ];
    return [[a!.shape[transA]!, b.shape[1 - transB]!]];
  },
};

/** Notes the types of a node's results where those of its inputs tell them. */
export function noteResultTypes(program: Program, node: NodeProto): void {
  const rule = (node.domain ?? "") === "" ? rules[node.opType] : undefined;
  const inputs = node.inputs.map((name) => program.types.get(name));
  if (rule === undefined || inputs[0] === undefined) return;
  const dtype = node.opType === "Cast" ? castTarget(node) : inputs[0].dtype;
  if (dtype === undefined) return;
  rule(program, node, inputs)?.forEach((shape, i) => {
    program.note(node.outputs[i]!, { dtype, shape });
  });
}
