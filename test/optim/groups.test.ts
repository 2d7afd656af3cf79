/** What optimizers accept and refuse, groups that change, and state dicts that do not fit. */
import { describe, expect, test } from "vitest";
import { compile, tensor, zeros } from "../../src/index.ts";
import { Linear, Parameter } from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import { expectClose } from "../support/close.ts";

const { Adafactor, Adagrad, Adam, AdamW, Lion, RMSprop, SGD } = optim;
const parameter = (): Parameter => new Parameter(tensor([1, 2]));

describe("an optimizer takes", () => {
  const layer = new Linear(2, 1);
  const expectBoth = (opt: optim.SGD): void =>
    expect(opt.paramGroups.flatMap(({ params }) => params)).toEqual(layer.parameters());

  test("parameters, an iterable of them, one alone in a group, and groups", () => {
    const each = (function* () {
      yield* layer.parameters();
    })();
    expectBoth(new SGD(layer.parameters()));
    expectBoth(new SGD(each));
    expectBoth(new SGD([{ params: layer.weight, lr: 1 }, { params: new Set([layer.bias!]) }]));
  });

  test("parameters with names, which its state dict keeps", () => {
    const opt = new SGD(layer.namedParameters());
    expectBoth(opt);
    expect(opt.stateDict().paramGroups[0]!["paramNames"]).toEqual(["weight", "bias"]);
    const grouped = new SGD([{ params: [["w", layer.weight]] }]);
    expect(grouped.paramGroups[0]!.paramNames).toEqual(["w"]);
    expect(() => grouped.addParamGroup({ params: [layer.bias!] })).toThrow("have names or none");
    expect(() => new SGD([["w", layer.weight], layer.bias!] as never)).toThrow(
      "have names or none",
    );
  });

  test("nothing else, and says what", () => {
    const p = parameter();
    const bad: [() => unknown, string][] = [
      [
        () => new AdamW(layer as never),
        "AdamW: expected parameters, got the module Linear; pass module.parameters()",
      ],
      [() => new SGD(p as never), "SGD: expected an iterable of parameters"],
      [() => new SGD(undefined as never), "got undefined"],
      [() => new SGD([1] as never), "SGD: parameters must be tensors, got 1"],
      [() => new SGD([{ params: [p] }, p] as never), "SGD: expected groups { params, … } only"],
      [() => new SGD([{ params: 3 }] as never), "a group's params must be an iterable"],
      [() => new SGD([]), "SGD: got no parameters"],
      [() => new SGD([{ params: [] }]), "SGD: got no parameters"],
      [() => new SGD([p, p]), "SGD: a parameter appears in two groups"],
      [() => new SGD([{ params: p }, { params: p }]), "SGD: a parameter appears in two groups"],
      [() => new SGD([zeros([2])]), "SGD: parameters must be leaves"],
      [
        () => new SGD([p], { learningRate: 1 } as never),
        'SGD: unknown option "learningRate"; there are lr, momentum',
      ],
      [() => new SGD([{ params: p, weight_decay: 1 } as never]), 'unknown option "weight_decay"'],
    ];
    for (const [attempt, message] of bad) expect(attempt).toThrow(message);
  });
});

test("options out of range are errors", () => {
  const p = [parameter()];
  const bad: [() => unknown, string][] = [
    [() => new SGD(p, { lr: -1 }), "SGD: lr must be at least 0, got -1"],
    [() => new SGD(p, { lr: "0.1" as never }), "SGD: lr must be at least 0, got 0.1"],
    [() => new SGD(p, { momentum: -1 }), "SGD: momentum must be at least 0"],
    [() => new SGD(p, { nesterov: true }), "SGD: nesterov needs a momentum"],
    [() => new AdamW(p, { betas: [0.9, 1] }), "AdamW: betas must be in [0, 1), got 0.9, 1"],
    [() => new Adam(p, { eps: -1 }), "Adam: eps must be at least 0"],
    [() => new RMSprop(p, { alpha: 1 }), "RMSprop: alpha must be below 1"],
    [() => new RMSprop(p, { momentum: NaN }), "RMSprop: momentum must be at least 0"],
    [() => new Adagrad(p, { lrDecay: -1 }), "Adagrad: lrDecay must be at least 0"],
    [() => new Adafactor(p, { beta2Decay: 0.1 }), "Adafactor: beta2Decay must be at most 0"],
    [() => new Adafactor(p, { eps: [null, -1] }), "Adafactor: both eps must be at least 0"],
    [() => new Adafactor(p, { d: 0.5 }), "Adafactor: d must be at least 1"],
    [() => new Lion(p, { betas: [1, 0.9] }), "Lion: betas must be in [0, 1)"],
    [() => new Lion(p, { weightDecay: -1 }), "Lion: weightDecay must be at least 0"],
  ];
  for (const [attempt, message] of bad) expect(attempt).toThrow(message);
});

