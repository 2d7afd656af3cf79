/** This library's side of the benchmarks, written as its users write programs. */
import { readFileSync } from "node:fs";
import { compile, tensor, full, zeros, type Tensor } from "../src/index.ts";
import * as nn from "../src/nn/index.ts";
import * as F from "../src/nn/functional.ts";
import { Adam, AdamW } from "../src/optim/index.ts";
import { fixedBatch, floats, startingValue } from "./fixed-data.ts";
import { serve, type Options, type Step } from "./serve.ts";
import type {
  DispatchWorkload,
  EncoderWorkload,
  MatmulWorkload,
  MlpWorkload,
  TrainingWorkload,
  Workload,
} from "./workloads.ts";

class Mlp extends nn.Module {
  readonly layers: readonly nn.Linear[];

  constructor({ sizes }: MlpWorkload) {
    super();
    this.layers = sizes.slice(1).map((out, i) => new nn.Linear(sizes[i] ?? 0, out));
  }

  forward(x: Tensor): Tensor {
    this.layers.forEach((layer, i) => {
      x = layer.forward(x);
      if (i < this.layers.length - 1) x = F.relu(x);
    });
    return x; // [B, classes]
  }
}

class Encoder extends nn.Module {
  readonly token: nn.Embedding;
  readonly position: nn.Embedding;
  readonly encoder: nn.TransformerEncoder;
  readonly classifier: nn.Linear;

  constructor(w: EncoderWorkload) {
    super();
    this.token = new nn.Embedding(w.vocabulary, w.dModel);
    this.position = new nn.Embedding(w.length, w.dModel);
    this.encoder = new nn.TransformerEncoder({
      numLayers: w.layers,
      dModel: w.dModel,
      nhead: w.heads,
      dimFeedforward: w.feedforward,
      dropout: 0,
      activation: "gelu",
      normFirst: false,
    });
    this.classifier = new nn.Linear(w.dModel, w.labels);
  }

  forward(ids: Tensor): Tensor {
    const x = this.token.forward(ids).add(this.position.weight); // [B, T, D]
    const labels = this.classifier.forward(this.encoder.forward(x)); // [B, T, labels]
    return labels.reshape([-1, labels.shape.at(-1) ?? 0]);
  }
}

function training(w: TrainingWorkload, compiled: boolean): Step {
  const model = w.kind === "mlp" ? new Mlp(w) : new Encoder(w);
  model.loadStateDict(
    Object.fromEntries(
      w.parameters.map((spec) => [spec.name, tensor(startingValue(spec), { shape: spec.shape })]),
    ),
  );
  const batch = fixedBatch(w);
  const x = tensor(batch.input, { shape: batch.inputShape });
  const y = tensor(batch.target, { shape: [batch.target.length] });
  const lr = w.learningRate;
  const optimizer =
    w.kind === "mlp"
      ? new Adam(model.parameters(), { lr })
      : new AdamW(model.parameters(), { lr, weightDecay: w.weightDecay });
  const train = (x: Tensor, y: Tensor): Tensor => {
    const loss = F.crossEntropy(model.forward(x), y);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  };
  if (!compiled) return async () => await train(x, y).item();
  const step = compile(train);
  return async () => await (await step(x, y)).item();
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

function prepare(w: Workload, options: Options): Promise<Step> {
  switch (w.kind) {
    case "dispatch":
      return Promise.resolve(dispatch(w));
    case "matmul":
      return Promise.resolve(matmul(w));
    case "mlp":
    case "encoder":
      return Promise.resolve(training(w, options.compiled !== false));
  }
}

const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
await serve({ version: (JSON.parse(manifest) as { version: string }).version, prepare });
