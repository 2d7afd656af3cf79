/** Random orders on the host that follow from a seed and an epoch alone, so that no state has to be saved. */

import { hashString } from "./rng.ts";

/** Fractions in [0, 1), one after another. */
export type Draw = () => number;

/**
 * The draws of one use (`purpose`) in one epoch: draw i is mix(mix(i φ + k₀) ⊕ k₁) with two words of key hashed from
 * purpose, seed and epoch, so that two streams are not windows of one cycle (Salmon et al., "Parallel random numbers: as
 * easy as 1, 2, 3", SC 2011, for the idea of counters with keys).
 */
export function drawsOf(purpose: string, seed: number, epoch: number): Draw {
  const first = hashString(`${purpose}:${seed}:${epoch}`);
  const second = hashString(`${epoch}/${seed}/${purpose}`);
  let counter = first;
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    return mix(mix(counter) ^ second) / 2 ** 32;
  };
}

/** Mixer of 32 bits (C. Wellons, "Prospecting for hash functions": lowbias32). */
function mix(word: number): number {
  let z = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

/** Shuffles in place (Fisher and Yates); each order is equally likely, but for the draws' 32 bits. */
export function shuffleInPlace<T>(
  items: { [index: number]: T; readonly length: number },
  draw: Draw,
): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    const moved = items[i]!;
    items[i] = items[j]!;
    items[j] = moved;
  }
}

/** The numbers below `length` in their order. */
export function ascending(length: number): Uint32Array {
  const order = new Uint32Array(length);
  for (let i = 0; i < length; i++) order[i] = i;
  return order;
}

/** The numbers below `length` in random order. */
export function permutation(length: number, draw: Draw): Uint32Array {
  const order = ascending(length);
  shuffleInPlace(order, draw);
  return order;
}
