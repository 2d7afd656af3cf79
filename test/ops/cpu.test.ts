/** Conformance of the CPU in Node, through ONNX Runtime's C API. */

import { conformance } from "./conformance.ts";
import { readFixture } from "./fixtures.ts";

conformance("cpu", {
  fixture: readFixture,
  runsOn: /CPU through its C API/,
  setDeviceOptions: { ffi: true },
});
