/** Samples of the recurrent operations, whose operands PyTorch is given through weights of one. */

import type { Tensor } from "../../../src/index.ts";
import { gru } from "../../../src/ops/gru.ts";
import { lstm } from "../../../src/ops/lstm.ts";
import { rnn } from "../../../src/ops/rnn.ts";
import { deriveAll } from "../../../src/tensor/derive.ts";
import { floats, sample, type Sample } from "../sample.ts";

type DType = "float32" | "float64";
const attrs = (steps: number, reverse = false) => ({ steps, reverse });

/** PyTorch's call for `steps` of two sequences; backwards, its sequences are turned round before and after. */
function call(kind: string, steps: number, width: number, rest: string, turned: boolean): string {
  const turn = turned ? ".flip(0)" : "";
  const states = kind === "lstm" ? "(x2[None], x3[None])" : "x2[None]";
  const output = kind === "lstm" ? "(r[0], r[1][0], r[2][0])" : "(r[0], r[1][0])";
  const weights = `[torch.eye(${width}, dtype=x0.dtype), x1${rest}]`;
  const options = `${rest !== "" ? "True" : "False"}, 1, 0.0, False, False, False`;
  return (
    `(lambda r: (r[0]${turn}.flatten(0, 1), *${output}[1:]))` +
    `(torch.${kind}(x0.reshape(${steps}, 2, ${width})${turn}, ${states}, ${weights}, ${options}))`
  );
}

const lstmSample = (dtype: DType, steps: number, reverse: boolean): Sample =>
  sample(
    "lstm",
    [
      ...[floats(dtype, [2 * steps, 12]), floats(dtype, [12, 3], -1, 1)],
      ...[floats(dtype, [2, 3]), floats(dtype, [2, 3], -2, 2, 1)],
    ],
    (...x: Tensor[]) => {
      const [hs, , h, c] = deriveAll(x, ([v, w, h0, c0]) =>
        lstm(v!, w!, h0!, c0!, attrs(steps, reverse)),
      );
      return [hs!, h!, c!];
    },
    call("lstm", steps, 12, "", reverse),
    // oneDNN's float32 kernel has no second derivatives.
    { second: dtype === "float64" },
  );

const gruSample = (dtype: DType, steps: number, reverse: boolean): Sample =>
  sample(
    "gru",
    [
      ...[floats(dtype, [2 * steps, 9]), floats(dtype, [9, 3], -1, 1)],
      ...[floats(dtype, [2, 3]), floats(dtype, [9])],
    ],
    (...x: Tensor[]) =>
      deriveAll(x, ([v, w, h0, b]) => gru(v!, w!, h0!, b!, attrs(steps, reverse))),
    call("gru", steps, 9, ", torch.zeros_like(x3), x3", reverse),
    { second: true },
  );

const rnnSample = (
  dtype: DType,
  steps: number,
  reverse: boolean,
  nonlinearity: "tanh" | "relu",
): Sample =>
  sample(
    "rnn",
    [floats(dtype, [2 * steps, 3]), floats(dtype, [3, 3], -1, 1), floats(dtype, [2, 3])],
    (...x: Tensor[]) =>
      deriveAll(x, ([v, w, h0]) => rnn(v!, w!, h0!, { ...attrs(steps, reverse), nonlinearity })),
    call(`rnn_${nonlinearity}`, steps, 3, "", reverse),
    { second: true },
  );

export const recurrentSamples: readonly Sample[] = [
  ...[lstmSample, gruSample].flatMap((make) => [
    make("float32", 3, false),
    make("float32", 3, true),
    make("float64", 3, false),
    make("float64", 2, true),
    make("float64", 1, false),
  ]),
  rnnSample("float32", 3, false, "tanh"),
  rnnSample("float64", 3, true, "tanh"),
  rnnSample("float64", 3, false, "relu"),
  rnnSample("float32", 1, true, "relu"),
];
