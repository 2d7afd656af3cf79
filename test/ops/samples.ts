/** The table of samples over the operation registry; an operation without samples fails the suite. */

import type { Sample } from "./sample.ts";
import { activationSamples } from "./samples/activation.ts";
import { arithmeticSamples } from "./samples/arithmetic.ts";
import { binarySamples } from "./samples/binary.ts";
import { contractionSamples } from "./samples/contractions.ts";
import { convSamples } from "./samples/conv.ts";
import { creationSamples } from "./samples/creation.ts";
import { decodingSamples } from "./samples/decoding.ts";
import { functionSamples } from "./samples/functions.ts";
import { indexingSamples } from "./samples/indexing.ts";
import { joiningSamples } from "./samples/joining.ts";
import { lossSamples } from "./samples/losses.ts";
import { orderSamples } from "./samples/order.ts";
import { patchSamples } from "./samples/patches.ts";
import { productSamples } from "./samples/products.ts";
import { rearrangingSamples } from "./samples/rearranging.ts";
import { recurrentSamples } from "./samples/recurrent.ts";
import { reduceSamples } from "./samples/reduce.ts";
import { scatteringSamples } from "./samples/scattering.ts";
import { selectingSamples } from "./samples/selecting.ts";
import { shapeSamples } from "./samples/shape.ts";
import { poolSamples } from "./samples/pool.ts";
import { normalizeSamples } from "./samples/normalize.ts";
import { imagesSamples } from "./samples/images.ts";
import { statisticsSamples } from "./samples/statistics.ts";
import { unarySamples } from "./samples/unary.ts";

/** Samples by the file their expected results are in. */
export const families = {
  unary: unarySamples,
  binary: binarySamples,
  arithmetic: arithmeticSamples,
  functions: functionSamples,
  activation: activationSamples,
  reduce: reduceSamples,
  statistics: statisticsSamples,
  order: orderSamples,
  products: productSamples,
  contractions: contractionSamples,
  shape: shapeSamples,
  creation: creationSamples,
  joining: joiningSamples,
  rearranging: rearrangingSamples,
  indexing: indexingSamples,
  selecting: selectingSamples,
  scattering: scatteringSamples,
  patches: patchSamples,
  conv: convSamples,
  recurrent: recurrentSamples,
  pool: poolSamples,
  normalize: normalizeSamples,
  images: imagesSamples,
  losses: lossSamples,
  decoding: decodingSamples,
} as const satisfies Readonly<Record<string, readonly Sample[]>>;

export type Family = keyof typeof families;

/** Operations that need no samples, and why. */
export const exempt: Readonly<Record<string, string>> = {
  source: "has no elements of its own: every sample's input is one",
  constant: "every sample with a number in it has one",
  place: "an identity around every input that requires gradients",
  detach: "an identity; test/engine covers that no gradient passes",
  ctcGradient: "an identity in the gradient of ctcLoss that says why it has none itself",
  layerNormGrad: "the gradient of layerNorm, whose samples have second derivatives",
  softmaxGrad: "the gradient of softmax, whose samples have second derivatives",
  randomRound: "not in PyTorch; test/engine/random.test.ts compares its bits with plain JavaScript",
  wordHalves: "not in PyTorch; test/engine/random.test.ts compares it with plain JavaScript",
  topBits: "not in PyTorch; test/engine/random.test.ts compares it with plain JavaScript",
};
