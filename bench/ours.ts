/** This library's side of the benchmarks. */
import { readFileSync } from "node:fs";
import { compile, tensor, full, zeros, type Tensor } from "../src/index.ts";
import { decode } from "./decode.ts";
import { floats } from "./fixed-data.ts";
import { gradient, optimizer } from "./gradients.ts";
import { serve, type Options, type Prepared, type Step } from "./serve.ts";
import { startTraining } from "./training.ts";
import type { DispatchWorkload, MatmulWorkload, TrainingWorkload, Workload } from "./workloads.ts";

function training(w: TrainingWorkload, compiled: boolean): Step {
  const { x, y, step } = startTraining(w);
  if (!compiled) return async () => await step(x, y).item();
  const run = compile(step);
  return async () => await (await run(x, y)).item();
}

function dispatch({ size, additions, targetSeed }: DispatchWorkload): Step {
  const b = tensor(floats(targetSeed, size * size), { shape: [size, size] });
  let count = 0;
  return async () => {
    let x = full([size, size], ++count % 7);
    for (let i = 0; i < additions; i++) x = x.add(b);
    return await x.sum().item();
  };
}

function matmul({ size, inputSeed, targetSeed }: MatmulWorkload): Step {
  const square = (seed: number) => tensor(floats(seed, size * size), { shape: [size, size] });
  const [a, b] = [square(inputSeed), square(targetSeed)];
  const into = zeros([size, size]);
  const product = compile((a: Tensor, b: Tensor) => {
    const c = a.matmul(b);
    into.assign(c);
    return c.slice(0, 0, 1).slice(1, 0, 1);
  });
  return async () => await (await product(a, b)).item();
}

function prepare(w: Workload, options: Options): Prepared {
  switch (w.kind) {
    case "dispatch":
      return { step: dispatch(w) };
    case "matmul":
      return { step: matmul(w) };
    case "gradient":
      return gradient(w);
    case "optimizer":
      return optimizer(w);
    case "decode":
      return decode(w);
    case "mlp":
    case "encoder":
    case "conv":
    case "lstm":
      return { step: training(w, options.compiled !== false) };
  }
}

const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
await serve({
  version: (JSON.parse(manifest) as { version: string }).version,
  prepare: (workload, options) => Promise.resolve(prepare(workload, options)),
});
