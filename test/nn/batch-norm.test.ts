/** Normalization with running statistics over training steps, and gradient penalties through it, against PyTorch. */
import { describe, expect, test } from "vitest";
import { compile, grad, noGrad, tensor, zeros, type Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { expectClose, type Numbers } from "../support/close.ts";
import { formula, readFixture } from "./parity.ts";

interface Steps {
  readonly name: string;
  readonly shape: readonly number[];
  readonly steps: readonly {
    readonly output: Numbers;
    readonly gradient: Numbers;
    readonly state: Readonly<Record<string, Numbers>>;
  }[];
  readonly evaluated: {
    readonly output: Numbers;
    readonly gradient: Numbers;
    readonly parameters: readonly Numbers[];
  };
}

const TOLERANCE = 1e-5;

/** A tensor by the formula, shifted. */
const shifted = (seed: number, shape: readonly number[], bound: number, shift: number): Tensor =>
  formula(seed, shape, bound).add(shift);

const norms: Record<string, () => nn.Layer> = {
  BatchNorm2d: () => new nn.BatchNorm2d(3),
  "BatchNorm2d cumulative": () => new nn.BatchNorm2d(3, { momentum: null }),
  BatchNorm1d: () => new nn.BatchNorm1d(3, { momentum: 0.3, affine: false }),
  "BatchNorm1d of lines": () => new nn.BatchNorm1d(3),
  "BatchNorm2d without statistics": () => new nn.BatchNorm2d(3, { trackRunningStats: false }),
  InstanceNorm2d: () => new nn.InstanceNorm2d(3, { affine: true, trackRunningStats: true }),
  InstanceNorm1d: () => new nn.InstanceNorm1d(3, { trackRunningStats: true }),
};

describe("running statistics", () => {
  const fixtures = readFixture<Steps>("nn/batch-norm");
  test("every fixture has a case", () =>
    expect(fixtures.map(({ name }) => name).toSorted()).toEqual(Object.keys(norms).toSorted()));

  const both = fixtures.flatMap((fixture) => [
    { ...fixture, compiled: false },
    { ...fixture, compiled: true },
  ]);
  test.each(both)(
    "$name, compiled: $compiled",
    async ({ name, shape, steps, evaluated, compiled }) => {
      const module = norms[name]!();
      const parameters = module.parameters();
      parameters.forEach((p, i) => p.assign(shifted(1000 + i, p.shape, 0.5, 0.75)));
      const run = (x: Tensor): { y: Tensor; gradient: Tensor } => {
        const input = x.clone().detach().requiresGrad_();
        const y = module.forward(input);
        y.mul(formula(500, y.shape)).sum().backward();
        return { y, gradient: input.grad! };
      };
      const train = (x: Tensor): { y: Tensor; gradient: Tensor } => {
        const result = run(x);
        noGrad(() => parameters.forEach((p) => p.add_(p.grad!, { alpha: -0.1 })));
        module.zeroGrad();
        return result;
      };
      const step = compiled ? compile(train) : train;
      for (const [i, expected] of steps.entries()) {
        const { y, gradient } = await step(formula(i + 1, shape, 2));
        await expectClose(y, expected.output, TOLERANCE, `output ${i}`);
        await expectClose(gradient, expected.gradient, TOLERANCE, `gradient ${i}`);
        const state = module.stateDict();
        expect(Object.keys(state)).toEqual(Object.keys(expected.state));
        for (const [key, values] of Object.entries(expected.state))
          await expectClose(state[key]!.cast("float32"), values, TOLERANCE, `${key} ${i}`);
      }
      module.eval();
      const { y, gradient } = run(formula(9, shape, 2));
      await expectClose(y, evaluated.output, TOLERANCE, "output");
      await expectClose(gradient, evaluated.gradient, TOLERANCE, "gradient");
      for (const [i, values] of evaluated.parameters.entries())
        await expectClose(parameters[i]!.grad, values, TOLERANCE, `gradient of parameter ${i}`);
    },
  );

  test("counts are int64, and statistics start over", async () => {
    const norm = new nn.BatchNorm1d(2);
    norm.forward(
      tensor([
        [1, 2],
        [3, 5],
      ]),
    );
    expect(norm.num_batches_tracked!.dtype).toBe("int64");
    expect(await norm.num_batches_tracked!.item()).toBe(1);
    expect(await norm.running_mean!.toArray()).toEqual([
      expect.closeTo(0.2, 6),
      expect.closeTo(0.35, 6),
    ]);
    norm.resetRunningStats();
    expect(await norm.running_mean!.toArray()).toEqual([0, 0]);
    expect(await norm.running_var!.toArray()).toEqual([1, 1]);
    expect(await norm.num_batches_tracked!.item()).toBe(0);
  });

  test("errors say what is expected", () => {
    expect(() => new nn.BatchNorm2d(3).forward(zeros([2, 3]))).toThrow(
      "BatchNorm2d: expected 4 dimensions with 3 channels in dimension 1, got [2,3]",
    );
    expect(() => new nn.BatchNorm1d(3).forward(zeros([1, 3]))).toThrow(
      "batchNorm: needs more than one value a channel when training, got an input [1,3]",
    );
    expect(() => new nn.GroupNorm(2, 3)).toThrow("3 channels do not split into 2 groups");
  });
});

interface Penalty {
  readonly name: string;
  readonly shape: readonly number[];
  readonly loss: Numbers;
  readonly input: Numbers;
  readonly gradients: Readonly<Record<string, Numbers>>;
}

const critic = (norm: () => nn.Layer): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(1, 3, 4, { stride: 2, padding: 1 }),
    new nn.LeakyReLU(0.2),
    new nn.Conv2d(3, 4, 4, { stride: 2, padding: 1, bias: false }),
    norm(),
    new nn.LeakyReLU(0.2),
    new nn.Flatten(),
    new nn.Linear(16, 1),
  );

