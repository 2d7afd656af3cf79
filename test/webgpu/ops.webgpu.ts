/** Conformance of WebGPU in Node: what is no exception never leaves the GPU. */

import { conformance } from "../ops/conformance.ts";
import { readFixture } from "../ops/fixtures.ts";
import { exceptionOf, withAccuracy } from "./exceptions.ts";

conformance("webgpu", {
  fixture: readFixture,
  runsOn: /WebGPU through its Node binding/,
  setDeviceOptions: { strict: true },
  // Its operator Shape runs on the CPU.
  shapesOn: { strict: false },
  adapt: (sample) => (exceptionOf(sample)?.runs === "cpu" ? null : withAccuracy(sample)),
  skip: (sample) => exceptionOf(sample)?.reason ?? null,
});
