/** Conformance of WebGPU in Node: what is no exception never leaves the GPU. */

import { conformance } from "../ops/conformance.ts";
import { readFixture } from "../ops/fixtures.ts";

conformance("webgpu", {
  fixture: readFixture,
  runsOn: /WebGPU through its Node binding/,
  setDeviceOptions: { strict: true },
  shapesOn: { strict: false },
  select: (sample) => [...sample.inputs].every(({ dtype }) => dtype !== "float64"),
});
