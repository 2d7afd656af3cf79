/** Checks that a saved position belongs to the loader that is to go on there. */

import type { Cursor } from "./batch.ts";

/** What a loader says of itself in its cursors. */
export type Identity = Pick<Cursor, "seed" | "length" | "batchSize" | "order">;

const COUNTS = ["epoch", "batches", "seed"] as const;

/** Throws unless a value read from JSON is a cursor of a loader that goes over the same data in the same way. */
export function checkCursor(
  cursor: Cursor,
  own: Identity,
  { seedIsFree, batchesPerEpoch }: { seedIsFree: boolean; batchesPerEpoch: number | null },
): void {
  if (typeof cursor !== "object" || cursor === null || cursor.version !== 1)
    throw new TypeError(
      "DataLoader.seek: expected what cursor() returned, with version 1; other versions cannot be read",
    );
  const counts = { ...cursor, real: cursor.padding?.real, padded: cursor.padding?.padded };
  for (const key of [...COUNTS, "real", "padded"] as const)
    if (!Number.isSafeInteger(counts[key]) || counts[key] < 0)
      throw new TypeError(
        `DataLoader.seek: the cursor is damaged, ${key} must be an integer of at least 0, got ${String(counts[key])}`,
      );
  const differs = (what: string, theirs: unknown, mine: unknown, hint: string): Error =>
    new Error(
      `DataLoader.seek: the cursor is of a loader with ${what} ${String(theirs)}, this one has ${String(mine)}; ${hint}, or start the data over without the cursor`,
    );
  if (cursor.length !== own.length)
    throw differs("a data set of length", cursor.length, own.length, "give the same data");
  if (cursor.batchSize !== own.batchSize)
    throw differs("batchSize", cursor.batchSize, own.batchSize, "use the same batchSize");
  if (cursor.order !== own.order)
    throw differs("the order", `"${cursor.order}"`, `"${own.order}"`, "use the same options");
  if (!seedIsFree && cursor.seed !== own.seed)
    throw differs("seed", cursor.seed, own.seed, "use the same seed");
  if (batchesPerEpoch !== null && cursor.batches > batchesPerEpoch)
    throw new RangeError(
      `DataLoader.seek: the cursor is at batch ${cursor.batches} of an epoch of ${batchesPerEpoch}`,
    );
}
