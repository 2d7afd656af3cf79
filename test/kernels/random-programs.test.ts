/** Made-up programs on whole tensors, rows and columns: with kernels they give what they give without. */

import { expect, test } from "vitest";
import { executor, setDevice } from "../../src/device.ts";
import { compile, tensor, where, type Tensor } from "../../src/index.ts";
import { AdamW, SGD } from "../../src/optim/index.ts";
import type { FfiExecutor } from "../../src/runtime/node-ffi.ts";
import { Dice } from "./dice.ts";
import { codeMemory } from "./run-code.ts";

/** Sizes [A, B, C] of the largest tensors, square ones and ones with a single row or column among them. */
const sizes: readonly (readonly [number, number, number])[] = [
  [2, 8, 16],
  [4, 4, 16],
  [1, 1, 32],
  [32, 1, 32],
  [1, 32, 32],
  [3, 5, 17],
  [7, 1, 41],
  [4, 9, 1],
  [1, 1, 1],
  [2, 3, 40],
  [64, 5, 128],
  [1, 1, 20000],
  [2, 0, 16],
  [40, 3, 33],
];

function leafOf(dice: Dice, ...shape: number[]): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from({ length: count }, () => (dice.below(65) - 32) / 16)).reshape(
    shape,
  );
}

interface Leaves {
  readonly whole: readonly Tensor[];
  readonly others: readonly Tensor[];
  readonly weight: Tensor;
}

function leavesOf(dice: Dice, [A, B, C]: readonly [number, number, number]): Leaves {
  const others = [[C], [1, C], [A, 1, C], [B, C], [A, B, 1], [B, 1], [1, 1], [A, 1, 1]];
  return {
    whole: Array.from({ length: 3 }, () => leafOf(dice, A, B, C)),
    others: others.map((shape) => leafOf(dice, ...shape)),
    weight: leafOf(dice, Math.min(C, 64), Math.min(C, 64)),
  };
}

