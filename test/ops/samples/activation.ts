/** Samples of activations that are operations of their own. */

import { grad, type Tensor } from "../../../src/index.ts";
import { gelu } from "../../../src/ops/activation.ts";
import { derive } from "../../../src/tensor.ts";
import { f32, f64, given, sample, type Sample } from "../sample.ts";

const activated = (x: Tensor): Tensor => derive([x], ([v]) => gelu(v!));

/** Its derivative, and with it second and third ones. */
const derivative = (x: Tensor): Tensor => grad(activated(x).sum(), [x], { createGraph: true })[0]!;
const DERIVATIVE = "torch.autograd.grad(F.gelu(x0).sum(), x0, create_graph=True)[0]";

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
];
