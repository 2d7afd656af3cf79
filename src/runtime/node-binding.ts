/** Executors over the JavaScript binding of onnxruntime-node: the CPU where its C API cannot be called, and WebGPU. */

import { availableParallelism } from "node:os";
import * as ort from "onnxruntime-node";
import { threadsText } from "./checks.ts";
import type { Executor } from "./executor.ts";
import { openWebGpu, type WebGpuOptions } from "./webgpu.ts";
import { sessionDefaults, TensorExecutor } from "./tensor-executor.ts";

ort.env.logLevel = "fatal";

const version = ort.env.versions.node ?? "";

/** `ffiError` is why the C API is not used, where it was tried. */
export function createBindingCpu(threads = availableParallelism(), ffiError?: unknown): Executor {
  const reason = ffiError instanceof Error ? ` (its C API does not load: ${ffiError.message})` : "";
  return new TensorExecutor(ort, {
    device: "cpu",
    description: `ONNX Runtime ${version}, CPU through its Node binding, ${threadsText(threads)}${reason}`,
    inPlace: false,
    session: { ...sessionDefaults, executionProviders: ["cpu"], intraOpNumThreads: threads },
  });
}

/** Throws where no GPU adapter is found. */
export async function createBindingWebGpu(options: WebGpuOptions = {}): Promise<Executor> {
  return new TensorExecutor(ort, {
    device: "webgpu",
    description: `ONNX Runtime ${version}, WebGPU through its Node binding`,
    ...(await openWebGpu(ort, { ...options, inPlace: true })),
  });
}
