/** Kernels of programs over their life: sessions made and dropped, several executors and threads, and ways to do without. */

import { readFileSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { describe, expect, test, vi } from "vitest";
import { Assembler } from "../../src/kernels/assembler.ts";
import { fuse } from "../../src/kernels/fuse.ts";
import { encodeModel } from "../../src/onnx/proto.ts";
import { createExecutor } from "../../src/runtime/index.ts";
import { FfiExecutor } from "../../src/runtime/node-ffi.ts";
import { lowered, spec, type Small } from "../kernels/programs.ts";

const supported = new FfiExecutor().fuse !== undefined;
const mebibyte = 2 ** 20;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** y = (tanh x + x)·x with its sums over rows and along them. */
const small = (rows: number, columns: number): Small => ({
  inputs: [spec("x", "float32", rows, columns)],
  outputs: [
    spec("y", "float32", rows, columns),
    spec("s", "float32", columns),
    spec("r", "float32", rows, 1),
  ],
  nodes: [
    { opType: "Tanh", inputs: ["x"], outputs: ["t"], attributes: {} },
    { opType: "Add", inputs: ["t", "x"], outputs: ["u"], attributes: {} },
    { opType: "Mul", inputs: ["u", "x"], outputs: ["y"], attributes: {} },
    {
      ...{ opType: "ReduceSum", inputs: ["y", "first"], outputs: ["s"] },
      attributes: { keepdims: { kind: "int", value: 0 } },
    },
    { opType: "ReduceSum", inputs: ["y", "last"], outputs: ["r"], attributes: {} },
  ],
  constants: [
    { name: "first", dtype: "int64", shape: [1], data: BigInt64Array.of(0n) },
    { name: "last", dtype: "int64", shape: [1], data: BigInt64Array.of(1n) },
  ],
});

interface Made {
  readonly bytes: Uint8Array;
  readonly kernels: ReturnType<typeof fuse>["kernels"];
  readonly program: ReturnType<typeof lowered>;
}

function made(rows: number, columns: number, threads: number): Made {
  const program = lowered(small(rows, columns));
  const { model, kernels } = fuse(program, { threads, products: true });
  return { bytes: encodeModel(model), kernels, program };
}

const load = (on: FfiExecutor, { bytes, kernels, program }: Made) =>
  on.load(bytes, program.inputs, program.outputs, kernels);

function check(on: FfiExecutor, one: Made, program = load(on, one)): void {
  const [rows, columns] = one.program.inputs[0]!.shape as [number, number];
  const x = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i));
  const input = on.upload(x, "float32", [rows, columns]);
  const buffers = on.run(program, [input]);
  const [y, s, r] = buffers.map((buffer) => on.read(buffer) as Float32Array) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const want = x.map((value) => (Math.tanh(value) + value) * value);
  const sums = new Float64Array(columns);
  const totals = new Float64Array(rows);
  want.forEach((value, i) => {
    sums[i % columns]! += value;
    totals[Math.floor(i / columns)]! += value;
  });
  expect(y.every((value, i) => Math.abs(value - want[i]!) < 1e-5)).toBe(true);
  expect(s.every((value, i) => Math.abs(value - sums[i]!) < 1e-4 * rows)).toBe(true);
  expect(r.every((value, i) => Math.abs(value - totals[i]!) < 1e-4 * columns)).toBe(true);
  for (const buffer of [input, ...buffers]) on.release(buffer);
}

