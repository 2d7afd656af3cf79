/** Distances as modules: torch.nn.CosineSimilarity and PairwiseDistance. */

import type { Tensor } from "../tensor.ts";
import * as F from "./functional/index.ts";
import { Module } from "./module.ts";

/** Cosine of the angle between vectors along a dimension, 1 unless given: torch.nn.CosineSimilarity. */
export class CosineSimilarity extends Module {
  readonly options: F.CosineSimilarityOptions;

  constructor(options: F.CosineSimilarityOptions = {}) {
    super();
    this.options = options;
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return F.cosineSimilarity(x1, x2, this.options);
  }
}

/** Norm of the differences along the last dimension: torch.nn.PairwiseDistance. */
export class PairwiseDistance extends Module {
  readonly options: F.PairwiseDistanceOptions;

  constructor(options: F.PairwiseDistanceOptions = {}) {
    super();
    this.options = options;
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return F.pairwiseDistance(x1, x2, this.options);
  }
}
