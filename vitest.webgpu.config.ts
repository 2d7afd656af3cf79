/** Tests on WebGPU in Node: on the GPU there is, else on the software driver of Debian's chromium package. */

import { defineConfig } from "vitest/config";
import { webGpuEnvironment } from "./test/webgpu/driver.ts";

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    include: ["test/webgpu/*.webgpu.ts", "test/runtime/conformance.test.ts"],
    testTimeout: 60_000,
    env: { ...webGpuEnvironment(), LEARNING_LOOP_TEST_WEBGPU: "1" },
    onConsoleLog: (log) => {
      throw new Error(`a test printed to the console: ${log}`);
    },
  },
});
