/** Executors over onnxruntime-web: WebAssembly, in Node too, and WebGPU in browsers. */

import type { Env } from "onnxruntime-web";
import { threadsText } from "./checks.ts";
import type { Executor } from "./executor.ts";
import { openWebGpu } from "./webgpu.ts";
import { sessionDefaults, TensorExecutor } from "./tensor-executor.ts";

export interface WebOptions {
  /** WebAssembly threads; more than one only in pages with cross-origin isolation. */
  readonly threads?: number;
  /** Where the package's `.wasm` and `.mjs` files are served: a URL prefix, or the URL of each. */
  readonly wasmPaths?: Env.WasmFilePaths | string;
  /** On WebGPU: a program with an operator that would run on the CPU does not load; for tests. */
  readonly strict?: boolean;
}

/** Settings of the module must be made before its first session. */
function configure(env: Env, options: WebOptions): number {
  // In Node this is undefined, and threads of onnxruntime-web do not start there.
  const isolated = typeof crossOriginIsolated !== "undefined" && crossOriginIsolated;
  const threads = isolated ? (options.threads ?? navigator.hardwareConcurrency) : 1;
  env.logLevel = "fatal";
  env.wasm.numThreads = threads;
  if (options.wasmPaths !== undefined) env.wasm.wasmPaths = options.wasmPaths;
  return threads;
}

export async function createWasm(options: WebOptions = {}): Promise<Executor> {
  const ort = await import("onnxruntime-web/wasm");
  const threads = configure(ort.env, options);
  return new TensorExecutor(ort, {
    device: "wasm",
    description: `ONNX Runtime ${ort.env.versions.web}, WebAssembly, ${threadsText(threads)}`,
    inPlace: false,
    session: { ...sessionDefaults, executionProviders: ["wasm"] },
  });
}

/** Throws where the browser offers no GPU adapter. */
export async function createWebGpu(options: WebOptions = {}): Promise<Executor> {
  const ort = await import("onnxruntime-web/webgpu");
  configure(ort.env, options);
  return new TensorExecutor(ort, {
    device: "webgpu",
    description: `ONNX Runtime ${ort.env.versions.web}, WebGPU`,
    ...(await openWebGpu(ort, { ...options, inPlace: false })),
  });
}
