/** Elementwise operations on large tensors run piece by piece: the same elements as in one go, also in place. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile, grad, setDevice, type Tensor } from "../../src/index.ts";
import { gradients } from "../../src/autograd/backward.ts";
import type { Value } from "../../src/graph/node.ts";
import { layerNorm, softmax } from "../../src/nn/functional/index.ts";
import { planBlocks } from "../../src/onnx/blocks.ts";
import { lowerProgram } from "../../src/onnx/lower.ts";
import { AdamW } from "../../src/optim/index.ts";
import { source } from "../../src/ops/leaf.ts";
import { add, exp, mul, tanh } from "../../src/ops/elementwise.ts";
import { layerNorm as layerNormValue } from "../../src/ops/layer-norm.ts";
import { sum } from "../../src/ops/sum.ts";
import { filled } from "../support/filled.ts";

const target = { gpu: false, contrib: true, piece: 16 };
const vector = (size: number) => source({ dtype: "float32", shape: [size] });
const nodesOf = (size: number, piece = 16): string[] => {
  const x = vector(size);
  const y = mul(exp(tanh(x)), add(x, 1));
  const { model } = lowerProgram({ inputs: [x], outputs: [y], target: { ...target, piece } });
  return model.graph.nodes.map(({ opType }) => opType);
};

describe("what runs piece by piece", () => {
  test("chains on large tensors whose sizes can be divided", () => {
    expect(nodesOf(64)).toContain("Scan");
    expect(nodesOf(64)).not.toContain("Exp");
    expect(nodesOf(16)).not.toContain("Scan");
    expect(nodesOf(67)).not.toContain("Scan");
    expect(nodesOf(64, 0)).not.toContain("Scan");
  });

  test("what stands between parts of a chain and needs all of it parts it", () => {
    const x = vector(64);
    const before = [tanh(x), exp(tanh(x)), mul(exp(tanh(x)), x)];
    const total = sum(before[2]!);
    const after = [mul(before[2]!, total), tanh(mul(before[2]!, total))];
    after.push(add(after[1]!, before[0]!));
    const order = [...before, total, ...after].map(({ node }) => node);
    const blocks = planBlocks(order, new Set([x]), { inPlace: [], waits: new Map() }, 16);
    const [first, second] = [before, after].map((part) => part.map(({ node }) => blocks.get(node)));
    expect(first![0]!.nodes).toHaveLength(3);
    expect(second![0]!.nodes).toHaveLength(3);
    expect(new Set(first).size).toBe(1);
    expect(new Set(second).size).toBe(1);
    expect(first![0]).not.toBe(second![0]);
    expect(blocks.has(total.node)).toBe(false);
  });
});

describe("rows of few, sums over all", () => {
  afterAll(async () => void (await setDevice("cpu")));

  test("normalization and softmax, with gradients and second derivatives", async () => {
    const found = async (piece: number): Promise<number[][]> => {
      await setDevice("cpu", { piece, kernels: false });
      const given = (shape: number[], seed: number): Tensor => filled(shape, seed).requiresGrad_();
      const leaves = [given([4, 6, 3, 4], 1), given([3, 4], 2), given([3, 4], 3)] as const;
      const run = compile(() => {
        const [x, weight, bias] = leaves;
        const y = layerNorm(x, [3, 4], { weight, bias }).mul(softmax(x, -1));
        const first = grad(y.square().sum(), [...leaves], { createGraph: true });
        const total = first.map((g) => g.square().sum()).reduce((a, b) => a.add(b));
        return [y, ...first, ...grad(total, [...leaves])];
      });
      return Promise.all((await run()).map(async (t) => Array.from(await t.data(), Number)));
    };
    const whole = await found(0);
    for (const piece of [24, 36, 100]) {
      const pieces = await found(piece);
      whole.forEach((values, i) =>
        values.forEach((value, j) => expect(pieces[i]![j]).toBeCloseTo(value, 4)),
      );
    }
  });

  test("a loop over blocks of rows", () => {
    const [x, w, g] = [[32, 8], [8], [32, 8]].map((shape) =>
      source({ dtype: "float32", shape }),
    ) as [Value, Value, Value];
    const y = layerNormValue(x, w, w);
    const outputs = gradients([y], [g], [x, w], add).map((value) => value!);
    const types = (piece: number): string[] => {
      const spec = { inputs: [x, w, g], outputs, target: { ...target, piece } };
      return lowerProgram(spec).model.graph.nodes.map(({ opType }) => opType);
    };
    expect(types(32)).toContain("Scan");
    expect(types(256)).not.toContain("Scan");
  });
});

describe("results", () => {
  /** Everything a few steps of training leave behind. */
  async function trained(): Promise<number[][]> {
    const w = filled([32, 24], 1).requiresGrad_();
    const bias = filled([1, 24], 2).requiresGrad_();
    const kept = filled([16, 24], 3, 0);
    const optimizer = new AdamW([w, bias], { lr: 0.05 });
    const step = compile((x: Tensor) => {
      const h = x.matmul(w).add(bias);
      const y = h.sigmoid().mul(h).add(h.tanh()).square();
      const [slope] = grad(y.sum(), [h], { createGraph: true });
      kept.assign(kept.mul(0.5).add(slope!.exp().neg()).clamp(-3, 3));
      const loss = y.mul(slope!).mean();
      loss.backward();
      optimizer.step();
      const found = w.grad!;
      optimizer.zeroGrad();
      return [loss, found, y.gt(0.5).cast("int32").mul(2).add(1)];
    });
    const read: Tensor[] = [w, bias, kept];
    for (let i = 0; i < 5; i++) read.splice(3, 3, ...(await step(filled([16, 32], 4 + i))));
    return Promise.all(read.map(async (t) => Array.from((await t.data()) as Float32Array)));
  }
  let whole: number[][];
  beforeAll(async () => {
    await setDevice("cpu", { piece: 0 });
    whole = await trained();
  });
  afterAll(async () => void (await setDevice("cpu")));

  test.each([8, 48, 100])("pieces of about %i elements", async (piece) => {
    await setDevice("cpu", { piece, kernels: false });
    const pieces = await trained();
    whole.forEach((values, i) =>
      values.forEach((value, j) => expect(pieces[i]![j]).toBeCloseTo(value, 5)),
    );
  });

  test("by threads that wait awake for the next operation", async () => {
    await setDevice("cpu", { threads: 2, spin: 100, piece: 48 });
    const found = await trained();
    whole.forEach((values, i) =>
      values.forEach((value, j) => expect(found[i]![j]).toBeCloseTo(value, 5)),
    );
  });
});
