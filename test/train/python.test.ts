/** Python takes up what a run here has saved: Transformers its state, PyTorch model and optimizer, and goes on alike. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { AdamW, StepLR } from "../../src/optim/index.ts";
import { Trainer } from "../../src/train/index.ts";
import { findPython, runPython } from "../support/python.ts";
import { batchOf, lossOf, makeNet, PointData } from "./tiny.ts";

const python = findPython(["torch", "transformers", "safetensors"]);
const folder = mkdtempSync(join(tmpdir(), "learning-loop-python-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SCRIPT = `
import json, sys
from collections import OrderedDict
import torch
from safetensors.torch import load_file
from torch import nn
from transformers.trainer_callback import TrainerState

folder = sys.stdin.read()
at = folder + "/checkpoint-20/"
state = TrainerState.load_from_json(at + "trainer_state.json")
model = nn.Sequential(OrderedDict(hidden=nn.Linear(4, 16), relu=nn.ReLU(), out=nn.Linear(16, 3)))
model.load_state_dict(load_file(at + "model.safetensors"))
optimizer = torch.optim.AdamW(model.parameters())
groups = json.load(open(at + "optimizer.json"))["param_groups"]
kept = {}
for key, tensor in load_file(at + "optimizer.safetensors").items():
    _, number, name = key.split(".")
    if not name.endswith("_rest"):
        kept.setdefault(int(number), {})[name] = tensor
optimizer.load_state_dict({"state": kept, "param_groups": groups})
batches = json.load(open(folder + "/batches.json"))
losses = []
for x, y in batches:
    loss = nn.functional.cross_entropy(model(torch.tensor(x)), torch.tensor(y))
    losses.append(loss.item())
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
lr = optimizer.param_groups[0]["lr"]
print(json.dumps({"step": state.global_step, "epoch": state.epoch, "history": len(state.log_history), "lr": lr, "losses": losses}))
`;

test.skipIf(python === null)("the next ten losses are the same", async () => {
  const model = makeNet();
  // PyTorch would draw other numbers.
  model.dropout.eval();
  const train = async (maxSteps: number): Promise<number[]> => {
    const optimizer = new AdamW(model.parameters(), { lr: 0.02 });
    const trainer = new Trainer({
      ...{ model, optimizer, output: folder, resume: true, maxSteps, loggingSteps: 1 },
      loss: lossOf(model),
      schedule: new StepLR(optimizer, 1000),
      data: new PointData(),
    });
    const losses: number[] = [];
    for await (const event of trainer.run()) if (event.type === "step") losses.push(event.loss);
    return losses;
  };
  await train(20);
  const losses = await train(30);
  const batches: unknown[] = [];
  const data = new PointData();
  data.seek({ epoch: 2, index: 0 });
  for await (const { indices } of data) {
    const { x, y } = batchOf(indices);
    batches.push([await x.toArray(), await y.toArray()]);
  }
  writeFileSync(join(folder, "batches.json"), JSON.stringify(batches));
  const told = JSON.parse(runPython(python!, SCRIPT, folder)) as { losses: number[] };
  expect(told).toMatchObject({ step: 20, epoch: 2, history: 20, lr: 0.02 });
  told.losses.forEach((loss, i) => expect(losses[i]).toBeCloseTo(loss, 5));
});
