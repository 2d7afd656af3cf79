/** Connectionist temporal classification: the recursion over time in logarithms, and its gradient from both directions. */

import type { Value } from "../graph/node.ts";
import { defineOp1 } from "../graph/op.ts";
import type { Shape } from "../graph/shape.ts";
import { eq, gt, isInf, le, logicalAnd, lt, where } from "./compare.ts";
import { add, exp, log, maximum, mul, neg, sub } from "./elementwise.ts";
import { gather, scatterAdd } from "./indexing.ts";
import { detach, full } from "./leaf.ts";
import { iota } from "./random.ts";
import { concat, expand, pad, reshape, slice } from "./shape.ts";
import { split } from "./split.ts";

// Shapes: T steps, N sequences, C classes, at most S labels. With blanks around every label a sequence has S′ = 2S + 1
// states, of which those up to 2·length count.

/** Repeats [T or 1, N or 1, S′ or 1] to the full shape, as `gather` takes positions. */
const everywhere = (x: Value, shape: Shape, like: Shape): Value => expand(reshape(x, shape), like);

/** The scores of the states' classes: [T, N, C] and [N, S′] → [T, N, S′]. */
const emissions = (logProbs: Value, states: Value): Value =>
  gather(logProbs, 2, statePositions(states, logProbs.shape[0]!));

const statePositions = (states: Value, steps: number): Value => {
  const [n, s] = states.shape as [number, number];
  return everywhere(states, [1, n, s], [steps, n, s]);
};

/** [N, S′] with the states of each sequence in reverse order, as positions. */
function backwardStates(targetLengths: Value, s: number): Value {
  const top = mul(reshape(targetLengths, [-1, 1]), 2);
  return maximum(sub(top, reshape(iota(s), [1, s])), 0);
}

/** [T, N, S′] with steps and states of each sequence in reverse order, within its lengths; twice, what it was. */
function reversed(x: Value, inputLengths: Value, targetLengths: Value): Value {
  const [t, n, s] = x.shape as [number, number, number];
  const last = sub(reshape(inputLengths, [1, n]), 1);
  const steps = maximum(sub(last, reshape(iota(t), [t, 1])), 0);
  const turned = gather(x, 0, everywhere(steps, [t, n, 1], x.shape));
  return gather(turned, 2, statePositions(backwardStates(targetLengths, s), t));
}

/** Below any sum of logarithms that matters: −∞ − (−∞) is never computed. */
const FLOOR = -1e30;

/** log Σ exp of values of one shape, which may be −∞. */
function logAddExp(values: readonly Value[]): Value {
  const most = maximum(values.reduce(maximum), FLOOR);
  return add(log(values.map((x) => exp(sub(x, most))).reduce(add)), most);
}

/**
 * α₀ is the score of the first two states; αₜ(s) is the score of s and log Σ exp of αₜ₋₁ at s, at s − 1, and at s − 2
 * where its label is another. Scores [T, N, S′] and states [N, S′] → [T, N, S′].
 */
function recursion(scores: Value, states: Value): Value {
  const [steps, n, s] = scores.shape as [number, number, number];
  const none = (shape: Shape): Value => full(shape, -Infinity, scores.dtype);
  const zero = full([], 0, scores.dtype);
  const first = where(reshape(lt(iota(s), 2), [1, 1, s]), zero, -Infinity);
  const repeated = eq(slice(states, 1, 2), slice(states, 1, 0, Math.max(0, s - 2)));
  const known = where(reshape(repeated, [1, n, Math.max(0, s - 2)]), -Infinity, zero);
  const skip = s < 3 ? none([1, n, s]) : concat([none([1, n, 2]), known], 2);
  const [start, ...rest] = split(scores, Array<number>(steps).fill(1), 0);
  const alphas = [add(start!, first)];
  for (const score of rest) {
    const stay = alphas.at(-1)!;
    const before = pad(stay, [0, 0, 2], [0, 0, 0], -Infinity);
    const next = slice(before, 2, 1, 1 + s);
    const over = add(slice(before, 2, 0, s), skip);
    alphas.push(add(logAddExp([stay, next, over]), score));
  }
  return concat(alphas, 0);
}

/** A gradient, and the log-probabilities it depends on: says that it has none itself. */
const ctcGradientOp = defineOp1({
  name: "ctcGradient",
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  vjp: () => {
    throw new Error("ctcLoss: second derivatives are not supported, as in PyTorch");
  },
  lower: ({ inputs }) => inputs[0]!,
  view: true,
});

