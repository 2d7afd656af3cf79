/** Samples of activations that are operations of their own. */

import { grad, type Tensor } from "../../../src/index.ts";
import * as F from "../../../src/nn/functional/index.ts";
import { gelu } from "../../../src/ops/activation.ts";
import { derive } from "../../../src/tensor.ts";
import { f32, f64, given, sample, type Sample } from "../sample.ts";

const activated = (x: Tensor): Tensor => derive([x], ([v]) => gelu(v!));

/** Its derivative, and with it second and third ones. */
const derivative = (x: Tensor): Tensor => grad(activated(x).sum(), [x], { createGraph: true })[0]!;
const DERIVATIVE = "torch.autograd.grad(F.gelu(x0).sum(), x0, create_graph=True)[0]";

const activations: readonly [op: string, run: (x: Tensor) => Tensor, torch: string][] = [
  ["leakyRelu", (x) => F.leakyRelu(x, 0.2), "F.leaky_relu(x0, 0.2)"],
  ["elu", (x) => F.elu(x, 1.5), "F.elu(x0, 1.5)"],
  ["selu", F.selu, "F.selu(x0)"],
  ["celu", (x) => F.celu(x, 0.5), "F.celu(x0, 0.5)"],
  ["relu6", (x) => F.relu6(x.mul(2)), "F.relu6(x0 * 2)"],
  ["hardtanh", (x) => F.hardtanh(x, { minVal: -2, maxVal: 0.5 }), "F.hardtanh(x0, -2, 0.5)"],
  ["threshold", (x) => F.threshold(x, 0.1, 20), "F.threshold(x0, 0.1, 20)"],
  ["rrelu", (x) => F.rrelu(x), "F.rrelu(x0)"],
  ["silu", F.silu, "F.silu(x0)"],
  ["mish", F.mish, "F.mish(x0)"],
  ["softplus", (x) => F.softplus(x, { beta: 2, threshold: 3 }), "F.softplus(x0, 2, 3)"],
  ["logsigmoid", F.logsigmoid, "F.logsigmoid(x0)"],
  ["softsign", F.softsign, "F.softsign(x0)"],
  ["tanhshrink", F.tanhshrink, "F.tanhshrink(x0)"],
  ["softshrink", (x) => F.softshrink(x, 0.7), "F.softshrink(x0, 0.7)"],
  ["hardshrink", (x) => F.hardshrink(x, 0.7), "F.hardshrink(x0, 0.7)"],
  ["hardsigmoid", F.hardsigmoid, "F.relu6(x0 + 3) / 6"],
  ["hardswish", F.hardswish, "F.hardswish(x0)"],
];

export const activationSamples: readonly Sample[] = [
  sample("gelu", [f32([2, 3], -4, 4)], activated, "F.gelu(x0)", { second: true }),
  sample("gelu", [f64([5], -4, 4)], activated, "F.gelu(x0)", { second: true }),
  sample("gelu", [f32([])], activated, "F.gelu(x0)"),
  sample("gelu", [f32([0, 3])], activated, "F.gelu(x0)"),
  sample("gelu", [given("float32", [5], [0, -20, 20, -1e-6, NaN])], activated, "F.gelu(x0)", {
    note: "special values",
    grad: false,
  }),
  sample("gelu", [f32([2, 3], -4, 4)], derivative, DERIVATIVE, { second: true }),
  sample("gelu", [f64([5], -4, 4)], derivative, DERIVATIVE, { second: true }),
  sample("gelu", [f32([0, 3])], derivative, DERIVATIVE),
  ...activations.map(([op, run, torch]) =>
    sample(op, [f32([2, 8], -4, 4)], run, torch, { second: true }),
  ),
  ...activations.map(([op, run, torch]) =>
    sample(op, [f64([6], -4, 4)], run, torch, { second: true }),
  ),
  sample("prelu", [f32([2, 3, 2]), f32([3], 0, 1, 1)], F.prelu, "F.prelu(x0, x1)", {
    second: true,
  }),
  sample("prelu", [f32([4]), f32([1], 0, 1, 1)], F.prelu, "F.prelu(x0, x1)", { second: true }),
  sample("glu", [f32([2, 4, 3])], (x) => F.glu(x, 1), "F.glu(x0, 1)", { second: true }),
  sample("softmin", [f32([2, 3])], (x) => F.softmin(x, 0), "F.softmin(x0, 0)", { second: true }),
];
