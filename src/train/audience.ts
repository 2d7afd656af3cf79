/** Everybody who is told of a run: its callbacks, and its loggers, of which one that fails does not end the run. */

import type { Logger, TrainingEvent } from "./events.ts";
import type { Callback } from "./trainer-options.ts";

export class Audience {
  readonly #callbacks: readonly Callback[];
  readonly #all: readonly Logger[];
  #loggers: readonly Logger[];
  /** What went wrong since it was last asked. */
  #problems: string[] = [];

  constructor(callbacks: readonly Callback[] = [], loggers: readonly Logger[] = []) {
    this.#callbacks = callbacks;
    this.#loggers = this.#all = loggers;
  }

  async tell(event: TrainingEvent): Promise<void> {
    for (const callback of this.#callbacks) await callback.onEvent?.(event);
    await this.log((logger) => logger.onEvent(event));
  }

  /** Has each logger log something; those that fail get nothing more. */
  async log(write: (logger: Logger) => void | Promise<void>): Promise<void> {
    for (const logger of this.#loggers) {
      try {
        await write(logger);
      } catch (error) {
        this.#loggers = this.#loggers.filter((other) => other !== logger);
        this.#problems.push(`a logger failed and gets no more events: ${messageOf(error)}`);
      }
    }
  }

  problems(): string[] {
    return this.#problems.splice(0);
  }

  /** Says why the run ends that ends by an error. */
  fail(error: unknown): Promise<void> {
    return this.log((logger) => logger.fail?.(error));
  }

  /** Closes all loggers; throws what the first of them throws when it cannot be closed. */
  async close(): Promise<void> {
    const results = await Promise.allSettled(this.#all.map((logger) => logger.close()));
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw new Error(`Trainer: a logger cannot be closed: ${messageOf(failed.reason)}`);
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
