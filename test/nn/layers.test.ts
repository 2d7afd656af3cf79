/** Layers against PyTorch: state-dict keys, outputs and gradients from the same weights. */
import { describe } from "vitest";
import * as nn from "../../src/nn/index.ts";
import { suite, type Case } from "./parity.ts";

const layer = (build: () => nn.Layer): Case<nn.Layer> => ({
  build,
  call: ([x], module) => module.forward(x!),
});

describe("layers", () =>
  suite("layers", {
    Linear: layer(() => new nn.Linear(5, 3)),
    "Linear without bias": layer(() => new nn.Linear(5, 3, { bias: false })),
    "Linear of a vector": layer(() => new nn.Linear(5, 3)),
    Embedding: layer(() => new nn.Embedding(11, 4)),
    "Embedding with paddingIdx": layer(() => new nn.Embedding(6, 4, { paddingIdx: 3 })),
    LayerNorm: layer(() => new nn.LayerNorm(6)),
    "LayerNorm over two dimensions": layer(() => new nn.LayerNorm([3, 4], { eps: 1e-3 })),
    Sequential: layer(
      () =>
        new nn.Sequential(
          new nn.Linear(4, 6),
          new nn.GELU({ approximate: "tanh" }),
          new nn.LayerNorm(6),
          new nn.Sequential(new nn.Linear(6, 5), new nn.SiLU()),
          new nn.LeakyReLU(0.2),
          new nn.Dropout(0),
          new nn.Linear(5, 3),
          new nn.Tanh(),
          new nn.Sigmoid(),
        ),
    ),
  }));
