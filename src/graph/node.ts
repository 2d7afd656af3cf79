/** The graph: immutable nodes, their typed outputs, and the hash-consing that makes equal expressions one node. */

import type { DType } from "./dtype.ts";
import { hashOf, NodeTable } from "./node-table.ts";
import type { Op } from "./op.ts";
import type { Shape } from "./shape.ts";

/** Static type of a value: what is known about it before anything runs. */
export interface TypeSpec {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** What holds a value's elements once they are known; the graph only asks whether there is one. */
export interface Storage extends TypeSpec {
  readonly byteLength: number;
}

let nextId = 1;
let currentScope = "";

/** One result of a node: the edge that other nodes take as input. */
export class Value implements TypeSpec {
  readonly id: number;
  readonly node: Node;
  /** Which of the node's outputs this is. */
  readonly index: number;
  readonly dtype: DType;
  readonly shape: Shape;
  /** The elements, where they are known: evaluation stops here. */
  storage: Storage | null = null;
  /**
   * How many tensors, recorded nodes and reads refer to this value, tensors and nodes that are gone included. With one
   * holder the storage may be overwritten in place; with more somebody may still want the old elements.
   */
  holders = 0;
  /** How often the storage was overwritten in place: the elements are the same as long as this and the value are. */
  writes = 0;
  /** Number given by the last walk over pending graphs that met the value. */
  place = 0;

  constructor(node: Node, index: number, type: TypeSpec) {
    this.id = nextId++;
    this.node = node;
    this.index = index;
    this.dtype = type.dtype;
    this.shape = type.shape;
  }
}

/** One application of an operation. Inputs are always older, so descending `id` is a reverse topological order. */
export class Node {
  readonly id: number;
  readonly op: Op;
  readonly inputs: readonly Value[];
  readonly attrs: object;
  /** Serialised attributes: two nodes with equal op, inputs and this are one. */
  readonly attrsKey: string;
  /** The first output: of most operations the only one. */
  readonly output: Value;
  /** All outputs, where there are several. */
  readonly #several: readonly Value[] | null;
  /** Path of the module that recorded it, e.g. `encoder/layers.0`; for names in exported files only. */
  readonly scope: string;

  constructor(
    op: Op,
    inputs: readonly Value[],
    attrs: object,
    attrsKey: string,
    types: TypeSpec | readonly TypeSpec[],
  ) {
    this.id = nextId++;
    this.op = op;
    // A copy by `map`, which V8 always makes a young object. Literals, as callers have them, it soon makes old ones where
    // they live as long as graphs do, and old garbage keeps the young objects it refers to: all that was recorded before.
    this.inputs = inputs.map((input) => input);
    this.attrs = attrs;
    this.attrsKey = attrsKey;
    this.scope = currentScope;
    this.#several = isOne(types) ? null : types.map((type, i) => new Value(this, i, type));
    this.output = isOne(types) ? new Value(this, 0, types) : this.#several![0]!;
  }

  get outputs(): readonly Value[] {
    return this.#several ?? [this.output];
  }

  get outputCount(): number {
    return this.#several === null ? 1 : this.#several.length;
  }
}

const isOne = (types: TypeSpec | readonly TypeSpec[]): types is TypeSpec => !Array.isArray(types);

/** Runs `record` with a name added to the scope of the nodes it records. */
export function withScope<T>(name: string, record: () => T): T {
  const outer = currentScope;
  currentScope = outer === "" ? name : `${outer}/${name}`;
  try {
    return record();
  } finally {
    currentScope = outer;
  }
}

let interned = new NodeTable();
/** While true (inside a trace) taking a value as input does not count as holding it: traces read anew at each run. */
let tracing = false;

/**
 * The node for an application of `op`: an equal one recorded since the last evaluation, or a new one, as it always is
 * with `attrsKey` null. The types of its outputs are inferred when it is new.
 */
export function intern(
  op: Op,
  inputs: readonly Value[],
  attrs: object,
  attrsKey: string | null,
): Node {
  // Not in the table, which would keep its elements alive until the next evaluation.
  if (attrsKey === null) return make(op, inputs, attrs, `#${nextId}`);
  const hash = hashOf(op, inputs, attrsKey);
  const known = interned.find(hash, op, inputs, attrsKey);
  if (known !== undefined) return known;
  const node = make(op, inputs, attrs, attrsKey);
  interned.add(hash, node);
  return node;
}

function make(op: Op, inputs: readonly Value[], attrs: object, attrsKey: string): Node {
  const node = new Node(op, inputs, attrs, attrsKey, op.infer(inputs, attrs));
  if (!tracing) for (let i = 0; i < inputs.length; i++) inputs[i]!.holders++;
  return node;
}

/** Forgets the nodes recorded so far: after an evaluation, so that the table does not keep them alive. */
export const forgetInterned = (): void => interned.clear();

/** Runs `record` with its own table of nodes, so that a trace shares nothing with what was recorded before. */
export function isolated<T>(record: () => T): T {
  const outer = interned;
  const outerTracing = tracing;
  interned = new NodeTable();
  tracing = true;
  try {
    return record();
  } finally {
    interned = outer;
    tracing = outerTracing;
  }
}
