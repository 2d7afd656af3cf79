/** Splits documents into a part to train on and a part held out to measure on. */
import { groupNearDuplicates } from "./near-duplicates.ts";
import { Rng } from "./rng.ts";

export interface Split<D> {
  readonly train: readonly D[];
  readonly heldOut: readonly D[];
}

/**
 * Splits by whole documents; texts that are nearly the same stay on one side. The same seed and documents give the same
 * split; both sides keep the order of the input.
 *
 * @param heldOut share of the documents to hold out, between 0 and 1; each side gets at least one group.
 * @throws RangeError when there are fewer than two groups to split.
 */
export function splitDocuments<D extends { readonly text: string }>(
  documents: readonly D[],
  { heldOut, seed }: { heldOut: number; seed: number },
): Split<D> {
  if (!(heldOut > 0 && heldOut < 1)) {
    throw new RangeError(`splitDocuments: heldOut must be between 0 and 1, got ${heldOut}`);
  }
  const groupOf = groupNearDuplicates(documents.map(({ text }) => text));
  const sizes = new Map<number, number>();
  for (const group of groupOf) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  if (sizes.size < 2) {
    throw new RangeError(
      `splitDocuments: expected at least two different documents, got ${sizes.size}; give more data`,
    );
  }
  const target = Math.round(heldOut * documents.length);
  const outside = new Set<number>();
  let count = 0;
  for (const [group, size] of new Rng(`split ${seed}`).shuffle([...sizes])) {
    if (outside.size > 0 && count + size > target) continue;
    if (outside.size === sizes.size - 1) break;
    outside.add(group);
    count += size;
  }
  const isOutside = (_: D, index: number) => outside.has(groupOf[index] ?? -1);
  return {
    train: documents.filter((document, index) => !isOutside(document, index)),
    heldOut: documents.filter(isOutside),
  };
}
