/** Weight and spectral normalization against PyTorch, in compiled steps, and taken away again; parameters as a vector. */
import { describe, expect, test } from "vitest";
import { compile, noGrad, type Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { filled } from "../support/filled.ts";
import { suite, type Case } from "./parity.ts";

const { parametrizations, parametersToVector, vectorToParameters } = nn.utils;
const { spectralNorm, weightNorm } = parametrizations;

const linear = (build: (module: nn.Linear) => nn.Linear, bias = true): Case<nn.Linear> => ({
  build: () => build(new nn.Linear(4, 3, { bias })),
  call: ([x], module) => module.forward(x!),
});
const twice = (build: (module: nn.Linear) => nn.Linear, bias = true): Case<nn.Linear> => ({
  ...linear(build, bias),
  call: ([x], module) => [module.forward(x!), module.forward(x!)],
});

const numbers = async (t: Tensor): Promise<number[]> => Array.from(await t.data(), Number);

describe("parametrizations", () => {
  suite<nn.Module>("parametrizations", {
    weightNorm: linear((m) => weightNorm(m)),
    "weightNorm over columns": linear((m) => weightNorm(m, "weight", { dim: 1 })),
    "weightNorm of a whole": linear((m) => weightNorm(m, "weight", { dim: null })),
    "weightNorm of a state": {
      build: () => weightNorm(new nn.GRUCell(4, 3), "weight_hh"),
      call: ([x, h]: readonly Tensor[], module: nn.GRUCell) => module.forward(x!, h),
    },
    spectralNorm: twice((m) => spectralNorm(m)),
    "spectralNorm with options": twice(
      (m) => spectralNorm(m, "weight", { nPowerIterations: 3, eps: 1e-3, dim: 1 }),
      false,
    ),
    "spectralNorm in evaluation": twice((m) => spectralNorm(m).eval()),
    "spectralNorm of a vector": linear((m) => spectralNorm(m, "bias")),
  } as unknown as Record<string, Case>);

  test("weightNorm leaves the weight what it was", async () => {
    const module = new nn.Linear(4, 3);
    const before = await numbers(module.weight);
    const after = await numbers(weightNorm(module).weight);
    before.forEach((value, i) => expect(after[i]).toBeCloseTo(value, 6));
    expect(nn.utils.isParametrized(module, "weight")).toBe(true);
  });

  test("spectralNorm finds the largest singular value, in compiled steps too, and learns through it", async () => {
    const module = spectralNorm(new nn.Linear(3, 3, { bias: false }));
    const x = filled([5, 3], 1);
    const optimizer = new SGD(module.parameters(), { lr: 0.1 });
    const step = compile((x: Tensor) => {
      const y = module.forward(x);
      const loss = y.mul(y).mean();
      loss.backward();
      optimizer.step();
      optimizer.zeroGrad();
      return loss;
    });
    const buffers = module.buffers();
    const before = await numbers(buffers[0]!);
    const losses: number[] = [];
    for (let i = 0; i < 20; i++) losses.push(await (await step(x)).item());
    expect(await numbers(buffers[0]!)).not.toEqual(before);
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
    expect(step.traces).toBe(1);
    // ‖W‖₂ = 1: the largest eigenvalue of WᵀW, by power iteration on the host.
    const [w, size] = [await numbers(module.eval().weight), 3];
    let v = [1, 0.5, 0.25];
    let norm = 0;
    for (let i = 0; i < 500; i++) {
      const wv = v.map((_, r) => v.reduce((sum, value, c) => sum + w[r * size + c]! * value, 0));
      const next = v.map((_, c) => wv.reduce((sum, value, r) => sum + w[r * size + c]! * value, 0));
      norm = Math.hypot(...wv) / Math.hypot(...v);
      v = next.map((value) => value / Math.hypot(...next));
    }
    expect(norm).toBeCloseTo(1, 3);
  });

  test("removing leaves the weight, and the module as it was before", async () => {
    for (const wrap of [weightNorm, spectralNorm]) {
      const module = wrap(new nn.Linear(4, 3)).eval();
      const weight = await numbers(module.weight);
      nn.utils.removeParametrizations(module, "weight");
      expect(Object.keys(module.stateDict()).toSorted()).toEqual(["bias", "weight"]);
      const left = await numbers(module.weight);
      left.forEach((value, i) => expect(value).toBeCloseTo(weight[i]!, 6));
      expect(module.weight).toBeInstanceOf(nn.Parameter);
    }
    expect(() => nn.utils.removeParametrizations(new nn.Linear(2, 2), "weight")).toThrow(
      '"weight" of Linear is not parametrized',
    );
    expect(() => weightNorm(new nn.Linear(2, 2), "kernel")).toThrow(
      'Linear has no parameter "kernel"; it has "weight", "bias"',
    );
    expect(() => weightNorm(weightNorm(new nn.Linear(2, 2)))).toThrow("parametrized already");
  });
});

test("parameters become a vector and come of one", async () => {
  const module = new nn.Linear(3, 2);
  const vector = noGrad(() => parametersToVector(module.parameters()));
  expect(vector.shape).toEqual([8]);
  vectorToParameters(vector.mul(2), module.parameters());
  const doubled = (await numbers(vector)).map((value) => 2 * value);
  expect([...(await numbers(module.weight)), ...(await numbers(module.bias!))]).toEqual(doubled);
  expect(() => vectorToParameters(vector.slice(0, 1), module.parameters())).toThrow(
    "a vector of 8 elements, got [7]",
  );
});
