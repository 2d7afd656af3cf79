/** Which nodes run before which: those that make their inputs, and those they are made to wait for. */

import type { Node, Value } from "../graph/node.ts";

/** The nodes that take a value as input. */
export type Consumers = ReadonlyMap<Value, readonly Node[]>;

/**
 * Answers for many nodes whether certain ones, the readers, run before them. A node's readers are kept as bits, since the
 * walk from each of a program's updates through all that comes before it would take longer than everything else.
 */
export class Precedence {
  readonly #consumers: Consumers;
  readonly #known: ReadonlySet<Value>;
  /** The place of each reader's bit. */
  readonly #places = new Map<Node, number>();
  /** For each node the readers before it; for a reader also itself. */
  readonly #before = new Map<Node, Uint32Array>();
  /** The nodes that wait for each reader, and the readers that each node waits for. */
  readonly #waitersOf = new Map<Node, Node[]>();
  readonly #waitsOf = new Map<Node, Set<Node>>();
  #oldestWaiting = Infinity;

  /** `nodes` are all of the program; `known` are values that need not be computed. */
  constructor(
    nodes: readonly Node[],
    consumers: Consumers,
    known: ReadonlySet<Value>,
    readers: Iterable<Node>,
  ) {
    this.#consumers = consumers;
    this.#known = known;
    for (const reader of readers)
      if (!this.#places.has(reader)) this.#places.set(reader, this.#places.size);
    const words = Math.ceil(this.#places.size / 32);
    // Inputs are older, so they come first.
    for (const node of nodes.toSorted((a, b) => a.id - b.id)) {
      const bits = new Uint32Array(words);
      const place = this.#places.get(node);
      if (place !== undefined) bits[place >> 5]! |= 1 << (place & 31);
      for (const input of node.inputs)
        if (!known.has(input)) include(bits, this.#bitsOf(input.node));
      this.#before.set(node, bits);
    }
  }

  /** Whether a reader runs before a node or is that node. */
  isBefore(reader: Node, node: Node): boolean {
    const place = this.#places.get(reader);
    if (place === undefined) throw new Error("precedence: asked about a node that is no reader");
    return ((this.#bitsOf(node)[place >> 5]! >>> (place & 31)) & 1) === 1;
  }

  /** Whether a node runs before one of the readers or is one of them. */
  isBeforeAny(node: Node, readers: readonly Node[]): boolean {
    // Nodes that are older than this one, and than all that wait, do not need it.
    const oldest = Math.min(node.id, this.#oldestWaiting);
    const seen = new Set<Node>();
    const stack = [...readers];
    for (let current = stack.pop(); current !== undefined; current = stack.pop()) {
      if (current === node) return true;
      if (current.id < oldest || seen.has(current)) continue;
      seen.add(current);
      for (const input of current.inputs) if (!this.#known.has(input)) stack.push(input.node);
      stack.push(...(this.#waitsOf.get(current) ?? []));
    }
    return false;
  }

  /** Makes a node, and with it what needs it, wait for readers. */
  wait(node: Node, readers: readonly Node[]): void {
    this.#oldestWaiting = Math.min(this.#oldestWaiting, node.id);
    const own = this.#waitsOf.get(node) ?? new Set();
    this.#waitsOf.set(node, own);
    for (const reader of readers) {
      own.add(reader);
      const waited = this.#waitersOf.get(reader);
      if (waited === undefined) this.#waitersOf.set(reader, [node]);
      else waited.push(node);
    }
    const changed = [node];
    for (const reader of readers) include(this.#bitsOf(node), this.#bitsOf(reader));
    for (let current = changed.pop(); current !== undefined; current = changed.pop()) {
      const bits = this.#bitsOf(current);
      const later = current.outputs.flatMap((output) =>
        this.#known.has(output) ? [] : (this.#consumers.get(output) ?? []),
      );
      for (const next of [...later, ...(this.#waitersOf.get(current) ?? [])])
        if (include(this.#bitsOf(next), bits)) changed.push(next);
    }
  }

  #bitsOf(node: Node): Uint32Array {
    return this.#before.get(node)!;
  }
}

/** Adds bits to others; whether that changed them. */
function include(bits: Uint32Array, others: Uint32Array): boolean {
  let changed = 0;
  for (let i = 0; i < bits.length; i++) {
    const more = bits[i]! | others[i]!;
    changed |= more ^ bits[i]!;
    bits[i] = more;
  }
  return changed !== 0;
}
