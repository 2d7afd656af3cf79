/** A pending graph in a form that can be compared: what is computed, from leaves numbered as they are met. */

import { dtypes } from "./graph/dtype.ts";
import type { Value } from "./graph/node.ts";
import { mix } from "./graph/node-table.ts";
import { isConstant } from "./ops/leaf.ts";

/**
 * What evaluating some values computes. Scalar constants are kept apart, so that a number that changes from one
 * evaluation to the next needs no new program.
 */
export interface Pending {
  readonly structure: Structure;
  readonly leaves: readonly Value[];
  readonly scalars: readonly Value[];
}

/** Which operations are applied to what, as numbers and the attributes' texts. */
export class Structure {
  readonly #words: Int32Array;
  readonly #attributes: readonly string[];
  readonly hash: number;

  constructor(words: Int32Array, attributes: readonly string[]) {
    this.#words = words;
    this.#attributes = attributes;
    let h = 0;
    for (let i = 0; i < words.length; i++) h = mix(h, words[i]!);
    for (const text of attributes)
      for (let i = 0; i < text.length; i++) h = mix(h, text.charCodeAt(i));
    this.hash = h;
  }

  equals(other: Structure): boolean {
    const [a, b] = [this.#words, other.#words];
    if (a.length !== b.length || this.#attributes.length !== other.#attributes.length) return false;
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
    return this.#attributes.every((text, i) => text === other.#attributes[i]);
  }
}

// What a word begins, in its lowest two bits; the others have a dtype or an operation's number.
const LEAF = 0;
const SCALAR = 1;
const NODE = 2;
const NODE_WITH_ATTRIBUTES = 3;

/** Place of the next value that is met in any graph, so that places of graphs walked before are lower. */
let nextPlace = 1;

/** Walks from the targets to values whose elements are known, inputs first. */
export function collect(targets: readonly Value[]): Pending {
  const leaves: Value[] = [];
  const scalars: Value[] = [];
  const attributes: string[] = [];
  const first = nextPlace;
  const stack: Value[] = [];
  let words = new Int32Array(1024);
  let count = 0;
  const reserve = (more: number): void => {
    if (count + more <= words.length) return;
    const longer = new Int32Array(2 * words.length + more);
    longer.set(words);
    words = longer;
  };
  for (const target of targets) {
    stack.push(target);
    while (stack.length > 0) {
      const value = stack[stack.length - 1]!;
      if (value.place >= first) {
        stack.pop();
        continue;
      }
      const { node, dtype, shape } = value;
      if (value.storage !== null) {
        leaves.push(value);
        reserve(2 + 2 * shape.length);
        words[count++] = (dtypes[dtype].onnx << 2) | LEAF;
        words[count++] = shape.length;
        // Sizes may have more than 32 bits.
        for (const size of shape) {
          words[count++] = size;
          words[count++] = size / 2 ** 32;
        }
        value.place = nextPlace++;
        continue;
      }
      if (shape.length === 0 && isConstant(value)) {
        scalars.push(value);
        reserve(1);
        words[count++] = (dtypes[dtype].onnx << 2) | SCALAR;
        value.place = nextPlace++;
        continue;
      }
      const { inputs, op } = node;
      const waiting = stack.length;
      for (let i = inputs.length - 1; i >= 0; i--)
        if (inputs[i]!.place < first) stack.push(inputs[i]!);
      if (stack.length > waiting) continue;
      // Identities differ by a number of their own, which means nothing to a program.
      const plain = op.identity || node.attrsKey === "";
      if (!plain) attributes.push(node.attrsKey);
      reserve(2 + inputs.length + node.outputCount);
      words[count++] = (op.id << 2) | (plain ? NODE : NODE_WITH_ATTRIBUTES);
      words[count++] = inputs.length;
      for (let i = 0; i < inputs.length; i++) words[count++] = inputs[i]!.place - first;
      if (node.outputCount === 1) {
        value.place = nextPlace++;
        continue;
      }
      // A node's other outputs may have storage of their own; then they are leaves where they are met.
      for (const output of node.outputs) {
        words[count++] = output.storage === null ? 1 : 0;
        if (output.storage === null) output.place = nextPlace++;
      }
    }
  }
  reserve(targets.length + 1);
  for (const target of targets) words[count++] = target.place - first;
  words[count++] = targets.length;
  return { structure: new Structure(words.slice(0, count), attributes), leaves, scalars };
}
