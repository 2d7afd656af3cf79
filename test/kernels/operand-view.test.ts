/** Products around which operators move elements: which of those operators kernels make needless, and equal results. */

import { describe, expect, it, onTestFinished } from "vitest";
import { executor, setDevice } from "../../src/device.ts";
import type { TypedArray } from "../../src/graph/dtype.ts";
import { compile, grad, tensor, type Tensor } from "../../src/index.ts";
import { fuse } from "../../src/kernels/fuse.ts";
import type { FusedProgram } from "../../src/kernels/kernel.ts";
import * as nn from "../../src/nn/index.ts";
import { attr, type NodeProto, type TensorProto } from "../../src/onnx/proto.ts";
import type { LoweredProgram } from "../../src/onnx/lower.ts";
import { FfiExecutor } from "../../src/runtime/node-ffi.ts";
import { Dice } from "./dice.ts";
import { lowered, outputsOf, spec, type Small } from "./programs.ts";
import { codeMemory } from "./run-code.ts";

const runner = new FfiExecutor({ threads: 2 });

const node = (
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: NodeProto["attributes"] = {},
): Small["nodes"][number] => ({
  ...{ opType, inputs, outputs, attributes },
  ...(opType === "FusedMatMul" && { domain: "com.microsoft" }),
});

const f32 = (name: string, ...shape: number[]) => spec(name, "float32", ...shape);

const ints = (name: string, ...values: number[]): TensorProto => ({
  ...{ name, dtype: "int64", shape: [values.length] },
  data: BigInt64Array.from(values, BigInt),
});

const order = (...perm: number[]) => ({ perm: attr.ints(perm) });
const reshape = (from: string, to: string): Small["nodes"][number] =>
  node("Reshape", [from, `${to}_shape`], [to]);

const numbers = (dice: Dice, shape: readonly number[]): Float32Array =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => dice.bits() / 2 ** 31 - 1);

function expectClose(got: TypedArray, truth: TypedArray): void {
  expect(got.length).toBe(truth.length);
  const off = got.findIndex((x, i) => !(Math.abs(Number(x) - Number(truth[i])) <= 1e-5));
  expect(off < 0 ? "" : `[${off}]: ${got[off]} for ${truth[off]}`).toBe("");
}

/** Runs a program with and without kernels and returns the operators that are left with them. */
function compare(small: Small): string[] {
  const program = {
    ...lowered(small),
    model: {
      ...lowered(small).model,
      opsetImports: [
        { domain: "", version: 18 },
        { domain: "com.microsoft", version: 1 },
      ],
    },
  };
  const dice = new Dice(3);
  const given = small.inputs.map(({ shape }) => numbers(dice, shape));
  const truth = outputsOf(runner, program, given);
  outputsOf(runner, program, given, 2).forEach((values, i) => expectClose(values, truth[i]!));
  const { nodes } = fuse(program, { threads: 2, products: true }).model.graph;
  return nodes.map(({ opType }) => opType.replace(/_.*/, ""));
}

const [B, T, H, D] = [2, 12, 3, 16];
const heads = [B, T, H, D];

