/** Training workloads in this library, written as its users write programs, ready to be run step by step. */
import { tensor, type Tensor } from "../src/index.ts";
import * as F from "../src/nn/functional/index.ts";
import * as nn from "../src/nn/index.ts";
import { Adam, AdamW } from "../src/optim/index.ts";
import { fixedBatch, startingValue } from "./fixed-data.ts";
import type {
  ConvWorkload,
  EncoderWorkload,
  LstmWorkload,
  MlpWorkload,
  TrainingWorkload,
} from "./workloads.ts";

class Mlp extends nn.Module {
  readonly layers: readonly nn.Linear[];

  constructor({ sizes }: MlpWorkload) {
    super();
    this.layers = sizes.slice(1).map((out, i) => new nn.Linear(sizes[i]!, out));
  }

  /** x [B, features] → [B, classes]. */
  forward(x: Tensor): Tensor {
    return this.layers.reduce((y, layer, i) => layer.forward(i === 0 ? y : F.relu(y)), x);
  }
}

class LeNet extends nn.Module {
  readonly conv: readonly nn.Conv2d[];
  readonly linear: readonly nn.Linear[];

  constructor({ example, channels, sizes }: ConvWorkload) {
    super();
    this.conv = [
      new nn.Conv2d(example[0], channels[0], 5, { padding: 2 }),
      new nn.Conv2d(channels[0], channels[1], 5),
    ];
    this.linear = sizes.slice(1).map((out, i) => new nn.Linear(sizes[i]!, out));
  }

  /** x [B, 1, H, W] → [B, labels]. */
  forward(x: Tensor): Tensor {
    const images = this.conv.reduce((y, layer) => F.maxPool2d(F.relu(layer.forward(y)), 2), x);
    return this.linear.reduce(
      (y, layer, i) => layer.forward(i === 0 ? y : F.relu(y)),
      images.flatten(1),
    );
  }
}

class Lstm extends nn.Module {
  readonly lstm: nn.LSTM;
  readonly head: nn.Linear;

  constructor({ example, hidden, labels }: LstmWorkload) {
    super();
    this.lstm = new nn.LSTM(example[1], hidden, { batchFirst: true });
    this.head = new nn.Linear(hidden, labels);
  }

  /** x [B, T, features] → [B, labels]. */
  forward(x: Tensor): Tensor {
    const [y] = this.lstm.forward(x); // [B, T, hidden]
    return this.head.forward(y.select(1, -1));
  }
}

class Encoder extends nn.Module {
  readonly token: nn.Embedding;
  readonly position: nn.Embedding;
  readonly encoder: nn.TransformerEncoder;
  readonly classifier: nn.Linear;

  constructor(w: EncoderWorkload, dropout: number) {
    super();
    this.token = new nn.Embedding(w.vocabulary, w.dModel);
    this.position = new nn.Embedding(w.length, w.dModel);
    this.encoder = new nn.TransformerEncoder({
      numLayers: w.layers,
      dModel: w.dModel,
      nhead: w.heads,
      dimFeedforward: w.feedforward,
      dropout,
      activation: "gelu",
      batchFirst: true,
    });
    this.classifier = new nn.Linear(w.dModel, w.labels);
  }

  /** ids int [B, T] → [B·T, labels]. */
  forward(ids: Tensor): Tensor {
    const x = this.token.forward(ids).add(this.position.weight); // [B, T, D]
    const labels = this.classifier.forward(this.encoder.forward(x));
    return labels.reshape([-1, labels.shape.at(-1)!]);
  }
}

export interface Training {
  readonly model: nn.Module;
  readonly optimizer: Adam;
  readonly x: Tensor;
  readonly y: Tensor;
  /** One step: the loss before the update. */
  readonly step: (x: Tensor, y: Tensor) => Tensor;
}

type Model = nn.Module & { forward(x: Tensor): Tensor };

function modelOf(w: TrainingWorkload, dropout: number): Model {
  switch (w.kind) {
    case "mlp":
      return new Mlp(w);
    case "encoder":
      return new Encoder(w, dropout);
    case "conv":
      return new LeNet(w);
    case "lstm":
      return new Lstm(w);
  }
}

/** A workload at its start, with its own weights and data. */
export function startTraining(w: TrainingWorkload, { dropout = 0 } = {}): Training {
  const model = modelOf(w, dropout);
  model.loadStateDict(
    Object.fromEntries(
      w.parameters.map((spec) => [spec.name, tensor(startingValue(spec), { shape: spec.shape })]),
    ),
  );
  const lr = w.learningRate;
  const optimizer =
    w.kind === "encoder"
      ? new AdamW(model.parameters(), { lr, weightDecay: w.weightDecay })
      : new Adam(model.parameters(), { lr });
  const batch = fixedBatch(w);
  return {
    model,
    optimizer,
    x: tensor(batch.input, { shape: batch.inputShape }),
    y: tensor(batch.target, { shape: [batch.target.length] }),
    step: (x, y) => {
      const loss = F.crossEntropy(model.forward(x), y);
      loss.backward();
      optimizer.step();
      optimizer.zeroGrad();
      return loss;
    },
  };
}