/** Records operations that dice choose; each element of results stays small. */
function program(
  dice: Dice,
  [A, B, C]: readonly [number, number, number],
  { whole, others, weight }: Leaves,
  variables: readonly Tensor[],
): Tensor[] {
  const full = [...whole];
  const parts = [...others];
  const results: Tensor[] = [];
  const big = (): Tensor => dice.one(full);
  const small = (): Tensor => dice.one(parts);
  const any = (): Tensor => (dice.chance(0.6) ? big() : small());
  const mask = (): Tensor =>
    dice.one([...whole, others[0]!, others[4]!]).gt((dice.below(9) - 4) / 8);
  const flat = (x: Tensor): Tensor => x.reshape([A * B, C]);
  const halves = (a: Tensor, b: Tensor): Tensor => a.add(b).mul(0.5);
  const toFull: readonly (() => Tensor)[] = [
    () => halves(big(), any()),
    () => big().sub(any()).mul(0.5),
    () => big().mul(any()).tanh(),
    () => big().sigmoid().sub(small()).tanh(),
    () => big().relu().sub(big().mul(0.25)).mul(0.5),
    () => big().exp().div(big().exp().add(1)),
    () => big().div(any().square().add(1)),
    () => where(mask(), big(), any()),
    () => big().mul(mask().to("float32")),
    () =>
      dice
        .one(whole)
        .mul(16)
        .to("int32")
        .add(3)
        .to("float32")
        .mul(1 / 64),
    () => big().maximum(any()),
    () =>
      big()
        .sub(big().mean({ dim: -1, keepdim: true }))
        .mul(0.5),
    () => big().softmax(-1),
    () => {
      const x = big();
      const centred = x.sub(x.mean({ dim: -1, keepdim: true }));
      return centred.div(centred.square().mean({ dim: -1, keepdim: true }).add(0.5).sqrt()).tanh();
    },
    () => flat(big()).add(others[0]!).mul(0.5).reshape([A, B, C]),
    () =>
      flat(big())
        .mul(
          flat(big())
            .sum({ dim: -1, keepdim: true })
            .mul(1 / C),
        )
        .tanh()
        .reshape([A, B, C]),
    () =>
      flat(big())
        .sub(
          flat(big())
            .sum({ dim: 0 })
            .mul(1 / (A * B + 1)),
        )
        .mul(0.5)
        .reshape([A, B, C]),
    () =>
      C > 64
        ? big().neg()
        : big()
            .matmul(weight)
            .mul(1 / (2 * C)),
    () =>
      big()
        .mul(
          big()
            .sum()
            .mul(1 / (A * B * C + 1)),
        )
        .tanh(),
  ];
  const toParts: readonly (() => Tensor)[] = [
    () => small().tanh(),
    () =>
      big()
        .sum({ dim: [0, 1] })
        .mul(1 / (A * B + 1)),
    () =>
      flat(big())
        .mul(flat(big()))
        .sum({ dim: 0 })
        .mul(1 / (A * B + 1)),
    () =>
      big()
        .mul(any())
        .sum({ dim: -1, keepdim: true })
        .mul(1 / C),
    () => big().amax({ dim: -1, keepdim: true }),
    () =>
      big()
        .sum({ dim: 1, keepdim: true })
        .mul(1 / (B + 1)),
    () => big().mul(big()).mean().tanh(),
    () => others[0]!.mul(small().mean()),
  ];
  for (let steps = dice.between(3, 16); steps > 0; steps--) {
    if (variables.length > 0 && dice.chance(0.3)) {
      const variable = dice.one(variables);
      const made = {
        [String([A, B, C])]: () => big(),
        [String([C])]: () =>
          big()
            .sum({ dim: [0, 1] })
            .mul(1 / (A * B + 1)),
        [String([A, B, 1])]: () => big().mean({ dim: -1, keepdim: true }),
      }[String(variable.shape)]!();
      // What was there before is needed by others too.
      if (dice.chance(0.5)) full.push(halves(big(), variable));
      if (dice.chance(0.3)) parts.push(variable.mean(), variable.mul(2).tanh());
      if (dice.chance(0.1)) results.push(variable.neg());
      const centred = (): Tensor => variable.sub(variable.mean({ dim: -1, keepdim: true }));
      variable.assign(
        dice.one([
          () => halves(variable, made),
          () => made,
          () => variable.mul(0.5).add(made.mul(small().mean())),
          () => centred().mul(0.5).add(made.tanh()),
        ])(),
      );
      full.push(halves(big(), variable));
      continue;
    }
    if (dice.chance(0.7)) full.push(dice.one(toFull)());
    else parts.push(dice.one(toParts)());
    if (dice.chance(0.25)) results.push(dice.chance(0.5) ? full.at(-1)! : parts.at(-1)!);
    // One value in two shapes.
    if (dice.chance(0.1)) results.push(full.at(-1)!, flat(full.at(-1)!));
  }
  return [...results, full.at(-1)!, flat(big()), parts.at(-1)!];
}

const elements = async (tensors: readonly Tensor[]): Promise<Float32Array[]> => {
  const all: Float32Array[] = [];
  for (const t of tensors) all.push((await t.data()) as Float32Array);
  return all;
};

/** What all programs return in three runs, and how many kernels they had. */
async function runAll(
  seeds: readonly number[],
  kernels: boolean,
): Promise<{ readonly found: Float32Array[][]; readonly count: number }> {
  await setDevice("cpu", { threads: 2, kernels });
  const on = (await executor()) as FfiExecutor;
  let count = 0;
  const load = on.load.bind(on);
  on.load = (model, inputs, outputs, made = []) => {
    count += made.length;
    return load(model, inputs, outputs, made);
  };
  const found: Float32Array[][] = [];
  for (const seed of seeds) {
    const dice = new Dice(seed);
    const size = sizes[seed % sizes.length]!;
    const leaves = leavesOf(dice, size);
    const [A, B, C] = size;
    const shapes = [[A, B, C], [C], [A, B, 1], [A, B, C]];
    const variables = shapes.slice(0, seed % 5).map((shape) => leafOf(dice, ...shape));
    await elements([...leaves.whole, ...leaves.others, ...variables]);
    const step = compile(() => program(new Dice(seed + 1000), size, leaves, variables));
    const runs: Float32Array[] = [];
    for (let run = 0; run < (variables.length > 0 ? 3 : 1); run++)
      runs.push(...(await elements(await step())), ...(await elements(variables)));
    found.push(runs);
  }
  return { found, count };
}

