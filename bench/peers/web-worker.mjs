/** A browser's Worker in Node, so that jax-js, which looks for one, runs on several threads here too. */
import { resolveObjectURL } from "node:buffer";
import { Worker as Thread } from "node:worker_threads";

const prelude = `
const { parentPort } = require("node:worker_threads");
globalThis.self = globalThis;
globalThis.postMessage = (message) => parentPort.postMessage(message);
parentPort.on("message", (data) => globalThis.onmessage({ data }));
`;

export class WebWorker {
  onmessage = () => {};
  onerror = () => {};
  #thread;

  constructor(url) {
    this.#thread = resolveObjectURL(url)
      .text()
      .then((source) => {
        const thread = new Thread(prelude + source, { eval: true });
        thread.on("message", (data) => this.onmessage({ data }));
        thread.on("error", (error) => this.onerror(error));
        return thread;
      });
  }

  postMessage(message) {
    this.#thread.then(
      (thread) => thread.postMessage(message),
      (error) => this.onerror(error),
    );
  }
}
