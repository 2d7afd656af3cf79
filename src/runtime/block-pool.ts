/** Keeps freed memory blocks for reuse, because fresh memory costs a page fault every 4 KiB. */

export interface Block {
  readonly capacity: number;
}

/**
 * Blocks by capacity, at most `budget` bytes in all; beyond it, blocks of the capacity that was used least recently go.
 */
export class BlockPool<B extends Block> {
  bytes = 0;
  readonly #budget: number;
  readonly #drop: (block: B) => void;
  // A Map iterates in insertion order, so re-inserting a capacity's list makes it the most recently used.
  readonly #lists = new Map<number, B[]>();

  constructor(budget: number, drop: (block: B) => void) {
    this.#budget = budget;
    this.#drop = drop;
  }

  /** A block of exactly that capacity, or undefined. */
  take(capacity: number): B | undefined {
    const list = this.#lists.get(capacity);
    const block = list?.pop();
    if (block === undefined || list === undefined) return undefined;
    this.bytes -= capacity;
    this.#lists.delete(capacity);
    if (list.length > 0) this.#lists.set(capacity, list);
    return block;
  }

  put(block: B): void {
    if (block.capacity > this.#budget) return this.#drop(block);
    const list = this.#lists.get(block.capacity) ?? [];
    list.push(block);
    this.#lists.delete(block.capacity);
    this.#lists.set(block.capacity, list);
    this.bytes += block.capacity;
    for (const [capacity, oldest] of this.#lists) {
      while (this.bytes > this.#budget && oldest.length > 0) {
        this.bytes -= capacity;
        this.#drop(oldest.shift() as B);
      }
      if (this.bytes <= this.#budget) break;
      this.#lists.delete(capacity);
    }
  }
}
