/** Arguments of exports and saves that are no models' weights are named. */

import { expect, test } from "vitest";
import { exportOnnx, ones } from "../../src/index.ts";
import { toSafetensors } from "../../src/hub/index.ts";
import { Linear } from "../../src/nn/index.ts";

test("exportOnnx takes a list of inputs, and refuses options it does not have", async () => {
  const model = new Linear(2, 1);
  const x = ones([1, 2]);
  await expect(exportOnnx(model, x as never)).rejects.toThrow("exportOnnx(model, [x])");
  await expect(exportOnnx(model, [x], { dynamicAxes: {} } as never)).rejects.toThrow(
    'exportOnnx: unknown option "dynamicAxes", expected path, inputNames, outputNames',
  );
});

test("safetensors holds tensors only", async () => {
  await expect(toSafetensors({ epoch: 3 } as never)).rejects.toThrow(
    'safetensors: "epoch" must be a tensor, got number',
  );
});
