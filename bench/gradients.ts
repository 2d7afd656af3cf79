/** Functions and their gradients in this library, written as its users write them. */
import { compile, tensor, type Tensor } from "../src/index.ts";
import * as F from "../src/nn/functional/index.ts";
import { AdamW } from "../src/optim/index.ts";
import { floats, givenGradient, integers, startingValue } from "./fixed-data.ts";
import { sampled, type Prepared } from "./serve.ts";
import type { GradientWorkload, OptimizerWorkload } from "./workloads.ts";

/** Twenty elementwise operations: GELU, a highway gate, softplus, mish, by hand. */
function chain(x: Tensor): Tensor {
  const gelu = x.mul(x.mul(Math.SQRT1_2).erf().add(1).mul(0.5));
  const gate = x.mul(1.5).add(0.25).sigmoid();
  const mixed = gelu.mul(gate).add(x.mul(gate.neg().add(1)));
  const softplus = mixed.exp().log1p();
  const mish = softplus.tanh().mul(mixed);
  return mish.mul(mish).add(softplus.sqrt());
}

const first = (x: Tensor): Tensor =>
  Array.from({ length: x.ndim }, (_, dim) => dim).reduce((y, dim) => y.slice(dim, 0, 1), x);

const sampleOf = (tensors: () => readonly Tensor[]) => () =>
  Promise.all(tensors().map(async (tensor) => sampled((await tensor.data()) as ArrayLike<number>)));

/** Gradients are left in the leaves; the value read is the function's, or an element of a gradient. */
export function gradient({ of, shape, inputSeed, targetSeed }: GradientWorkload): Prepared {
  const [rows, columns] = shape;
  const count = rows * columns;
  const leaf = (values: Float32Array, sizes: readonly number[]): Tensor =>
    tensor(values, { shape: sizes, requiresGrad: true });
  const x = leaf(floats(inputSeed, count, 4), shape);
  const weight = leaf(floats(inputSeed + 2, columns, 0.5, 1), [columns]);
  const bias = leaf(floats(inputSeed + 3, columns, 0.5), [columns]);
  const given = of === "cross-entropy" ? new Float32Array(count) : floats(targetSeed, count);
  const target = tensor(integers(targetSeed, rows, columns), { shape: [rows] });
  const dy = tensor(given, { shape });
  const leaves = of === "layernorm" ? [x, weight, bias] : [x];

  const value = (): Tensor => {
    switch (of) {
      case "chain": {
        const total = chain(x).sum();
        total.backward();
        return total;
      }
      case "cross-entropy": {
        const loss = F.crossEntropy(x, target);
        loss.backward();
        return loss;
      }
      case "softmax":
        F.softmax(x, -1).backward({ gradient: dy });
        return first(x.grad!);
      case "layernorm":
        F.layerNorm(x, [columns], { weight, bias }).backward({ gradient: dy });
        return first(x.grad!);
    }
  };
  const run = compile(() => {
    for (const own of leaves) own.grad = null;
    return value();
  });
  return {
    step: async () => await (await run()).item(),
    sample: sampleOf(() => leaves.map((own) => own.grad!)),
  };
}

/** Parameters are left behind; the value read is an element of the first. */
export function optimizer(w: OptimizerWorkload): Prepared {
  const parameters = w.parameters.map((spec, i) => {
    const parameter = tensor(startingValue(spec), { shape: spec.shape, requiresGrad: true });
    parameter.grad = tensor(givenGradient(i, parameter.size), { shape: spec.shape });
    return parameter;
  });
  const adamw = new AdamW(parameters, { lr: w.learningRate, weightDecay: w.weightDecay });
  const run = compile(() => {
    adamw.step();
    return first(parameters[0]!);
  });
  return { step: async () => await (await run()).item(), sample: sampleOf(() => parameters) };
}
