/** Runs in the browser: conformance of every operation and training steps, on WebAssembly and on WebGPU. */

import { deviceDescription, setDevice, type DeviceName } from "../../src/index.ts";
import type { Executor } from "../../src/runtime/executor.ts";
import { createExecutor } from "../../src/runtime/index.ts";
import { checkSample, type Fixture } from "../ops/check.ts";
import { sampleId, type Sample } from "../ops/sample.ts";
import { families, type Family } from "../ops/samples.ts";
import { exceptionOf, withAccuracy } from "../webgpu/exceptions.ts";
import { difference, runs } from "../webgpu/steps.ts";
import type { Report } from "./report.ts";

declare global {
  interface Window {
    /** Given by the driver. */
    report: (report: Report) => Promise<void>;
  }
}

/** Numbers of each run on the first device, which the others must give too. */
const expected = new Map<string, readonly number[]>();
const fixtures = new Map<Family, Fixture>();

async function attempt(suite: string, name: string, task: () => Promise<void>): Promise<void> {
  try {
    await task();
    await window.report({ kind: "passed", suite, name });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await window.report({ kind: "failed", suite, name, reason });
  }
}

async function conformance(
  suite: string,
  adapt: (sample: Sample) => Sample | null,
  shapesOn?: Executor,
): Promise<void> {
  for (const family of Object.keys(families) as Family[]) {
    for (const given of families[family]) {
      const sample = adapt(given);
      if (sample === null) continue;
      const id = sampleId(sample);
      await attempt(suite, id, () => checkSample(sample, fixtures.get(family)?.[id], shapesOn));
    }
  }
}

async function training(suite: string): Promise<void> {
  for (const [name, { run, tolerance }] of Object.entries(runs)) {
    await attempt(suite, name, async () => {
      const got = await run();
      const wrong = difference(got, expected.get(name) ?? got, tolerance);
      if (wrong !== null) throw new Error(wrong);
      expected.set(name, got);
    });
  }
}

async function use(device: DeviceName, options: Parameters<typeof setDevice>[1]): Promise<string> {
  await setDevice(device, options);
  const suite = `${await deviceDescription()}${options?.strict === true ? ", GPU only" : ""}`;
  await window.report({ kind: "started", suite });
  return suite;
}

for (const family of Object.keys(families) as Family[]) {
  const response = await fetch(`./${family}.json`);
  fixtures.set(family, (await response.json()) as Fixture);
}

const wasm = await use("wasm", {});
await conformance(wasm, (sample) => sample);
await training(wasm);

const strict = await use("webgpu", { strict: true });
// Its operator Shape runs on the CPU.
const lenient = await createExecutor("webgpu");
await conformance(
  strict,
  (sample) => (exceptionOf(sample) === null ? withAccuracy(sample) : null),
  lenient,
);
await training(strict);

const mixed = await use("webgpu", {});
await conformance(mixed, (sample) => (exceptionOf(sample)?.runs === "cpu" ? sample : null));

await window.report({ kind: "finished" });
