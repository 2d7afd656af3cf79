/** Products as kernels compute them: on heads of attention where they lie, several at once where they lie in one tensor. */

import type { Shape } from "../graph/shape.ts";
import { numberAttribute } from "./attributes.ts";
import type { MatmulSpec } from "./matmul-plan.ts";
import {
  beforeMoves,
  matricesOf,
  operand,
  type Surroundings,
  type Target,
  targetsOf,
} from "./operand-view.ts";
import type { NodeProduct } from "./products.ts";
import { narrowed, type View, whole } from "./view.ts";

/** Products of one kernel at most: its code grows with each. */
const MOST_JOINED = 8;

type Spec = Omit<MatmulSpec, "threads">;

/** Products that each make their part of one value, with what they read. */
export interface PlacedProducts {
  readonly products: readonly { readonly spec: Spec; readonly inputs: readonly string[] }[];
  readonly output: string;
  readonly shape: Shape;
  /** The nodes they take the place of. */
  readonly nodes: readonly number[];
}

/** A product alone, and how its result was moved. */
interface Placed extends PlacedProducts {
  readonly products: readonly [PlacedProducts["products"][number]];
  readonly matrices: Shape;
  readonly moves: readonly number[];
}

/** Places a program's products, whose nodes come in order; `isFaster` tells whether a kernel should compute one. */
export class ProductPlacer {
  readonly #around: Surroundings;
  readonly #isFaster: (spec: Spec) => boolean;
  /** By what they make. */
  readonly #placed = new Map<string, PlacedProducts>();
  readonly #alone = new Map<string, Placed>();
  /** What is made in place of nodes. */
  readonly #madeBy = new Map<number, string>();

  constructor(around: Surroundings, isFaster: (spec: Spec) => boolean) {
    const { program } = around;
    this.#isFaster = isFaster;
    this.#around = {
      program,
      has: (name) => {
        const made = program.indexOfMaker(name);
        const instead = made === undefined ? undefined : this.#madeBy.get(made);
        return instead === undefined ? around.has(name) : instead === name;
      },
      isFree: (node) => around.isFree(node) && !this.#madeBy.has(node),
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
      const products = [{ spec, inputs: read.inputs }] as const;
      const placed = { products, output, shape, matrices, moves, nodes: [...nodes, ...moves] };
      this.#alone.set(output, placed);
      this.#set(placed);
      return;
    }
  }

  /** Joins products whose results a Concat puts together. */
  join(node: number): void {
    const { program } = this.#around;
    const concat = program.nodes[node]!;
    const parts = concat.inputs.flatMap((name) =>
      program.onlyConsumer(name) === node ? (this.#alone.get(name) ?? []) : [],
    );
    if (parts.length < concat.inputs.length || parts.length > MOST_JOINED) return;
    const [name] = concat.outputs as [string];
    for (const target of targetsOf(this.#around, name)) {
      const products = this.#parts(target, parts, numberAttribute(concat, "axis", 0));
      if (products === null) continue;
      for (const { output } of parts) this.#placed.delete(output);
      const nodes = [...parts.flatMap((part) => part.nodes), node, ...target.moves];
      const { shape } = program.type(target.name);
      this.#set({ products, output: target.name, shape, nodes });
      return;
    }
  }

  #set(placed: PlacedProducts): void {
    this.#placed.set(placed.output, placed);
    for (const node of placed.nodes) this.#madeBy.set(node, placed.output);
  }

  /** The product on what its operands are made of, where a kernel is as fast with that. */
  #read({ spec, inputs }: NodeProduct): {
    readonly spec: Spec;
    readonly inputs: readonly string[];
  } {
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
  #parts(
    { name, moves }: Target,
    parts: readonly Placed[],
    axis: number,
  ): PlacedProducts["products"] | null {
    const { program } = this.#around;
    const all = beforeMoves(program, moves, whole(name, program.type(name).shape));
    if (all === null) return null;
    const dim = axis < 0 ? axis + all.shape.length : axis;
    const products: PlacedProducts["products"][number][] = [];
    let first = 0;
    for (const { products: own, shape, moves: ownMoves, matrices } of parts) {
      const size = shape[dim]!;
      const c = this.#written(narrowed(all, dim, first, size), ownMoves, matrices);
      const [{ spec, inputs }] = own;
      const written = { ...spec, ...c };
      if (c === null || !this.#isFaster(written)) return null;
      products.push({ spec: written, inputs });
      first += size;
    }
    return products;
  }
}
