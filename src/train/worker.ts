/** Training in a worker: the caller's event loop stays free, and gets the run's events as they come. */

import type { TrainingEvent } from "./events.ts";
import { endpointPair, unpackError, type Endpoint, type FromWorker } from "./worker-protocol.ts";
import { serveRun, type RunFunction } from "./worker-serve.ts";
import { endpointOf, startThread, type AnyWorker } from "./worker-thread.ts";

/** Options of {@link runInWorker}. */
export interface RunInWorkerOptions {
  /** Ends the run without a checkpoint; iteration and result then throw the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Milliseconds that a run has to end by itself when it is aborted, until its worker is ended. */
const ABORT_GRACE = 2000;

/**
 * A run elsewhere. Iterate over it for its events, once; it does not wait for that. Leaving the loop early aborts the run.
 */
export class WorkerRun<Event = TrainingEvent, Result = unknown> implements AsyncIterable<Event> {
  /** What the run's function returned; rejected with what it threw, or why its worker ended. */
  readonly result: Promise<Result>;
  readonly #connected: Promise<Endpoint>;
  readonly #events: Event[] = [];
  #resolve!: (result: Result) => void;
  #reject!: (error: Error) => void;
  #outcome: { readonly result: Result } | { readonly error: Error } | null = null;
  #aborted: { readonly reason: unknown } | null = null;
  #ended = false;
  #wake: (() => void) | null = null;

  /** @internal Made by {@link runInWorker} and {@link runHere}. */
  constructor(
    connected: Promise<Endpoint>,
    begin: { readonly name: string; readonly options: unknown },
    { signal }: RunInWorkerOptions = {},
  ) {
    this.result = new Promise<Result>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Who only iterates gets the error there.
    this.result.catch(() => undefined);
    this.#connected = connected;
    const abort = (): void => void this.#abort(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    this.result.finally(() => signal?.removeEventListener("abort", abort)).catch(() => undefined);
    connected
      .then((endpoint) => {
        endpoint.listen(
          (message) => void this.#receive(message as FromWorker, endpoint),
          (error) => this.#lose(error),
        );
        endpoint.post({ type: "begin", ...begin });
        if (signal?.aborted) abort();
      })
      .catch((error: unknown) => this.#settle({ error: error as Error }));
  }

  /** Waits before the next step, until `resume` or `stop`. */
  pause(): void {
    this.#send("pause");
  }

  /** Goes on after `pause`. */
  resume(): void {
    this.#send("resume");
  }

  /** Ends the run in order; a Trainer does so before its next step, with a checkpoint. */
  stop(): void {
    this.#send("stop");
  }

  /** The events of the run, as they come. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, void> {
    try {
      for (;;) {
        for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift())
          yield event;
        if (this.#ended) break;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      await this.result;
    } finally {
      if (!this.#ended) await this.#abort(new Error("runInWorker: its events are left unread"));
    }
  }

  #send(type: "pause" | "resume" | "stop"): void {
    // What does not arrive any more is of no matter: the run has ended.
    this.#connected
      .then((endpoint) => this.#ended || endpoint.post({ type }))
      .catch(() => undefined);
  }

  async #receive(message: FromWorker, endpoint: Endpoint): Promise<void> {
    if (message.type === "event") {
      this.#events.push(message.event as Event);
      this.#wake?.();
      return;
    }
    this.#outcome ??=
      message.type === "end"
        ? { result: message.result as Result }
        : { error: unpackError(message.error) };
    await endpoint.close();
    this.#settle(this.#outcome);
  }

  /** The worker is gone. */
  #lose(error: Error | null): void {
    const why = error === null ? "it ended before its run" : error.message;
    const lost = new Error(`runInWorker: the worker is lost: ${why}`, { cause: error });
    if (error?.stack !== undefined) lost.stack = error.stack;
    this.#settle(this.#outcome ?? { error: lost });
  }

  #settle(outcome: { readonly result: Result } | { readonly error: Error }): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#aborted !== null) this.#reject(this.#aborted.reason as Error);
    else if ("error" in outcome) this.#reject(outcome.error);
    else this.#resolve(outcome.result);
    this.#wake?.();
  }

  async #abort(reason: unknown): Promise<void> {
    if (this.#ended) return;
    this.#aborted ??= { reason };
    const endpoint = await this.#connected;
    endpoint.post({ type: "abort" });
    const timer = setTimeout(() => void endpoint.close(), ABORT_GRACE);
    await this.result.catch(() => undefined);
    clearTimeout(timer);
  }
}

/**
 * Runs a function in a worker, where `async function* train(options, control)` yields events and returns a result.
 *
 * In Node, `worker` may be the URL of the module that exports it: `new URL("./my-training.ts", import.meta.url)`. Or it is a
 * worker, of Node or a browser, whose module calls `serveRuns({ train })`. The worker serves one run and is ended with it.
 * Events, options and result are copied as structuredClone does.
 * @throws Error for a URL in a browser. What goes wrong in the worker is thrown where the events are read.
 */
export function runInWorker<Event = TrainingEvent, Result = unknown>(
  worker: URL | AnyWorker,
  name: string,
  options: unknown,
  settings: RunInWorkerOptions = {},
): WorkerRun<Event, Result> {
  const inNode = typeof process !== "undefined" && process.versions?.node !== undefined;
  if (worker instanceof URL && !inNode)
    throw new Error(
      'runInWorker: in a browser give a worker, new Worker(new URL("./my-training.js", import.meta.url), { type: "module" }), whose module calls serveRuns({ … })',
    );
  const connected =
    worker instanceof URL ? startThread(worker.href) : Promise.resolve(endpointOf(worker));
  return new WorkerRun(connected, { name, options }, settings);
}

/** The same without a worker, for tests and where there are none: the function runs in this thread. */
export function runHere<Options, Event, Result>(
  run: RunFunction<Options, Event, Result>,
  options: Options,
  settings: RunInWorkerOptions = {},
): WorkerRun<Event, Result> {
  const [here, there] = endpointPair();
  serveRun({ run }, there);
  return new WorkerRun(Promise.resolve(here), { name: "run", options }, settings);
}
