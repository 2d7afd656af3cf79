/** Programs whose groups of nodes became kernels against the same programs without: what fuses, and equal results. */

import { describe, expect, it } from "vitest";
import { fuse } from "../../src/kernels/fuse.ts";
import { attr, type NodeProto, type TensorProto } from "../../src/onnx/proto.ts";
import { FfiExecutor } from "../../src/runtime/node-ffi.ts";
import type { TypedArray } from "../../src/graph/dtype.ts";
import { lowered, outputsOf, spec, type Small } from "./programs.ts";
import { Dice } from "./dice.ts";
import { elementsOf } from "./random-loops.ts";
import { codeMemory } from "./run-code.ts";

const executor = new FfiExecutor({ threads: 2 });

const node = (
  opType: string,
  inputs: readonly string[],
  output: string,
  attributes: NodeProto["attributes"] = {},
): Small["nodes"][number] => ({ opType, inputs, outputs: [output], attributes });

const ints = (name: string, ...values: number[]) => ({
  ...({ name, dtype: "int64", shape: [values.length] } as const),
  data: BigInt64Array.from(values, BigInt),
});

/** Runs a program both ways and returns the operators that are left with kernels. */
function compare(small: Small, seed = 1, threads = 2): string[] {
  const program = lowered(small);
  const dice = new Dice(seed);
  const given = small.inputs.map(({ dtype, shape }): TypedArray => {
    const bytes = elementsOf(
      dice,
      dtype,
      shape.reduce((a, b) => a * b, 1),
      true,
    );
    return dtype === "float32" ? new Float32Array(bytes.buffer) : bytes;
  });
  const truth = outputsOf(executor, program, given);
  const got = outputsOf(executor, program, given, threads);
  got.forEach((values, i) => {
    const off = values.findIndex(
      (x, j) =>
        !Object.is(x, truth[i]![j]) &&
        !(Math.abs(Number(x) - Number(truth[i]![j])) <= 1e-5 * (1 + Math.abs(Number(x)))),
    );
    expect(
      off < 0 ? "" : `${small.outputs[i]!.name}[${off}]: ${values[off]} for ${truth[i]![off]}`,
    ).toBe("");
    expect(values.length).toBe(truth[i]!.length);
  });
  return fuse(program, { threads, products: true }).model.graph.nodes.map(({ opType }) => opType);
}

const f32 = (name: string, ...shape: number[]) => spec(name, "float32", ...shape);

const number = (name: string, value: number): TensorProto => ({
  ...{ name, dtype: "float32", shape: [], data: Float32Array.of(value) },
});

const keep = { keepdims: attr.int(1) };
const drop = { keepdims: attr.int(0) };

