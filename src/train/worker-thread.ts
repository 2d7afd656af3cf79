/** Starts workers: threads of Node from a module's URL, and any worker that is there already, as a connection. */

import type { Endpoint } from "./worker-protocol.ts";

/** A worker of a browser. */
export interface BrowserWorker {
  /** Sends a message to the worker. */
  postMessage(message: unknown): void;
  /** Ends the worker at once. */
  terminate(): void;
  /** Listens to messages. */
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  /** Listens to errors. */
  addEventListener(type: "error", listener: (event: { message?: string }) => void): void;
  /** Listens to messages that cannot be read. */
  addEventListener(type: "messageerror", listener: () => void): void;
}

/** A worker thread of Node (`node:worker_threads`). */
export interface ThreadWorker {
  /** Sends a message to the thread. */
  postMessage(message: unknown): void;
  /** Ends the thread at once. */
  terminate(): Promise<number>;
  /** Listens to messages. */
  on(event: "message", listener: (message: unknown) => void): unknown;
  /** Listens to errors. */
  on(event: "error" | "messageerror", listener: (error: Error) => void): unknown;
  /** Listens to the end. */
  on(event: "exit", listener: (code: number) => void): unknown;
}

/** A worker of a browser or a thread of Node. */
export type AnyWorker = BrowserWorker | ThreadWorker;

export function endpointOf(worker: AnyWorker): Endpoint {
  return "addEventListener" in worker ? ofBrowser(worker) : ofThread(worker);
}

function ofBrowser(worker: BrowserWorker): Endpoint {
  let fail: ((error: Error | null) => void) | undefined;
  return {
    post: (message) => worker.postMessage(message),
    listen(onMessage, onFailure) {
      fail = onFailure;
      worker.addEventListener("message", ({ data }) => onMessage(data));
      worker.addEventListener("error", ({ message }) =>
        onFailure(new Error(message ?? "the worker's module cannot be loaded")),
      );
      worker.addEventListener("messageerror", () =>
        onFailure(new Error("a message of the worker cannot be read")),
      );
    },
    close() {
      worker.terminate();
      fail?.(null);
    },
  };
}

/** Milliseconds that a thread has to end by itself, which is cleaner, before it is ended. */
const GRACE = 1000;

function ofThread(worker: ThreadWorker): Endpoint {
  const ended = new Promise<void>((resolve) => worker.on("exit", () => resolve()));
  return {
    post: (message) => worker.postMessage(message),
    listen(onMessage, onFailure) {
      worker.on("message", onMessage);
      worker.on("error", onFailure);
      worker.on("messageerror", onFailure);
      worker.on("exit", (code) =>
        onFailure(code === 0 || code === 1 ? null : new Error(`its exit code is ${code}`)),
      );
    },
    async close() {
      const timer = setTimeout(() => void worker.terminate(), GRACE);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** A thread of Node that serves the functions that a module exports. */
export async function startThread(module: string): Promise<Endpoint> {
  const { Worker } = await import("node:worker_threads");
  const entry = new URL(import.meta.url.replace(/worker-thread(\.\w+)$/, "worker-entry$1")).href;
  const loader = [entry, module].some((url) => /\.[mc]?tsx?$/.test(url))
    ? await typescriptLoader(module)
    : null;
  const options = { workerData: { module } };
  if (loader === null) return endpointOf(new Worker(new URL(entry), options));
  const [tsx, script] = [loader, entry].map((url) => JSON.stringify(url));
  const boot = `import(${tsx}).then(({ register }) => { register(); return import(${script}); })`;
  // With the flags of this process the loader would be registered twice where Node passes it on.
  return endpointOf(new Worker(boot, { ...options, eval: true, execArgv: [] }));
}

/** URL of tsx's interface, where tsx is installed: Node 20 cannot read TypeScript itself, and threads inherit no loader. */
async function typescriptLoader(module: string): Promise<string | null> {
  const { createRequire } = await import("node:module");
  const { pathToFileURL } = await import("node:url");
  for (const from of [module, import.meta.url])
    try {
      // Its ES module lies beside what `require` finds.
      const found = createRequire(from).resolve("tsx/esm/api");
      return pathToFileURL(found).href.replace(/\.cjs$/, ".mjs");
    } catch {
      // Not installed there; Node 22.18 and later need none.
    }
  return null;
}
