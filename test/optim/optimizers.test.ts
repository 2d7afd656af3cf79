/** Optimizers against PyTorch: losses, parameters and state dicts over 20 steps, compiled and not, and across both. */
import { describe, expect, test } from "vitest";
import { compile, tensor, zeros, type Tensor } from "../../src/index.ts";
import { Parameter } from "../../src/nn/index.ts";
import { Adam, AdamW, SGD } from "../../src/optim/index.ts";
import { readFixture } from "../nn/parity.ts";
import { expectClose, type Numbers } from "../support/close.ts";
import { Problem, stateDictOf, trainsC, type Run, type Snapshot } from "./problem.ts";

const runs = readFixture<Run>("optim/optimizers");
const TOLERANCE = 1e-6;

async function expectParameters(problem: Problem, expected: Snapshot): Promise<void> {
  for (const [name, p] of Object.entries(problem.parameters))
    await expectClose(p, expected.parameters[name]!, TOLERANCE, name);
}

async function expectState({ optimizer }: Problem, expected: Snapshot): Promise<void> {
  const { state } = optimizer.stateDict();
  expect(Object.keys(state)).toEqual(Object.keys(expected.state));
  for (const [number, entry] of Object.entries(expected.state)) {
    const ours = Object.keys(state[Number(number)]!);
    // PyTorch's names, and beside them the digits that their unit costs.
    expect(ours.filter((key) => !key.endsWith("_rest"))).toEqual(Object.keys(entry));
    for (const [key, values] of Object.entries(entry)) {
      await expectClose(state[Number(number)]![key], values, TOLERANCE, `state.${number}.${key}`);
    }
  }
}

/** A function that does step `i`, by one program for each set of parameters trained. */
function compiledStep(problem: Problem): (withC: boolean) => Promise<Tensor> {
  const [all, some] = [compile(() => problem.step(true)), compile(() => problem.step(false))];
  return (withC) => (withC ? all() : some());
}

describe.each(runs)("$name", (run) => {
  test.each([true, false])("equals PyTorch, compiled: %s", async (compiled) => {
    const problem = new Problem(run);
    const step = compiled
      ? compiledStep(problem)
      : (withC: boolean) => Promise.resolve(problem.step(withC));
    const losses: number[] = [];
    for (let i = 0; i < run.losses.length; i++) {
      losses.push(await (await step(trainsC(run, i))).item());
      if (i === run.losses.length / 2 - 1) {
        await expectParameters(problem, run.middle);
        await expectState(problem, run.middle);
      }
    }
    await expectClose(tensor(losses), run.losses, TOLERANCE, "losses");
    await expectParameters(problem, run.end);
    await expectState(problem, run.end);
  });

  test("goes on where PyTorch stopped", async () => {
    const problem = new Problem(run);
    for (const [name, p] of Object.entries(problem.parameters))
      p.assign(
        tensor(run.middle.parameters[name]!.map(Number), { shape: p.shape, dtype: p.dtype }),
      );
    problem.optimizer.loadStateDict(stateDictOf(run, run.middle));
    await expectState(problem, run.middle);
    const step = compiledStep(problem);
    for (let i = run.losses.length / 2; i < run.losses.length; i++) await step(trainsC(run, i));
    await expectParameters(problem, run.end);
    await expectState(problem, run.end);
  });

  test("goes on from its own state dict", async () => {
    const first = new Problem(run);
    for (let i = 0; i < 5; i++) await first.step(trainsC(run, i)).data();
    const second = new Problem(run);
    for (const [name, p] of Object.entries(second.parameters))
      p.assign(first.parameters[name as "a"].detach());
    second.optimizer.loadStateDict(first.optimizer.stateDict());
    for (const problem of [first, second])
      for (let i = 5; i < 8; i++) await problem.step(trainsC(run, i)).data();
    for (const [name, p] of Object.entries(first.parameters))
      expect(await second.parameters[name as "a"].data()).toEqual(await p.data());
  });
});

