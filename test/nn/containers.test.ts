/** Containers as lists and dicts, and what modules of this family start as. */
import { describe, expect, test } from "vitest";
import { compile, manualSeed, ones, randn, tensor, zeros, type Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { readFixture } from "./parity.ts";

const keys = (module: nn.Module): string[] => Object.keys(module.stateDict());

describe("Sequential", () => {
  test("is a list of modules with names", () => {
    const stack = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU());
    expect(stack.append(new nn.Linear(3, 1, { bias: false })).length).toBe(3);
    expect(keys(stack)).toEqual(["0.weight", "0.bias", "2.weight"]);
    expect(stack.at(-2)).toBeInstanceOf(nn.ReLU);
    expect(Array.from(stack, (module) => module.constructor.name)).toEqual([
      "Linear",
      "ReLU",
      "Linear",
    ]);
    expect(keys(new nn.Sequential({ first: stack, last: new nn.Linear(1, 1) }))).toContain(
      "first.2.weight",
    );
    expect(keys(new nn.Sequential())).toEqual([]);
    expect(() => stack.at(3)).toThrow("Sequential: no item 3, there are 3");
    expect(() => new nn.Sequential(new nn.ReLU(), 3 as never)).toThrow(
      'Sequential: "1" must be a module, got number',
    );
  });

  test("passes on whatever a module returns", async () => {
    class Halves extends nn.Module {
      forward(x: Tensor): Tensor[] {
        return x.split(1, 1);
      }
    }
    class Sum extends nn.Module {
      forward([a, b]: readonly Tensor[]): Tensor {
        return a!.add(b!);
      }
    }
    const sum = new nn.Sequential(new Halves(), new Sum());
    expect(await sum.forward(tensor([[1, 2]])).toArray()).toEqual([[3]]);
  });
});

describe("lists and dicts", () => {
  test("ModuleList", () => {
    const list = new nn.ModuleList([new nn.Linear(1, 2)]).append(new nn.Linear(2, 3));
    list.insert(1, new nn.Linear(2, 2, { bias: false })).extend([new nn.Linear(3, 4)]);
    expect(keys(list)).toEqual([
      ...["0.weight", "0.bias", "1.weight"],
      ...["2.weight", "2.bias", "3.weight", "3.bias"],
    ]);
    expect(list.length).toBe(4);
    expect(list.at(-1).outFeatures).toBe(4);
    expect(list.set(0, new nn.Linear(1, 9)).at(0).outFeatures).toBe(9);
    expect(Array.from(list, ({ outFeatures }) => outFeatures)).toEqual([9, 2, 3, 4]);
    expect(() => list.forward()).toThrow("ModuleList has no forward");
    expect(list.eval().at(2).training).toBe(false);
  });

  test("ModuleDict", () => {
    const dict = new nn.ModuleDict({ a: new nn.Linear(1, 2), b: new nn.Linear(2, 1) });
    expect(keys(dict)).toEqual(["a.weight", "a.bias", "b.weight", "b.bias"]);
    expect([...dict.keys()]).toEqual(["a", "b"]);
    expect(dict.delete("a")).toBe(true);
    expect([dict.has("a"), dict.has("b"), dict.length]).toEqual([false, true, 1]);
    expect(() => dict.get("a")).toThrow('ModuleDict: no module "a", there are b');
    expect(() => dict.set("a.b", new nn.Linear(1, 1))).toThrow("must not be empty or have a dot");
  });

  test("parameters in lists and dicts are learned", () => {
    const list = new nn.ParameterList([zeros([2])]).append(ones([3]));
    expect(keys(list)).toEqual(["0", "1"]);
    expect(list.parameters()).toEqual([...list]);
    expect(list.at(-1).requiresGrad).toBe(true);
    const dict = new nn.ParameterDict({ scale: ones([1]) });
    expect(keys(dict.set("shift", list.at(0)))).toEqual(["scale", "shift"]);
    expect(dict.get("shift")).toBe(list.at(0));
    expect(() => dict.set("train", ones([1]))).toThrow('"train" is a field of modules');
  });
});

interface Initial {
  readonly name: string;
  readonly key: string;
  readonly shape: readonly number[];
  readonly statistics: readonly [min: number, max: number, mean: number, deviation: number];
}

const modules: Record<string, () => nn.Module> = {
  Conv1d: () => new nn.Conv1d(30, 60, 5, { groups: 2 }),
  Conv2d: () => new nn.Conv2d(20, 60, [3, 5]),
  ConvTranspose1d: () => new nn.ConvTranspose1d(30, 60, 5, { groups: 2 }),
  ConvTranspose2d: () => new nn.ConvTranspose2d(20, 60, [3, 5]),
  Bilinear: () => new nn.Bilinear(30, 20, 50),
  BatchNorm2d: () => new nn.BatchNorm2d(50),
  GroupNorm: () => new nn.GroupNorm(5, 50),
  PReLU: () => new nn.PReLU(50),
};

