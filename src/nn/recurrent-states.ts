/** What recurrent networks and their single steps compute from inputs, states and weights. */

import { zeros } from "../creation.ts";
import { cat } from "../joining.ts";
import { gru } from "../ops/gru.ts";
import { lstm } from "../ops/lstm.ts";
import { stepOrder, type RecurrentAttrs } from "../ops/recurrent.ts";
import { rnn } from "../ops/rnn.ts";
import { deriveAll } from "../tensor/derive.ts";
import type { Tensor } from "../tensor.ts";
import * as F from "./functional/index.ts";

/** Weights of one layer in one direction. */
export interface RecurrentWeights {
  readonly weight_ih: Tensor;
  readonly weight_hh: Tensor;
  readonly bias_ih: Tensor | null;
  readonly bias_hh: Tensor | null;
  readonly weight_hr: Tensor | null;
}

export function checkNonlinearity(
  name: string,
  nonlinearity: "tanh" | "relu" = "tanh",
): "tanh" | "relu" {
  if (nonlinearity !== "tanh" && nonlinearity !== "relu")
    throw new Error(
      `${name}: nonlinearity must be "tanh" or "relu", got "${String(nonlinearity)}"`,
    );
  return nonlinearity;
}

/** x Wᵀ with the sum of both biases, for all steps at once. */
const fromInputs = (x: Tensor, { weight_ih, bias_ih, bias_hh }: RecurrentWeights): Tensor =>
  F.linear(x, weight_ih, bias_ih === null ? null : bias_ih.add(bias_hh!));

/** h of a plain recurrent network over inputs [T·B, in] after each step [T·B, H] and after the last [B, H]. */
export const rnnStates = (
  x: Tensor,
  weights: RecurrentWeights,
  h: Tensor,
  attrs: RecurrentAttrs,
  nonlinearity: "tanh" | "relu",
): Tensor[] =>
  deriveAll([fromInputs(x, weights), weights.weight_hh, h], ([v, w, h0]) =>
    rnn(v!, w!, h0!, { ...attrs, nonlinearity }),
  );

/** As rnnStates, of a GRU. */
export function gruStates(
  x: Tensor,
  { weight_ih, weight_hh, bias_ih, bias_hh }: RecurrentWeights,
  h: Tensor,
  attrs: RecurrentAttrs,
): Tensor[] {
  const bias = bias_hh ?? zeros([weight_hh.shape[0]!], { dtype: x.dtype });
  return deriveAll([F.linear(x, weight_ih, bias_ih), weight_hh, h, bias], ([v, w, h0, b]) =>
    gru(v!, w!, h0!, b!, attrs),
  );
}

/** As rnnStates, of an LSTM: h and c after each step, then after the last. */
export function lstmStates(
  x: Tensor,
  weights: RecurrentWeights,
  h: Tensor,
  c: Tensor,
  attrs: RecurrentAttrs,
): Tensor[] {
  const { weight_hh, weight_hr } = weights;
  const all = fromInputs(x, weights);
  const run = (rows: Tensor, first: readonly [Tensor, Tensor], own: RecurrentAttrs): Tensor[] =>
    deriveAll([rows, weight_hh, ...first], ([v, w, h0, c0]) => lstm(v!, w!, h0!, c0!, own));
  if (weight_hr === null) return run(all, [h, c], attrs);
  // The projection stands between a step and the next, so the steps are operations of their own.
  const inputs = all.split(h.shape[0]!);
  const [hs, cs] = [new Array<Tensor>(attrs.steps), new Array<Tensor>(attrs.steps)];
  for (const t of stepOrder(attrs)) {
    const [wide, next] = run(inputs[t]!, [h, c], { steps: 1, reverse: false });
    hs[t] = h = F.linear(wide!, weight_hr);
    cs[t] = c = next!;
  }
  return [cat(hs), cat(cs), h, c];
}
