/** Chooses what runs programs here: ONNX Runtime's C API or binding in Node, WebAssembly or WebGPU in a browser. */

import type { DeviceName, Executor } from "./executor.ts";
import type * as NodeBinding from "./node-binding.ts";
import type * as NodeFfi from "./node-ffi.ts";
import type { WebOptions } from "./web.ts";

export interface ExecutorOptions extends WebOptions {
  /** Threads on a CPU; as many as there are processors unless given. */
  readonly threads?: number;
  /** Whether the CPU in Node is driven through the C API: true demands it, false forbids it, else where it loads. */
  readonly ffi?: boolean;
  /** Elements that elementwise operations on large tensors compute at a time through the C API; 0: all. */
  readonly piece?: number;
  /** Whether operations may run as kernels in machine code, through the C API on processors with AVX2; true unless given. */
  readonly kernels?: boolean;
  /** Microseconds that a thread waits awake for the next operation, in Node on the CPU; 0 unless given. */
  readonly spin?: number;
}

const inNode = typeof process !== "undefined" && typeof process.versions?.node === "string";

// Bundlers for browsers follow literal paths only, and must not come to koffi or onnxruntime-node.
const importPath = (path: string): Promise<unknown> => import(/* @vite-ignore */ path);
const nodeFfi = async () => (await importPath("./node-ffi.ts")) as typeof NodeFfi;
const nodeBinding = async () => (await importPath("./node-binding.ts")) as typeof NodeBinding;

/**
 * Makes an executor for a device. In Node there are `cpu`, `webgpu` and `wasm`, in a browser `webgpu` and `wasm`.
 * The environment variables `LEARNING_LOOP_FFI=0` and `LEARNING_LOOP_KERNELS=0` forbid the C API and kernels in machine code
 * where `ffi` and `kernels` are not given. Throws where the device is missing, saying how to get it.
 */
export async function createExecutor(
  device: DeviceName,
  options: ExecutorOptions = {},
): Promise<Executor> {
  switch (device) {
    case "cpu":
      if (inNode) return nodeCpu(options);
      throw new Error("device cpu: a browser has webgpu and wasm; cpu needs Node");
    case "wasm":
      return (await import("./web.ts")).createWasm(options);
    case "webgpu":
      if (inNode) return (await nodeBinding()).createBindingWebGpu(options);
      return (await import("./web.ts")).createWebGpu(options);
    default:
      throw new Error(
        `device ${String(device)} is unknown; there are ${inNode ? "cpu, webgpu and wasm" : "webgpu and wasm"} here`,
      );
  }
}

async function nodeCpu(options: ExecutorOptions): Promise<Executor> {
  const ffi = options.ffi ?? (process.env["LEARNING_LOOP_FFI"] === "0" ? false : undefined);
  let reason: unknown;
  if (ffi !== false) {
    try {
      const { FfiExecutor } = await nodeFfi();
      const kernels = options.kernels ?? process.env["LEARNING_LOOP_KERNELS"] !== "0";
      return new FfiExecutor({ ...options, kernels });
    } catch (error) {
      if (ffi === true) throw error;
      reason = error;
    }
  }
  const { createBindingCpu } = await nodeBinding();
  return createBindingCpu(options.threads, reason);
}
