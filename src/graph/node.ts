/** The graph: immutable nodes, their typed outputs, and the hash-consing that makes equal expressions one node. */

import type { DType } from "./dtype.ts";
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
  readonly outputs: readonly Value[];
  /** Path of the module that recorded it, e.g. `encoder/layers.0`; for names in exported files only. */
  readonly scope: string;

  constructor(
    op: Op,
    inputs: readonly Value[],
    attrs: object,
    attrsKey: string,
    types: readonly TypeSpec[],
  ) {
    this.id = nextId++;
    this.op = op;
    this.inputs = inputs;
    this.attrs = attrs;
    this.attrsKey = attrsKey;
    this.scope = currentScope;
    this.outputs = types.map((type, index) => new Value(this, index, type));
  }
}

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

let interned = new Map<string, Node>();
/** While true (inside a trace) taking a value as input does not count as holding it: traces read anew at each run. */
let tracing = false;

/**
 * The node for an application of `op`: an equal one recorded since the last evaluation, or a new one.
 * `types` is only asked for when the node is new, and one with `attrsKey` null always is.
 */
export function intern(
  op: Op,
  inputs: readonly Value[],
  attrs: object,
  attrsKey: string | null,
  types: () => readonly TypeSpec[],
): Node {
  // Not in the table, which would keep its elements alive until the next evaluation.
  if (attrsKey === null) return made(new Node(op, inputs, attrs, `#${nextId}`, types()));
  let key = `${op.id}|${attrsKey}`;
  for (const input of inputs) key += `|${input.id}`;
  const known = interned.get(key);
  if (known !== undefined) return known;
  const node = made(new Node(op, inputs, attrs, attrsKey, types()));
  interned.set(key, node);
  return node;
}

function made(node: Node): Node {
  if (!tracing) for (const input of node.inputs) input.holders++;
  return node;
}

/** Forgets the nodes recorded so far: after an evaluation, so that the table does not keep them alive. */
export const forgetInterned = (): void => interned.clear();

/** Runs `record` with its own table of nodes, so that a trace shares nothing with what was recorded before. */
export function isolated<T>(record: () => T): T {
  const outer = interned;
  const outerTracing = tracing;
  interned = new Map();
  tracing = true;
  try {
    return record();
  } finally {
    interned = outer;
    tracing = outerTracing;
  }
}
