/** Groups texts that are nearly the same, so that copies of one document do not end up on both sides of a split. */
import { hashString } from "./rng.ts";

const SHINGLE_WORDS = 5;
const SKETCH_SIZE = 128;

/**
 * A group number for every text; texts share one when they are linked by pairs whose sets of five-word shingles have
 * an estimated Jaccard similarity of at least `threshold`.
 *
 * The estimate compares the smallest hashes of both sets (Broder, "On the resemblance and containment of documents",
 * 1997); an index from hash to texts finds the pairs, so texts with nothing in common cost nothing.
 */
export function groupNearDuplicates(texts: readonly string[], threshold = 0.5): number[] {
  const sketches = texts.map(sketchOf);
  const parent = texts.map((_, i) => i);
  const rootOf = (i: number): number => {
    let at = i;
    while (parent[at] !== at) at = parent[at] ?? at;
    return at;
  };
  const holders = new Map<number, number[]>();
  sketches.forEach((sketch, i) => {
    const shared = new Map<number, number>();
    for (const hash of sketch) {
      const earlier = holders.get(hash) ?? [];
      for (const j of earlier) shared.set(j, (shared.get(j) ?? 0) + 1);
      earlier.push(i);
      holders.set(hash, earlier);
    }
    // The intersection alone is no estimate, but no pair passes with fewer common hashes than this.
    for (const [j, count] of shared) {
      const other = sketches[j] ?? [];
      if (count < (threshold * Math.min(sketch.length, other.length)) / 2) continue;
      if (resemblance(sketch, other) >= threshold) parent[rootOf(i)] = rootOf(j);
    }
  });
  return parent.map((_, i) => rootOf(i));
}

/** The smallest shingle hashes of a text, ascending. */
function sketchOf(text: string): number[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? [text.trim()];
  const hashes = new Set<number>();
  for (let i = 0; i === 0 || i + SHINGLE_WORDS <= words.length; i++) {
    hashes.add(hashString(words.slice(i, i + SHINGLE_WORDS).join(" ")));
  }
  return [...hashes].sort((a, b) => a - b).slice(0, SKETCH_SIZE);
}

/** Share of the smallest hashes of the union that are in both sketches, both ascending. */
function resemblance(a: readonly number[], b: readonly number[]): number {
  let i = 0;
  let j = 0;
  let common = 0;
  let seen = 0;
  while (seen < SKETCH_SIZE && (i < a.length || j < b.length)) {
    const left = a[i] ?? Infinity;
    const right = b[j] ?? Infinity;
    if (left === right) common += 1;
    if (left <= right) i += 1;
    if (right <= left) j += 1;
    seen += 1;
  }
  return seen === 0 ? 1 : common / seen;
}
