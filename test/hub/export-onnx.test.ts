import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportOnnx } from "../../src/hub/export-onnx.ts";
import { randn, tensor, type Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { decodeModel } from "../../src/onnx/decode.ts";
import { createExecutor } from "../../src/runtime/index.ts";
import { findPython, runPython } from "../support/python.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "export-onnx-"));
});
afterAll(() => rm(folder, { recursive: true }));

const encoder = () =>
  new nn.TransformerEncoder({
    numLayers: 2,
    dModel: 16,
    nhead: 4,
    dimFeedforward: 32,
    activation: "gelu",
    norm: true,
  });

describe("exportOnnx", () => {
  test("names inputs, outputs, weights and nodes after the model", async () => {
    const model = encoder();
    const bytes = await exportOnnx(model, [randn([2, 5, 16])], {
      inputNames: ["src"],
      outputNames: ["encoded"],
    });
    const { graph, opsetImports } = decodeModel(bytes);
    expect(graph.inputs.map(({ name, shape }) => [name, shape])).toEqual([["src", [2, 5, 16]]]);
    expect(graph.outputs.map(({ name }) => name)).toEqual(["encoded"]);
    const stored = new Set(graph.initializers.map(({ name }) => name));
    for (const key of Object.keys(model.stateDict())) expect(stored).toContain(key);
    expect(graph.nodes.some(({ name }) => name.startsWith("layers.1/self_attn/out_proj/"))).toBe(
      true,
    );
    expect(opsetImports).toEqual([{ domain: "", version: 18 }]);
  });

  test("leaves a forward that is a field of its module alone", async () => {
    class Twice extends nn.Module {
      forward = (x: Tensor): Tensor => x.mul(2);
    }
    class Whole extends nn.Module {
      readonly part = new Twice();
      forward(x: Tensor): Tensor {
        return this.part.forward(x);
      }
    }
    const model = new Whole();
    const { graph } = decodeModel(await exportOnnx(model, [tensor([1])]));
    expect(graph.nodes.map(({ name }) => name)).toEqual(["part/mul/Mul_0"]);
    expect(await model.forward(tensor([3])).toArray()).toEqual([6]);
  });

  test("the file computes what the model computes, through ONNX Runtime's own binding", async () => {
    const model = encoder();
    const x = randn([2, 5, 16]);
    const path = join(folder, "encoder.onnx");
    await exportOnnx(model, [x], { path });
    expect(model.training).toBe(true);
    const binding = await createExecutor("cpu", { ffi: false });
    const shape = [2, 5, 16];
    const program = await binding.load(
      await readFile(path),
      [{ name: "x0", dtype: "float32", shape }],
      [{ name: "y0", dtype: "float32", shape }],
    );
    const given = await binding.upload(await x.data(), "float32", shape);
    const [result] = await binding.run(program, [given]);
    const expected = await model.eval().forward(x).data();
    const got = await binding.read(result!);
    for (let i = 0; i < got.length; i++) expect(Number(got[i])).toBeCloseTo(Number(expected[i]), 4);
  });

  const python = findPython(["onnx", "numpy"]);
  test.skipIf(python === null)(
    "the checker and the reference evaluator agree (skipped without Python's onnx)",
    async () => {
      const model = encoder().eval();
      const x = randn([1, 3, 16]);
      const path = join(folder, "checked.onnx");
      await exportOnnx(model, [x], { path });
      const printed = runPython(
        python!,
        `
import json, sys, numpy, onnx
from onnx.reference import ReferenceEvaluator
given = json.loads(sys.stdin.read())
model = onnx.load(given["path"])
onnx.checker.check_model(model, full_check=True)
x = numpy.array(given["x"], dtype=numpy.float32)
print(json.dumps(ReferenceEvaluator(model).run(None, {"x0": x})[0].ravel().tolist()))
`,
        JSON.stringify({ path, x: await x.toArray() }),
      );
      const expected = await model.forward(x).data();
      const got = JSON.parse(printed) as number[];
      expect(got).toHaveLength(expected.length);
      got.forEach((value, i) => expect(value).toBeCloseTo(Number(expected[i]), 4));
    },
  );

  test("a function is exported with the tensors it refers to", async () => {
    const w = tensor([1, 2, 3]);
    const { graph } = decodeModel(
      await exportOnnx((x: ReturnType<typeof randn>) => x.mul(w), [randn([2, 3])]),
    );
    expect(graph.initializers.map(({ data }) => [...data])).toContainEqual([1, 2, 3]);
  });

  test("an output that is an input, and two that are one, get names of their own", async () => {
    const bytes = await exportOnnx(
      (x: ReturnType<typeof randn>) => {
        const y = x.add(1);
        return [x, y, y];
      },
      [randn([2])],
    );
    expect(decodeModel(bytes).graph.outputs.map(({ name }) => name)).toEqual(["y0", "y1", "y2"]);
    const binding = await createExecutor("cpu", { ffi: false });
    const spec = (name: string) => ({ name, dtype: "float32", shape: [2] }) as const;
    const program = await binding.load(bytes, [spec("x0")], ["y0", "y1", "y2"].map(spec));
    const outputs = await binding.run(program, [
      await binding.upload(Float32Array.of(1, 2), "float32", [2]),
    ]);
    expect(await Promise.all(outputs.map(async (o) => [...(await binding.read(o))]))).toEqual([
      [1, 2],
      [2, 3],
      [2, 3],
    ]);
  });

  test("refuses what ONNX has no place for, and names that do not fit", async () => {
    const state = tensor([0]);
    const counting = (x: ReturnType<typeof randn>) => {
      state.assign(state.add(1));
      return x;
    };
    await expect(exportOnnx(counting, [randn([2])])).rejects.toThrow(/assigns to a tensor/);
    const layer = new nn.Linear(2, 2);
    await expect(exportOnnx(layer, [randn([1, 2])], { inputNames: ["a", "b"] })).rejects.toThrow(
      /must name 1/,
    );
    await expect(
      exportOnnx((x: Tensor) => x.add(2.5), [randn([1])], { inputNames: ["constant_0"] }),
    ).rejects.toThrow('the name "constant_0" is used twice');
    await expect(exportOnnx(layer, [randn([1, 2])], { inputNames: ["weight"] })).rejects.toThrow(
      /weight/,
    );
  });
});
