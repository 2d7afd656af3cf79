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

/** Mean squared error; see functional.mseLoss and torch.nn.MSELoss. */
export class MSELoss extends Loss<F.LossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.mseLoss(input, target, this.options);
  }
}

/** Mean absolute error; see functional.l1Loss and torch.nn.L1Loss. */
export class L1Loss extends Loss<F.LossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.l1Loss(input, target, this.options);
  }
}

/** Squared error near the target, absolute beyond `beta`, with slopes up to 1; see functional.smoothL1Loss and torch.nn.SmoothL1Loss. */
export class SmoothL1Loss extends Loss<F.SmoothL1Options> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.smoothL1Loss(input, target, this.options);
  }
}

/** Squared error near the target, absolute beyond `delta`, with slopes up to `delta`; see functional.huberLoss and torch.nn.HuberLoss. */
export class HuberLoss extends Loss<Omit<F.HuberOptions, "weight">> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.huberLoss(input, target, this.options);
  }
}

/** Kullback–Leibler divergence of log-probabilities from a target distribution; see functional.klDiv and torch.nn.KLDivLoss. */
export class KLDivLoss extends Loss<F.KlDivOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.klDiv(input, target, this.options);
  }
}

/** Negative log-likelihood of counts under Poisson distributions; see functional.poissonNllLoss and torch.nn.PoissonNLLLoss. */
export class PoissonNLLLoss extends Loss<F.PoissonNllOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.poissonNllLoss(input, target, this.options);
  }
}

/** Binary cross-entropy of probabilities; see functional.binaryCrossEntropy and torch.nn.BCELoss. */
export class BCELoss extends Loss<F.BinaryCrossEntropyOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropy(input, target, this.options);
  }
}

/** Binary cross-entropy of sigmoid(input); see functional.binaryCrossEntropyWithLogits and torch.nn.BCEWithLogitsLoss. */
export class BCEWithLogitsLoss extends Loss<F.BinaryCrossEntropyWithLogitsOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropyWithLogits(input, target, this.options);
  }
}

/** Logistic loss of labels 1 and −1; see functional.softMarginLoss and torch.nn.SoftMarginLoss. */
export class SoftMarginLoss extends Loss<F.LossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.softMarginLoss(input, target, this.options);
  }
}

/** Binary cross-entropy with logits, averaged over the classes; see functional.multilabelSoftMarginLoss and torch.nn.MultiLabelSoftMarginLoss. */
export class MultiLabelSoftMarginLoss extends Loss<F.BinaryCrossEntropyOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.multilabelSoftMarginLoss(input, target, this.options);
  }
}

/** Distances made small for label 1 and larger than `margin` for −1; see functional.hingeEmbeddingLoss and torch.nn.HingeEmbeddingLoss. */
export class HingeEmbeddingLoss extends Loss<F.MarginOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.hingeEmbeddingLoss(input, target, this.options);
  }
}

/** Hinge loss of one right class among several; see functional.multiMarginLoss and torch.nn.MultiMarginLoss. */
export class MultiMarginLoss extends Loss<F.MultiMarginOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.multiMarginLoss(input, target, this.options);
  }
}

/** Hinge loss of several right classes a row; see functional.multilabelMarginLoss and torch.nn.MultiLabelMarginLoss. */
export class MultiLabelMarginLoss extends Loss<F.LossOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.multilabelMarginLoss(input, target, this.options);
  }
}

/** Negative log-likelihood of classes, from log-probabilities; see functional.nllLoss and torch.nn.NLLLoss. */
export class NLLLoss extends Loss<F.NllOptions> {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.nllLoss(input, target, this.options);
  }
}

/** Cross-entropy of classes or of probabilities, from logits; see functional.crossEntropy and torch.nn.CrossEntropyLoss. */
export class CrossEntropyLoss extends Loss<F.CrossEntropyOptions> {
  forward(logits: Tensor, target: Tensor): Tensor {
    return F.crossEntropy(logits, target, this.options);
  }
}

/** Negative log-likelihood under normal distributions; see functional.gaussianNllLoss and torch.nn.GaussianNLLLoss. */
export class GaussianNLLLoss extends Loss<F.GaussianNllOptions> {
  forward(input: Tensor, target: Tensor, variance: Tensor | number): Tensor {
    return F.gaussianNllLoss(input, target, variance, this.options);
  }
}

/** Which of two inputs should be the larger, by `margin`; see functional.marginRankingLoss and torch.nn.MarginRankingLoss. */
export class MarginRankingLoss extends Loss<F.MarginOptions> {
  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return F.marginRankingLoss(input1, input2, target, this.options);
  }
}

/** Vectors made alike for label 1 and different for −1, by their cosine; see functional.cosineEmbeddingLoss and torch.nn.CosineEmbeddingLoss. */
export class CosineEmbeddingLoss extends Loss<F.MarginOptions> {
  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return F.cosineEmbeddingLoss(input1, input2, target, this.options);
  }
}

/** An anchor closer to a positive than to a negative, by `margin`; see functional.tripletMarginLoss and torch.nn.TripletMarginLoss. */
export class TripletMarginLoss extends Loss<F.TripletMarginOptions> {
  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return F.tripletMarginLoss(anchor, positive, negative, this.options);
  }
}

/** TripletMarginLoss with a distance of one's own; see functional.tripletMarginWithDistanceLoss and torch.nn.TripletMarginWithDistanceLoss. */
export class TripletMarginWithDistanceLoss extends Loss<F.TripletMarginWithDistanceOptions> {
  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return F.tripletMarginWithDistanceLoss(anchor, positive, negative, this.options);
  }
}

/** Labels without times against scores for every step; see functional.ctcLoss and torch.nn.CTCLoss. */
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
