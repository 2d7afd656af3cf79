/** Samples of losses: those that are operations of their own, and one of each that is made of others. */

import * as F from "../../../src/nn/functional/index.ts";
import { logisticLoss } from "../../../src/ops/losses.ts";
import { derive, type Tensor } from "../../../src/tensor.ts";
import { f32, f64, given, ints, sample, type Sample } from "../sample.ts";

const logistic = (x: Tensor): Tensor => derive([x], ([v]) => logisticLoss(v!));
const SOFTPLUS = "-F.logsigmoid(-x0)";

const none = { reduction: "none" } as const;
const second = { second: true };
const rows = f32([4, 3]);
const others = f32([4, 3], -2, 2, 1);
const more = f32([4, 3], -2, 2, 2);
const classes = ints("int32", [4], 0, 2);
const probabilities = f32([4, 3], 0.05, 0.95, 3);
const signs = given("int32", [4], [1, -1, -1, 1]);
const signed = given("int32", [4, 3], [1, -1, -1, 1, 1, -1, 1, 1, -1, -1, -1, 1]);
// Integers, so that no gradient is asked for.
const weights = given("int32", [3], [1, 2, 3]);
const like = (x: Tensor | undefined, integers: Tensor | undefined): Tensor =>
  integers!.cast(x!.dtype);
const labels = given("int32", [2, 3], [1, 2, 2, 3, 1, 0]);

const pairs: readonly [op: string, run: (a: Tensor, b: Tensor) => Tensor, torch: string][] = [
  ["mseLoss", F.mseLoss, "F.mse_loss(x0, x1)"],
  ["l1Loss", F.l1Loss, "F.l1_loss(x0, x1)"],
  [
    "smoothL1Loss",
    (a, b) => F.smoothL1Loss(a, b, none),
    "F.smooth_l1_loss(x0, x1, reduction='none')",
  ],
  ["huberLoss", (a, b) => F.huberLoss(a, b, { delta: 0.5 }), "F.huber_loss(x0, x1, delta=0.5)"],
  ["poissonNllLoss", F.poissonNllLoss, "F.poisson_nll_loss(x0, x1)"],
  ["cosineSimilarity", F.cosineSimilarity, "F.cosine_similarity(x0, x1)"],
  ["pairwiseDistance", F.pairwiseDistance, "F.pairwise_distance(x0, x1)"],
  [
    "pairwiseDistance",
    (a, b) => F.pairwiseDistance(a, b, { p: 1 }),
    "F.pairwise_distance(x0, x1, 1)",
  ],
];

