/** Small ONNX models for the tests of executors. */

import { encodeModel, type NodeProto, type TensorProto } from "../../src/onnx/proto.ts";
import type { TensorSpec } from "../../src/runtime/executor.ts";

export interface SmallModel {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly nodes: readonly Omit<NodeProto, "name">[];
  readonly initializers?: readonly TensorProto[];
}

/** The bytes of a model; nodes are named by their place. */
export const modelBytes = ({ inputs, outputs, nodes, initializers = [] }: SmallModel): Uint8Array =>
  encodeModel({
    irVersion: 10,
    opsetImports: [{ domain: "", version: 18 }],
    producerName: "learning-loop-test",
    graph: {
      name: "test",
      nodes: nodes.map((node, i) => ({ ...node, name: `node${i}` })),
      initializers,
      inputs,
      outputs,
    },
  });

export const float32 = (name: string, ...shape: number[]): TensorSpec => ({
  name,
  dtype: "float32",
  shape,
});

/** y = x · w + b for x of [2, 3] and w of [3, 2]; b is a constant. */
export const affine: SmallModel = {
  inputs: [float32("x", 2, 3), float32("w", 3, 2)],
  outputs: [float32("y", 2, 2)],
  nodes: [
    { opType: "MatMul", inputs: ["x", "w"], outputs: ["xw"], attributes: {} },
    { opType: "Add", inputs: ["xw", "b"], outputs: ["y"], attributes: {} },
  ],
  initializers: [{ name: "b", dtype: "float32", shape: [2], data: new Float32Array([0.5, -0.5]) }],
};

/** next = value + 1, and the sum of next. */
export const counter: SmallModel = {
  inputs: [float32("value", 4)],
  outputs: [float32("next", 4), float32("total")],
  nodes: [
    { opType: "Add", inputs: ["value", "one"], outputs: ["next"], attributes: {} },
    {
      opType: "ReduceSum",
      inputs: ["next"],
      outputs: ["total"],
      attributes: { keepdims: { kind: "int", value: 0 } },
    },
  ],
  initializers: [{ name: "one", dtype: "float32", shape: [], data: new Float32Array([1]) }],
};
