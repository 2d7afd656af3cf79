/** The same losses where the C API is not to be had and ONNX Runtime's public binding runs the programs. */
import { expect, test } from "vitest";
import { deviceDescription, setDevice } from "../../src/index.ts";
import { curves, expectCurve, train } from "./curves.ts";

test.each(curves)("$name", async (curve) => {
  await setDevice("cpu", { ffi: false });
  expect(await deviceDescription()).toContain("binding");
  const compiled = await train(curve.name, 40);
  expectCurve(compiled, curve);
  expectCurve(await train(curve.name, 20, { compiled: false }), curve);
});