const networks: Record<string, () => nn.Sequential> = {
  "plain critic": () => critic(() => new nn.Identity()),
  "critic with batch norm": () => critic(() => new nn.BatchNorm2d(4)),
  "critic with instance norm": () => critic(() => new nn.InstanceNorm2d(4, { affine: true })),
  "critic with layer norm": () => critic(() => new nn.GroupNorm(1, 4)),
  generator: () =>
    new nn.Sequential(
      new nn.ConvTranspose2d(3, 4, 3, { bias: false }),
      new nn.BatchNorm2d(4),
      new nn.ReLU(),
      new nn.ConvTranspose2d(4, 1, 4, { stride: 2, padding: 1 }),
      new nn.Tanh(),
    ),
  "critic with pools": () =>
    new nn.Sequential(
      new nn.Conv2d(1, 3, 3, { padding: 1 }),
      new nn.ELU(),
      new nn.AvgPool2d(2),
      new nn.Conv2d(3, 2, 3),
      new nn.Softplus(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Linear(2, 1),
    ),
};

describe("gradient penalties", () => {
  const fixtures = readFixture<Penalty>("nn/gan");
  test("every fixture has a case", () =>
    expect(fixtures.map(({ name }) => name).toSorted()).toEqual(Object.keys(networks).toSorted()));

  test.each(fixtures)("$name", async ({ name, shape, loss, input, gradients }) => {
    const module = networks[name]!();
    module.parameters().forEach((p, i) => p.assign(shifted(1000 + i, p.shape, 0.3, 0.1)));
    const penalty = compile((given: Tensor) => {
      const x = given.clone().detach().requiresGrad_();
      const y = module.forward(x);
      const [slope] = grad(y.sum(), [x], { createGraph: true });
      const norm = slope!.reshape([shape[0]!, -1]).square().sum(1).sqrt();
      const total = norm.sub(1).square().mean().add(y.mean());
      total.backward();
      return { total, input: x.grad! };
    });
    const result = await penalty(formula(1, shape));
    // Second derivatives of float32 sums differ in their last digits.
    await expectClose(result.total, loss, 2e-5, "loss");
    await expectClose(result.input, input, 2e-5, "gradient of the input");
    for (const [key, parameter] of module.namedParameters()) {
      const found = parameter.grad ?? zeros(parameter.shape);
      await expectClose(found, gradients[key]!, 2e-5, `gradient of ${key}`);
    }
  });
});
