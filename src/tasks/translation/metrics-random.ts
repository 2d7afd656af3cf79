/** NumPy's default random numbers, so that samples drawn by Python's tools can be drawn again. */

const MASK_64 = (1n << 64n) - 1n;
const MASK_128 = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

/**
 * `numpy.random.default_rng(seed)`: the generator PCG XSL RR 128/64 (O'Neill, "PCG: a family of simple fast
 * space-efficient statistically good algorithms for random number generation", 2014).
 */
export class NumpyRandom {
  #state: bigint;
  readonly #increment: bigint;
  /** The upper half of the last 64 bits, where only the lower one is used yet. */
  #held: number | null = null;

  /** @param seed a whole number from 0 to 2³² − 1 */
  constructor(seed: number) {
    const words = seedWords(seed).map(BigInt);
    const long = (at: number): bigint => (words[at + 1]! << 32n) | words[at]!;
    this.#increment = ((((long(4) << 64n) | long(6)) << 1n) | 1n) & MASK_128;
    this.#state = (this.#increment + ((long(0) << 64n) | long(2))) & MASK_128;
    this.#step();
  }

  /** A whole number in [0, `limit`), for a limit below 2³², as `integers(limit)` draws it (Lemire's method, 2019). */
  below(limit: number): number {
    if (limit === 1) return 0;
    const threshold = (2 ** 32 - limit) % limit;
    for (;;) {
      // The upper half is uniform over those draws whose lower half is not among the first few.
      const product = BigInt(this.#uint32()) * BigInt(limit);
      if (Number(product & 0xffffffffn) >= threshold) return Number(product >> 32n);
    }
  }

  #uint32(): number {
    if (this.#held !== null) {
      const held = this.#held;
      this.#held = null;
      return held;
    }
    this.#step();
    const folded = ((this.#state >> 64n) ^ this.#state) & MASK_64;
    const turn = this.#state >> 122n;
    const turned = ((folded >> turn) | (folded << (64n - turn))) & MASK_64;
    this.#held = Number(turned >> 32n);
    return Number(turned & 0xffffffffn);
  }

  #step(): void {
    this.#state = (this.#state * MULTIPLIER + this.#increment) & MASK_128;
  }
}

/** Eight words of 32 bits from a seed: `numpy.random.SeedSequence(seed).generate_state(8)`. */
function seedWords(seed: number): number[] {
  const mixed = (value: number): number => (value ^ (value >>> 16)) >>> 0;
  const hasher = (initial: number, multiplier: number) => {
    let constant = initial;
    return (value: number): number => {
      const crossed = value ^ constant;
      constant = Math.imul(constant, multiplier);
      return mixed(Math.imul(crossed, constant));
    };
  };
  const spread = hasher(0x43b0d7e5, 0x931e8875);
  const pool = [seed, 0, 0, 0].map(spread);
  for (let from = 0; from < pool.length; from++) {
    for (let to = 0; to < pool.length; to++) {
      if (from === to) continue;
      const other = spread(pool[from]!);
      pool[to] = mixed(Math.imul(pool[to]!, 0xca01f9dd) - Math.imul(other, 0x4973f715));
    }
  }
  const draw = hasher(0x8b51f9dd, 0x58f38ded);
  return [...pool, ...pool].map(draw);
}