describe.skipIf(codeMemory === undefined)("products", () => {
  const weights = (name: string, ...shape: number[]): TensorProto => {
    const dice = new Dice(7);
    const data = Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => dice.below(9) - 4,
    );
    return { name, dtype: "float32", shape, data };
  };
  const layer: Small = {
    inputs: [f32("x", 20, 24)],
    outputs: [f32("y", 4, 5, 40)],
    nodes: [
      node("Gemm", ["x", "w", "b"], "linear", { transB: attr.int(1) }),
      node("Reshape", ["linear", "shape"], "shaped"),
      node("Relu", ["shaped"], "y"),
    ],
    constants: [weights("w", 40, 24), weights("b", 40), ints("shape", 4, 5, 40)],
  };

  it("with constants have these in panels, and take a Relu that nothing else comes before", () => {
    expect(compare(layer)).toEqual(["kernel_0"]);
    const { initializers } = fuse(lowered(layer), { threads: 2, products: true }).model.graph;
    expect(initializers.map(({ name, shape }) => [name, shape])).toEqual([
      ["b", [40]],
      ["panels_0", [48 * 24]],
    ]);
  });

  it("share the panels of a constant", () => {
    const nodes = [
      node("MatMul", ["x", "w"], "a"),
      node("MatMul", ["x2", "w"], "b"),
      node("MatMul", ["x2", "w2"], "c"),
    ];
    const shared: Small = {
      inputs: [f32("x", 20, 24), f32("x2", 2, 3, 24)],
      outputs: [f32("a", 20, 40), f32("b", 2, 3, 40), f32("c", 2, 3, 40)],
      constants: [weights("w", 24, 40), weights("w2", 24, 40)],
      nodes,
    };
    expect(compare(shared)).toEqual(["kernel_0", "kernel_1", "kernel_1"]);
    const { initializers } = fuse(lowered(shared), { threads: 2, products: true }).model.graph;
    expect(initializers.map(({ name }) => name)).toEqual(["panels_0", "panels_1"]);
  });

  it("leave a Relu alone that is not all that needs them, or that is written over what they read", () => {
    const both = [...layer.outputs, f32("shaped", 4, 5, 40)];
    expect(compare({ ...layer, outputs: both })).toEqual(["kernel_0", "Relu"]);
    const square: Small = {
      inputs: [f32("x", 24, 24)],
      outputs: [f32("y", 24, 24)],
      nodes: [node("MatMul", ["x", "x"], "product"), node("Relu", ["product"], "y")],
    };
    expect(compare(square)).toEqual(["kernel_0"]);
    const over = { ...lowered(square), overwrites: ["x"] };
    const { nodes } = fuse(over, { threads: 2, products: true }).model.graph;
    expect(nodes.map(({ opType }) => opType)).toEqual(["kernel_0", "Relu"]);
  });

  it("leave a Relu alone where a loop's body reads what comes before it", () => {
    const body = {
      name: "body",
      nodes: [{ ...node("Add", ["part", "product"], "sum"), name: "add" }],
      initializers: [],
      inputs: [f32("part", 20, 24)],
      outputs: [f32("sum", 20, 24)],
    };
    const loop: Small = {
      inputs: [f32("x", 20, 24), f32("w", 24, 24), f32("parts", 3, 20, 24)],
      outputs: [f32("y", 20, 24), f32("sums", 3, 20, 24)],
      nodes: [
        node("MatMul", ["x", "w"], "product"),
        node("Relu", ["product"], "y"),
        node("Scan", ["parts"], "sums", { body: attr.graph(body), num_scan_inputs: attr.int(1) }),
      ],
    };
    expect(compare(loop)).toEqual(["kernel_0", "Relu", "Scan"]);
  });

  it("of constants alone, or of batches of them, stay", () => {
    expect(
      compare({
        inputs: [f32("x", 2, 24, 24)],
        outputs: [f32("y", 2, 24, 24), f32("z", 24, 24)],
        nodes: [node("MatMul", ["x", "w"], "y"), node("MatMul", ["v", "v"], "z")],
        constants: [weights("w", 2, 24, 24), weights("v", 24, 24)],
      }),
    ).toEqual(["MatMul", "MatMul"]);
  });
});

