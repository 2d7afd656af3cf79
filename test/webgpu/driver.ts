/** Finds a WebGPU adapter for tests in Node: the machine's own, else a software driver. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

/** SwiftShader, a Vulkan driver that runs on the CPU. */
const SOFTWARE_DRIVER = "/usr/lib/chromium/vk_swiftshader_icd.json";

/** In a process of its own: ONNX Runtime looks for adapters once. */
const probe = fileURLToPath(new URL("probe.ts", import.meta.url));

/**
 * What the environment must hold before ONNX Runtime starts, for there to be a WebGPU adapter. Throws an error that names
 * the packages to install where there is none.
 */
export function webGpuEnvironment(): Record<string, string> {
  // Drivers complain on the console where it is missing.
  const base = { XDG_RUNTIME_DIR: process.env["XDG_RUNTIME_DIR"] ?? tmpdir() };
  const software = { ...base, VK_DRIVER_FILES: SOFTWARE_DRIVER, VK_ICD_FILENAMES: SOFTWARE_DRIVER };
  const candidates = existsSync(SOFTWARE_DRIVER) ? [base, software] : [base];
  let reason = "";
  for (const environment of candidates) {
    const env = { ...process.env, ...environment };
    const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", probe], {
      env,
      encoding: "utf8",
    });
    if (status === 0) return environment;
    reason = stderr.trim();
  }
  throw new Error(
    "test:webgpu: no WebGPU adapter found. Install a GPU's Vulkan driver, or a software driver: " +
      "on Debian, apt-get install chromium libvulkan1 " +
      `(${SOFTWARE_DRIVER} ${existsSync(SOFTWARE_DRIVER) ? "exists but does not load; is libvulkan1 there?" : "is missing"})\n${reason}`,
  );
}
