/** Work that is begun before its result is asked for, in order and within bounds. */

/** Lets what is ready to run go first: a step that was started, timers, I/O. */
const turn = (): Promise<void> =>
  new Promise((resolve) =>
    typeof setImmediate === "function" ? setImmediate(resolve) : setTimeout(resolve, 0),
  );

/** A promise, given up with the signal's reason when that is aborted. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/**
 * The results of `start`, one after another until one is null, with up to `depth` begun before they are asked for. Errors
 * are thrown in the place of the result they stand for; nothing is begun after the last result that was asked for.
 */
export async function* ahead<T>(
  start: () => Promise<T | null>,
  depth: number,
  signal?: AbortSignal,
): AsyncGenerator<T, void> {
  const queue: Promise<T | null>[] = [];
  let closed = false;
  let ended = false;
  const begin = (promise: Promise<T | null>): void => {
    // Its error is thrown when its turn comes, which it may never do.
    promise.catch(() => undefined);
    queue.push(promise);
  };
  const later = async (): Promise<T | null> => {
    await turn();
    if (closed || ended) return null;
    const result = await start();
    if (result === null) ended = true;
    return result;
  };
  try {
    for (;;) {
      signal?.throwIfAborted();
      // The first, and every one where nothing is done ahead, is begun at once.
      if (queue.length === 0) begin(start());
      while (queue.length <= depth) begin(later());
      const result = await unlessAborted(queue.shift()!, signal);
      if (result === null) return;
      yield result;
    }
  } finally {
    closed = true;
  }
}

/** Counts what is under way, so that only so many things are at a time. */
export class Gate {
  readonly #limit: number;
  #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether nothing more may be begun now. */
  get full(): boolean {
    return this.#running >= this.#limit;
  }

  /** Waits until something has ended; the gate may be full again by then. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Counts a promise as under way until it is settled. */
  async pass<T>(promise: Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await promise;
    } finally {
      this.#running--;
      // All of them, in order: one that begins nothing would leave the others waiting.
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) wake();
    }
  }
}
