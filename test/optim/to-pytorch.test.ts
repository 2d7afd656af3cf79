/** State dicts made here go on in PyTorch: needs a Python with torch. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/index.ts";
import * as optim from "../../src/optim/index.ts";
import { readFixture } from "../nn/parity.ts";
import { distance, numbersOf } from "../support/close.ts";
import { findPython, runPython } from "../support/python.ts";
import { Problem, trainsC, type Run } from "./problem.ts";

const python = findPython(["torch", "transformers"]);
const runs = readFixture<Run>("optim/optimizers");

// The fixtures' own problem and optimizers, without writing anything.
const SCRIPT = `
import json, sys
source = open(${JSON.stringify(fileURLToPath(new URL("../../scripts/fixtures/optim.py", import.meta.url)))}).read()
sys.path.insert(0, ${JSON.stringify(fileURLToPath(new URL("../../scripts/fixtures", import.meta.url)))})
exec(source.split("torch.set_num_threads(1)")[0])
results = []
for run, parameters, state, schedule in json.load(sys.stdin):
    dtype = getattr(torch, run["dtype"])
    own, loss = problem(dtype)
    with torch.no_grad():
        for name, values in parameters.items():
            own[name].copy_(torch.tensor(values, dtype=dtype).view(own[name].shape))
    groups = [{"params": [own[name] for name in group["params"]]} for group in run["groups"]]
    opt = (OPTIMIZERS.get(run["optimizer"]) or getattr(torch.optim, run["optimizer"]))(groups, lr=1.0)
    scheduler = lr_scheduler.OneCycleLR(opt, **run["schedule"]) if run["schedule"] else None
    extra = [{k: g[k] for k in ("max_lr", "min_lr", "max_momentum", "base_momentum") if k in g} for g in opt.param_groups]
    tensors = {int(n): {k: torch.tensor(v[1], dtype=torch.float32 if k == "step" else dtype).view(v[0]) for k, v in e.items()} for n, e in state["state"].items()}
    opt.load_state_dict({"state": tensors, "param_groups": state["param_groups"]})
    for group, more in zip(opt.param_groups, extra):
        group.update(more)
    if scheduler:
        scheduler.load_state_dict(schedule)
    for step in range(STEPS // 2, STEPS):
        value = loss(step, run["alternating"])
        opt.zero_grad()
        (-value if run["options"].get("maximize") else value).backward()
        opt.step()
        if scheduler:
            scheduler.step()
    results.append({name: numbers(p, 15) for name, p in own.items()})
print(json.dumps(results))
`;

const plain = async (t: Tensor): Promise<[readonly number[], number[]]> => [
  t.shape,
  Array.from(await t.data(), Number),
];

async function plainEntries(
  entries: Readonly<Record<string, Tensor | number | null>>,
): Promise<Record<string, unknown>> {
  const made = Object.entries(entries).map(
    async ([key, t]) => [key, await plain(t as Tensor)] as const,
  );
  return Object.fromEntries(await Promise.all(made));
}

describe.skipIf(python === null)("where PyTorch goes on", () => {
  test("parameters are those of training there alone", async () => {
    const halves = [];
    for (const run of runs) {
      const problem = new Problem(run);
      const step = problem.stepper(true);
      for (let i = 0; i < run.losses.length / 2; i++) {
        await step(trainsC(run, i));
        problem.schedule?.step();
      }
      const { state, param_groups } = optim.toTorchState(problem.optimizer.stateDict());
      const entries = Object.entries(state).map(
        async ([number, entry]) => [number, await plainEntries(entry)] as const,
      );
      const values: Record<string, number[]> = {};
      for (const [name, p] of Object.entries(problem.parameters))
        values[name] = (await plain(p))[1];
      halves.push([
        run,
        values,
        { state: Object.fromEntries(await Promise.all(entries)), param_groups },
        problem.schedule && optim.toTorchNames(problem.schedule.stateDict()),
      ]);
    }
    const ends = JSON.parse(runPython(python!, SCRIPT, JSON.stringify(halves))) as Record<
      string,
      number[]
    >[];
    for (const [i, run] of runs.entries())
      for (const [name, values] of Object.entries(ends[i]!)) {
        const error = distance(values, numbersOf(run.end.parameters[name]!));
        expect(error, `${run.name}: ${name}`).toBeLessThan(run.dtype === "float64" ? 1e-10 : 1e-5);
      }
  });
});
