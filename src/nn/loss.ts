/** Losses as modules, with PyTorch's names; what each computes says its function in nn.functional. */

import type { Tensor } from "../tensor.ts";
import * as F from "./functional/index.ts";
import { Module } from "./module.ts";

/** A loss with its options. Tensors among them are buffers, with PyTorch's keys. */
abstract class Loss<O extends object> extends Module {
  readonly options: O;

  constructor(options: O = {} as O) {
    super();
    this.options = options;
    const { weight, posWeight } = options as { weight?: Tensor | null; posWeight?: Tensor | null };
    if (weight) this.registerBuffer("weight", weight);
    if (posWeight) this.registerBuffer("pos_weight", posWeight);
  }
}

export class MSELoss extends Loss<F.LossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.mseLoss(input, target, this.options);
  }
}

export class L1Loss extends Loss<F.LossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.l1Loss(input, target, this.options);
  }
}

export class SmoothL1Loss extends Loss<F.SmoothL1Options> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.smoothL1Loss(input, target, this.options);
  }
}

export class HuberLoss extends Loss<Omit<F.HuberOptions, "weight">> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.huberLoss(input, target, this.options);
  }
}

export class KLDivLoss extends Loss<F.KlDivOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.klDiv(input, target, this.options);
  }
}

export class PoissonNLLLoss extends Loss<F.PoissonNllOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.poissonNllLoss(input, target, this.options);
  }
}

export class BCELoss extends Loss<F.BinaryCrossEntropyOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropy(input, target, this.options);
  }
}

export class BCEWithLogitsLoss extends Loss<F.BinaryCrossEntropyWithLogitsOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropyWithLogits(input, target, this.options);
  }
}

export class SoftMarginLoss extends Loss<F.LossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.softMarginLoss(input, target, this.options);
  }
}

export class MultiLabelSoftMarginLoss extends Loss<F.BinaryCrossEntropyOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.multilabelSoftMarginLoss(input, target, this.options);
  }
}

export class HingeEmbeddingLoss extends Loss<F.MarginOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.hingeEmbeddingLoss(input, target, this.options);
  }
}

export class MultiMarginLoss extends Loss<F.MultiMarginOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.multiMarginLoss(input, target, this.options);
  }
}

export class MultiLabelMarginLoss extends Loss<F.LossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.multilabelMarginLoss(input, target, this.options);
  }
}

export class NLLLoss extends Loss<F.NllOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.nllLoss(input, target, this.options);
  }
}

export class CrossEntropyLoss extends Loss<F.CrossEntropyOptions> {
  forward(logits: Tensor, target: Tensor): Tensor {
    return F.crossEntropy(logits, target, this.options);
  }
}

export class GaussianNLLLoss extends Loss<F.GaussianNllOptions> {
  forward(input: Tensor, target: Tensor, variance: Tensor | number): Tensor {
    return F.gaussianNllLoss(input, target, variance, this.options);
  }
}

export class MarginRankingLoss extends Loss<F.MarginOptions> {
  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return F.marginRankingLoss(input1, input2, target, this.options);
  }
}

export class CosineEmbeddingLoss extends Loss<F.MarginOptions> {
  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return F.cosineEmbeddingLoss(input1, input2, target, this.options);
  }
}

export class TripletMarginLoss extends Loss<F.TripletMarginOptions> {
  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return F.tripletMarginLoss(anchor, positive, negative, this.options);
  }
}

export class TripletMarginWithDistanceLoss extends Loss<F.TripletMarginWithDistanceOptions> {
  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return F.tripletMarginWithDistanceLoss(anchor, positive, negative, this.options);
  }
}

/** Counts and labels as nn.functional.ctcLoss takes them. */
export class CTCLoss extends Loss<F.CtcOptions> {
  forward(
    logProbs: Tensor,
    targets: Tensor,
    inputLengths: F.Lengths,
    targetLengths: F.Lengths,
  ): Tensor {
    return F.ctcLoss(logProbs, targets, inputLengths, targetLengths, this.options);
  }
}
