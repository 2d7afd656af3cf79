/** The compiled programs of a model for sizes of batches, as many as memory has room for. */

/** Bytes of constants that all programs may hold together. */
const MOST_BYTES = 2 ** 30;

export class Programs<T> {
  /** Least recently used first. */
  readonly #kept = new Map<string, T>();
  readonly #most: number;

  /** `bytes`: of the constants in one program. */
  constructor(bytes: number) {
    this.#most = Math.max(2, Math.min(32, Math.floor(MOST_BYTES / (2 * bytes))));
  }

  get(key: string, make: () => T): T {
    const known = this.#kept.get(key);
    const found = known ?? make();
    this.#kept.delete(key);
    this.#kept.set(key, found);
    if (this.#kept.size > this.#most) this.#kept.delete(this.#kept.keys().next().value!);
    return found;
  }

  clear(): void {
    this.#kept.clear();
  }
}
