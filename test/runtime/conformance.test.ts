/** Every executor does the same: one suite run against each that this machine has. */

import { beforeAll, describe, expect, test } from "vitest";
import type { DType, TypedArray } from "../../src/graph/dtype.ts";
import type { DeviceBuffer, Executor } from "../../src/runtime/executor.ts";
import { createExecutor } from "../../src/runtime/index.ts";
import { affine, counter, float32, modelBytes, type SmallModel } from "./models.ts";

const executors: Record<string, () => Promise<Executor>> = {
  "cpu through the C API": () => createExecutor("cpu", { ffi: true }),
  "cpu through the binding": () => createExecutor("cpu", { ffi: false }),
  wasm: () => createExecutor("wasm"),
  // Needs a GPU or a software driver.
  ...(process.env["LEARNING_LOOP_TEST_WEBGPU"] === "1" && {
    webgpu: () => createExecutor("webgpu"),
  }),
};

const samples: readonly [DType, TypedArray][] = [
  ["float32", new Float32Array([1.5, -2, NaN, Infinity, 1e-40, 3e38])],
  ["float64", new Float64Array([Math.PI, -1e300, 5e-324, 0, 1, 2])],
  // 1, -2, 65504, the smallest subnormal, infinity, zero
  ["float16", new Uint16Array([0x3c00, 0xc000, 0x7bff, 1, 0x7c00, 0])],
  ["int32", new Int32Array([1, -1, 2 ** 31 - 1, -(2 ** 31), 0, 7])],
  ["int64", new BigInt64Array([1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 0n, 7n])],
  ["uint32", new Uint32Array([1, 2 ** 32 - 1, 2 ** 31, 0, 5, 6])],
  ["bool", new Uint8Array([1, 0, 0, 1, 1, 0])],
];