describe.skipIf(codeMemory === undefined)("groups", () => {
  it("of elementwise operators with broadcasting are one kernel", () => {
    const left = compare({
      inputs: [f32("x", 3, 5, 24), f32("row", 24), f32("one")],
      outputs: [f32("y", 3, 5, 24)],
      nodes: [
        node("Add", ["x", "row"], "a"),
        node("Mul", ["a", "one"], "b"),
        node("Tanh", ["b"], "y"),
      ],
    });
    expect(left).toEqual(["kernel_0"]);
    for (const shape of [
      [3, 5, 1],
      [3, 1, 24],
      [5, 1],
      [1, 1, 1],
    ])
      compare({
        inputs: [f32("x", 3, 5, 24), f32("v", ...shape)],
        outputs: [f32("y", 3, 5, 24)],
        nodes: [node("Mul", ["x", "v"], "a"), node("Tanh", ["a"], "y")],
      });
  });

  it.each([1, 16, 33])("of %d rows with sums along and over them are one kernel", (rows) => {
    const left = compare({
      inputs: [f32("x", rows, 33), f32("w", 33)],
      outputs: [f32("y", rows, 33), f32("total", 33), f32("mean", rows, 1)],
      nodes: [
        node("ReduceMean", ["x", "last"], "mean", keep),
        node("Sub", ["x", "mean"], "centred"),
        node("Mul", ["centred", "centred"], "square"),
        node("ReduceMean", ["square", "last"], "variance", keep),
        node("Add", ["variance", "small"], "positive"),
        node("Sqrt", ["positive"], "deviation"),
        node("Div", ["centred", "deviation"], "normal"),
        node("Mul", ["normal", "w"], "y"),
        node("ReduceSum", ["y", "first"], "total", drop),
      ],
      constants: [ints("first", 0), ints("last", -1), number("small", 0.5)],
    });
    expect(left.filter((op) => op !== "ReduceSum")).toEqual(["kernel_0"]);
  });

  it("sum one long row on one thread", () => {
    const left = compare({
      inputs: [f32("x", 8_000)],
      outputs: [f32("y", 8_000), f32("largest", 1)],
      nodes: [
        // Work enough to be divided, were it not for the sums.
        node("Tanh", ["x"], "a"),
        node("Tanh", ["a"], "b"),
        node("Tanh", ["b"], "c"),
        node("Tanh", ["c"], "t"),
        node("ReduceMean", ["t", "first"], "mean", keep),
        node("ReduceMax", ["t", "first"], "largest", keep),
        node("Sub", ["t", "mean"], "y"),
      ],
      constants: [ints("first", 0)],
    });
    expect(left).toEqual(["kernel_0"]);
  });

  it("sum over the rows of large tensors on several threads", () => {
    const left = compare({
      inputs: [f32("x", 600, 130)],
      outputs: [f32("total", 130), f32("y", 600, 130)],
      nodes: [
        node("Tanh", ["x"], "t"),
        node("Mul", ["t", "x"], "y"),
        node("ReduceSum", ["y", "first"], "total", drop),
      ],
      constants: [ints("first", 0)],
    });
    expect(left).toEqual(["kernel_0", "ReduceSum"]);
  });

  it("keep rows and columns of squares apart", () => {
    // The sums of rows are added as a row, then as a column.
    for (const shape of [
      [1, 32],
      [32, 1],
    ])
      compare({
        inputs: [f32("x", 32, 32)],
        outputs: [f32("y", 32, 32), f32("s", 32)],
        nodes: [
          node("Tanh", ["x"], "t"),
          node("ReduceSum", ["t", "last"], "s", drop),
          node("Reshape", ["s", "shape"], "placed"),
          node("Add", ["t", "placed"], "y"),
        ],
        constants: [ints("last", -1), ints("shape", ...shape)],
      });
    compare({
      inputs: [f32("x", 32, 32), f32("v", 32)],
      outputs: [f32("y", 32, 32)],
      nodes: [
        node("Exp", ["v"], "e"),
        node("Add", ["x", "e"], "a"),
        node("Reshape", ["e", "shape"], "column"),
        node("Mul", ["a", "column"], "y"),
      ],
      constants: [ints("shape", 32, 1)],
    });
  });

  it.each(["Softmax", "LogSoftmax"])("%s with what is around it", (op) => {
    for (const shape of [
      [3, 4, 33],
      [1, 16],
      [40, 100],
    ]) {
      const left = compare({
        inputs: [f32("x", ...shape), spec("p", "bool", ...shape)],
        outputs: [f32("y", ...shape), f32("z", ...shape)],
        nodes: [
          node("Where", ["p", "x", "masked"], "m"),
          node(op, ["m"], "y", { axis: attr.int(-1) }),
          node("Mul", ["y", "x"], "z"),
        ],
        constants: [number("masked", -Infinity)],
      });
      expect(left).toEqual(["kernel_0"]);
    }
  });

  it("layer normalization with its statistics, over one dimension and over two", () => {
    for (const [axis, bias] of [
      [-1, true],
      [-2, true],
      [1, false],
    ] as const) {
      const inner = axis === -1 ? [24] : [4, 24];
      const outer = axis === -1 ? [3, 4, 1] : [3, 1, 1];
      const left = compare({
        inputs: [f32("x", 3, 4, 24), f32("w", ...inner), f32("b", ...inner)],
        outputs: [
          f32("y", 3, 4, 24),
          f32("mean", ...outer),
          f32("scale", ...outer),
          f32("z", 3, 4, 24),
        ],
        nodes: [
          {
            ...{ opType: "LayerNormalization", inputs: bias ? ["x", "w", "b"] : ["x", "w"] },
            outputs: ["y", "mean", "scale"],
            attributes: { axis: attr.int(axis), epsilon: attr.float(0.01) },
          },
          node("Relu", ["y"], "z"),
        ],
      });
      expect(left).toEqual(["kernel_0"]);
    }
  });

  it("of constants alone, which ONNX Runtime computes when it loads them", () => {
    const data = Float32Array.from({ length: 60_000 }, (_, i) => Math.sin(i));
    const constants = ["a", "b"].map((name): TensorProto => ({
      ...{ name, dtype: "float32", shape: [200, 300], data },
    }));
    compare({
      inputs: [f32("x", 300, 200)],
      outputs: [f32("y", 300, 200), f32("z", 200, 1)],
      nodes: [
        node("Add", ["a", "b"], "s"),
        node("Tanh", ["s"], "t"),
        node("ReduceSum", ["t", "last"], "z", keep),
        node("Transpose", ["t"], "turned"),
        node("Add", ["turned", "x"], "y"),
      ],
      constants: [...constants, ints("last", -1)],
    });
  });

  it("return one value in two shapes", () => {
    compare({
      inputs: [f32("x", 4, 32)],
      outputs: [f32("flat", 128), f32("y", 4, 32), f32("other", 2, 64)],
      nodes: [
        node("Tanh", ["x"], "t"),
        node("Add", ["t", "x"], "y"),
        node("Reshape", ["y", "whole"], "flat"),
        node("Reshape", ["y", "wide"], "other"),
      ],
      constants: [ints("whole", 128), ints("wide", 2, 64)],
    });
  });

  it("return one value by two names, also in another shape or dtype", () => {
    compare({
      inputs: [f32("x", 4, 32), spec("n", "bool", 4, 32)],
      outputs: [
        f32("kept", 4, 1),
        f32("dropped", 4),
        spec("whole", "int32", 4, 32),
        spec("natural", "uint32", 4, 32),
      ],
      nodes: [
        node("Tanh", ["x"], "t"),
        node("ReduceMean", ["t", "last"], "kept", keep),
        node("ReduceMean", ["t", "last"], "dropped", drop),
        node("Cast", ["n"], "whole", { to: attr.int(6) }),
        node("Cast", ["whole"], "natural", { to: attr.int(12) }),
      ],
      constants: [ints("last", -1)],
    });
  });

  it("of bools and whole numbers", () => {
    const left = compare({
      inputs: [spec("p", "bool", 5, 21), spec("q", "bool", 21), f32("x", 5, 21)],
      outputs: [spec("both", "bool", 5, 21), f32("y", 5, 21), spec("n", "int32", 5, 21)],
      nodes: [
        node("And", ["p", "q"], "both"),
        node("Where", ["both", "x", "zero"], "y"),
        node("Cast", ["both"], "n", { to: attr.int(6) }),
      ],
      constants: [number("zero", 0)],
    });
    expect(left).toEqual(["kernel_0"]);
  });

  it.each([[[0, 32]], [[1, 1]], [[]], [[1, 7]]])("of tensors of shape %j", (shape) => {
    compare({
      inputs: [f32("x", ...shape)],
      outputs: [f32("y", ...shape)],
      nodes: [node("Tanh", ["x"], "t"), node("Add", ["t", "x"], "y")],
    });
  });

  it("of more operands than a kernel takes", () => {
    const names = Array.from({ length: 80 }, (_, i) => `x${i}`);
    compare({
      inputs: names.map((name) => f32(name, 4, 32)),
      outputs: [f32("s78", 4, 32)],
      nodes: names
        .slice(1)
        .map((name, i) => node("Add", [i === 0 ? "x0" : `s${i - 1}`, name], `s${i}`)),
    });
  });

  it("that are equal share a kernel", () => {
    const names = [0, 1, 2];
    const left = compare({
      inputs: names.map((i) => f32(`x${i}`, 6, 32)),
      outputs: names.map((i) => f32(`y${i}`, 6, 32)),
      nodes: names.flatMap((i) => [
        node("Tanh", [`x${i}`], `t${i}`),
        node("Add", [`t${i}`, `x${i}`], `y${i}`),
      ]),
    });
    expect(left).toEqual(["kernel_0", "kernel_0", "kernel_0"]);
  });

  it("never need one another", () => {
    // Together s and t would need n, which needs m, which stands with g, which needs s.
    const nodes = [
      node("Exp", ["x"], "m"),
      node("MatMul", ["w", "m"], "n"),
      node("Exp", ["v"], "s"),
      node("Mul", ["m", "s"], "g"),
      node("Add", ["s", "n"], "t"),
    ];
    const left = compare({
      inputs: [f32("x", 32, 16), f32("w", 32), f32("v", 16)],
      outputs: [f32("n", 16), f32("g", 32, 16), f32("t", 16)],
      nodes,
    });
    expect(left).toContain("MatMul");
  });
});

