/** What layers and functions for images refuse, and how they say it. */
import { expect, test } from "vitest";
import { ones, zeros } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";

const F = nn.functional;
const image = zeros([1, 2, 5, 5]);
const line = zeros([1, 2, 5]);
const wrong = (value: unknown): never => value as never;

const cases: readonly (readonly [what: string, call: () => unknown, message: string])[] = [
  [
    "an option given as a number",
    () => new nn.Conv2d(2, 3, 3, wrong(2)),
    "Conv2d: options must be an object such as { stride: … }, got 2",
  ],
  [
    "an unknown option",
    () => new nn.Conv2d(2, 3, 3, wrong({ pad: 1 })),
    'Conv2d: unknown option "pad", expected stride, padding',
  ],
  [
    "no kernel size",
    () => new nn.Conv2d(2, 3, wrong(undefined)),
    "Conv2d: kernelSize must be one or two integers of at least 1, got undefined",
  ],
  [
    "channels that do not split",
    () => new nn.Conv1d(3, 4, 3, { groups: 2 }),
    "Conv1d: 3 and 4 channels do not split into 2 groups",
  ],
  [
    "an image of too few dimensions",
    () => new nn.Conv2d(2, 3, 3).forward(zeros([5, 5])),
    "conv2d: the input must be [N,C,H,W] or [C,H,W], got [5,5]",
  ],
  [
    "an image of other channels",
    () => new nn.Conv2d(3, 3, 3).forward(image),
    "conv2d: the weight is for 3 input channels, got input [1,2,5,5], weight [3,3,3,3]",
  ],
  [
    "a kernel larger than the line",
    () => new nn.Conv1d(2, 3, 7).forward(line),
    "conv1d: the kernel is larger than the padded input",
  ],
  [
    "same padding with a stride",
    () => new nn.Conv2d(2, 3, 3, { padding: "same", stride: 2 }).forward(image),
    'conv2d: padding "same" needs stride 1, got 2,2',
  ],
  [
    "a padding that is no word for one",
    () => F.conv2d(image, zeros([1, 2, 3, 3]), null, { padding: wrong("full") }),
    'conv2d: padding must be numbers, "same" or "valid", got "full"',
  ],
  [
    "padding beyond half the kernel",
    () => F.maxPool2d(image, 2, { padding: 2 }),
    "maxPool2d: padding must be at most half the kernel, got 2,2 for 2,2",
  ],
  [
    "stride as a number in place of options",
    () => F.maxPool2d(image, 2, wrong(2)),
    "maxPool2d: options must be an object such as { stride: … }, got 2",
  ],
  [
    "an output size of zero",
    () => F.adaptiveAvgPool2d(image, 0),
    "adaptiveAvgPool2d: the output size must be one or two positive integers, got 0",
  ],
  [
    "a divisor of zero",
    () => F.avgPool2d(image, 2, { divisorOverride: 0 }),
    "avgPool2d: divisorOverride must be an integer other than 0, got 0",
  ],
  [
    "padding of three sides",
    () => F.pad(image, [1, 2, 3]),
    "pad: needs two integers for each of at most 4 dimensions, got [1,2,3]",
  ],
  [
    "a reflection longer than the line",
    () => F.pad(line, [5, 0], { mode: "reflect" }),
    'pad: 5 and 0 do not fit dimension 2 of [1,2,5] in the mode "reflect"',
  ],
  [
    "an unknown mode",
    () => F.pad(line, [1, 0], { mode: wrong("mirror") }),
    'pad: unknown mode "mirror", expected constant, replicate, reflect, circular',
  ],
  [
    "both size and scale",
    () => F.interpolate(image, { size: 2, scaleFactor: 2 }),
    "interpolate: needs either size or scaleFactor",
  ],
  [
    "a mode for other inputs",
    () => F.interpolate(line, { size: 2, mode: "bilinear" }),
    'interpolate: the mode "bilinear" is for inputs [N,C,H,W], got [1,2,5]',
  ],
  [
    "channels that are no square",
    () => F.pixelShuffle(image, 2),
    "pixelShuffle: the channels must split into groups of 4, got [1,2,5,5]",
  ],
  [
    "slopes that are not the channels'",
    () => F.prelu(image, ones([3])),
    "prelu: the weight must be [1] or [2] for an input [1,2,5,5], got [3]",
  ],
  ["an odd number of gates", () => F.glu(line), "glu: dimension -1 must have an even size, got 5"],
  [
    "statistics of other channels",
    () => F.batchNorm(image, zeros([3]), ones([3])),
    "batchNorm: an input [1,2,5,5] needs one number for each of 2 channels, got [3]",
  ],
  [
    "no statistics",
    () => F.batchNorm(image, null, null),
    "batchNorm: without running statistics it needs { training: true }",
  ],
  [
    "normalized dimensions that are not the last",
    () => F.rmsNorm(image, [2, 5]),
    "rmsNorm: [2,5] must be the last dimensions of the input [1,2,5,5]",
  ],
  [
    "inputs of a bilinear map that do not fit",
    () => new nn.Bilinear(2, 3, 4).forward(zeros([5, 2]), zeros([5, 2])),
    "bilinear: inputs [5,2] and [5,2] do not fit a weight [4,2,3]",
  ],
  [
    "sizes that do not make up a dimension",
    () => new nn.Unflatten(2, [2, 2]).forward(line),
    "Unflatten: sizes [2,2] do not make up dimension 2 of [1,2,5]",
  ],
  [
    "dropout of something else",
    () => F.dropout(image, 2),
    "dropout: the probability must be in [0, 1], got 2",
  ],
];

test.each(cases)("%s", (_, call, message) => expect(call).toThrow(message));
