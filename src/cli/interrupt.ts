/** Turns Ctrl-C into an orderly stop, and a second one into an immediate exit. */

/** Exit code of a program ended by SIGINT: 128 + 2. */
export const INTERRUPTED = 130;

/** The reason of the abort that {@link onInterrupt} causes. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";

  constructor(outcome = "nothing was written") {
    super(`stopped by Ctrl-C, ${outcome}`);
  }
}

/**
 * Runs `work` with a signal that the first SIGINT or SIGTERM aborts; the second ends the process at once.
 * @param say told once that the stop is under way.
 */
export async function onInterrupt<T>(
  say: (message: string) => void,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    say("stopping after this step; press Ctrl-C again to leave at once");
    controller.abort(new InterruptedError());
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}
