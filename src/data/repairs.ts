/** Counts what a reader repaired or left out, so that nothing in a data set is changed silently. */

/** One kind of repair: how often, and in which records (each named once, in order of appearance). */
export interface RepairEntry {
  readonly kind: string;
  readonly count: number;
  readonly records: readonly string[];
}

/** A tally of repairs by kind, in order of first appearance. */
export class Repairs {
  readonly #kinds = new Map<string, { count: number; records: Set<string> }>();

  /** Notes `count` repairs of one kind in one record. */
  add(kind: string, record: string, count = 1): void {
    if (count === 0) return;
    const entry = this.#kinds.get(kind) ?? { count: 0, records: new Set() };
    entry.count += count;
    entry.records.add(record);
    this.#kinds.set(kind, entry);
  }

  /** How many repairs of this kind were made. */
  count(kind: string): number {
    return this.#kinds.get(kind)?.count ?? 0;
  }

  /** Whether nothing was repaired. */
  get isEmpty(): boolean {
    return this.#kinds.size === 0;
  }

  /** The kinds in order of first appearance. */
  entries(): RepairEntry[] {
    return [...this.#kinds].map(([kind, { count, records }]) => ({
      kind,
      count,
      records: [...records],
    }));
  }

  /** Lines for people, such as `trimmed white space at a span's edge: 12 in 3 records (line 1, line 4, line 9)`. */
  lines(maxRecords = 5): string[] {
    return this.entries().map(({ kind, count, records }) => {
      const shown = records.slice(0, maxRecords).join(", ");
      const more = records.length > maxRecords ? ", …" : "";
      const noun = records.length === 1 ? "record" : "records";
      return `${kind}: ${count} in ${records.length} ${noun} (${shown}${more})`;
    });
  }
}