interface CtcAttrs {
  /** Whether sequences that no path fits, whose loss is infinite, have gradients of 0; else they have NaN. */
  readonly zeroInfinity: boolean;
}

/** Losses [N], which it returns, and what their gradient is made of: that of the log-probabilities alone is wanted. */
const ctcLossOp = defineOp1<CtcAttrs>({
  name: "ctcLoss",
  infer: ([losses]) => ({ dtype: losses!.dtype, shape: losses!.shape }),
  // Graves et al. (2006), equation 16, as PyTorch has it, for log-probabilities that come from a softmax: the probability
  // of a class less that of being in one of its states, exp(α + β − score + loss).
  vjp: ({
    inputs: [losses, both, logProbs, states, inputLengths, targetLengths],
    attrs,
    grads: [g],
  }) => {
    const [t, n] = logProbs!.shape as [number, number, number];
    const s = states!.shape[1]!;
    const probs = detach(logProbs!);
    const forth = slice(both!, 1, 0, n);
    const back = reversed(slice(both!, 1, n), inputLengths!, targetLengths!);
    const score = emissions(probs, states!);
    const along = (x: Value): Value => reshape(x, [1, n, 1]);
    const running = lt(reshape(iota(t), [t, 1, 1]), along(inputLengths!)); // [T, N, 1]
    const inside = le(reshape(iota(s), [1, 1, s]), mul(along(targetLengths!), 2)); // [1, N, S′]
    const counted = logicalAnd(logicalAnd(running, inside), gt(score, -Infinity));
    const path = add(sub(add(forth, back), score), along(losses!));
    const occupied = exp(where(counted, path, -Infinity));
    const all = where(running, exp(probs), 0);
    const whole = scatterAdd(all, 2, statePositions(states!, t), neg(occupied));
    const unreached = attrs.zeroInfinity ? 0 : where(running, full([], NaN, probs.dtype), 0);
    const slopes = where(along(isInf(losses!)), unreached, whole);
    return [null, null, mul(ctcGradientOp([slopes, logProbs!]), along(g!)), null, null, null];
  },
  lower: ({ inputs }) => inputs[0]!,
  view: true,
});

/**
 * −log of the probability of the labels, over all their alignments: log-probabilities [T, N, C], int32 labels [N, S], of
 * which those behind `targetLengths` [N] do not count, and `inputLengths` [N] → losses [N]; ∞ where no alignment fits.
 */
export function ctcLoss(
  logProbs: Value,
  labels: Value,
  inputLengths: Value,
  targetLengths: Value,
  { blank, zeroInfinity }: CtcAttrs & { blank: number },
): Value {
  const [n, s] = labels.shape as [number, number];
  const classes = logProbs.shape[2]!;
  const column = (x: Value): Value => reshape(x, [n, 1]);
  const given = lt(reshape(iota(s), [1, s]), column(targetLengths));
  // Negative labels, which ONNX would count from the end, are put out of range, where they are an error.
  const checked = where(lt(labels, 0), classes, labels);
  const pairs = concat(
    [full([n, s, 1], blank, "int32"), reshape(where(given, checked, blank), [n, s, 1])],
    2,
  );
  const states = concat([reshape(pairs, [n, 2 * s]), full([n, 1], blank, "int32")], 1); // [N, S′]

  // Time runs forth in the first N rows and back in the others: one recursion gives both directions.
  const scores = emissions(detach(logProbs), states);
  const turned = gather(states, 1, backwardStates(targetLengths, 2 * s + 1));
  const both = recursion(
    concat([scores, reversed(scores, inputLengths, targetLengths)], 1),
    concat([states, turned], 0),
  );

  // At the last step the path is in the last blank or the last label.
  const forth = slice(both, 1, 0, n);
  const last = maximum(sub(inputLengths, 1), 0);
  const end = gather(forth, 0, everywhere(last, [1, n, 1], [1, n, 2 * s + 1]));
  const top = mul(column(targetLengths), 2);
  const at = (state: Value): Value => gather(reshape(end, [n, 2 * s + 1]), 1, state);
  const label = where(gt(top, 0), at(maximum(sub(top, 1), 0)), -Infinity);
  const reached = logAddExp([at(top), label]);
  const nothing = where(gt(top, 0), full([], -Infinity, logProbs.dtype), 0);
  const likelihood = where(gt(column(inputLengths), 0), reached, nothing);
  const losses = reshape(neg(likelihood), [n]);
  return ctcLossOp([losses, both, logProbs, states, inputLengths, targetLengths], { zeroInfinity });
}