/** A program of random nodes over [rows, columns] and what it broadcasts with, its outputs in any order. */
function randomProgram(dice: Dice): Small {
  const [rows, columns] = [dice.one([1, 2, 16, 24, 32]), dice.one([16, 24, 32, 1, 5])];
  const shapes = [[rows, columns], [columns], [rows, 1], [1, columns], [rows], []];
  const values: { readonly name: string; readonly shape: readonly number[] }[] = [];
  const inputs = shapes.flatMap((shape) =>
    [0, 1].map((i) => {
      const input = f32(`x${values.length}_${i}`, ...shape);
      values.push(input);
      return input;
    }),
  );
  const nodes: Small["nodes"][number][] = [];
  const constants = [ints("first", 0), ints("last", -1)];
  const made = (op: string, from: readonly string[], shape: readonly number[], more = {}): void => {
    const name = `v${nodes.length}`;
    nodes.push(node(op, from, name, more));
    values.push({ name, shape });
  };
  const any = () => (dice.chance(0.5) ? dice.one(values) : dice.one(values.slice(-5)));
  const broadcast = (a: readonly number[], b: readonly number[]): number[] | null => {
    const rank = Math.max(a.length, b.length);
    const sizes = Array.from({ length: rank }, (_, i): [number, number] => [
      a[a.length - rank + i] ?? 1,
      b[b.length - rank + i] ?? 1,
    ]);
    return sizes.every(([x, y]) => x === y || x === 1 || y === 1)
      ? sizes.map(([x, y]) => Math.max(x, y))
      : null;
  };
  for (let steps = dice.between(3, 25); steps > 0; steps--) {
    const { name, shape } = any();
    const kind = dice.below(10);
    if (kind < 3) made(dice.one(["Tanh", "Sigmoid", "Neg", "Abs", "Relu", "Erf"]), [name], shape);
    else if (kind < 7) {
      const other = any();
      const result = broadcast(shape, other.shape);
      if (result === null) continue;
      made(dice.one(["Add", "Sub", "Max", "Min"]), [name, other.name], result);
      made("Tanh", [values.at(-1)!.name], result);
    } else if (kind < 8 && shape.length > 0) {
      const [axis, kept] = [dice.one(["first", "last"] as const), dice.chance(0.5)];
      const at = axis === "first" ? 0 : shape.length - 1;
      const reduced = kept ? shape.with(at, 1) : shape.toSpliced(at, 1);
      const op = dice.one(["ReduceSum", "ReduceMean", "ReduceMax"]);
      made(op, [name, axis], reduced, kept ? keep : drop);
    } else if (kind < 9 && shape.length > 0) {
      const turned = dice.one([
        shape.toReversed(),
        [shape.reduce((a, b) => a * b, 1)],
        [1, ...shape],
      ]);
      if (turned.length > 2) continue;
      constants.push(ints(`shape${nodes.length}`, ...turned));
      made("Reshape", [name, `shape${nodes.length}`], turned);
    } else if (shape.length === 2) made("Transpose", [name], shape.toReversed());
  }
  const results = values.filter(({ name }) => name.startsWith("v"));
  const outputs = results.filter((_, i) => i === results.length - 1 || dice.chance(0.2));
  return {
    inputs,
    outputs: outputs.reverse().map(({ name, shape }) => f32(name, ...shape)),
    nodes,
    constants,
  };
}

it.skipIf(codeMemory === undefined)("random graphs", () => {
  let count = 0;
  for (let seed = 0; seed < 80; seed++) {
    const small = randomProgram(new Dice(seed));
    if (small.outputs.length === 0) continue;
    const left = compare(small, seed, 1 + (seed % 3));
    count += left.filter((op) => op.startsWith("kernel")).length;
  }
  expect(count).toBeGreaterThan(80);
});
