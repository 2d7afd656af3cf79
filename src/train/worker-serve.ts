/** The inside of a worker: serves functions that run something and tell events, steered by a caller elsewhere. */

import { packError, type Endpoint, type FromWorker, type ToWorker } from "./worker-protocol.ts";

/** What can be paused and stopped: a Trainer is. */
export interface Steered {
  /** Waits between two steps until `resume`. */
  pause(): void;
  /** Goes on. */
  resume(): void;
  /** Ends the run in order after the step being made. */
  stop(): void;
}

/** The caller's hold on a run, seen from inside. */
export interface RunControl {
  /** Aborted when the caller leaves: end without saving anything. For a Trainer's `signal`. */
  readonly signal: AbortSignal;
  /** Aborted when the caller calls `stop()`: end in order. */
  readonly stopping: AbortSignal;
  /** Passes the caller's pause, resume and stop on to this, also what was asked for before; returns it. */
  steer<T extends Steered>(steered: T): T;
}

/** Something that runs and yields events, e.g. those of a Trainer; options, events and result are plain data. */
export type RunFunction<Options, Event, Result> = (
  options: Options,
  control: RunControl,
) => AsyncGenerator<Event, Result, void>;

/** Functions by name, e.g. all exports of a module; others are no matter. */
export type RunFunctions = Readonly<Record<string, unknown>>;

/** Serves one run on one connection: waits for its `begin`, sends its events and its end. */
export function serveRun(functions: RunFunctions, endpoint: Endpoint): void {
  const control = new Control();
  let begun = false;
  const send = (message: FromWorker): void => endpoint.post(message);
  const run = async (name: string, options: unknown): Promise<void> => {
    try {
      const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
      if (typeof found !== "function") {
        const names = Object.keys(functions).join(", ");
        throw new Error(`runInWorker: there is no function "${name}"; there are ${names}`);
      }
      const events = (found as RunFunction<unknown, unknown, unknown>)(options, control);
      try {
        for (;;) {
          const { done, value } = await events.next();
          if (done) return send({ type: "end", result: value });
          send({ type: "event", event: value });
        }
      } finally {
        // Where an event cannot be sent, the run is to clean up.
        await events.return(undefined);
      }
    } catch (error) {
      send({ type: "error", error: packError(error) });
    }
  };
  endpoint.listen(
    (received) => {
      const message = received as ToWorker;
      if (message.type !== "begin") control.take(message.type);
      else if (!begun) {
        begun = true;
        void run(message.name, message.options).finally(() => endpoint.close());
      }
    },
    () => control.take("abort"),
  );
}

class Control implements RunControl {
  readonly #abort = new AbortController();
  readonly #stop = new AbortController();
  readonly signal = this.#abort.signal;
  readonly stopping = this.#stop.signal;
  readonly #steered: Steered[] = [];
  #paused = false;

  take(what: "pause" | "resume" | "stop" | "abort"): void {
    if (what === "abort") return this.#abort.abort();
    if (what === "stop") this.#stop.abort();
    else this.#paused = what === "pause";
    for (const each of this.#steered) each[what]();
  }

  steer<T extends Steered>(steered: T): T {
    this.#steered.push(steered);
    if (this.#paused) steered.pause();
    if (this.stopping.aborted) steered.stop();
    return steered;
  }
}

/**
 * Makes a worker of the module that calls this: `serveRuns({ train })` in the file of `new Worker(…)`. The other side is
 * `runInWorker`. In Node, modules whose URL is given to that need not call it.
 */
export async function serveRuns(functions: RunFunctions): Promise<void> {
  serveRun(functions, await ownEndpoint());
}

/** The connection of a worker to its owner. */
async function ownEndpoint(): Promise<Endpoint> {
  if (typeof process !== "undefined" && process.versions?.node !== undefined) {
    const { parentPort } = await import("node:worker_threads");
    if (parentPort === null) throw new Error("serveRuns: works inside a worker only");
    return {
      post: (message) => parentPort.postMessage(message),
      listen: (onMessage) => void parentPort.on("message", onMessage),
      close: () => parentPort.close(),
    };
  }
  const scope = globalThis as unknown as BrowserScope;
  return {
    post: (message) => scope.postMessage(message),
    listen: (onMessage) => {
      scope.addEventListener("message", ({ data }) => onMessage(data));
      // An error that nobody catches ends the run, as it does in Node.
      scope.addEventListener("unhandledrejection", ({ reason }) =>
        scope.postMessage({ type: "error", error: packError(reason) } satisfies FromWorker),
      );
    },
    // Its owner ends it, once all messages have arrived.
    close: () => undefined,
  };
}

/** What is used of a browser's DedicatedWorkerGlobalScope. */
interface BrowserScope {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(
    type: "unhandledrejection",
    listener: (event: { reason: unknown }) => void,
  ): void;
}
