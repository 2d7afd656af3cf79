/** A hash table from pairs of small integers to small integers, without an object an entry. */

const EMPTY = -1;

/** Maps (left, right), integers from 0 to below 2³¹, to integers of the same range. */
export class PairTable {
  #left: Int32Array;
  #right: Int32Array;
  #values: Int32Array;
  #mask: number;
  #size = 0;

  /** @param expected how many pairs to make room for; it grows where there are more. */
  constructor(expected = 16) {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(16, 2 * expected)));
    this.#left = new Int32Array(capacity).fill(EMPTY);
    this.#right = new Int32Array(capacity);
    this.#values = new Int32Array(capacity);
    this.#mask = capacity - 1;
  }

  /** The value of a pair, -1 where there is none. */
  get(left: number, right: number): number {
    const slot = this.#slot(left, right);
    return this.#left[slot] === EMPTY ? EMPTY : this.#values[slot]!;
  }

  set(left: number, right: number, value: number): void {
    const slot = this.#slot(left, right);
    if (this.#left[slot] === EMPTY) {
      this.#left[slot] = left;
      this.#right[slot] = right;
      this.#size++;
    }
    this.#values[slot] = value;
    if (2 * this.#size > this.#mask) this.#grow();
  }

  /** Linear probing: where the pair lies, or the free slot where it would. */
  #slot(left: number, right: number): number {
    const lefts = this.#left;
    const rights = this.#right;
    const mask = this.#mask;
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & mask;
    while (lefts[slot] !== EMPTY && (lefts[slot] !== left || rights[slot] !== right))
      slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [left, right, values] = [this.#left, this.#right, this.#values];
    const capacity = 2 * left.length;
    this.#left = new Int32Array(capacity).fill(EMPTY);
    this.#right = new Int32Array(capacity);
    this.#values = new Int32Array(capacity);
    this.#mask = capacity - 1;
    for (let old = 0; old < left.length; old++) {
      if (left[old] === EMPTY) continue;
      const slot = this.#slot(left[old]!, right[old]!);
      this.#left[slot] = left[old]!;
      this.#right[slot] = right[old]!;
      this.#values[slot] = values[old]!;
    }
  }
}
