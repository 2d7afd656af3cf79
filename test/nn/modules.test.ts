/** Layers of networks for images, containers and activations at their kinks against PyTorch. */
import { describe, expect, test } from "vitest";
import { zeros, type Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { readFixture, suite, type Case } from "./parity.ts";

const F = nn.functional;

const layer = (build: () => nn.Layer): Case => ({
  build,
  call: ([x], module) => (module as nn.Layer).forward(x!),
});

const bilinear = (build: () => nn.Bilinear): Case => ({
  build,
  call: ([a, b], module) => (module as nn.Bilinear).forward(a!, b!),
});

class Lists extends nn.Layer {
  readonly layers = new nn.ModuleList([new nn.Linear(3, 3), new nn.Linear(3, 3)]);
  readonly heads = new nn.ModuleDict({ a: new nn.Linear(3, 2), b: new nn.Linear(3, 2) });
  readonly scales = new nn.ParameterList([zeros([3]), zeros([1])]);
  readonly shifts = new nn.ParameterDict({ in: zeros([3]), out: zeros([2]) });

  forward(x: Tensor): Tensor {
    let y = x.add(this.shifts.get("in"));
    for (const [i, linear] of [...this.layers].entries())
      y = linear.forward(y).mul(this.scales.at(i)).tanh();
    const sum = this.heads.get("a").forward(y).add(this.heads.get("b").forward(y));
    return sum.add(this.shifts.get("out"));
  }
}

const cases: Readonly<Record<string, Case>> = {
  Conv2d: layer(() => new nn.Conv2d(4, 6, 3)),
  "Conv2d with options": layer(
    () =>
      new nn.Conv2d(4, 6, [3, 2], {
        stride: [2, 1],
        padding: [1, 2],
        dilation: [1, 2],
        groups: 2,
        bias: false,
      }),
  ),
  "Conv2d of one image": layer(() => new nn.Conv2d(4, 3, 2, { padding: 1 })),
  "Conv2d same": layer(() => new nn.Conv2d(4, 2, [4, 3], { padding: "same", dilation: [1, 2] })),
  "Conv2d valid": layer(() => new nn.Conv2d(4, 2, 2, { padding: "valid" })),
  ...Object.fromEntries(
    (["reflect", "replicate", "circular"] as const).map((paddingMode) => [
      `Conv2d ${paddingMode}`,
      layer(() => new nn.Conv2d(4, 2, 3, { stride: 2, padding: [2, 1], paddingMode })),
    ]),
  ),
  "Conv2d same and circular": layer(
    () => new nn.Conv2d(4, 2, [2, 3], { padding: "same", paddingMode: "circular" }),
  ),
  Conv1d: layer(() => new nn.Conv1d(4, 6, 3, { stride: 2, padding: 2, dilation: 2, groups: 2 })),
  "Conv1d of one line": layer(() => new nn.Conv1d(4, 2, 3)),
  "Conv1d same": layer(() => new nn.Conv1d(4, 2, 4, { padding: "same" })),
  "Conv1d reflect": layer(() => new nn.Conv1d(4, 2, 3, { padding: 2, paddingMode: "reflect" })),
  ConvTranspose2d: layer(
    () => new nn.ConvTranspose2d(4, 6, 4, { stride: 2, padding: 1, bias: false }),
  ),
  "ConvTranspose2d with options": layer(
    () =>
      new nn.ConvTranspose2d(4, 6, [3, 2], {
        stride: [2, 3],
        padding: 1,
        outputPadding: [1, 0],
        groups: 2,
        dilation: [1, 2],
      }),
  ),
  "ConvTranspose2d of one image": layer(() => new nn.ConvTranspose2d(4, 2, 3)),
  ConvTranspose1d: layer(
    () => new nn.ConvTranspose1d(4, 6, 3, { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
  ),
  MaxPool2d: layer(() => new nn.MaxPool2d(2)),
  "MaxPool2d with options": layer(
    () => new nn.MaxPool2d([3, 2], { stride: 2, padding: 1, ceilMode: true }),
  ),
  MaxPool1d: layer(() => new nn.MaxPool1d(3, { stride: 1, padding: 1, dilation: 2 })),
  AvgPool2d: layer(
    () => new nn.AvgPool2d(3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false }),
  ),
  "AvgPool2d divisor": layer(() => new nn.AvgPool2d(2, { divisorOverride: 3 })),
  AvgPool1d: layer(() => new nn.AvgPool1d(2, { padding: 1 })),
  AdaptiveAvgPool2d: layer(() => new nn.AdaptiveAvgPool2d([3, null])),
  "AdaptiveAvgPool2d to one": layer(() => new nn.AdaptiveAvgPool2d(1)),
  AdaptiveAvgPool1d: layer(() => new nn.AdaptiveAvgPool1d(4)),
  AdaptiveMaxPool2d: layer(() => new nn.AdaptiveMaxPool2d([3, 4])),
  AdaptiveMaxPool1d: layer(() => new nn.AdaptiveMaxPool1d(3)),
  LPPool2d: layer(() => new nn.LPPool2d(2, 3, { stride: 2 })),
  BatchNorm2d: layer(() => new nn.BatchNorm2d(4)),
  "BatchNorm2d plain": layer(
    () => new nn.BatchNorm2d(4, { affine: false, trackRunningStats: false }),
  ),
  BatchNorm1d: layer(() => new nn.BatchNorm1d(4, { eps: 0.01 })),
  "BatchNorm1d of lines": layer(() => new nn.BatchNorm1d(4)),
  GroupNorm: layer(() => new nn.GroupNorm(2, 4)),
  "GroupNorm plain": layer(() => new nn.GroupNorm(4, 4, { affine: false, eps: 0.1 })),
  "BatchNorm2d without bias": layer(() => new nn.BatchNorm2d(4, { bias: false })),
  "GroupNorm without bias": layer(() => new nn.GroupNorm(2, 4, { bias: false })),
  InstanceNorm2d: layer(() => new nn.InstanceNorm2d(4)),
  "InstanceNorm2d of one image": layer(() => new nn.InstanceNorm2d(4, { affine: true })),
  InstanceNorm1d: layer(() => new nn.InstanceNorm1d(3, { affine: true, trackRunningStats: true })),
  "LayerNorm plain": layer(() => new nn.LayerNorm(5, { elementwiseAffine: false })),
  "LayerNorm without bias": layer(() => new nn.LayerNorm(5, { bias: false })),
  RMSNorm: layer(() => new nn.RMSNorm([2, 3])),
  "RMSNorm plain": layer(() => new nn.RMSNorm(3, { eps: 0.1, elementwiseAffine: false })),
  LocalResponseNorm: layer(() => new nn.LocalResponseNorm(3, { alpha: 0.5 })),
  Bilinear: bilinear(() => new nn.Bilinear(3, 4, 5)),
  "Bilinear without bias": bilinear(() => new nn.Bilinear(3, 4, 2, { bias: false })),
  Identity: layer(() => new nn.Identity()),
  Flatten: layer(() => new nn.Flatten()),
  "Flatten some": layer(() => new nn.Flatten(0, 2)),
  Unflatten: layer(() => new nn.Unflatten(1, [2, -1])),
  "Upsample nearest": layer(() => new nn.Upsample({ scaleFactor: 2 })),
  "Upsample bilinear": layer(
    () => new nn.Upsample({ size: [3, 5], mode: "bilinear", alignCorners: true }),
  ),
  "Upsample linear": layer(() => new nn.Upsample({ scaleFactor: 1.5, mode: "linear" })),
  PixelShuffle: layer(() => new nn.PixelShuffle(2)),
  PixelUnshuffle: layer(() => new nn.PixelUnshuffle(2)),
  ZeroPad2d: layer(() => new nn.ZeroPad2d([1, 2, 1, 0])),
  ReflectionPad2d: layer(() => new nn.ReflectionPad2d([1, 2, 1, 0])),
  ReplicationPad2d: layer(() => new nn.ReplicationPad2d([1, 2, 1, 0])),
  CircularPad2d: layer(() => new nn.CircularPad2d([1, 2, 1, 0])),
  ZeroPad1d: layer(() => new nn.ZeroPad1d(2)),
  ReflectionPad1d: layer(() => new nn.ReflectionPad1d(2)),
  ReplicationPad1d: layer(() => new nn.ReplicationPad1d(2)),
  CircularPad1d: layer(() => new nn.CircularPad1d(2)),
  ConstantPad2d: layer(() => new nn.ConstantPad2d([1, 2, 1, -1], 0.5)),
  ConstantPad1d: layer(() => new nn.ConstantPad1d(1, 0.5)),
  PReLU: layer(() => new nn.PReLU()),
  "PReLU of channels": layer(() => new nn.PReLU(4)),
  GLU: layer(() => new nn.GLU()),
  Softmax: layer(() => new nn.Softmax(1)),
  LogSoftmax: layer(() => new nn.LogSoftmax(-1)),
  Softmin: layer(() => new nn.Softmin(0)),
  Softmax2d: layer(() => new nn.Softmax2d()),
  "Sequential by name": layer(
    () =>
      new nn.Sequential({
        conv: new nn.Conv2d(4, 2, 2),
        act: new nn.ReLU(),
        head: new nn.Sequential(new nn.Flatten(), new nn.Linear(4, 2)),
      }),
  ),
  "lists and dicts": layer(() => new Lists()),
  "embedding with paddingIdx": {
    call: ([i, w]: readonly Tensor[]) => F.embedding(i!, w!, { paddingIdx: -2 }),
  },
  "Embedding padded from the end": layer(() => new nn.Embedding(5, 2, { paddingIdx: -2 })),
};

describe("modules", () => suite("modules", cases));

const kinks: Readonly<Record<string, Case>> = {
  ReLU6: layer(() => new nn.ReLU6()),
  LeakyReLU: layer(() => new nn.LeakyReLU(0.3)),
  PReLU: layer(() => new nn.PReLU()),
  RReLU: layer(() => new nn.RReLU().eval()),
  ELU: layer(() => new nn.ELU(0.5)),
  SELU: layer(() => new nn.SELU()),
  CELU: layer(() => new nn.CELU(2)),
  GELU: layer(() => new nn.GELU()),
  SiLU: layer(() => new nn.SiLU()),
  Mish: layer(() => new nn.Mish()),
  Softplus: layer(() => new nn.Softplus({ beta: 2, threshold: 10 })),
  Softsign: layer(() => new nn.Softsign()),
  Tanhshrink: layer(() => new nn.Tanhshrink()),
  Softshrink: layer(() => new nn.Softshrink()),
  Hardshrink: layer(() => new nn.Hardshrink()),
  Hardtanh: layer(() => new nn.Hardtanh({ maxVal: 2.5 })),
  Hardsigmoid: layer(() => new nn.Hardsigmoid()),
  Hardswish: layer(() => new nn.Hardswish()),
  LogSigmoid: layer(() => new nn.LogSigmoid()),
  Threshold: layer(() => new nn.Threshold(0.5, 7)),
};

describe("activations at their kinks", () => suite("kinks", kinks));

interface Printed {
  readonly name: string;
  readonly repr?: string;
}

const builders: Readonly<Record<string, { readonly build?: () => nn.Module }>> = {
  ...cases,
  ...kinks,
};
// PyTorch lists the parameters of ParameterList and ParameterDict, too.
const printed = ["modules", "kinks"]
  .flatMap((file) => readFixture<Printed>(`nn/${file}`))
  .filter(({ name, repr }) => repr !== undefined && name !== "lists and dicts");

test.each(printed)("$name prints as PyTorch's", ({ name, repr }) =>
  expect(String(builders[name]!.build!())).toBe(repr),
);
