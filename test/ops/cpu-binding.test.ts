/** Conformance of the CPU in Node, through onnxruntime-node's JavaScript binding. */

import { conformance } from "./conformance.ts";
import { readFixture } from "./fixtures.ts";

conformance("cpu", {
  fixture: readFixture,
  runsOn: /CPU through its Node binding/,
  setDeviceOptions: { ffi: false },
});
