/** Options that layers and losses do not have are refused, since they would be ignored; so is what stands in their place. */

import { describe, expect, test } from "vitest";
import { ones, tensor, zeros } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";

const F = nn.functional;
const x = ones([1, 2, 8]);
const encoder = new nn.TransformerEncoderLayer({ dModel: 8, nhead: 2 });
const ids = tensor([0], { dtype: "int32" });
const wrong = (given: unknown): never => given as never;

const cases: readonly (readonly [string, () => unknown, string])[] = [
  ["Linear", () => new nn.Linear(2, 3, wrong(false)), "{ bias: … }, got false"],
  ["Linear", () => new nn.Linear(2, 3, wrong({ biass: false })), 'unknown option "biass"'],
  ["Linear", () => new nn.Linear(2, wrong(undefined)), "whole numbers, got 2 and undefined"],
  ["Bilinear", () => new nn.Bilinear(2, 3, 4, wrong({ b: 1 })), 'unknown option "b"'],
  ["Embedding", () => new nn.Embedding(2, 3, wrong({ padding_idx: 0 })), '"padding_idx"'],
  ["RNN", () => new nn.RNN(2, 3, wrong({ batch_first: true })), '"batch_first"'],
  ["LSTM", () => new nn.LSTM(2, 3, wrong({ nonlinearity: "relu" })), '"nonlinearity"'],
  ["GRU", () => new nn.GRU(2, 3, wrong(2)), "{ numLayers: … }, got 2"],
  ["GRU", () => new nn.GRU(2, 3, wrong({ projSize: 1 })), '"projSize"'],
  ["GRU", () => new nn.GRU(8, 3).forward(x, wrong({ lengths: [1] })), "forward(x, null, { lengths"],
  ["LSTM", () => new nn.LSTM(8, 3).forward(x, wrong({})), "must be tensors [h, c] or null"],
  ["LSTM", () => new nn.LSTM(8, 3).forward(x, null, wrong({ length: [1] })), '"length"'],
  ["LSTMCell", () => new nn.LSTMCell(2, 3, wrong(true)), "{ bias: … }, got true"],
  [
    "MultiheadAttention",
    () => new nn.MultiheadAttention(wrong({ embedDim: 8 }), wrong(undefined)),
    "embedDim and numHeads must be positive integers",
  ],
  [
    "MultiheadAttention",
    () => new nn.MultiheadAttention(8, 2).forward(x, x, x, wrong({ mask: null })),
    'unknown option "mask"',
  ],
  ["TransformerEncoderLayer", () => new nn.TransformerEncoderLayer(wrong(8)), "got 8"],
  [
    "TransformerEncoderLayer",
    () => encoder.forward(x, wrong(zeros([2, 2]))),
    "{ mask: … }, got Tensor(shape=[2,2]",
  ],
  ["TransformerEncoder", () => new nn.TransformerEncoder(wrong(encoder)), "an object such as"],
  [
    "TransformerDecoder",
    () => new nn.TransformerDecoder(wrong({ dModel: 8, nhead: 2 })),
    "numLayers must be a whole number, got undefined",
  ],
  ["Transformer", () => new nn.Transformer(wrong(512)), "{ dModel: … }, got 512"],
  ["Transformer", () => new nn.Transformer(wrong({ d_model: 8 })), 'unknown option "d_model"'],
  ["Sequential", () => new nn.Sequential(wrong(() => x)), '"0" must be a module, got function'],
  ["crossEntropy", () => F.crossEntropy(ones([1, 2]), ids, wrong({ ignore_index: 0 })), '"ignore_'],
  ["crossEntropy", () => F.crossEntropy(ones([1, 2]), ids, wrong(ones([2]))), "{ weight: … }, got"],
  ["nllLoss", () => F.nllLoss(ones([1, 2]), ids, wrong({ weights: null })), '"weights"'],
  ["mseLoss", () => F.mseLoss(x, x, wrong("sum")), "{ weight: … }, got sum"],
  ["smoothL1Loss", () => F.smoothL1Loss(x, x, wrong({ delta: 1 })), '"delta"'],
  ["binaryCrossEntropy", () => F.binaryCrossEntropy(x, x, wrong({ posWeight: x })), '"posWeight"'],
  ["tripletMarginLoss", () => F.tripletMarginLoss(x, x, x, wrong({ norm: 1 })), '"norm"'],
  ["cosineSimilarity", () => F.cosineSimilarity(x, x, wrong(1)), "{ dim: … }, got 1"],
  [
    "scaledDotProductAttention",
    () => F.scaledDotProductAttention(x, x, x, wrong({ mask: null })),
    'unknown option "mask"',
  ],
];

describe("what is no option is refused", () => {
  test.each(cases)("%s %#", (name, make, message) => {
    expect(make).toThrow(`${name}: `);
    expect(make).toThrow(message);
  });
});

test("a module may be given another one's parameter, which both then share", () => {
  const embedding = new nn.Embedding(4, 3);
  const output = new nn.Linear(3, 4, { bias: false });
  output.weight = embedding.weight;
  expect(new nn.Sequential(embedding, output).parameters()).toEqual([embedding.weight]);
});
