/** Chooses what runs programs here: ONNX Runtime's C API or binding in Node, WebAssembly or WebGPU in a browser. */

import type { DeviceName, Executor } from "./executor.ts";

export interface ExecutorOptions {
  /** CPU threads of one executor; as many as there are processors unless given. */
  readonly threads?: number;
  /** Whether the CPU in Node is driven through the C API: true demands it, false forbids it, else where it works. */
  readonly ffi?: boolean;
}

/** True in Node, false in browsers and their workers. */
const inNode = typeof process !== "undefined" && typeof process.versions?.node === "string";

/**
 * Makes an executor for a device. In Node there are `cpu`, `webgpu` and `wasm`, in a browser `wasm` and `webgpu`.
 * The environment variable `LEARNING_LOOP_FFI=0` forbids the C API where `ffi` is not given.
 */
export async function createExecutor(
  device: DeviceName,
  options: ExecutorOptions = {},
): Promise<Executor> {
  if (device === "cpu" && inNode) return nodeCpu(options);
  throw new Error(`device ${device} is not available here`);
}

async function nodeCpu(options: ExecutorOptions): Promise<Executor> {
  const { FfiExecutor } = await import("./node-ffi.ts");
  return new FfiExecutor(options);
}