test("groups added and options changed later hold in programs compiled before", async () => {
  const [p, q] = [new Parameter(tensor([1])), new Parameter(tensor([1]))];
  const opt = new SGD([p], { lr: 1 });
  const step = compile(() => {
    opt.zeroGrad();
    p.add(q).sum().backward();
    opt.step();
  });
  await step();
  expect([await p.item(), await q.item()]).toEqual([0, 1]);
  opt.addParamGroup({ params: q, lr: 0.5 });
  await step();
  expect([await p.item(), await q.item()]).toEqual([-1, 0.5]);
  // The first step with momentum starts its buffer: 0.5 · 0 + 1, then 0.5 · 1 + 1.
  opt.paramGroups[0]!.set({ momentum: 0.5 });
  await step();
  await step();
  expect([await p.item(), await q.item()]).toEqual([-3.5, -0.5]);
  expect(step.traces).toBe(3);
  expect(() => opt.paramGroups[0]!.set({ momentum: -1 })).toThrow("momentum must be at least 0");
});

test("changed betas keep the moments", async () => {
  const p = parameter();
  const opt = new Adam([p]);
  p.sum().backward();
  opt.step();
  await p.data();
  opt.paramGroups[0]!.set({ betas: [0.5, 0.5] });
  const entry = opt.stateDict().state[0]!;
  await expectClose(entry["exp_avg"], [0.1, 0.1], 1e-7, "exp_avg");
  await expectClose(entry["exp_avg_sq"], [0.001, 0.001], 1e-8, "exp_avg_sq");
});

test("gradients are cleared, or become zeros", async () => {
  const [p, q] = [parameter(), parameter()];
  const opt = new SGD([p, q]);
  p.sum().backward();
  opt.zeroGrad({ setToNone: false });
  expect(await p.grad!.toArray()).toEqual([0, 0]);
  expect(q.grad).toBeNull();
  opt.zeroGrad();
  expect(p.grad).toBeNull();
});

test("state dicts that do not fit are refused, and nothing is loaded", async () => {
  const optimizer = new Adam([new Parameter(zeros([2])), new Parameter(zeros([3]))]);
  const paramGroups = [{ lr: 0.5, params: [0, 1] }];
  const good = { step: tensor(3), exp_avg: tensor([1, 2]), exp_avg_sq: tensor([1, 2]) };
  const bad: [optim.OptimizerState, string][] = [
    [{ state: {}, paramGroups: [] }, "the state dict has other parameter groups"],
    [{ state: { 0: good, 1: good }, paramGroups }, "state.1.exp_avg is [2], expected [3]"],
    [
      { state: { 0: { step: tensor(3) } }, paramGroups },
      "optimizer: state.0.exp_avg is missing, expected [2]",
    ],
    [
      { state: {}, paramGroups: [{ lr: 0.5, params: [0, 1], eps: -1 }] },
      "Adam: eps must be at least 0, got -1",
    ],
  ];
  for (const [state, message] of bad) expect(() => optimizer.loadStateDict(state)).toThrow(message);
  expect(optimizer.stateDict().state).toEqual({});
  expect(optimizer.paramGroups[0]!.lr).toBe(1e-3);
  optimizer.loadStateDict({ state: { 0: good }, paramGroups });
  const { state, paramGroups: groups } = optimizer.stateDict();
  expect(Object.keys(state)).toEqual(["0"]);
  await expectClose(state[0]!["exp_avg"], [1, 2], 1e-6, "exp_avg");
  expect(await state[0]!["step"]!.item()).toBe(3);
  expect(groups[0]!.lr).toBe(0.5);
});
