/** Operations that WebGPU leaves to the CPU give the same results, and do need it. */

import { beforeAll, describe, expect, test } from "vitest";
import { setDevice } from "../../src/index.ts";
import type { Executor } from "../../src/runtime/executor.ts";
import { createExecutor } from "../../src/runtime/index.ts";
import { checkSample } from "../ops/check.ts";
import { conformance } from "../ops/conformance.ts";
import { readFixture } from "../ops/fixtures.ts";
import { sampleId, type Sample } from "../ops/sample.ts";
import { families, type Family } from "../ops/samples.ts";
import { exceptionOf } from "./exceptions.ts";

const onCpu = (sample: Sample): boolean => exceptionOf(sample)?.runs === "cpu";

conformance("webgpu", {
  fixture: readFixture,
  runsOn: /WebGPU through its Node binding/,
  adapt: (sample) => (onCpu(sample) ? sample : null),
});

describe("no exception is idle", () => {
  let shapesOn: Executor;
  beforeAll(async () => {
    await setDevice("webgpu", { strict: true });
    shapesOn = await createExecutor("webgpu");
  });
  for (const family of Object.keys(families) as Family[]) {
    for (const sample of families[family]) {
      if (!onCpu(sample)) continue;
      const id = sampleId(sample);
      test(id, async () => {
        const check = checkSample(sample, (await readFixture(family))[id], shapesOn);
        await expect(check).rejects.toThrow(/fallback to CPU EP/);
      });
    }
  }
});
