/** Replaces matrix products by kernels, with what they are followed by. */

import type { NodeProto, TensorProto } from "../onnx/proto.ts";
import type { KernelTarget } from "./kernel.ts";
import { callOf, type KernelSet } from "./kernel-set.ts";
import { matmulIsFaster, matmulKernel, panelsOf } from "./matmul.ts";
import { productOf } from "./products.ts";
import type { Program } from "./program.ts";

/**
 * The calls of the kernels that compute products, by the nodes they replace: of two, where a product's elements below zero
 * become zero. Constant matrices are put into panels, to be added to the program.
 */
export function productCalls(
  program: Program,
  free: (i: number) => boolean,
  target: KernelTarget,
  kernels: KernelSet,
): {
  readonly calls: ReadonlyMap<number, NodeProto>;
  readonly constants: readonly TensorProto[];
} {
  const calls = new Map<number, NodeProto>();
  const constants = new Map<string, TensorProto>();
  if (!target.products) return { calls, constants: [] };
  const { nodes } = program;
  const callFor = (i: number, relu: number | null): NodeProto | null => {
    const product = productOf(nodes[i]!, (name) => program.types.get(name));
    if (product === null) return null;
    const [left, right] = product.inputs as [string, string];
    const constant = program.constants.get(right);
    const packedB = constant !== undefined;
    if (packedB && product.spec.batch !== undefined) return null;
    const spec = { ...product.spec, threads: target.threads, packedB, relu: relu !== null };
    if (program.constants.has(left) || !matmulIsFaster(spec)) return null;
    const last = relu === null ? nodes[i]! : nodes[relu]!;
    const shape = relu === null ? product.shape : program.type(last.outputs[0]!).shape;
    const kernel = kernels.of(["matmul", spec, shape], (name) => ({
      ...matmulKernel(name, spec),
      outputs: [{ dtype: "float32", shape }],
    }));
    const inputs = [...product.inputs];
    if (packedB) {
      const key = JSON.stringify([right, kernel.inputs[1]!.shape, spec.transB, spec.alpha]);
      let panels = constants.get(key);
      if (panels === undefined) {
        const data = panelsOf(constant.data as Float32Array, spec);
        const name = `panels_${constants.size}`;
        constants.set(key, (panels = { name, dtype: "float32", shape: [data.length], data }));
      }
      inputs[1] = panels.name;
    }
    return callOf(last, kernel, { inputs, outputs: last.outputs });
  };
  nodes.forEach((node, i) => {
    // A product must not be written over what it reads.
    if (node.opType !== "Relu" || !free(i) || program.overwrites.has(node.outputs[0]!)) return;
    const made = program.madeFor(i);
    const call = made === null || !free(made) ? null : callFor(made, i);
    if (call !== null) calls.set(i, call).set(made!, call);
  });
  nodes.forEach((_, i) => {
    const call = calls.has(i) || !free(i) ? null : callFor(i, null);
    if (call !== null) calls.set(i, call);
  });
  return { calls, constants: [...constants.values()] };
}
