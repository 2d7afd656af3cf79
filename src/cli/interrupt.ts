/** Turns Ctrl-C and SIGTERM into an orderly stop, and a second one into an immediate exit. */

/** Signals by how their sender is called, with the exit code of a program that they end: 128 + their number. */
const SIGNALS = {
  SIGINT: { name: "Ctrl-C", exitCode: 130 },
  SIGTERM: { name: "SIGTERM", exitCode: 143 },
} as const;

/** What ended a program, by a signal. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
  readonly exitCode: number;

  constructor(signal: keyof typeof SIGNALS, outcome = "nothing was written") {
    const { name, exitCode } = SIGNALS[signal];
    super(`stopped by ${name}, ${outcome}`);
    this.exitCode = exitCode;
  }
}

/** Which signal came, if one did. */
export interface Interruption {
  readonly signal: keyof typeof SIGNALS | null;
}

/**
 * Runs `work`; the first SIGINT or SIGTERM calls `stop`, a second one ends the process at once.
 * @param say told once that the stop is under way.
 */
export async function onInterrupt<T>(
  { say, stop }: { readonly say: (message: string) => void; readonly stop: () => void },
  work: (interruption: Interruption) => Promise<T>,
): Promise<T> {
  const interruption: { signal: keyof typeof SIGNALS | null } = { signal: null };
  const take = (signal: NodeJS.Signals) => {
    if (interruption.signal !== null) process.exit(SIGNALS[interruption.signal].exitCode);
    interruption.signal = signal === "SIGTERM" ? signal : "SIGINT";
    say("stopping after this step; press Ctrl-C again to leave at once");
    stop();
  };
  process.on("SIGINT", take).on("SIGTERM", take);
  try {
    return await work(interruption);
  } finally {
    process.off("SIGINT", take).off("SIGTERM", take);
  }
}
