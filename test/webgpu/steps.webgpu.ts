/** Compiled training steps on WebGPU in Node: the CPU's numbers, without leaving the GPU, in place. */

import { beforeAll, describe, expect, test } from "vitest";
import { compile, setDevice, tensor, type Tensor } from "../../src/index.ts";
import { executor } from "../../src/device.ts";
import { curves } from "../training/curves.ts";
import { difference, runs } from "./steps.ts";

const expected = new Map<string, number[]>();

beforeAll(async () => {
  await setDevice("cpu");
  for (const [name, { run }] of Object.entries(runs)) expected.set(name, await run());
});

describe("strictly on the GPU", () => {
  beforeAll(() => setDevice("webgpu", { strict: true }));

  test.each(Object.entries(runs))("%s", async (name, { run, tolerance }) => {
    expect(difference(await run(), expected.get(name)!, tolerance)).toBeNull();
  });

  test("losses are PyTorch's too", () => {
    const losses = expected.get("ten steps of an encoder")!;
    const curve = curves.find(({ name }) => name === "encoder-tiny")!.losses.slice(0, 10);
    expect(difference(losses, curve, 1e-4)).toBeNull();
  });

  test("updates in place: 200 steps hold no more memory than two", async () => {
    const on = await executor();
    expect(on.inPlace).toBe(true);
    const w = tensor(new Float32Array(2 ** 16));
    const step = compile((x: Tensor) => {
      w.assign(w.add(x));
      return w.mean();
    });
    const one = tensor(1);
    let total = 0;
    for (let i = 0; i < 2; i++) total = await (await step(one)).item();
    const before = on.memory().current;
    const { storage } = w.value;
    for (let i = 0; i < 198; i++) total = await (await step(one)).item();
    expect(total).toBe(200);
    expect(w.value.storage).toBe(storage);
    expect(on.memory().current - before).toBeLessThan(2 ** 16);
  });
});