export const lossSamples: readonly Sample[] = [
  sample("logisticLoss", [f32([2, 5], -4, 4)], logistic, SOFTPLUS, second),
  sample("logisticLoss", [f64([6], -4, 4)], logistic, SOFTPLUS, second),
  sample("logisticLoss", [f32([0, 3])], logistic, SOFTPLUS),
  sample(
    "logisticLoss",
    [given("float32", [7], [0, 1e4, -1e4, 20, -20, 90, -90])],
    logistic,
    SOFTPLUS,
    {
      note: "special values",
      noGradcheck: "steps of finite differences vanish beside large numbers",
    },
  ),
  sample(
    "binaryCrossEntropy",
    [probabilities, f32([4, 3], 0, 1, 4)],
    (x, t) => F.binaryCrossEntropy(x, t, none),
    "F.binary_cross_entropy(x0, x1, reduction='none')",
    second,
  ),
  sample(
    "binaryCrossEntropy",
    [f64([5], 0.05, 0.95), f64([5], 0, 1, 4)],
    (x, t) => F.binaryCrossEntropy(x, t),
    "F.binary_cross_entropy(x0, x1)",
    second,
  ),
  sample(
    "binaryCrossEntropy",
    [given("float32", [4], [0, 1, 0, 1]), given("float32", [4], [0, 1, 1, 0])],
    (x, t) => F.binaryCrossEntropy(x, t, none),
    "F.binary_cross_entropy(x0, x1, reduction='none')",
    { note: "certain", grad: false },
  ),
  sample(
    "softmaxCrossEntropy",
    [rows, classes],
    (x, t) => F.crossEntropy(x, t, none),
    "F.cross_entropy(x0, x1.long(), reduction='none')",
    second,
  ),
  sample(
    "softmaxCrossEntropy",
    [f64([4, 3]), classes],
    (x, t) => F.crossEntropy(x, t),
    "F.cross_entropy(x0, x1.long())",
    second,
  ),
  sample(
    "softmaxCrossEntropy",
    [f32([2, 3, 2]), ints("int64", [2, 2], 0, 2)],
    (x, t) => F.crossEntropy(x, t, { ignoreIndex: 1 }),
    "F.cross_entropy(x0, x1.long(), ignore_index=1)",
    second,
  ),
  sample(
    "softmaxCrossEntropy",
    [rows, classes],
    (x, t) => F.crossEntropy(x, t, { labelSmoothing: 0.2 }),
    "F.cross_entropy(x0, x1.long(), label_smoothing=0.2)",
    second,
  ),
  sample(
    "crossEntropy",
    [rows, classes, weights],
    (x, t, w) => F.crossEntropy(x, t, { weight: like(x, w), labelSmoothing: 0.1 }),
    "F.cross_entropy(x0, x1.long(), x2.float(), label_smoothing=0.1)",
    second,
  ),
  sample(
    "crossEntropy",
    [rows, probabilities],
    (x, t) => F.crossEntropy(x, t),
    "F.cross_entropy(x0, x1)",
    second,
  ),
  sample(
    "nllLoss",
    [rows, classes],
    (x, t) => F.nllLoss(x, t),
    "F.nll_loss(x0, x1.long())",
    second,
  ),
  ...pairs.map(([op, run, torch]) =>
    sample(op, [rows, others], (a, b) => run(a, b), torch, second),
  ),
  sample(
    "klDiv",
    [rows, probabilities],
    (x, t) => F.klDiv(x, t, { reduction: "batchmean" }),
    "F.kl_div(x0, x1, reduction='batchmean')",
    second,
  ),
  sample(
    "gaussianNllLoss",
    [rows, others, probabilities],
    (x, t, v) => F.gaussianNllLoss(x, t, v),
    "F.gaussian_nll_loss(x0, x1, x2)",
    second,
  ),
  sample(
    "binaryCrossEntropyWithLogits",
    [rows, f32([4, 3], 0, 1, 4), weights],
    (x, t, p) => F.binaryCrossEntropyWithLogits(x, t, { posWeight: like(x, p) }),
    "F.binary_cross_entropy_with_logits(x0, x1, pos_weight=x2.float())",
    second,
  ),
  sample(
    "softMarginLoss",
    [rows, signed],
    (x, t) => F.softMarginLoss(x, like(x, t)),
    "F.soft_margin_loss(x0, x1.float())",
    second,
  ),
  sample(
    "hingeEmbeddingLoss",
    [rows, signed],
    (x, t) => F.hingeEmbeddingLoss(x, t),
    "F.hinge_embedding_loss(x0, x1)",
  ),
  sample(
    "marginRankingLoss",
    [f32([4]), f32([4], -2, 2, 1), signs],
    (a, b, t) => F.marginRankingLoss(a, b, t),
    "F.margin_ranking_loss(x0, x1, x2)",
  ),
  sample(
    "cosineEmbeddingLoss",
    [rows, others, signs],
    (a, b, t) => F.cosineEmbeddingLoss(a, b, t),
    "F.cosine_embedding_loss(x0, x1, x2)",
    second,
  ),
  sample(
    "tripletMarginLoss",
    [rows, others, more],
    (a, p, n) => F.tripletMarginLoss(a, p, n, { swap: true }),
    "F.triplet_margin_loss(x0, x1, x2, swap=True)",
    second,
  ),
  sample(
    "multiMarginLoss",
    [rows, classes],
    (x, t) => F.multiMarginLoss(x, t, { p: 2 }),
    "F.multi_margin_loss(x0, x1.long(), p=2)",
  ),
  sample(
    "multilabelMarginLoss",
    [f32([2, 3]), given("int32", [2, 3], [0, -1, 2, 2, 1, -1])],
    (x, t) => F.multilabelMarginLoss(x, t),
    "F.multilabel_margin_loss(x0, x1.long())",
  ),
  sample("pdist", [rows], (x) => F.pdist(x), "F.pdist(x0)"),
  sample(
    "ctcLoss",
    [f32([5, 2, 4]), labels, given("int32", [2], [5, 4]), given("int32", [2], [3, 2])],
    (x, t, i, l) => F.ctcLoss(x.logSoftmax(2), t, i, l, none),
    "F.ctc_loss(x0.log_softmax(2), x1.long(), x2, x3, reduction='none')",
  ),
  sample(
    "ctcLoss",
    [f64([5, 2, 4]), labels, given("int32", [2], [5, 3]), given("int32", [2], [3, 2])],
    (x, t, i, l) => F.ctcLoss(x.logSoftmax(2), t, i, l),
    "F.ctc_loss(x0.log_softmax(2), x1.long(), x2, x3)",
  ),
];