describe.skipIf(codeMemory === undefined)("products", () => {
  it("read heads that a projection made side by side, and write them side by side", () => {
    const left = compare({
      inputs: [f32("x", B * T, 40), f32("w", 40, 3 * H * D)],
      outputs: [f32("y", B * T, H * D)],
      nodes: [
        node("MatMul", ["x", "w"], ["all"]),
        reshape("all", "placed"),
        node("Transpose", ["placed"], ["turned"], order(2, 0, 3, 1, 4)),
        node("Split", ["turned", "ones"], ["q1", "k1", "v1"], { axis: attr.int(0) }),
        ...["q", "k", "v"].map((name) => reshape(`${name}1`, name)),
        node("FusedMatMul", ["q", "k"], ["s"], { transB: attr.int(1), alpha: attr.float(0.25) }),
        node("Softmax", ["s"], ["p"], { axis: attr.int(-1) }),
        node("MatMul", ["p", "v"], ["h"]),
        node("Transpose", ["h"], ["joined"], order(0, 2, 1, 3)),
        reshape("joined", "y"),
      ],
      constants: [
        ints("placed_shape", B, T, 3, H, D),
        ints("ones", 1, 1, 1),
        ...["q", "k", "v"].map((name) => ints(`${name}_shape`, B, H, T, D)),
        ints("y_shape", B * T, H * D),
      ],
    });
    // The softmax of short rows stays with ONNX Runtime.
    expect(left).toEqual(["kernel", "kernel", "Softmax", "kernel"]);
  });

  it("that a Concat puts together are one kernel", () => {
    const left = compare({
      inputs: [f32("s", B, H, T, T), f32("x", ...heads), f32("z", B, H, T, D)],
      outputs: [f32("y", B * T, 3 * H * D)],
      nodes: [
        node("Transpose", ["x"], ["t"], order(0, 2, 1, 3)),
        node("MatMul", ["s", "t"], ["a"]),
        node("FusedMatMul", ["s", "z"], ["b"], { transA: attr.int(1) }),
        node("FusedMatMul", ["s", "t"], ["c"], { transA: attr.int(1), alpha: attr.float(-2) }),
        ...["a", "b", "c"].map((name) => reshape(name, `${name}1`)),
        node("Concat", ["a1", "b1", "c1"], ["abc"], { axis: attr.int(-5) }),
        node("Transpose", ["abc"], ["turned"], order(1, 3, 0, 2, 4)),
        reshape("turned", "y"),
      ],
      constants: [
        ...["a", "b", "c"].map((name) => ints(`${name}1_shape`, 1, B, H, T, D)),
        ints("y_shape", B * T, 3 * H * D),
      ],
    });
    expect(left).toEqual(["kernel"]);
  });

  it("leave what others need too", () => {
    const nodes = [
      node("Transpose", ["x"], ["t"], order(0, 2, 1, 3)),
      node("MatMul", ["t", "z"], ["h"]),
      node("Transpose", ["h"], ["y"], order(0, 2, 1, 3)),
    ];
    const inputs = [f32("x", ...heads), f32("z", B, H, D, 20)];
    const [y, h, t] = [f32("y", B, T, H, 20), f32("h", B, H, T, 20), f32("t", B, H, T, D)];
    expect(compare({ inputs, nodes, outputs: [y] })).toEqual(["kernel"]);
    expect(compare({ inputs, nodes, outputs: [y, h] })).toEqual(["kernel", "Transpose"]);
    expect(compare({ inputs, nodes, outputs: [h, y] })).toEqual(["kernel", "Transpose"]);
    expect(compare({ inputs, nodes, outputs: [y, t] }).sort()).toEqual(["Transpose", "kernel"]);
  });

  it("read what a group of other operators stores, not what it keeps to itself", () => {
    const left = compare({
      inputs: [f32("x", B * T, H * D), f32("z", B, H, D, 20)],
      outputs: [f32("y", B, H, T, 20)],
      nodes: [
        node("Tanh", ["x"], ["a"]),
        node("Mul", ["a", "x"], ["b"]),
        reshape("b", "c"),
        node("Exp", ["c"], ["d"]),
        node("Transpose", ["c"], ["t"], order(0, 2, 1, 3)),
        node("MatMul", ["t", "z"], ["e"]),
        node("Transpose", ["d"], ["u"], order(0, 2, 1, 3)),
        node("MatMul", ["u", "z"], ["f"]),
        node("Add", ["e", "f"], ["y"]),
      ],
      constants: [ints("c_shape", ...heads)],
    });
    expect(left).not.toContain("Transpose");
  });

  it("neither read what is written over meanwhile, nor write over what they read", () => {
    const program = lowered({
      inputs: [f32("x", B, T, 3 * D), f32("z", B, D, D)],
      outputs: [f32("y", T, B, D), f32("u", B, T, 3 * D)],
      nodes: [
        node("Split", ["x", "sizes"], ["q", "k", "v"], { axis: attr.int(2) }),
        node("MatMul", ["k", "z"], ["p"]),
        node("Transpose", ["p"], ["y"], order(1, 0, 2)),
        node("Tanh", ["x"], ["u"]),
      ],
      constants: [ints("sizes", D, D, D)],
    });
    const left = (overwrites: (string | null)[]): string[] =>
      fuse({ ...program, overwrites }, { threads: 2, products: true })
        .model.graph.nodes.map(({ opType }) => opType.replace(/_.*/, ""))
        .filter((op) => op !== "Tanh");
    expect(left([null, null])).toEqual(["kernel"]);
    expect(left([null, "x"])).toEqual(["Split", "kernel"]);
    expect(left(["z", null])).toEqual(["kernel", "Transpose"]);

    const joined = lowered({
      inputs: [f32("w", 32, 32), f32("a", 32, 16), f32("b", 32, 16)],
      outputs: [f32("y", 32, 32)],
      nodes: [
        node("MatMul", ["w", "a"], ["wa"]),
        node("MatMul", ["w", "b"], ["wb"]),
        node("Concat", ["wa", "wb"], ["y"], { axis: attr.int(1) }),
      ],
    });
    const operators = (overwrites: (string | null)[]): string[] =>
      fuse({ ...joined, overwrites }, { threads: 2, products: true }).model.graph.nodes.map(
        ({ opType }) => opType,
      );
    expect(operators([null])).toEqual(["kernel_0"]);
    expect(operators(["w"])).toEqual(["kernel_0", "kernel_0", "Concat"]);
  });

  it("that a Concat puts together lie otherwise than each alone", () => {
    const parts = ["a", "b"].flatMap((name) => [
      node("MatMul", [`${name}s`, `${name}v`], [`${name}m`]),
      node("Transpose", [`${name}m`], [`${name}t`], order(0, 2, 1, 3)),
    ]);
    const left = compare({
      inputs: ["a", "b"].flatMap((name) => [
        f32(`${name}s`, B, H, T, T),
        f32(`${name}v`, B, H, T, D),
      ]),
      outputs: [f32("y", 2 * B, H, T, D)],
      nodes: [
        ...parts,
        node("Concat", ["at", "bt"], ["both"], { axis: attr.int(0) }),
        node("Transpose", ["both"], ["y"], order(0, 2, 1, 3)),
      ],
    });
    expect(left).toEqual(["kernel"]);
  });

  it("read columns as lines, and no elements apart from each other", () => {
    const small = (perm: readonly number[]): Small => ({
      inputs: [f32("x", 10, 20, 30), f32("z", perm[0]! === 0 ? 10 : 30, 20, 9)],
      outputs: [f32("y", perm[0]! === 0 ? 10 : 30, perm[0]! === 0 ? 30 : 10, 9)],
      nodes: [node("Transpose", ["x"], ["t"], order(...perm)), node("MatMul", ["t", "z"], ["y"])],
    });
    expect(compare(small([0, 2, 1]))).toEqual(["kernel"]);
    expect(compare(small([2, 0, 1]))).toEqual(["Transpose", "kernel"]);
  });
});

