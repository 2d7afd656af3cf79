/** What a worker thread of Node runs first: imports the module that its owner named, and serves what that exports. */

import { parentPort, workerData } from "node:worker_threads";
import { packError, type FromWorker } from "./worker-protocol.ts";
import { serveRuns, type RunFunctions } from "./worker-serve.ts";

const { module } = workerData as { readonly module: string };
try {
  await serveRuns((await import(module)) as RunFunctions);
} catch (error) {
  parentPort?.postMessage({ type: "error", error: packError(error) } satisfies FromWorker);
}