describe.each(Object.entries(executors))("%s", (name, create) => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await create();
  });

  const load = (model: SmallModel) => executor.load(modelBytes(model), model.inputs, model.outputs);
  const floats = (values: number[], shape: number[]) =>
    executor.upload(new Float32Array(values), "float32", shape);
  const valuesOf = async (buffer: DeviceBuffer) => Array.from(await executor.read(buffer), Number);

  test("says what it is", () => {
    expect(executor.description).toMatch(/^ONNX Runtime 1\.\d+\.\d+, (CPU|WebAssembly|WebGPU)/);
    expect(name).toContain(executor.device);
  });

  describe.each(samples.filter(([dtype]) => name !== "webgpu" || dtype !== "float64"))(
    "%s",
    (dtype, all) => {
      test.each([
        ["a matrix", [2, 3], all],
        ["a scalar", [], all.slice(1, 2)],
        ["nothing", [0, 3], all.slice(0, 0)],
      ] as const)("%s survives upload and read", async (_, shape, data) => {
        const given = data.slice();
        const buffer = await executor.upload(given, dtype, shape);
        // The host array is the caller's again.
        given.fill(all[0] as never);
        expect(buffer).toMatchObject({ dtype, shape, byteLength: data.byteLength });
        const read = await executor.read(buffer);
        expect(read.constructor).toBe(data.constructor);
        expect(read).toEqual(data);
      });

      test("write overwrites, also what was only allocated", async () => {
        const fresh = await executor.write(executor.allocate(dtype, [6]), all);
        expect(await executor.read(fresh)).toEqual(all);
        const turned = all.slice().reverse();
        expect(await executor.read(await executor.write(fresh, turned))).toEqual(turned);
      });

      test.each([[[2, 3]], [[]], [[0, 3]]])("passes through a program as %j", async (shape) => {
        const spec = { dtype, shape };
        const program = await load({
          inputs: [{ ...spec, name: "x" }],
          outputs: [{ ...spec, name: "y" }],
          nodes: [{ opType: "Identity", inputs: ["x"], outputs: ["y"], attributes: {} }],
        });
        const data = all.slice(
          0,
          shape.reduce((product, size) => product * size, 1),
        );
        const [y] = await executor.run(program, [await executor.upload(data, dtype, shape)]);
        expect(await executor.read(y as DeviceBuffer)).toEqual(data);
        program.release();
      });
    },
  );

  test("runs a program", async () => {
    const program = await load(affine);
    const x = await floats([1, 2, 3, 4, 5, 6], [2, 3]);
    const w = await floats([1, 0, 0, 1, 1, 1], [3, 2]);
    const [y] = await executor.run(program, [x, w]);
    expect(y).toMatchObject({ dtype: "float32", shape: [2, 2], byteLength: 16 });
    // Row 1: 1+3, 2+3; row 2: 4+6, 5+6; plus (0.5, -0.5).
    expect(await valuesOf(y as DeviceBuffer)).toEqual([4.5, 4.5, 10.5, 10.5]);
    expect(await valuesOf(x)).toEqual([1, 2, 3, 4, 5, 6]);
    program.release();
  });

  test("updates a buffer a thousand times", async () => {
    const program = await load(counter);
    let value = await floats([0, 10, 20, 30], [4]);
    for (let i = 0; i < 1000; i++) {
      const [next, total] = await executor.run(program, [value], [value]);
      if (executor.inPlace) expect(next).toBe(value);
      value = next as DeviceBuffer;
      if (i === 999) expect(await valuesOf(total as DeviceBuffer)).toEqual([4060]);
    }
    expect(await valuesOf(value)).toEqual([1000, 1010, 1020, 1030]);
    program.release();
  });

  test("results are independent of later runs", async () => {
    const program = await load(counter);
    const [first] = await executor.run(program, [await floats([1, 2, 3, 4], [4])]);
    const [second] = await executor.run(program, [await floats([5, 6, 7, 8], [4])]);
    expect(await valuesOf(first as DeviceBuffer)).toEqual([2, 3, 4, 5]);
    expect(await valuesOf(second as DeviceBuffer)).toEqual([6, 7, 8, 9]);
    program.release();
  });

  test("a program's runs may overlap", async () => {
    const program = await load(counter);
    const starts = await Promise.all([0, 1, 2, 3].map(async (i) => floats([i, i, i, i], [4])));
    const results = await Promise.all(starts.map(async (start) => executor.run(program, [start])));
    const totals = await Promise.all(results.map(([, total]) => valuesOf(total as DeviceBuffer)));
    expect(totals).toEqual([[4], [8], [12], [16]]);
    program.release();
  });

  test("a sum over no elements is zero", async () => {
    const program = await load({
      inputs: [float32("x", 4)],
      outputs: [float32("y", 4)],
      nodes: [
        { opType: "Slice", inputs: ["x", "zero", "zero"], outputs: ["none"], attributes: {} },
        {
          opType: "ReduceSum",
          inputs: ["none"],
          outputs: ["token"],
          attributes: { keepdims: { kind: "int", value: 0 } },
        },
        { opType: "Add", inputs: ["x", "token"], outputs: ["y"], attributes: {} },
      ],
      initializers: [{ name: "zero", dtype: "int64", shape: [1], data: new BigInt64Array([0n]) }],
    });
    const [y] = await executor.run(program, [await floats([1, 2, NaN, Infinity], [4])]);
    expect(await valuesOf(y as DeviceBuffer)).toEqual([1, 2, NaN, Infinity]);
    program.release();
  });

  // ONNX Runtime would take the Transposes into the Gemm and never compute them.
  test("a transposed tensor that is multiplied and returned", async () => {
    const turned = (from: string, to: string) => ({
      ...{ opType: "Transpose", inputs: [from], outputs: [to] },
      attributes: { perm: { kind: "ints" as const, value: [1, 0] } },
    });
    const program = await load({
      inputs: [float32("x", 3, 2), float32("w", 2, 3), float32("b", 2)],
      outputs: [float32("t", 2, 3), float32("y", 2, 2)],
      nodes: [
        turned("x", "t"),
        turned("w", "u"),
        { opType: "Gemm", inputs: ["t", "u", "b"], outputs: ["y"], attributes: {} },
      ],
    });
    const [t, y] = await executor.run(program, [
      await floats([1, 2, 3, 4, 5, 6], [3, 2]),
      await floats([1, 1, 1, 0, 1, 2], [2, 3]),
      await floats([10, 20], [2]),
    ]);
    expect(await valuesOf(t as DeviceBuffer)).toEqual([1, 3, 5, 2, 4, 6]);
    // [[1, 3, 5], [2, 4, 6]] · [[1, 0], [1, 1], [1, 2]] + [10, 20]
    expect(await valuesOf(y as DeviceBuffer)).toEqual([19, 33, 22, 36]);
    program.release();
  });

  describe("rejects", () => {
    // Turns what is thrown at once into a rejection.
    const failure = (task: () => unknown) => expect(Promise.resolve().then(task)).rejects;

    test("a broken model", async () => {
      await failure(() => executor.load(new Uint8Array([1, 2, 3]), [], [])).toThrow(/^load: ONNX/);
    });

    test("an unknown operator", async () => {
      const nodes = [{ opType: "Nonsense", inputs: ["x"], outputs: ["y"], attributes: {} }];
      const model = { inputs: [float32("x", 1)], outputs: [float32("y", 1)], nodes };
      await failure(() => load(model)).toThrow(/^load: .*Nonsense/s);
    });

    test("inputs of another number, shape or dtype, and works afterwards", async () => {
      const program = await load(counter);
      const value = await floats([1, 2, 3, 4], [4]);
      const short = await floats([1, 2, 3], [3]);
      const ints = await executor.upload(new Int32Array(4), "int32", [4]);
      await failure(() => executor.run(program, [])).toThrow(
        "run: the program has 1 inputs, got 0 buffers",
      );
      await failure(() => executor.run(program, [short])).toThrow(/^run: .*invalid dimensions/s);
      await failure(() => executor.run(program, [ints])).toThrow(/^run: .*data type/s);
      const [next] = await executor.run(program, [value]);
      expect(await valuesOf(next as DeviceBuffer)).toEqual([2, 3, 4, 5]);
      program.release();
    });

    test("an output buffer of another type", async ({ skip }) => {
      if (!executor.inPlace) skip("outputs are ignored where nothing is written in place");
      const program = await load(counter);
      const value = await floats([1, 2, 3, 4], [4]);
      const ints = executor.allocate("int32", [4]);
      await failure(() => executor.run(program, [value], [ints])).toThrow(
        "run: output next is float32[4], cannot write it into a buffer of int32[4]",
      );
      program.release();
    });

    test("float64 where the device has none", async ({ skip }) => {
      if (executor.device !== "webgpu") skip("only WebGPU has none");
      await failure(() => executor.upload(new Float64Array(1), "float64", [1])).toThrow(
        "device webgpu has no float64: cast to float32 or use the device cpu or wasm",
      );
    });

    test("host data of another type or length", async () => {
      await failure(() => executor.upload(new Int32Array(4), "float32", [4])).toThrow(
        "upload: float32[4] needs a Float32Array of length 4, got a Int32Array of length 4",
      );
      const buffer = await floats([1, 2], [2]);
      await failure(() => executor.write(buffer, new Float32Array(3))).toThrow(
        "write: float32[2] needs a Float32Array of length 2, got a Float32Array of length 3",
      );
    });

    test("what was released, or belongs to another executor", async () => {
      const program = await load(counter);
      const value = await floats([1, 2, 3, 4], [4]);
      executor.release(value);
      executor.release(value);
      await failure(() => executor.read(value)).toThrow("read: the buffer was released");
      await failure(() => executor.run(program, [value])).toThrow("run: the buffer was released");
      await failure(() => executor.write(value, new Float32Array(4))).toThrow(
        "write: the buffer was released",
      );
      const mine = await floats([1, 2, 3, 4], [4]);
      program.release();
      program.release();
      await failure(() => executor.run(program, [mine])).toThrow("run: the program was released");
      const other = await createExecutor("cpu", {
        ffi: executor.device !== "cpu" || !executor.inPlace,
      });
      await failure(() => other.read(mine)).toThrow(/^read: .* belongs to another executor/);
    });
  });

  test("counts the bytes it holds", async () => {
    const before = executor.memory();
    const megabyte = await executor.upload(new Float32Array(2 ** 18), "float32", [2 ** 18]);
    const during = executor.memory();
    expect(during.current - before.current).toBeGreaterThanOrEqual(2 ** 20);
    expect(during.current - before.current).toBeLessThan(2 ** 20 + 4096);
    executor.release(megabyte);
    expect(executor.memory().current).toBeLessThanOrEqual(during.current);
    expect(executor.memory().peak).toBeGreaterThanOrEqual(during.current);
  });
});
