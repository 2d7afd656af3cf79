/** The compiled programs of a model for sizes of batches, as many as memory has room for. */

/** Bytes that all of them may hold together. */
const MOST_BYTES = 2 ** 29;

/** What is kept for keys; where that is too much, the least recently used goes. */
export class Programs<T extends { readonly decode: { readonly bytes: number } }> {
  /** Least recently used first. */
  readonly #kept = new Map<string, T>();

  get(key: string, make: () => T): T {
    const found = this.#kept.get(key) ?? make();
    this.#kept.delete(key);
    let bytes = found.decode.bytes;
    for (const kept of this.#kept.values()) bytes += kept.decode.bytes;
    for (const [other, kept] of this.#kept) {
      if (bytes <= MOST_BYTES) break;
      this.#kept.delete(other);
      bytes -= kept.decode.bytes;
    }
    this.#kept.set(key, found);
    return found;
  }

  clear(): void {
    this.#kept.clear();
  }
}