describe.skipIf(!supported)("kernels", () => {
  test("one after the other leave nothing behind, released or lost", async () => {
    const on = new FfiExecutor({ threads: 1 });
    const one = made(4, 32, 1);
    expect(one.kernels.length).toBe(1);
    // Code that fills pages tells whether its memory is given back.
    const a = new Assembler();
    for (let i = 0; i < 64 * 1024; i++) a.vzeroupper();
    a.ret();
    const padded = Uint8Array.from([...one.kernels[0]!.code, ...a.finish()]);
    const kernels = [{ ...one.kernels[0]!, code: padded }];
    const cycle = (release: boolean): void => {
      const program = load(on, { ...one, kernels });
      if (release) program.release();
    };
    const rss = (): number => {
      collectGarbage();
      return process.memoryUsage.rss();
    };
    for (let i = 0; i < 300; i++) cycle(true);
    const before = rss();
    for (let i = 0; i < 2000; i++) cycle(true);
    // 400 MB of code were loaded.
    expect(rss() - before).toBeLessThan(30 * mebibyte);
    for (let i = 1; i <= 1000; i++) {
      cycle(false);
      if (i % 50 > 0) continue;
      collectGarbage();
      await turn();
    }
    expect(rss() - before).toBeLessThan(60 * mebibyte);
  });

  test("a program whose session fails leaves nothing behind", () => {
    const on = new FfiExecutor({ threads: 1 });
    const one = made(4, 32, 1);
    // The model calls a kernel by a name that there is not.
    const kernels = one.kernels.map((kernel) => ({ ...kernel, name: "other" }));
    const fails = (): void => void load(on, { ...one, kernels });
    expect(fails).toThrow(/kernel_0/);
    const maps = (): number => readFileSync("/proc/self/maps", "latin1").split("\n").length;
    if (process.platform !== "linux") return;
    const before = maps();
    for (let i = 0; i < 100; i++) expect(fails).toThrow();
    expect(maps() - before).toBeLessThan(50);
  });

  test("run on executors of one thread and of several side by side", () => {
    const executors = [1, 2, 3].map((threads) => new FfiExecutor({ threads }));
    const programs = executors.map((on, i) => {
      const one = made(200, 300, i + 1);
      return { on, one, loaded: load(on, one) };
    });
    expect(programs.map(({ one }) => one.kernels[0]!.parts > 1)).toEqual([false, true, true]);
    for (let round = 0; round < 3; round++)
      for (const { on, one, loaded } of programs) check(on, one, loaded);
  });

  test("run while worker threads run theirs", async () => {
    const files = ["kernels/fuse", "onnx/proto", "runtime/node-ffi"].map(
      (name) => new URL(`../../src/${name}.ts`, import.meta.url).href,
    );
    const source = `
      const { workerData, parentPort } = require("node:worker_threads");
      import("tsx/esm/api").then(({ register }) => {
        register();
        return Promise.all(workerData.files.map((file) => import(file)));
      }).then(([{ fuse }, { encodeModel }, { FfiExecutor }]) => {
        const { program, rounds } = workerData;
        const [rows, columns] = program.inputs[0].shape;
        const on = new FfiExecutor({ threads: 2 });
        let worst = 0;
        for (let round = 0; round < rounds; round++) {
          const { model, kernels } = fuse(program, { threads: 2, products: true });
          if (kernels.length === 0) throw new Error("no kernels");
          const loaded = on.load(encodeModel(model), program.inputs, program.outputs, kernels);
          const x = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i + round));
          const y = on.read(on.run(loaded, [on.upload(x, "float32", [rows, columns])])[0]);
          y.forEach((value, i) => (worst = Math.max(worst, Math.abs(value - (Math.tanh(x[i]) + x[i]) * x[i]))));
          loaded.release();
        }
        parentPort.postMessage(worst);
      });
    `;
    const program = lowered(small(150, 200));
    const workers = [0, 1].map(
      () => new Worker(source, { eval: true, workerData: { files, program, rounds: 15 } }),
    );
    let running = true;
    const results = Promise.all(
      workers.map(
        (worker) =>
          new Promise<number>((resolve, reject) => {
            worker.once("message", resolve);
            worker.once("error", reject);
          }),
      ),
    ).finally(() => (running = false));
    const on = new FfiExecutor({ threads: 2 });
    const one = made(150, 200, 2);
    do {
      check(on, one);
      await turn();
    } while (running);
    for (const worst of await results) expect(worst).toBeLessThan(1e-5);
    await Promise.all(workers.map((worker) => worker.terminate()));
    check(on, one);
  });

  test("fail with a message where ONNX Runtime has no place for a result", () => {
    const on = new FfiExecutor({ threads: 1 });
    const one = made(4, 32, 1);
    const [kernel] = one.kernels as [Made["kernels"][number]];
    const outputs = kernel.outputs.map((output) => ({ ...output, shape: [2, 2] }));
    const loaded = load(on, { ...one, kernels: [{ ...kernel, outputs }] });
    const input = on.upload(new Float32Array(128), "float32", [4, 32]);
    expect(() => on.run(loaded, [input])).toThrow(/kernel_0.*shape \{4,32\}/s);
    check(on, one);
  });

  test("are refused where there are more operands than there is room for", () => {
    const on = new FfiExecutor({ threads: 1 });
    const one = made(4, 32, 1);
    const inputs = Array.from({ length: 65 }, () => one.kernels[0]!.inputs[0]!);
    const kernels = one.kernels.map((kernel) => ({ ...kernel, inputs }));
    expect(() => load(on, { ...one, kernels })).toThrow("more than 64 inputs and outputs");
  });
});

test("kernels: false, LEARNING_LOOP_KERNELS=0 and the Node binding do without", async () => {
  expect(new FfiExecutor({ kernels: false }).fuse).toBeUndefined();
  expect(new FfiExecutor().fuse === undefined).toBe(!supported);
  vi.stubEnv("LEARNING_LOOP_KERNELS", "0");
  expect((await createExecutor("cpu")).fuse).toBeUndefined();
  expect((await createExecutor("cpu", { kernels: true })).fuse === undefined).toBe(!supported);
  vi.stubEnv("LEARNING_LOOP_FFI", "0");
  const binding = await createExecutor("cpu");
  vi.unstubAllEnvs();
  expect(binding.description).toMatch(/Node binding/);
  expect(binding.fuse).toBeUndefined();
});
