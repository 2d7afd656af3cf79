/** Hooks: when they run, what they replace, in compiled functions too; what else Module offers beside them. */
import { describe, expect, test } from "vitest";
import { compile, ones, tensor, zeros, type Tensor } from "../../src/index.ts";
import { exportOnnx } from "../../src/hub/index.ts";
import * as nn from "../../src/nn/index.ts";
import { filled } from "../support/filled.ts";

const net = (): nn.Sequential =>
  new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU(), new nn.Linear(4, 2));

describe("hooks", () => {
  test("see inputs and outputs in the order they were registered in, until removed", () => {
    const model = net();
    const seen: string[] = [];
    const first = model.registerForwardHook((module, [x], y) => {
      seen.push(`${module.constructor.name} ${String(x.shape)} → ${String(y.shape)}`);
    });
    model.registerForwardHook(() => void seen.push("second"));
    model.registerForwardPreHook((_, [x]) => void seen.push(`before ${String(x.shape)}`));
    model.forward(ones([5, 3]));
    expect(seen).toEqual(["before 5,3", "Sequential 5,3 → 5,2", "second"]);
    first.remove();
    first.remove();
    model.forward(ones([5, 3]));
    expect(seen.slice(3)).toEqual(["before 5,3", "second"]);
  });

  test("replace inputs and outputs, of modules in modules too", async () => {
    const model = net();
    const inner = model.getSubmodule("1");
    inner.registerForwardPreHook((_, [x]) => (x as unknown as Tensor).mul(0));
    inner.registerForwardHook((_, __, y) => (y as Tensor).add(1));
    const direct = (model.getSubmodule("2") as nn.Linear).forward(ones([1, 4]));
    expect(await model.forward(filled([1, 3], 1)).toArray()).toEqual(await direct.toArray());
  });

  test("run when a compiled function is traced; removing one, and adding to a module that has had one, trace anew", async () => {
    const model = net();
    const hidden = zeros([5, 4]);
    const doubled = model.registerForwardHook((_, __, y) => y.mul(2));
    const handle = model.getSubmodule("1").registerForwardHook((_, __, y) => {
      hidden.assign((y as Tensor).detach());
    });
    const run = compile((x: Tensor) => model.forward(x));
    const x = filled([5, 3], 1);
    const twice = (await (await run(x)).toArray()) as number[][];
    const expected = (model.getSubmodule("0") as nn.Linear).forward(x).relu();
    expect(await hidden.toArray()).toEqual(await expected.toArray());
    handle.remove();
    doubled.remove();
    const once = (await (await run(x)).toArray()) as number[][];
    twice.flat().forEach((value, i) => expect(value).toBeCloseTo(2 * once.flat()[i]!, 5));
    expect(run.traces).toBe(2);
    model.registerForwardHook((_, __, y) => y.mul(0));
    expect(await (await run(x)).sum().item()).toBe(0);
  });

  test("a first hook is noticed by functions compiled before; capturing inside of one traces it once", async () => {
    const model = net();
    const plain = compile((x: Tensor) => model.forward(x));
    const capturing = compile(
      (x: Tensor) => nn.captureActivations(model, ["1"], () => model.forward(x)).activations["1"],
    );
    const x = filled([5, 3], 1);
    await plain(x);
    for (let i = 0; i < 3; i++) await capturing(x);
    expect([plain.traces, capturing.traces]).toEqual([1, 1]);
    const handle = model.getSubmodule("1").registerForwardHook((_, __, y) => (y as Tensor).mul(0));
    expect(await ((await capturing(x)) as Tensor).sum().item()).toBe(0);
    const bias = (model.getSubmodule("2") as nn.Linear).bias!;
    expect(((await (await plain(x)).toArray()) as number[][])[4]).toEqual(await bias.toArray());
    handle.remove();
    expect(await ((await capturing(x)) as Tensor).sum().item()).toBeGreaterThan(0);
    expect([plain.traces, capturing.traces]).toEqual([2, 3]);
  });

  test("are part of exported models, whose names stay", async () => {
    const model = net();
    model.getSubmodule("1").registerForwardHook((_, __, y) => (y as Tensor).neg());
    const bytes = await exportOnnx(model, [ones([1, 3])]);
    expect(Buffer.from(bytes).toString("latin1")).toContain("neg/Neg");
  });

  test("capture activations; a name without module and a module that is not called are errors", async () => {
    const model = net();
    const x = filled([2, 3], 3);
    const { result, activations } = nn.captureActivations(model, ["1", ""], () => model.forward(x));
    expect(activations[""]).toBe(result);
    expect(await (activations["1"] as Tensor).amin().item()).toBeGreaterThanOrEqual(0);
    expect(() => nn.captureActivations(model, ["3"], () => null)).toThrow(
      'Sequential has no module "3"; it has "", "0", "1", "2"',
    );
    expect(() => nn.captureActivations(model, ["1"], () => null)).toThrow('"1" was not called');
  });
});

describe("Module", () => {
  test("walks its tree", () => {
    const model = net();
    expect(model.children().map(({ constructor }) => constructor.name)).toEqual([
      "Linear",
      "ReLU",
      "Linear",
    ]);
    expect(model.modules()).toHaveLength(4);
    const order: string[] = [];
    model.apply((module) => void order.push(module.constructor.name));
    expect(order).toEqual(["Linear", "ReLU", "Linear", "Sequential"]);
    model.requiresGrad_(false);
    expect(model.parameters().some(({ requiresGrad }) => requiresGrad)).toBe(false);
  });

  test("converts to another dtype and back", async () => {
    const model = net();
    const x = filled([2, 3], 1);
    const before = (await model.forward(x).toArray()) as number[][];
    model.to("float64");
    const exact = model.forward(x.cast("float64"));
    expect(exact.dtype).toBe("float64");
    exact.sum().backward();
    expect(model.parameters()[0]!.grad!.dtype).toBe("float64");
    model.to("float32");
    expect(model.parameters()[0]!.grad).toBeNull();
    expect(await model.forward(x).toArray()).toEqual(before);
    expect(() => model.to("int32")).toThrow("floating dtypes, got int32");
  });

  test("buffers are fields, under names that are free", async () => {
    const model = net();
    model.registerBuffer("steps", tensor(3));
    expect(await (model as unknown as { steps: Tensor }).steps.item()).toBe(3);
    expect(Object.keys(model.stateDict())).toContain("steps");
    expect(() => new nn.Linear(2, 2).registerBuffer("weight", zeros([2]))).toThrow(
      'registerBuffer: "weight" is a field of Linear already',
    );
    expect(() => model.registerBuffer("a.b", zeros([2]))).toThrow('"a.b" is no name of a field');
  });
});
