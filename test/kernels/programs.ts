/** Small programs that run as they are and with kernels. */

import { fuse } from "../../src/kernels/fuse.ts";
import type { LoweredProgram } from "../../src/onnx/lower.ts";
import { encodeModel, type NodeProto, type TensorProto } from "../../src/onnx/proto.ts";
import type { DType, TypedArray } from "../../src/graph/dtype.ts";
import type { TensorSpec } from "../../src/runtime/executor.ts";
import type { FfiExecutor } from "../../src/runtime/node-ffi.ts";

export interface Small {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly nodes: readonly Omit<NodeProto, "name">[];
  readonly constants?: readonly TensorProto[];
}

export const spec = (name: string, dtype: DType, ...shape: number[]): TensorSpec => ({
  ...{ name, dtype, shape },
});

/** The program as lowering would give it; the types of values between inputs and outputs are not known. */
export const lowered = ({ inputs, outputs, nodes, constants = [] }: Small): LoweredProgram => ({
  model: {
    irVersion: 9,
    opsetImports: [{ domain: "", version: 18 }],
    producerName: "learning-loop-test",
    graph: {
      name: "test",
      nodes: nodes.map((node, i) => ({ ...node, name: `node${i}` })),
      initializers: constants,
      ...{ inputs, outputs },
    },
  },
  ...{ inputs, outputs },
  inPlace: outputs.map(() => false),
  overwrites: outputs.map(() => null),
  types: new Map(inputs.map(({ name, dtype, shape }) => [name, { dtype, shape }])),
});

/** What a program returns; `threads`: with kernels for so many, else without. */
export function outputsOf(
  executor: FfiExecutor,
  program: LoweredProgram,
  given: readonly TypedArray[],
  threads?: number,
): TypedArray[] {
  const { inputs, outputs } = program;
  const { model, kernels } =
    threads === undefined
      ? { model: program.model, kernels: [] }
      : fuse(program, { threads, products: true });
  const loaded = executor.load(encodeModel(model), inputs, outputs, kernels);
  try {
    const buffers = inputs.map(({ dtype, shape }, i) => executor.upload(given[i]!, dtype, shape));
    return executor.run(loaded, buffers).map((buffer) => executor.read(buffer));
  } finally {
    loaded.release();
  }
}
