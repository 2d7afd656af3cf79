/** Ends with exit code 0 where there is a WebGPU adapter in Node, else says why not. */

import { createExecutor } from "../../src/runtime/index.ts";

try {
  await createExecutor("webgpu");
} catch (error) {
  process.stderr.write(error instanceof Error ? `${error.message}\n` : String(error));
  process.exitCode = 1;
}
