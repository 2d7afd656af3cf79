/** A lowered program as the search for kernels looks at it: who makes and who needs which value, of which type. */

import type { TypeSpec } from "../graph/node.ts";
import type { LoweredProgram } from "../onnx/lower.ts";
import type { NodeProto, TensorProto } from "../onnx/proto.ts";

/** Operators whose result is their first input, in another shape or the same. */
const ALIASES: ReadonlySet<string> = new Set(["Reshape", "Identity"]);

/** The values that a node reads, with those that its loop's body takes from around it. */
export const readBy = ({ inputs, attributes }: NodeProto): readonly string[] => {
  const bodies = Object.values(attributes).flatMap((attribute) =>
    attribute.kind === "graph" ? attribute.value.nodes : [],
  );
  return bodies.length === 0 ? inputs : [...inputs, ...bodies.flatMap(readBy)];
};

/** Nodes and values of a program by their names; types that lowering did not tell are noted as they are found. */
export class Program {
  readonly nodes: readonly NodeProto[];
  readonly constants: ReadonlyMap<string, TensorProto>;
  /** Of outputs, the inputs whose memory they are written over. */
  readonly overwrites: ReadonlyMap<string, string>;
  /** These inputs. */
  readonly overwritten: ReadonlySet<string>;
  readonly #types: Map<string, TypeSpec>;
  readonly #producer = new Map<string, number>();
  /** Places of the nodes that need a value; −1 where the program returns it. */
  readonly #consumers = new Map<string, number[]>();

  constructor({ model, types, outputs, overwrites }: LoweredProgram) {
    const { nodes, initializers } = model.graph;
    this.nodes = nodes;
    this.#types = new Map(types);
    for (const { name, dtype, shape } of initializers) this.#types.set(name, { dtype, shape });
    for (const { name, dtype, shape, as = shape } of outputs)
      this.#types.set(name, { dtype, shape: as });
    this.constants = new Map(initializers.map((tensor) => [tensor.name, tensor]));
    this.overwrites = new Map(
      outputs.flatMap(({ name }, i) => {
        const over = overwrites[i] ?? null;
        return over === null ? [] : [[name, over] as const];
      }),
    );
    this.overwritten = new Set(this.overwrites.values());
    const consume = (name: string, by: number): void => {
      const known = this.#consumers.get(name);
      if (known === undefined) this.#consumers.set(name, [by]);
      else known.push(by);
    };
    nodes.forEach((node, i) => {
      for (const name of node.outputs) this.#producer.set(name, i);
      for (const name of readBy(node)) consume(name, i);
    });
    for (const { name } of outputs) consume(name, -1);
  }

  /** Types of inputs, constants and results, as far as they are known. */
  get types(): ReadonlyMap<string, TypeSpec> {
    return this.#types;
  }

  /** Notes the type of a value, unless it is known. */
  note(name: string, type: TypeSpec): void {
    if (!this.#types.has(name)) this.#types.set(name, type);
  }

  /** The type of a value that has one. */
  type(name: string): TypeSpec {
    const type = this.types.get(name);
    if (type === undefined) throw new Error(`kernels: nothing is known of the type of ${name}`);
    return type;
  }

  /** The node that makes a value; undefined for inputs and constants. */
  maker(name: string): NodeProto | undefined {
    return this.nodes[this.indexOfMaker(name) ?? -1];
  }

  /** Its place among the nodes. */
  indexOfMaker(name: string): number | undefined {
    return this.#producer.get(name);
  }

  /** The node that needs a value, if nothing else does. */
  onlyConsumer(name: string): number | null {
    const [by, ...others] = this.#consumers.get(name) ?? [];
    return by === undefined || by === -1 || others.length > 0 ? null : by;
  }

  /** Whether something besides these nodes needs a value. */
  isNeededBeside(own: ReadonlySet<number>, name: string): boolean {
    return this.#consumers.get(name)?.some((by) => by === -1 || !own.has(by)) ?? false;
  }

  /** The node that makes a node's first input, perhaps in another shape, if nothing else needs its result; else null. */
  onlySource(node: number): number | null {
    for (let by = node; ;) {
      const [name] = this.nodes[by]!.inputs as [string];
      const made = this.indexOfMaker(name);
      if (made === undefined || this.onlyConsumer(name) !== by) return null;
      if (!ALIASES.has(this.nodes[made]!.opType)) return made;
      by = made;
    }
  }

  /** The elements of a constant of whole numbers; null where it is none. */
  integers(name: string): number[] | null {
    const data = this.constants.get(name)?.data;
    return data === undefined ? null : Array.from(data as ArrayLike<number | bigint>, Number);
  }

  /** What a value is only another shape of, as far as these nodes (unless given, all) make it. */
  root(name: string, own?: ReadonlySet<number>): string {
    let root = name;
    for (;;) {
      const made = this.#producer.get(root);
      if (made === undefined || own?.has(made) === false) return root;
      const { opType, inputs } = this.nodes[made]!;
      if (!ALIASES.has(opType)) return root;
      root = inputs[0]!;
    }
  }
}

/** A program in which some nodes have become kernels. */
export interface Surroundings {
  readonly program: Program;
  /** Whether a value is still made. */
  readonly has: (name: string) => boolean;
  /** Whether a node is as it was. */
  readonly isFree: (node: number) => boolean;
}