describe("step counts", () => {
  // Expected: what PyTorch gives, by running each parameter with an optimizer of its own.
  const train = async (steps: readonly ("both" | "first" | "second")[], compiled: boolean) => {
    const [p, q] = [new Parameter(tensor([1, 2])), new Parameter(tensor([3]))];
    const optimizer = new Adam([p, q], { lr: 0.1 });
    const make = (which: string) => () => {
      const terms = [
        ...(which === "second" ? [] : [p.mul(p).sum()]),
        ...(which === "first" ? [] : [q.mul(q).mul(q).sum()]),
      ];
      optimizer.zeroGrad();
      terms.reduce((a, b) => a.add(b)).backward();
      optimizer.step();
    };
    const programs = Object.fromEntries(
      ["both", "first", "second"].map((which) => {
        const step = make(which);
        const uncompiled = async () => {
          step();
          await p.data();
        };
        return [which, compiled ? compile(step) : uncompiled];
      }),
    );
    for (const which of steps) await programs[which]!();
    const { state } = optimizer.stateDict();
    const counts = [await state[0]!["step"]!.item(), await state[1]!["step"]!.item()];
    return { p: await p.toArray(), q: await q.toArray(), counts };
  };

  test.each([true, false])("belong to each parameter, compiled: %s", async (compiled) => {
    const order = ["both", "first", "first", "second", "both", "first", "both"] as const;
    const mixed = await train(order, compiled);
    expect(mixed.counts).toEqual([6, 4]);
    const alone = await train(
      Array.from({ length: 6 }, () => "both" as const),
      false,
    );
    const other = await train(
      Array.from({ length: 4 }, () => "both" as const),
      false,
    );
    expect(mixed.p).toEqual(alone.p);
    expect(mixed.q).toEqual(other.q);
  });
});

describe("state dicts that do not fit", () => {
  const make = () => {
    const p = new Parameter(zeros([2]));
    return new Adam([p, new Parameter(zeros([3]))]);
  };

  test("are refused, and nothing is loaded", async () => {
    const optimizer = make();
    const paramGroups = [{ lr: 0.5, params: [0, 1] }];
    const good = { step: tensor(3), exp_avg: tensor([1, 2]), exp_avg_sq: tensor([1, 2]) };
    expect(() => optimizer.loadStateDict({ state: {}, paramGroups: [] })).toThrow(
      "the state dict has other parameter groups",
    );
    expect(() => optimizer.loadStateDict({ state: { 0: good, 1: good }, paramGroups })).toThrow(
      "optimizer: state.1.exp_avg is [2], expected [3]",
    );
    expect(() =>
      optimizer.loadStateDict({ state: { 0: { step: tensor(3) } }, paramGroups }),
    ).toThrow("optimizer: state.0.exp_avg is missing, expected [2]");
    expect(optimizer.stateDict().state).toEqual({});
    expect(optimizer.paramGroups[0]!.lr).toBe(1e-3);
    optimizer.loadStateDict({ state: { 0: good }, paramGroups });
    const { state, paramGroups: groups } = optimizer.stateDict();
    expect(Object.keys(state)).toEqual(["0"]);
    await expectClose(state[0]!["exp_avg"], [1, 2] as Numbers, 1e-6, "exp_avg");
    expect(await state[0]!["step"]!.item()).toBe(3);
    expect(groups[0]!.lr).toBe(0.5);
  });
});

test("options out of range and wrong parameters are errors", () => {
  const p = new Parameter(zeros([2]));
  expect(() => new SGD([])).toThrow("SGD: got no parameters");
  expect(() => new SGD([p, p])).toThrow("SGD: a parameter appears in two groups");
  expect(() => new SGD([zeros([2])])).toThrow("SGD: parameters must be leaves");
  expect(() => new SGD([p], { lr: -1 })).toThrow("SGD: lr must be at least 0, got -1");
  expect(() => new SGD([p], { nesterov: true })).toThrow("SGD: nesterov needs a momentum");
  expect(() => new AdamW([p], { betas: [0.9, 1] })).toThrow("AdamW: betas must be in [0, 1)");
  expect(() => new Adam([p], { eps: -1 })).toThrow("Adam: eps must be at least 0");
});
