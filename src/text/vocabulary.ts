/** Numbers strings: a vocabulary trained on counts, with ids for padding and for what it does not know. */

/** Id of padding, and of everything not in the vocabulary. */
export const PAD_ID = 0;
export const UNKNOWN_ID = 1;
const SPECIAL = ["<pad>", "<unk>"];

/** An immutable map between strings and the ids 0 … size − 1; 0 is `<pad>`, 1 is `<unk>`. */
export class Vocabulary {
  readonly #entries: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  /** @param entries strings for the ids from 2 on. @throws RangeError when one appears twice. */
  constructor(entries: readonly string[]) {
    this.#entries = [...SPECIAL, ...entries];
    // The special names are not looked up, so that a text containing "<pad>" is not taken for padding.
    this.#ids = new Map(entries.map((entry, i) => [entry, i + SPECIAL.length]));
    if (this.#ids.size !== entries.length) {
      throw new RangeError("Vocabulary: expected different entries, got one twice");
    }
  }

  /**
   * The strings that occur at least `minCount` times, most frequent first, equally frequent ones by code units; at most
   * `maxSize` ids including the two special ones.
   */
  static train(
    items: Iterable<string>,
    { minCount = 1, maxSize = Infinity }: { minCount?: number; maxSize?: number } = {},
  ): Vocabulary {
    const counts = new Map<string, number>();
    for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
    const ranked = [...counts]
      .filter(([, count]) => count >= minCount)
      .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    return new Vocabulary(
      ranked.slice(0, Math.max(0, maxSize - SPECIAL.length)).map(([item]) => item),
    );
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The id of a string, {@link UNKNOWN_ID} when it has none. */
  id(item: string): number {
    return this.#ids.get(item) ?? UNKNOWN_ID;
  }

  /** The string of an id. @throws RangeError when there is none. */
  item(id: number): string {
    const item = this.#entries[id];
    if (item === undefined) {
      throw new RangeError(`Vocabulary.item: expected an id from 0 to ${this.size - 1}, got ${id}`);
    }
    return item;
  }

  /** The strings in the order of their ids, without the two special ones. */
  toJSON(): string[] {
    return this.#entries.slice(SPECIAL.length);
  }

  /** @throws TypeError when the value is not a list of strings. */
  static fromJSON(value: unknown): Vocabulary {
    if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) {
      throw new TypeError("Vocabulary.fromJSON: expected a list of strings");
    }
    return new Vocabulary(value);
  }
}