test.each(readFixture<Initial>("nn/initial-layers"))(
  "$name starts its $key as PyTorch does",
  async ({ name, key, shape, statistics: [min, max, mean, deviation] }) => {
    manualSeed(11);
    const t = modules[name]!().stateDict()[key]!;
    expect(t.shape).toEqual(shape);
    const data = Float64Array.from(await t.cast("float32").data(), Number);
    const average = data.reduce((a, b) => a + b, 0) / data.length;
    const spread = Math.sqrt(data.reduce((a, b) => a + (b - average) ** 2, 0) / data.length);
    // Two samples: means √(2/n) deviations apart; uniform ones end within a few gaps of their bounds.
    const slack = 5 * deviation * Math.sqrt(2 / t.size) + 1e-12;
    const edge = slack + (20 * (max - min)) / t.size;
    expect(Math.abs(average - mean)).toBeLessThan(slack);
    expect(Math.abs(spread - deviation)).toBeLessThan(slack);
    expect(Math.abs(Math.min(...data) - min)).toBeLessThan(edge);
    expect(Math.abs(Math.max(...data) - max)).toBeLessThan(edge);
  },
);

test("Embedding.fromPretrained takes vectors over, frozen unless told otherwise", async () => {
  const table = tensor([
    [1, 2],
    [3, 4],
  ]);
  const frozen = nn.Embedding.fromPretrained(table);
  expect(await frozen.weight.toArray()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(frozen.weight.requiresGrad).toBe(false);
  const learned = nn.Embedding.fromPretrained(table, { freeze: false, paddingIdx: -1 });
  expect([learned.weight.requiresGrad, learned.paddingIdx]).toEqual([true, 1]);
  expect(() => nn.Embedding.fromPretrained(zeros([2]))).toThrow("the table must be [n,d], got [2]");
});

describe("random layers", () => {
  test("Dropout1d and Dropout2d drop whole channels", async () => {
    manualSeed(4);
    for (const [layer, shape] of [
      [new nn.Dropout2d(0.5), [40, 50, 2, 2]],
      [new nn.Dropout1d(0.5), [40, 50, 4]],
      [new nn.Dropout2d(0.5), [2000, 2, 2]],
    ] as const) {
      const data = (await layer.forward(ones(shape)).data()) as Float32Array;
      let dropped = 0;
      for (let i = 0; i < data.length; i += 4) {
        expect(new Set(data.subarray(i, i + 4)).size).toBe(1);
        if (data[i] === 0) dropped++;
        else expect(data[i]).toBe(2);
      }
      // Five deviations of 2,000 throws of a coin.
      expect(Math.abs(dropped - 1000)).toBeLessThan(112);
      expect(layer.eval().forward(ones(shape)).shape).toEqual(shape);
    }
    expect(() => new nn.Dropout2d().forward(ones([2, 3]))).toThrow(
      "dropout2d: the input must have",
    );
  });

  test("AlphaDropout keeps mean and variance of standard normal numbers", async () => {
    manualSeed(4);
    const draw = compile(() => new nn.AlphaDropout(0.3).forward(randn([100_000])));
    const data = (await (await draw()).data()) as Float32Array;
    const mean = data.reduce((a, b) => a + b, 0) / data.length;
    const variance = data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.03);
    // Three tenths are one number, selu's lowest, scaled and shifted: (−1.7581 · 0.7) / √(0.7 (1 + 0.3 · 1.7581²)).
    const lowest =
      (-1.7580993408473766 * 0.7) / Math.sqrt(0.7 * (1 + 0.3 * 1.7580993408473766 ** 2));
    const dropped = data.filter((value) => Math.abs(value - lowest) < 1e-5).length;
    expect(Math.abs(dropped / data.length - 0.3)).toBeLessThan(0.01);
  });

  test("RReLU draws slopes within its bounds while training", async () => {
    manualSeed(4);
    const layer = new nn.RReLU({ lower: 0.2, upper: 0.4 });
    const data = (await layer.forward(ones([1000]).neg()).data()) as Float32Array;
    expect(Math.min(...data)).toBeGreaterThanOrEqual(-0.4);
    expect(Math.max(...data)).toBeLessThanOrEqual(-0.2);
    expect(new Set(data).size).toBeGreaterThan(900);
    expect(await layer.forward(tensor([2])).toArray()).toEqual([2]);
  });

  test("gumbelSoftmax samples the distribution, and hard samples have soft gradients", async () => {
    manualSeed(4);
    const probabilities = [0.2, 0.5, 0.3];
    const logits = tensor(probabilities.map(Math.log)).expand([20_000, 3]).clone().detach();
    logits.requiresGrad_();
    const hard = nn.functional.gumbelSoftmax(logits, { hard: true, tau: 0.7 });
    const shares = (await hard.mean(0).toArray()) as number[];
    shares.forEach((share, i) => expect(Math.abs(share - probabilities[i]!)).toBeLessThan(0.02));
    expect(await hard.amax(1).amin().item()).toBeCloseTo(1, 6);
    hard
      .mul(tensor([1, 2, 4]))
      .sum()
      .backward();
    expect(await logits.grad!.abs().amax().item()).toBeGreaterThan(0.1);
    const soft = nn.functional.gumbelSoftmax(logits.detach(), { dim: 0 });
    expect(await soft.sum(0).amax().item()).toBeCloseTo(1, 4);
  });
});
