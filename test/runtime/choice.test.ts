/** The choice of an executor, and several of them in one process. */

import { afterEach, expect, test, vi } from "vitest";
import type { DeviceName, Executor } from "../../src/runtime/executor.ts";
import { createExecutor } from "../../src/runtime/index.ts";
import { affine, modelBytes } from "./models.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

async function affineResult(executor: Executor): Promise<number[]> {
  const program = await executor.load(modelBytes(affine), affine.inputs, affine.outputs);
  const x = await executor.upload(new Float32Array([1, 2, 3, 4, 5, 6]), "float32", [2, 3]);
  const w = await executor.upload(new Float32Array([1, 0, 0, 1, 1, 1]), "float32", [3, 2]);
  const [y] = await executor.run(program, [x, w]);
  return y === undefined ? [] : Array.from(await executor.read(y), Number);
}

// First in this file, so that the binding makes the process's ONNX Runtime environment.
test("the C API works after the binding was used directly", async () => {
  const ort = await import("onnxruntime-node");
  const session = await ort.InferenceSession.create(modelBytes(affine));
  const executor = await createExecutor("cpu", { ffi: true });
  expect(await affineResult(executor)).toEqual([4.5, 4.5, 10.5, 10.5]);
  await session.release();
});

test("the C API runs the cpu in Node", async () => {
  const executor = await createExecutor("cpu", { threads: 1 });
  expect(executor.description).toBe(
    `ONNX Runtime ${executor.description.split(/[ ,]/)[2]}, CPU through its C API, 1 thread${executor.fuse === undefined ? "" : ", AVX2 kernels"}`,
  );
  expect(executor.inPlace).toBe(true);
});

test("LEARNING_LOOP_FFI=0 chooses the binding", async () => {
  vi.stubEnv("LEARNING_LOOP_FFI", "0");
  const executor = await createExecutor("cpu");
  expect(executor.description).toMatch(/CPU through its Node binding/);
  expect((await createExecutor("cpu", { ffi: true })).description).toMatch(/C API/);
});

test("executors of different thread counts work side by side", async () => {
  for (const threads of [1, 2, 3]) {
    const executor = await createExecutor("cpu", { threads });
    expect(await affineResult(executor)).toEqual([4.5, 4.5, 10.5, 10.5]);
  }
});

test("an unknown device is named with those there are", async () => {
  await expect(createExecutor("tpu" as DeviceName)).rejects.toThrow(
    "device tpu is unknown; there are cpu, webgpu and wasm here",
  );
});
