/** Replaces matrix products by kernels, with what moves their operands and results, and with what follows them. */

import type { TypeSpec } from "../graph/node.ts";
import type { NodeProto, TensorProto } from "../onnx/proto.ts";
import type { KernelTarget } from "./kernel.ts";
import { callOf, type KernelSet } from "./kernel-set.ts";
import { joinedMatmulKernel, matmulIsFaster, panelsOf } from "./matmul.ts";
import type { MatmulSpec } from "./matmul-plan.ts";
import { type PlacedProducts, ProductPlacer } from "./placed-products.ts";
import { type NodeProduct, productOf } from "./products.ts";
import type { Program, Surroundings } from "./program.ts";

/** A call of a kernel. */
interface ProductCall {
  readonly call: NodeProto;
  /** The nodes it takes the place of. */
  readonly nodes: readonly number[];
}

/**
 * The calls of the kernels that compute products, where these are faster. Constant matrices are put into panels, to be added
 * to the program.
 */
export function productCalls(
  around: Surroundings,
  { threads, products }: KernelTarget,
  kernels: KernelSet,
): { readonly calls: readonly ProductCall[]; readonly constants: readonly TensorProto[] } {
  if (!products) return { calls: [], constants: [] };
  const { program } = around;
  const panels = new Panels(program);
  const calls = placedProducts(around, threads).map((placed): ProductCall => {
    const { products, output, shape, nodes } = placed;
    const specs = products.map(({ spec }) => ({ ...spec, threads }));
    const read = products.map(({ inputs }, i) => panels.inputsOf(specs[i]!, inputs));
    const names = [...new Set(read.flat())];
    const inputs = names.map((name) => panels.type(name));
    const outputs: TypeSpec[] = [{ dtype: "float32", shape }];
    const parts = read.map((own, i) => ({
      spec: specs[i]!,
      inputs: own.map((name) => names.indexOf(name)),
    }));
    const kernel = kernels.of(["matmul", parts, inputs, outputs], (name) =>
      joinedMatmulKernel(name, parts, { inputs, outputs }),
    );
    const call = callOf(program.nodes[nodes[0]!]!, kernel, { inputs: names, outputs: [output] });
    return { call, nodes };
  });
  return { calls, constants: panels.all };
}

/** The products that are faster as kernels, with the Relu that may follow. */
function placedProducts(around: Surroundings, threads: number): readonly PlacedProducts[] {
  const { program, isFree } = around;
  const isFaster = (spec: Omit<MatmulSpec, "threads">): boolean =>
    matmulIsFaster({ ...spec, threads });
  const placer = new ProductPlacer(around, isFaster);
  const reluOf = new Map<number, number>();
  program.nodes.forEach(({ opType, outputs }, i) => {
    // A product must not be written over what it reads.
    if (opType !== "Relu" || !isFree(i) || program.overwrites.has(outputs[0]!)) return;
    const made = program.onlySource(i);
    if (made !== null) reluOf.set(made, i);
  });
  program.nodes.forEach(({ opType }, i) => {
    if (!isFree(i)) return;
    if (opType === "Concat") return placer.join(i);
    const product = kernelProduct(program, i);
    if (product === null) return;
    const relu = reluOf.get(i);
    const positive = { ...product, spec: { ...product.spec, relu: true } };
    if (relu !== undefined && isFaster(positive.spec)) placer.add([i, relu], positive);
    else if (isFaster(product.spec)) placer.add([i], product);
  });
  return placer.all;
}

/** The product of a node, a constant B in panels. */
function kernelProduct(program: Program, node: number): NodeProduct | null {
  const product = productOf(program.nodes[node]!, (name) => program.types.get(name));
  if (product === null) return null;
  const { spec, inputs } = product;
  const [left, right] = inputs as [string, string];
  if (program.constants.has(left)) return null;
  if (!program.constants.has(right)) return product;
  return spec.batch === undefined ? { ...product, spec: { ...spec, packedB: true } } : null;
}

/** Constant matrices as panels, each once. */
class Panels {
  readonly #program: Program;
  readonly #byKey = new Map<string, TensorProto>();
  readonly #types = new Map<string, TypeSpec>();

  constructor(program: Program) {
    this.#program = program;
  }

  get all(): readonly TensorProto[] {
    return [...this.#byKey.values()];
  }

  /** The inputs of a product's kernel. */
  inputsOf(spec: MatmulSpec, inputs: readonly string[]): readonly string[] {
    if (spec.packedB !== true) return inputs;
    const [, name] = inputs as [string, string];
    const key = JSON.stringify([name, spec.transB, spec.alpha]);
    let panels = this.#byKey.get(key);
    if (panels === undefined) {
      const data = panelsOf(this.#program.constants.get(name)!.data as Float32Array, spec);
      panels = { name: `panels_${this.#byKey.size}`, dtype: "float32", shape: [data.length], data };
      this.#byKey.set(key, panels);
      this.#types.set(panels.name, panels);
    }
    return inputs.with(1, panels.name);
  }

  /** The type of a value, or of panels. */
  type(name: string): TypeSpec {
    const { dtype, shape } = this.#types.get(name) ?? this.#program.type(name);
    return { dtype, shape };
  }
}
