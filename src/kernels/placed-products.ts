/** Products as kernels compute them: on heads of attention where they lie, several at once where they lie in one tensor. */

import type { Shape } from "../graph/shape.ts";
import type { NodeProto } from "../onnx/proto.ts";
import { axisOf } from "./attributes.ts";
import type { MatmulSpec } from "./matmul-plan.ts";
import { beforeMoves, type Target, targetsOf } from "./moves.ts";
import { matricesOf, operand } from "./operand-view.ts";
import type { Surroundings } from "./program.ts";
import type { NodeProduct } from "./products.ts";
import { narrowed, type View, whole } from "./view.ts";

/** Products of one kernel at most: its code grows with each. */
const MOST_JOINED = 8;

type Spec = Omit<MatmulSpec, "threads">;

/** A product with what it reads. */
export interface PlacedProduct {
  readonly spec: Spec;
  readonly inputs: readonly string[];
}

/** Products that each make their part of one value. */
export interface PlacedProducts {
  readonly products: readonly PlacedProduct[];
  readonly output: string;
  readonly shape: Shape;
  /** The nodes they take the place of. */
  readonly nodes: readonly number[];
}

/** A product that a Concat may join with others: with its operands in place, its result not yet. */
interface Part {
  readonly read: PlacedProduct;
  /** The result's shape as matrices, the nodes that move it, and what is then its shape. */
  readonly matrices: Shape;
  readonly moves: readonly number[];
  readonly shape: Shape;
  /** The nodes it takes the place of, moves included. */
  readonly nodes: readonly number[];
}

/** Places a program's products, whose nodes come in order; `isFaster` tells whether a kernel should compute one. */
export class ProductPlacer {
  readonly #around: Surroundings;
  readonly #isFaster: (spec: Spec) => boolean;
  /** What kernels will make, by its name. */
  readonly #placed = new Map<string, PlacedProducts>();
  /** Single products by what they make. */
  readonly #parts = new Map<string, Part>();
  /** The value that is made in place of a node. */
  readonly #instead = new Map<number, string>();

  constructor(around: Surroundings, isFaster: (spec: Spec) => boolean) {
    const { program } = around;
    this.#isFaster = isFaster;
    this.#around = {
      program,
      has: (name) => {
        const made = program.indexOfMaker(name);
        const instead = made === undefined ? undefined : this.#instead.get(made);
        return instead === undefined ? around.has(name) : instead === name;
      },
      isFree: (node) => around.isFree(node) && !this.#instead.has(node),
    };
  }

  get all(): readonly PlacedProducts[] {
    return [...this.#placed.values()];
  }

  /** Places a product that these nodes make, the last one its result. */
  add(nodes: readonly number[], product: NodeProduct): void {
    const { program } = this.#around;
    const { m, n, batch = [] } = product.spec;
    const read = this.#read(product);
    const matrices = [...batch, m, n];
    const [name] = program.nodes[nodes.at(-1)!]!.outputs as [string];
    for (const { name: output, moves } of targetsOf(this.#around, name)) {
      const { shape } = program.type(output);
      const c = this.#written(whole(output, shape), moves, matrices);
      const spec = { ...read.spec, ...c };
      if (c === null || !this.#isFaster(spec)) continue;
      const all = [...nodes, ...moves];
      this.#parts.set(output, { read, matrices, moves, shape, nodes: all });
      this.#set({ products: [{ spec, inputs: read.inputs }], output, shape, nodes: all });
      return;
    }
  }

  /** Joins products whose results a Concat puts together. */
  join(node: number): void {
    const { program } = this.#around;
    const concat = program.nodes[node]!;
    const parts = concat.inputs.flatMap((name) =>
      program.onlyConsumer(name) === node ? (this.#parts.get(name) ?? []) : [],
    );
    if (parts.length < concat.inputs.length || parts.length > MOST_JOINED) return;
    const [name] = concat.outputs as [string];
    for (const target of targetsOf(this.#around, name)) {
      // The Concat would be written over an input when the products have read it.
      if (program.overwrites.has(target.name)) continue;
      const products = this.#joined(target, parts, concat);
      if (products === null) continue;
      for (const part of concat.inputs) this.#placed.delete(part);
      const nodes = [...parts.flatMap((part) => part.nodes), node, ...target.moves];
      const { shape } = program.type(target.name);
      this.#set({ products, output: target.name, shape, nodes });
      return;
    }
  }

  #set(placed: PlacedProducts): void {
    this.#placed.set(placed.output, placed);
    for (const node of placed.nodes) this.#instead.set(node, placed.output);
  }

  /** The product on what its operands are made of, where a kernel is as fast with that. */
  #read({ spec, inputs }: NodeProduct): PlacedProduct {
    const { m, n, k, transA = false, transB = false, batch = [] } = spec;
    const [nameA, nameB, ...others] = inputs as [string, string];
    const a = operand(this.#around, nameA, [...batch, ...(transA ? [k, m] : [m, k])]);
    const b = operand(this.#around, nameB, [...batch, ...(transB ? [n, k] : [k, n])]);
    const read = {
      ...spec,
      ...{ transA: transA !== a.turned, transB: transB !== b.turned },
      ...(a.layout !== undefined && { a: a.layout }),
      ...(b.layout !== undefined && { b: b.layout }),
    };
    return this.#isFaster(read)
      ? { spec: read, inputs: [a.source, b.source, ...others] }
      : { spec, inputs };
  }

  /** How matrices lie in a view of what is made of them; null where no kernel writes so. */
  #written(after: View, moves: readonly number[], shape: Shape): Pick<Spec, "c"> | null {
    const before = beforeMoves(this.#around.program, moves, after);
    const matrices = before && matricesOf(before, shape);
    if (matrices?.turned !== false) return null;
    return matrices.layout === undefined ? {} : { c: matrices.layout };
  }

  /** Products as parts, along a dimension, of what is made in place of these parts together. */
  #joined(
    { name, moves }: Target,
    parts: readonly Part[],
    concat: NodeProto,
  ): readonly PlacedProduct[] | null {
    const { program } = this.#around;
    const all = beforeMoves(program, moves, whole(name, program.type(name).shape));
    if (all === null) return null;
    const dim = axisOf(concat, all.shape.length);
    const products: PlacedProduct[] = [];
    let first = 0;
    for (const part of parts) {
      const size = part.shape[dim]!;
      const c = this.#written(narrowed(all, dim, first, size), part.moves, part.matrices);
      const spec = { ...part.read.spec, ...c };
      if (c === null || !this.#isFaster(spec)) return null;
      products.push({ spec, inputs: part.read.inputs });
      first += size;
    }
    return products;
  }
}
