/** Buffers on the CPU are recycled, and losing them never fills the machine's memory. */

import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { BlockPool } from "../../src/runtime/block-pool.ts";
import { FfiExecutor } from "../../src/runtime/node-ffi.ts";
import { float32, modelBytes } from "./models.ts";

const mebibyte = 2 ** 20;

describe("BlockPool", () => {
  const pool = (budget: number) => {
    const dropped: string[] = [];
    const blocks = new BlockPool<{ capacity: number; name: string }>(budget, ({ name }) =>
      dropped.push(name),
    );
    return { blocks, dropped };
  };

  test("gives back blocks of exactly the capacity asked for", () => {
    const { blocks } = pool(100);
    blocks.put({ capacity: 10, name: "a" });
    blocks.put({ capacity: 20, name: "b" });
    expect(blocks.bytes).toBe(30);
    expect(blocks.take(15)).toBeUndefined();
    expect(blocks.take(20)?.name).toBe("b");
    expect(blocks.take(20)).toBeUndefined();
    expect(blocks.bytes).toBe(10);
  });

  test("drops what was used least recently", () => {
    const { blocks, dropped } = pool(50);
    blocks.put({ capacity: 10, name: "a1" });
    blocks.put({ capacity: 20, name: "b" });
    blocks.put({ capacity: 10, name: "a2" });
    blocks.put({ capacity: 15, name: "c" });
    expect(dropped).toEqual(["b"]);
    blocks.put({ capacity: 30, name: "d" });
    expect(dropped).toEqual(["b", "a1", "a2"]);
    expect(blocks.bytes).toBe(45);
    blocks.put({ capacity: 51, name: "too large" });
    expect(dropped.at(-1)).toBe("too large");
    expect(blocks.bytes).toBe(45);
  });
});

test("released memory is reused at once, for another type too", () => {
  const executor = new FfiExecutor();
  const first = executor.upload(new Float32Array(1000).fill(7), "float32", [1000]);
  executor.release(first);
  const held = executor.memory().current;
  const second = executor.allocate("int32", [10, 100]);
  expect(executor.memory().current).toBe(held);
  // 7 as the bits of a float32: the memory is the same.
  expect(executor.read(second)[0]).toBe(0x40e00000);
});

test("lost memory is reused after a turn of the event loop", async () => {
  const executor = new FfiExecutor();
  for (let i = 0; i < 500; i++) {
    executor.allocate("float32", [mebibyte]);
    if (i % 10 === 9) await turn();
  }
  // 2 GB were asked for.
  expect(executor.memory().peak).toBeLessThan(1.2e9);
});

test.each([
  ["20 GB of lost buffers fit, giving way after every 8th", 320, 8],
  ["5 GB of lost buffers fit without ever giving way", 80, Infinity],
])("%s", async (_, count, period) => {
  const executor = new FfiExecutor();
  const data = new Float32Array(16 * mebibyte);
  let peak = 0;
  for (let i = 1; i <= count; i++) {
    executor.write(executor.allocate("float32", [data.length]), data);
    peak = Math.max(peak, process.memoryUsage.rss());
    if (i % period === 0) await turn();
  }
  expect(peak).toBeLessThan(1.75e9);
});

test("released sessions leave nothing behind", () => {
  const executor = new FfiExecutor();
  const size = 4 * mebibyte;
  const bias = new Float32Array(size);
  const model = {
    inputs: [float32("x", size)],
    outputs: [float32("y", size)],
    nodes: [{ opType: "Add", inputs: ["x", "bias"], outputs: ["y"], attributes: {} }],
    initializers: [{ name: "bias", dtype: "float32", shape: [size], data: bias }],
  } as const;
  const bytes = modelBytes(model);
  const cycle = () => executor.load(bytes, model.inputs, model.outputs).release();
  for (let i = 0; i < 10; i++) cycle();
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 100; i++) cycle();
  // 1.6 GB of constants were loaded; how much of what was freed malloc keeps varies with the engine.
  expect(process.memoryUsage.rss() - before).toBeLessThan(600 * mebibyte);
});
