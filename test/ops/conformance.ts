/** The suite every executor must pass: each sample's shapes, values and gradients, uncompiled and compiled. */

import { beforeAll, describe, expect, test } from "vitest";
import { deviceDescription, setDevice, type DeviceName, type DType } from "../../src/index.ts";
import { executor } from "../../src/device.ts";
import { encodeModel } from "../../src/onnx/proto.ts";
import type { Executor } from "../../src/runtime/executor.ts";
import { createExecutor } from "../../src/runtime/index.ts";
import { checkSample, type Fixture } from "./check.ts";
import { sampleId, type Sample } from "./sample.ts";
import { families, type Family } from "./samples.ts";

export interface ConformanceOptions {
  /** Expected results of a family of samples. */
  readonly fixture: (family: Family) => Promise<Fixture>;
  /** What `deviceDescription` must say. */
  readonly runsOn: RegExp;
  readonly setDeviceOptions?: Parameters<typeof setDevice>[1];
  /** A sample as it is to run here, for example with another tolerance; null: it is not for this suite. */
  readonly adapt?: (sample: Sample) => Sample | null;
  /** Options of the executor that finds out shapes; that in use unless given. */
  readonly shapesOn?: Parameters<typeof createExecutor>[1];
  /** Why a sample cannot run on this executor; null where it can. */
  readonly skip?: (sample: Sample) => string | null;
}

export function conformance(device: DeviceName, options: ConformanceOptions): void {
  const { adapt = (sample) => sample, skip = () => null } = options;
  let shapesOn: Executor | undefined;
  beforeAll(async () => {
    await setDevice(device, { fallback: false, ...options.setDeviceOptions });
    if (options.shapesOn !== undefined) shapesOn = await createExecutor(device, options.shapesOn);
  });

  test("runs on what it says", async () => {
    expect(await deviceDescription()).toMatch(options.runsOn);
  });

  // What makes a loaded program proof that the dtypes of its results are the inferred ones.
  test("a program whose declared dtype is wrong does not load", async () => {
    const on = await executor();
    const load = async (dtype: DType): Promise<unknown> =>
      await on.load(
        encodeModel({
          irVersion: 9,
          opsetImports: [{ domain: "", version: 18 }],
          producerName: "learning-loop-test",
          graph: {
            name: "test",
            nodes: [{ name: "n", opType: "Neg", inputs: ["x"], outputs: ["y"], attributes: {} }],
            initializers: [],
            inputs: [{ name: "x", dtype: "float32", shape: [2] }],
            outputs: [{ name: "y", dtype, shape: [2] }],
          },
        }),
        [{ name: "x", dtype: "float32", shape: [2] }],
        [{ name: "y", dtype, shape: [2] }],
      );
    await load("float32");
    await expect(load("int32")).rejects.toThrow(/Type Error/);
  });

  const all = Object.values<readonly Sample[]>(families).flat();

  test("samples differ in name", () => {
    const names = all.map(sampleId);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  for (const family of Object.keys(families) as Family[]) {
    const samples = families[family].map(adapt).filter((sample) => sample !== null);
    if (samples.length === 0) continue;
    describe(family, () => {
      let fixture: Fixture = {};
      beforeAll(async () => {
        fixture = await options.fixture(family);
      });
      for (const sample of samples) {
        const reason = skip(sample);
        test(sampleId(sample), async (context) => {
          if (reason !== null) context.skip(reason);
          await checkSample(sample, fixture[sampleId(sample)], shapesOn);
        });
      }
    });
  }
}
