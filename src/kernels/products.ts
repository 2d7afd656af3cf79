/** ONNX's matrix products as kernels. */

import type { TypeSpec } from "../graph/node.ts";
import { numel, sameShape } from "../graph/shape.ts";
import type { NodeProto } from "../onnx/proto.ts";
import { numberAttribute } from "./attributes.ts";
import type { MatmulSpec } from "./matmul-plan.ts";

/** A product with the inputs it takes and the shape of its result. */
export interface NodeProduct {
  readonly spec: Omit<MatmulSpec, "threads">;
  readonly inputs: readonly string[];
  readonly shape: readonly number[];
}

/** What a node multiplies, where it is a product that kernels compute; `typeOf` tells the types of its inputs. */
export function productOf(
  node: NodeProto,
  typeOf: (name: string) => TypeSpec | undefined,
): NodeProduct | null {
  const { opType, domain = "" } = node;
  const known = domain === "" ? ["MatMul", "Gemm"].includes(opType) : opType === "FusedMatMul";
  if (!known) return null;
  const [a, b, c] = node.inputs.map((name) => (name === "" ? undefined : typeOf(name)));
  if (a?.dtype !== "float32" || b?.dtype !== "float32") return null;
  if (a.shape.length < 2 || b.shape.length < 2) return null;
  const number = (name: string, otherwise: number): number =>
    numberAttribute(node, name, otherwise);
  if (number("transBatchA", 0) !== 0 || number("transBatchB", 0) !== 0) return null;
  const [transA, transB] = [number("transA", 0) === 1, number("transB", 0) === 1];
  const alpha = number("alpha", 1);

  const sizes = (shape: readonly number[], turned: boolean): [number, number] => {
    const [rows, columns] = shape.slice(-2) as [number, number];
    return turned ? [columns, rows] : [rows, columns];
  };
  const [m, k] = sizes(a.shape, transA);
  const [, n] = sizes(b.shape, transB);
  const common = { n, k, transA, transB, ...(alpha === 1 ? {} : { alpha }) };
  const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];

  const third = node.inputs[2] ?? "";
  if (third !== "") {
    const bias = c?.dtype === "float32" && numel(c.shape) === n && c.shape.at(-1) === n;
    if (!bias || number("beta", 1) !== 1) return null;
    return { spec: { ...common, m, bias }, inputs: node.inputs, shape: [m, n] };
  }
  const inputs = node.inputs.slice(0, 2);
  const shape = [...(batchA.length >= batchB.length ? batchA : batchB), m, n];
  // Of matrices that meet the same one, rows are as good as more of them.
  if (numel(batchB) === 1 && batchB.length <= batchA.length && !transA)
    return { spec: { ...common, m: numel(batchA) * m }, inputs, shape };
  if (sameShape(batchA, batchB)) return { spec: { ...common, m, batch: batchA }, inputs, shape };
  return null;
}
