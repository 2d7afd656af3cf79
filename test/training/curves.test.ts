/** 200 steps of training lose what they lose in PyTorch, compiled and not. */
import { describe, expect, test } from "vitest";
import { curves, expectCurve, train } from "./curves.ts";

describe.each(curves)("$name", (curve) => {
  test("200 compiled steps equal PyTorch's; uncompiled ones are the same", async () => {
    const compiled = await train(curve.name, curve.losses.length);
    expectCurve(compiled, curve);
    const uncompiled = await train(curve.name, curve.losses.length, { compiled: false });
    expect(uncompiled).toEqual(compiled);
  });
});