test.skipIf(codeMemory === undefined)("made-up programs with kernels and without", async () => {
  const seeds = Array.from({ length: 100 }, (_, i) => i);
  const { found: truth, count: none } = await runAll(seeds, false);
  const { found, count } = await runAll(seeds, true);
  expect(none).toBe(0);
  expect(count).toBeGreaterThan(seeds.length);
  const same = (x: number, y: number): boolean =>
    Math.abs(x - y) <= 1e-4 || (Number.isNaN(x) && Number.isNaN(y));
  seeds.forEach((seed) => {
    const [got, want] = [found[seed]!, truth[seed]!];
    expect(got.map(({ length }) => length)).toEqual(want.map(({ length }) => length));
    const off = got.flatMap((values, i) => {
      const at = values.findIndex((x, j) => !same(x, want[i]![j]!));
      return at < 0 ? [] : [`${i}[${at}]: ${values[at]} for ${want[i]![at]}`];
    });
    expect({ seed, off }).toEqual({ seed, off: [] });
  });
});

/** Losses and parameters of a network that learns on a device. */
async function learn(kernels: boolean, optimizer: "adam" | "sgd"): Promise<Float32Array[]> {
  await setDevice("cpu", { threads: 2, kernels });
  const dice = new Dice(3);
  const size = 32;
  const weight = (...shape: number[]): Tensor => {
    const values = leafOf(dice, ...shape).mul(0.2);
    return values.detach().requiresGrad_();
  };
  const parameters = [0, 1].flatMap(() => [
    weight(size, size),
    weight(size),
    weight(size),
    weight(size),
  ]);
  await elements(parameters);
  const steps =
    optimizer === "adam"
      ? new AdamW(parameters, { lr: 0.01 })
      : new SGD(parameters, { lr: 0.05, momentum: 0.9 });
  // As many rows as columns, so that nothing tells them apart but their place.
  const [x, y] = [leafOf(dice, size, size), leafOf(dice, size, size)];
  const step = compile(() => {
    steps.zeroGrad();
    let h = x;
    for (let i = 0; i < parameters.length; i += 4) {
      const [w, b, scale, shift] = parameters.slice(i, i + 4) as [Tensor, Tensor, Tensor, Tensor];
      const centred = h.sub(h.mean({ dim: -1, keepdim: true }));
      const deviation = centred.square().mean({ dim: -1, keepdim: true }).add(0.1).sqrt();
      const normal = centred.div(deviation).mul(scale.add(1)).add(shift);
      h = h.add(normal.matmul(w).add(b).tanh());
    }
    const loss = h.sub(y).square().mean();
    loss.backward();
    steps.step();
    return loss;
  });
  const losses: Tensor[] = [];
  for (let i = 0; i < 20; i++) losses.push(await step());
  return elements([...losses, ...parameters]);
}

test.skipIf(codeMemory === undefined).each(["adam", "sgd"] as const)(
  "a network learns by %s as it does without kernels",
  async (optimizer) => {
    const [truth, got] = [await learn(false, optimizer), await learn(true, optimizer)];
    expect(truth[19]![0]!).toBeLessThan(0.8 * truth[0]![0]!);
    got.forEach((values, i) =>
      values.forEach((x, j) => expect(Math.abs(x - truth[i]![j]!)).toBeLessThan(2e-3)),
    );
  },
);
