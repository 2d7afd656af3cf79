/** Optimizers against PyTorch: losses, parameters and state dicts over 20 steps, compiled and not, and across both. */
import { describe, expect, test } from "vitest";
import { compile, tensor } from "../../src/index.ts";
import { Parameter } from "../../src/nn/index.ts";
import { Adam } from "../../src/optim/index.ts";
import { readFixture } from "../nn/parity.ts";
import { expectClose } from "../support/close.ts";
import { camelCase, Problem, torchStateOf, trainsC, type Run, type Snapshot } from "./problem.ts";

const runs = readFixture<Run>("optim/optimizers");

/** PyTorch's own float32 results are 5e-6 from its float64 ones with RMSprop, 1.2e-5 with Adafactor. */
function tolerance({ dtype, optimizer }: Run): number {
  if (dtype === "float64") return 1e-12;
  return (
    new Map([
      ["RMSprop", 1e-5],
      ["Adafactor", 2e-5],
    ]).get(optimizer) ?? 1e-6
  );
}

const rounded = (x: unknown): unknown =>
  typeof x === "number" ? Number(x.toFixed(12)) : Array.isArray(x) ? x.map(rounded) : x;

async function expectParameters(run: Run, problem: Problem, expected: Snapshot): Promise<void> {
  for (const [name, p] of Object.entries(problem.parameters))
    await expectClose(p, expected.parameters[name]!, tolerance(run), name);
}

async function expectState(run: Run, { optimizer }: Problem, expected: Snapshot): Promise<void> {
  const { state, paramGroups } = optimizer.stateDict();
  expect(Object.keys(state)).toEqual(Object.keys(expected.state));
  for (const [number, entry] of Object.entries(expected.state)) {
    const ours = Object.keys(state[Number(number)]!);
    // PyTorch's names, and beside them the digits that their unit costs.
    expect(ours.filter((key) => !key.endsWith("_rest")).toSorted()).toEqual(
      Object.keys(entry).toSorted(),
    );
    for (const [key, values] of Object.entries(entry)) {
      const what = `state.${number}.${key}`;
      await expectClose(state[Number(number)]![key], values, tolerance(run), what);
    }
  }
  // Every option of ours has PyTorch's value.
  for (const [i, group] of paramGroups.entries()) {
    const theirs = camelCase(expected.param_groups[i]!);
    for (const [key, value] of Object.entries(group)) {
      const given = theirs[key];
      // Rounded: learning rates of schedules are computed by other formulas.
      expect(rounded(value), key).toEqual(rounded(given));
    }
  }
}

describe.each(runs)("$name", (run) => {
  test.each([true, false])("equals PyTorch, compiled: %s", async (compiled) => {
    const problem = new Problem(run);
    const step = problem.stepper(compiled);
    const losses: number[] = [];
    for (let i = 0; i < run.losses.length; i++) {
      losses.push(await (await step(trainsC(run, i))).item());
      problem.schedule?.step();
      if (i === run.losses.length / 2 - 1) {
        await expectParameters(run, problem, run.middle);
        await expectState(run, problem, run.middle);
      }
    }
    await expectClose(tensor(losses, { dtype: "float64" }), run.losses, tolerance(run), "losses");
    await expectParameters(run, problem, run.end);
    await expectState(run, problem, run.end);
  });

  test("goes on where PyTorch stopped", async () => {
    // Options come from the state dict.
    const problem = new Problem({
      ...run,
      options: { maximize: run.options["maximize"] ?? false },
      groups: run.groups.map(({ params }) => ({ params })),
      schedule: null,
    });
    for (const [name, p] of Object.entries(problem.parameters))
      p.assign(
        tensor(run.middle.parameters[name]!.map(Number), { shape: p.shape, dtype: p.dtype }),
      );
    problem.optimizer.loadStateDict(torchStateOf(run, run.middle));
    await expectState(run, problem, run.middle);
    if (run.schedule) return;
    const step = problem.stepper(true);
    for (let i = run.losses.length / 2; i < run.losses.length; i++) await step(trainsC(run, i));
    await expectParameters(run, problem, run.end);
    await expectState(run, problem, run.end);
  });

  test("goes on from its own state dict", async () => {
    const first = new Problem(run);
    for (let i = 0; i < 5; i++) {
      await first.step(trainsC(run, i)).data();
      first.schedule?.step();
    }
    const second = new Problem(run);
    for (const [name, p] of Object.entries(second.parameters))
      p.assign(first.parameters[name as "a"].detach());
    const saved = first.optimizer.stateDict();
    second.optimizer.loadStateDict(saved);
    if (first.schedule) second.schedule!.loadStateDict(first.schedule.stateDict());
    for (const problem of [first, second])
      for (let i = 5; i < 8; i++) {
        await problem.step(trainsC(run, i)).data();
        problem.schedule?.step();
      }
    // Moved momentum is divided by another unit after loading, and so rounded otherwise.
    for (const [name, p] of Object.entries(first.parameters)) {
      const loaded = second.parameters[name as "a"];
      if (run.schedule)
        await expectClose(loaded, Array.from((await p.data()) as Float32Array), 1e-6, name);
      else expect(await loaded.data()).toEqual(await p.data());
    }
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
