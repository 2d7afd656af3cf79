/** How fast a run is: samples and tokens a second, and the time left, without what evaluations and checkpoints take. */

export interface Speed {
  readonly samplesPerSecond: number;
  readonly tokensPerSecond?: number;
}

export class Stopwatch {
  readonly #start = performance.now();
  #since = this.#start;
  #idleSince = 0;
  #idle = 0;
  #samples = 0;
  #tokens = 0;
  #steps = 0;
  /** Busy milliseconds at the end of the first step. */
  #begin = 0;

  /** Seconds since it was made. */
  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  /** Counts an update. The first one does not count for the time left: it includes compilation. */
  step(samples: number, tokens: number): void {
    this.#samples += samples;
    this.#tokens += tokens;
    if (this.#steps++ === 0) this.#begin = this.#busy;
  }
  /** Milliseconds since it was made that were not idle. */
  get #busy(): number {
    return performance.now() - this.#start - this.#idle;
  }

  /** Does something else, whose time does not count. */
  async idle<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly seconds: number }> {
    const before = performance.now();
    const result = await work();
    const took = performance.now() - before;
    this.#idle += took;
    this.#idleSince += took;
    return { result, seconds: took / 1000 };
  }

  /** Speed since it was last taken. */
  take(): Speed {
    const now = performance.now();
    const seconds = Math.max(now - this.#since - this.#idleSince, 1e-3) / 1000;
    const speed: Speed = {
      samplesPerSecond: this.#samples / seconds,
      ...(this.#tokens === 0 ? {} : { tokensPerSecond: this.#tokens / seconds }),
    };
    this.#since = now;
    this.#idleSince = this.#samples = this.#tokens = 0;
    return speed;
  }

  /** Seconds that so many steps will take; null before the second step. */
  secondsFor(steps: number): number | null {
    if (this.#steps < 2) return null;
    return (steps * (this.#busy - this.#begin)) / (this.#steps - 1) / 1000;
  }
}
