import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // ONNX Runtime's native module fails under the vm* pools.
    pool: "forks",
    maxWorkers: 2,
    include: ["test/**/*.test.ts", "src/**/*.test.ts"],
    testTimeout: 60_000,
    onConsoleLog: (log) => {
      throw new Error(`a test printed to the console: ${log}`);
    },
  },
});
