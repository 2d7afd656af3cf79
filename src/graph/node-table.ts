/** The table of recorded nodes by what they compute: an equal expression is found without making a key of text for it. */

import type { Node, Value } from "./node.ts";
import type { Op } from "./op.ts";

const SMALLEST = 256;

const emptySlots = (count: number): (Node | undefined)[] =>
  new Array<Node | undefined>(count).fill(undefined);

/**
 * Nodes by operation, inputs and attributes. Open addressing: collisions take the next free slot. (A cleared Map's old table
 * refers to its next one, so that in V8 one of them grown old would keep all graphs recorded since from being collected.)
 */
export class NodeTable {
  /** A power of two, more than twice as many as nodes. */
  #slots = emptySlots(SMALLEST);
  #count = 0;

  /** The node that applies `op` to these inputs with these attributes, if there is one; `hash` is theirs. */
  find(hash: number, op: Op, inputs: readonly Value[], attrsKey: string): Node | undefined {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const node = this.#slots[slot];
      if (node === undefined) return undefined;
      if (node.op === op && node.attrsKey === attrsKey && sameValues(node.inputs, inputs))
        return node;
    }
  }

  /** Adds a node that is not in the table. */
  add(hash: number, node: Node): void {
    this.#place(hash, node);
    if (2 * ++this.#count < this.#slots.length) return;
    const full = this.#slots;
    this.#slots = emptySlots(2 * full.length);
    for (const known of full)
      if (known !== undefined) this.#place(hashOf(known.op, known.inputs, known.attrsKey), known);
  }

  /** Forgets all nodes. */
  clear(): void {
    // A table that one large graph has made large is given up where the next graphs are small.
    const spare = this.#slots.length > SMALLEST && this.#count * 16 < this.#slots.length;
    if (spare) this.#slots = emptySlots(this.#slots.length / 2);
    else this.#slots.fill(undefined);
    this.#count = 0;
  }

  #place(hash: number, node: Node): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== undefined) slot = (slot + 1) & mask;
    this.#slots[slot] = node;
  }
}

/** Mixes a number into a hash (the multiplication of FNV-1a, and a shift that brings high bits down). */
export function mix(hash: number, number: number): number {
  const product = Math.imul(hash ^ number, 0x01000193);
  return product ^ (product >>> 15);
}

/** The hash of an operation's application. */
export function hashOf(op: Op, inputs: readonly Value[], attrsKey: string): number {
  let h = mix(0x811c9dc5 | 0, op.id);
  for (let i = 0; i < inputs.length; i++) h = mix(h, inputs[i]!.id);
  for (let i = 0; i < attrsKey.length; i++) h = mix(h, attrsKey.charCodeAt(i));
  return h;
}

function sameValues(a: readonly Value[], b: readonly Value[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