interface Compiled {
  readonly run: (...given: Tensor[]) => Tensor[];
  readonly given: readonly Tensor[];
}

/** What a compiled function returns, and the operators of its program with kernels for products, on any machine. */
async function results(
  kernels: boolean,
  make: () => Compiled,
): Promise<{ readonly values: readonly TypedArray[]; readonly operators: readonly string[] }> {
  await setDevice("cpu", { threads: 2, kernels });
  onTestFinished(async () => {
    await setDevice("cpu");
  });
  const operators: string[] = [];
  const watched = (program: LoweredProgram): FusedProgram => {
    const fused = fuse(program, { threads: 2, products: true });
    operators.push(...fused.model.graph.nodes.map(({ opType }) => opType));
    return fused;
  };
  const { run, given } = make();
  if (kernels) Object.assign(await executor(), { fuse: watched });
  const made = await compile(run)(...given);
  return { values: await Promise.all(made.map((one) => one.data())), operators };
}

const filled = (seed: number, ...shape: number[]): Tensor =>
  tensor(numbers(new Dice(seed), shape)).reshape(shape);

function attentionOf(options: nn.MultiheadAttentionOptions): nn.MultiheadAttention {
  const attention = new nn.MultiheadAttention(64, 4, options);
  attention
    .parameters()
    .forEach((parameter, i) => parameter.assign(filled(i, ...parameter.shape).mul(0.2)));
  return attention;
}

describe.skipIf(codeMemory === undefined)("attention", () => {
  /** Runs with and without kernels; returns how many copies are left with them. */
  async function copies(make: () => Compiled): Promise<number> {
    const [fast, plain] = [await results(true, make), await results(false, make)];
    fast.values.forEach((values, i) => expectClose(values, plain.values[i]!));
    expect(fast.operators.some((op) => op.startsWith("kernel"))).toBe(true);
    return fast.operators.filter((op) => op === "Transpose" || op === "Split").length;
  }

  it.each([true, false])(
    "to itself and its gradient copy no heads, batchFirst %s",
    async (batchFirst) => {
      const make = (): Compiled => {
        const attention = attentionOf({ batchFirst });
        return {
          run: (x, factors) => {
            const { output } = attention.forward(x, x, x);
            return [output, ...grad(output.mul(factors).sum(), [x, ...attention.parameters()])];
          },
          given: [filled(20, 2, 9, 64).requiresGrad_(), filled(21, 2, 9, 64)],
        };
      };
      const left = await copies(make);
      // Other inputs are brought into this order, which projections then read.
      if (batchFirst) expect(left).toBe(0);
    },
  );

  it("to a memory and its gradient copy no heads", async () => {
    const make = (): Compiled => {
      const attention = attentionOf({ batchFirst: true });
      return {
        run: (x, memory, factors) => {
          const { output } = attention.forward(x, memory, memory, { isCausal: true });
          return [
            output,
            ...grad(output.mul(factors).sum(), [x, memory, ...attention.parameters()]),
          ];
        },
        given: [
          filled(20, 2, 9, 64).requiresGrad_(),
          filled(22, 2, 11, 64).requiresGrad_(),
          filled(21, 2, 9, 64),
        ],
      };
    };
    // The weights of queries are split from those of keys and values.
    expect(await copies(make)).toBe(1);
  });

  it("of several new positions to a cache copies no heads but into it", async () => {
    const make = (): Compiled => {
      const attention = attentionOf({ batchFirst: true });
      const cache = attention.emptyCache(2, 16);
      return {
        run: (x) => [attention.step(x, { cache, position: 3 }).output],
        given: [filled(20, 2, 5, 64)],
      };
    };
    expect(await copies(make)).toBe(0);
  });
});
