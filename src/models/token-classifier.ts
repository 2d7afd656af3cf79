/** A small Transformer encoder that classifies tokens described by several features, made to be trained from scratch. */
import { arange, zeros } from "../creation.ts";
import { cat } from "../joining.ts";
import * as F from "../nn/functional/index.ts";
import { Dropout } from "../nn/dropout.ts";
import { Embedding } from "../nn/embedding.ts";
import { Linear } from "../nn/linear.ts";
import { LayerNorm } from "../nn/normalization.ts";
import { Module, Parameter } from "../nn/module.ts";
import { TransformerEncoder } from "../nn/transformer.ts";
import { normal } from "../random.ts";
import type { Tensor } from "../tensor.ts";

export interface TokenClassifierOptions {
  /** Number of ids of each feature; id 0 of every feature is padding. */
  readonly featureSizes: readonly number[];
  /** Width of each feature's embedding. */
  readonly featureDims: readonly number[];
  readonly numClasses: number;
  /** Longest window, in tokens. */
  readonly maxLength: number;
  readonly dModel: number;
  readonly nhead: number;
  readonly dimFeedforward: number;
  /** Layers that mix each token with its neighbours, before the encoder. */
  readonly mixerLayers: number;
  readonly encoderLayers: number;
  readonly dropout: number;
}

/**
 * Features [B, T, F] → logits [B, T, C]. Each feature has an embedding; side by side they are projected to one vector a
 * token. Residual layers then mix a token with its two neighbours (as in spaCy's tok2vec: Honnibal, "Embed, encode,
 * attend, predict", 2016), since local patterns are hard to learn for attention from little data; learned positions and a
 * pre-norm Transformer encoder (Vaswani et al., 2017) add what is far away.
 */
export class TokenClassifier extends Module {
  readonly options: TokenClassifierOptions;
  readonly embeddings: readonly Embedding[];
  readonly projection: Linear;
  readonly norm: LayerNorm;
  readonly mixers: readonly NeighbourMixer[];
  /** [maxLength, D] */
  readonly positions: Parameter;
  readonly encoder: TransformerEncoder;
  readonly dropout: Dropout;
  readonly classifier: Linear;

  /** @throws Error unless there is one width for each feature. */
  constructor(options: TokenClassifierOptions) {
    super();
    const { featureSizes, featureDims, dModel, dropout } = options;
    if (featureSizes.length !== featureDims.length) {
      throw new Error(
        `TokenClassifier: expected a width for each of ${featureSizes.length} features, got ${featureDims.length}`,
      );
    }
    this.options = {
      featureSizes,
      featureDims,
      numClasses: options.numClasses,
      maxLength: options.maxLength,
      dModel,
      nhead: options.nhead,
      dimFeedforward: options.dimFeedforward,
      mixerLayers: options.mixerLayers,
      encoderLayers: options.encoderLayers,
      dropout,
    };
    this.embeddings = featureSizes.map((size, f) => new Embedding(size, featureDims[f] ?? 0));
    this.projection = new Linear(
      featureDims.reduce((sum, width) => sum + width, 0),
      dModel,
    );
    this.norm = new LayerNorm(dModel);
    this.mixers = Array.from(
      { length: options.mixerLayers },
      () => new NeighbourMixer(dModel, dropout),
    );
    this.positions = new Parameter(normal(0, 0.02, [options.maxLength, dModel]));
    this.encoder = new TransformerEncoder({
      dModel,
      nhead: options.nhead,
      dimFeedforward: options.dimFeedforward,
      dropout,
      activation: "relu",
      normFirst: true,
      batchFirst: true,
      numLayers: options.encoderLayers,
      norm: true,
    });
    this.dropout = new Dropout(dropout);
    this.classifier = new Linear(dModel, options.numClasses);
  }

  /** int ids [B, T, F], 0 in the first feature where there is no token → logits [B, T, C]. */
  forward(features: Tensor): Tensor {
    const length = features.shape[1] ?? 0;
    const padding = features.select(2, 0).eq(0); // [B, T]
    const isToken = padding.logicalNot().cast("float32").unsqueeze(-1); // [B, T, 1]
    const vectors = cat(
      this.embeddings.map((embedding, f) => embedding.forward(features.select(2, f))),
      -1,
    ); // [B, T, ΣE]
    let x = this.dropout.forward(this.norm.forward(this.projection.forward(vectors))); // [B, T, D]
    for (const mixer of this.mixers) x = mixer.forward(x.mul(isToken));
    x = x.add(F.embedding(arange(length), this.positions));
    return this.classifier.forward(this.encoder.forward(x, { srcKeyPaddingMask: padding }));
  }
}

/** x + dropout(relu(norm(W [x₋₁; x; x₊₁]))): every token learns of its neighbours; beyond the edges there are zeros. */
export class NeighbourMixer extends Module {
  readonly linear: Linear;
  readonly norm: LayerNorm;
  readonly dropout: Dropout;

  constructor(dModel: number, dropout: number) {
    super();
    this.linear = new Linear(3 * dModel, dModel);
    this.norm = new LayerNorm(dModel);
    this.dropout = new Dropout(dropout);
  }

  /** x [B, T, D] → [B, T, D]. */
  forward(x: Tensor): Tensor {
    const [batch, length, width] = x.shape as [number, number, number];
    const edge = zeros([batch, 1, width]);
    const before = cat([edge, x.slice(1, 0, length - 1)], 1);
    const after = cat([x.slice(1, 1), edge], 1);
    const mixed = this.linear.forward(cat([before, x, after], -1)); // [B, T, 3D] → [B, T, D]
    return x.add(this.dropout.forward(this.norm.forward(mixed).relu()));
  }
}
