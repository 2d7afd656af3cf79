/** Parts of losses whose gradients are not what differentiating their formulas step by step would give, or would give slowly. */

import type { Value } from "../graph/node.ts";
import { defineOp, defineOp1, type Emitter } from "../graph/op.ts";
import { checkSameDType, sameShape, formatShape, ShapeError } from "../graph/shape.ts";
import { add, div, exp, log, log1p, maximum, mul, neg, sigmoid, sub } from "./elementwise.ts";
import { emitLog1p, emitLog1pInside } from "./emit-math.ts";
import { scatterAdd } from "./indexing.ts";
import { full } from "./leaf.ts";
import { keepDims } from "./reduce.ts";
import { sum } from "./sum.ts";

const logisticLossOp = defineOp1({
  name: "logisticLoss",
  elementwise: true,
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  vjp: ({ inputs: [x], grads: [g] }) => [mul(g!, sigmoid(x!))],
  // max(x, 0) + log(1 + exp(−|x|)): neither overflows nor loses small values.
  lower: ({ inputs: [x], types: [type], emit }) => {
    const small = emit.node("Exp", [emit.node("Neg", [emit.node("Abs", [x!])])]);
    return emit.node("Add", [emit.node("Relu", [x!]), emitLog1pInside(emit, small, type!.dtype)]);
  },
});

/** log(1 + eˣ) = −log sigmoid(−x), exact for large and small x; its gradient at 0 is ½. */
export const logisticLoss = (x: Value): Value => logisticLossOp([x]);

/** PyTorch's bound of the logarithms. */
const LEAST_LOG = -100;

const binaryCrossEntropyOp = defineOp1({
  name: "binaryCrossEntropy",
  elementwise: true,
  infer: ([x, t]) => {
    checkSameDType("binaryCrossEntropy", [x!, t!]);
    if (!sameShape(x!.shape, t!.shape))
      throw new ShapeError(
        `binaryCrossEntropy: input ${formatShape(x!.shape)} and target ${formatShape(t!.shape)} must have the same shape`,
      );
    return { dtype: x!.dtype, shape: x!.shape };
  },
  // PyTorch bounds the logarithms in the value, and in the gradient x(1 − x), by which it divides.
  vjp: ({ inputs: [x, t], grads: [g], needs }) => {
    const bounded = (logarithm: Value): Value => maximum(logarithm, LEAST_LOG);
    const slope = (): Value => div(sub(x!, t!), maximum(mul(x!, sub(1, x!)), 1e-12));
    return [
      needs[0] ? mul(g!, slope()) : null,
      needs[1] ? mul(g!, sub(bounded(log1p(neg(x!))), bounded(log(x!)))) : null,
    ];
  },
  // (t − 1) log(1 − x) − t log x
  lower: ({ inputs: [x, t], types: [type], emit }) => {
    const { dtype } = type!;
    const least = emit.scalar(dtype, LEAST_LOG);
    // Where x is `end` the logarithm is −∞, except on some GPUs.
    const bounded = (logarithm: string, end: number): string => {
      const most = emit.node("Max", [logarithm, least]);
      if (!emit.target.gpu) return most;
      return emit.node("Where", [emit.node("Equal", [x!, emit.scalar(dtype, end)]), least, most]);
    };
    const yes = bounded(emit.node("Log", [x!]), 0);
    const no = bounded(emitLog1p(emit, emit.node("Neg", [x!]), dtype), 1);
    return emit.node("Sub", [
      emit.node("Mul", [emit.node("Sub", [t!, emit.scalar(dtype, 1)]), no]),
      emit.node("Mul", [t!, yes]),
    ]);
  },
});

/** −(t log x + (1 − t) log(1 − x)) of probabilities x, with logarithms of at least −100. */
export const binaryCrossEntropy = (x: Value, t: Value): Value => binaryCrossEntropyOp([x, t]);

interface CrossEntropyAttrs {
  readonly dim: number;
  /** This share ε of every target is spread evenly over the C classes. */
  readonly smoothing: number;
}

/** Scores and the positions of the right classes, of size 1 along `dim` → losses of that shape, log-probabilities y. */
const crossEntropyOp = defineOp<CrossEntropyAttrs>({
  name: "softmaxCrossEntropy",
  infer: ([x, target]) => [
    { dtype: x!.dtype, shape: target!.shape },
    { dtype: x!.dtype, shape: x!.shape },
  ],
  // With p = softmax(x): dx = g (p − (1 − ε) onehot(target) − ε/C); of the log-probabilities, dx = h − p Σ h.
  vjp: ({ inputs: [, target], outputs: [, y], attrs: { dim, smoothing }, grads: [g, h] }) => {
    const p = exp(y!);
    const parts: Value[] = [];
    if (g) {
      const own = scatterAdd(p, dim, target!, full(target!.shape, smoothing - 1, p.dtype));
      parts.push(mul(smoothing === 0 ? own : sub(own, smoothing / p.shape[dim]!), g));
    }
    if (h) parts.push(sub(h, mul(p, keepDims(sum(h, dim), h, dim))));
    return [parts.reduce(add), null];
  },
  // −(1 − ε) y[target] − ε mean y
  lower: ({ inputs: [x, target], types: [type], attrs: { dim, smoothing }, emit }) => {
    const y = logSoftmaxOf(emit, x!, dim);
    const picked = emit.node("GatherElements", [y, target!], { axis: { int: dim } });
    if (smoothing === 0) return [emit.node("Neg", [picked]), y];
    const mean = emit.node("ReduceMean", [y, emit.ints([dim])], { keepdims: { int: 1 } });
    const share = (x: string, factor: number): string =>
      emit.node("Mul", [x, emit.scalar(type!.dtype, factor)]);
    return [emit.node("Add", [share(picked, smoothing - 1), share(mean, -smoothing)]), y];
  },
});

/** WebGPU has no LogSoftmax. */
function logSoftmaxOf(emit: Emitter, x: string, dim: number): string {
  if (!emit.target.gpu) return emit.node("LogSoftmax", [x], { axis: { int: dim } });
  const axes = emit.ints([dim]);
  const keep = { keepdims: { int: 1 } };
  const shifted = emit.node("Sub", [x, emit.node("ReduceMax", [x, axes], keep)]);
  const total = emit.node("ReduceSum", [emit.node("Exp", [shifted]), axes], keep);
  return emit.node("Sub", [shifted, emit.node("Log", [total])]);
}
/**
 * −log softmax(x) along `dim` at `target`, whose size there is 1; with `smoothing` ε that makes up 1 − ε, and the mean over
 * all classes ε. The gradient takes few passes over the probabilities.
 */
export const softmaxCrossEntropy = (x: Value, target: Value, dim: number, smoothing = 0): Value =>
  crossEntropyOp([x, target], { dim, smoothing })[0]!;
