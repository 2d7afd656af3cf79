/** Conformance of WebAssembly, in Node. */

import { conformance } from "./conformance.ts";
import { readFixture } from "./fixtures.ts";

conformance("wasm", { fixture: readFixture, runsOn: /WebAssembly/ });
