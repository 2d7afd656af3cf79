/** Small training runs whose numbers must be the same on every device; they need neither Node nor a test runner. */

import { compile, Generator, manualSeed, rand, tensor, type Tensor } from "../../src/index.ts";
import { randomBits } from "../../src/ops/random.ts";
import * as F from "../../src/nn/functional/index.ts";
import * as nn from "../../src/nn/index.ts";
import { AdamW } from "../../src/optim/index.ts";
import { Tensor as TensorClass } from "../../src/tensor.ts";
import { filled } from "../support/filled.ts";
import { startTraining } from "../training/workload.ts";

const numbers = async (x: Tensor): Promise<number[]> => Array.from(await x.data(), Number);

/** Ten steps of a perceptron with AdamW: losses, and the first weight afterwards. */
async function perceptron(): Promise<number[]> {
  const model = new nn.Sequential(new nn.Linear(20, 32), new nn.ReLU(), new nn.Linear(32, 5));
  const weights = Object.entries(model.stateDict());
  model.loadStateDict(
    Object.fromEntries(weights.map(([name, { shape }], i) => [name, filled(shape, i)])),
  );
  const optimizer = new AdamW(model.parameters(), { lr: 1e-2 });
  const step = compile((x: Tensor, y: Tensor) => {
    const loss = F.crossEntropy(model.forward(x), y);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  });
  const x = filled([16, 20], 9, 1);
  const y = tensor(Int32Array.from({ length: 16 }, (_, i) => i % 5));
  const losses: number[] = [];
  for (let i = 0; i < 10; i++) losses.push(await (await step(x, y)).item());
  return [...losses, ...(await numbers(model.parameters()[0]!))];
}

/** Losses of the benchmark's small encoder, with AdamW and dropout where asked for. */
async function encoder(dropout: number): Promise<number[]> {
  manualSeed(7);
  const { x, y, step } = startTraining("encoder-tiny", { dropout });
  const run = compile(step);
  const losses: number[] = [];
  for (let i = 0; i < 10; i++) losses.push(await (await run(x, y)).item());
  return losses;
}

/** Variables that feed each other's updates, read before and after: right only in the right order. */
async function entangled(): Promise<number[]> {
  const vars = [0, 1, 2, 3].map((i) => filled([4, 4], i));
  const counts = tensor([1, 2, 3], { dtype: "int32" });
  const words = tensor([1, 2, 4294967295], { dtype: "uint32" });
  const flags = tensor([true, false, true]);
  const step = compile((x: Tensor) => {
    const [a, b, c, d] = vars as [Tensor, Tensor, Tensor, Tensor];
    const old = a.matmul(b).sum().add(counts.cast("float32").sum());
    const next = [
      a.mul(0.5).add(d.matmul(b).mul(0.1)),
      b.sub(a.mul(0.05)),
      a.add(b).mul(0.3),
      d.mul(0.9).add(c.transpose(0, 1).mul(0.1)),
    ];
    vars.forEach((v, i) => v.assign(next[i]!));
    counts.assign(counts.add(1));
    words.assign(words.mul(69069).add(1));
    flags.assign(flags.logicalNot());
    return old.add(x.mean()).add(c.sum());
  });
  const results: number[] = [];
  for (let i = 0; i < 20; i++) results.push(await (await step(filled([4, 4], i))).item());
  for (const state of [...vars, counts, words, flags]) results.push(...(await numbers(state)));
  return results;
}

/** Bits of the generator, and its uniform numbers and masks, compiled and not: equal bit for bit. */
async function random(): Promise<number[]> {
  const bits = randomBits(tensor([42, 3], { dtype: "uint32" }).value, [33]);
  const generator = new Generator(7);
  const draw = compile(() => rand([5], { generator }));
  const drawn = [await draw(), await draw(), rand([5], { generator })];
  const all = [new TensorClass(bits), ...drawn, generator.state];
  return (await Promise.all(all.map(numbers))).flat();
}

export interface Run {
  /** Its numbers, in an order that is always the same. */
  readonly run: () => Promise<number[]>;
  /** Largest difference allowed between devices. */
  readonly tolerance: number;
}

export const runs: Readonly<Record<string, Run>> = {
  "ten steps of a perceptron": { run: perceptron, tolerance: 1e-4 },
  "ten steps of an encoder": { run: () => encoder(0), tolerance: 1e-4 },
  "ten steps of an encoder with dropout": { run: () => encoder(0.2), tolerance: 1e-4 },
  "variables that feed each other": { run: entangled, tolerance: 1e-5 },
  "random numbers": { run: random, tolerance: 0 },
};

/** What differs, in words; null where nothing does. */
export function difference(
  got: readonly number[],
  expected: readonly number[],
  tolerance: number,
): string | null {
  if (got.length !== expected.length) return `${got.length} numbers instead of ${expected.length}`;
  for (let i = 0; i < got.length; i++) {
    const [a, b] = [got[i]!, expected[i]!];
    if (!(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b))))
      return `number ${i} is ${a} instead of ${b}`;
  }
  return null;
}
