/** Softmax, log-softmax and layer normalization: fused operators with gradients from their own outputs. */

import { isFloat } from "../graph/dtype.ts";
import type { TypeSpec, Value } from "../graph/node.ts";
import { defineOp, defineOp1, type Emitter } from "../graph/op.ts";
import {
  checkSameDType,
  formatShape,
  numel,
  resolveDim,
  sameShape,
  ShapeError,
  type Shape,
} from "../graph/shape.ts";
import { add, exp, mul, sub } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { keepDims } from "./reduce.ts";
import { sum } from "./sum.ts";
import { concat, expand, reshape, slice } from "./shape.ts";
import { onesLike } from "./leaf.ts";

function needFloat(op: string, x: Value): void {
  if (!isFloat(x.dtype))
    throw new ShapeError(`${op}: needs a floating dtype, got ${x.dtype}; cast it first`);
}

interface DimAttrs {
  readonly dim: number;
}

const softmaxOp = defineOp1<DimAttrs>({
  name: "softmax",
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  // dx = y ⊙ (g − Σ g ⊙ y)
  vjp: ({ outputs: [y], attrs: { dim }, grads: [g] }) => [
    mul(sub(g!, keepDims(sum(mul(g!, y!), dim), y!, dim)), y!),
  ],
  lower: ({ inputs, attrs, emit }) => emit.node("Softmax", inputs, { axis: { int: attrs.dim } }),
});

/** exp(x) / Σ exp(x) along a dimension. */
export function softmax(x: Value, dim: number): Value {
  needFloat("softmax", x);
  return softmaxOp([x], { dim: resolveDim("softmax", dim, x.shape.length) });
}

const logSoftmaxOp = defineOp1<DimAttrs>({
  name: "logSoftmax",
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  // dx = g − softmax(x) Σ g
  vjp: ({ outputs: [y], attrs: { dim }, grads: [g] }) => [
    sub(g!, mul(exp(y!), keepDims(sum(g!, dim), y!, dim))),
  ],
  lower: ({ inputs: [x], attrs, emit }) => {
    if (!emit.target.gpu) return emit.node("LogSoftmax", [x!], { axis: { int: attrs.dim } });
    const axes = emit.ints([attrs.dim]);
    const shifted = emit.node("Sub", [
      x!,
      emit.node("ReduceMax", [x!, axes], { keepdims: { int: 1 } }),
    ]);
    const total = emit.node("ReduceSum", [emit.node("Exp", [shifted]), axes], {
      keepdims: { int: 1 },
    });
    return emit.node("Sub", [shifted, emit.node("Log", [total])]);
  },
});

/** x − log Σ exp(x) along a dimension. */
export function logSoftmax(x: Value, dim: number): Value {
  needFloat("logSoftmax", x);
  return logSoftmaxOp([x], { dim: resolveDim("logSoftmax", dim, x.shape.length) });
}

interface LayerNormAttrs {
  /** How many trailing dimensions are normalised together. */
  readonly dims: number;
  readonly eps: number;
}

/** x, weight, bias → normalised and scaled x, mean, 1/deviation; the statistics keep reduced dimensions as 1. */
const layerNormOp = defineOp<LayerNormAttrs>({
  name: "layerNorm",
  infer: ([x], { dims }) => {
    const lead = x!.shape.length - dims;
    const stats: Shape = x!.shape.map((size, i) => (i < lead ? size : 1));
    return [
      { dtype: x!.dtype, shape: x!.shape },
      { dtype: x!.dtype, shape: stats },
      { dtype: x!.dtype, shape: stats },
    ];
  },
  // With x̂ = (x − μ)r and h = g ⊙ w: dx = r (h − mean h − x̂ mean(h ⊙ x̂)); dμ/dx = 1/n; dr/dx = −r² x̂ / n. Written out,
  // so that x̂ is not needed: with p = Σ h ⊙ x and q = Σ h over rows and A = −r³ (p − μq) / n, as PyTorch computes it,
  // dx = g ⊙ (r wᵀ) + x A − μA − rq/n, dw = rᵀ(g ⊙ x) − (rμ)ᵀg, db = 1ᵀg.
  vjp: ({ inputs: [x, w], outputs: [, mu, r], grads: [g, gMu, gR], needs }) => {
    const n = numel(w!.shape);
    const rows = numel(x!.shape) / n;
    const column = (value: Value): Value => reshape(value, [rows, 1]);
    const [given, mean, scale] = [reshape(x!, [rows, n]), column(mu!), column(r!)];
    let dx: Value | null = null;
    let dw: Value | null = null;
    let db: Value | null = null;
    if (g) {
      const gradient = reshape(g, [rows, n]);
      const gx = mul(gradient, given);
      if (needs[0]) {
        const weight = reshape(w!, [n, 1]);
        const q = matmul(gradient, weight);
        const cubed = mul(mul(scale, scale), mul(scale, -1 / n));
        const a = mul(cubed, sub(matmul(gx, weight), mul(mean, q)));
        const b = add(mul(mean, a), mul(mul(scale, q), 1 / n));
        const direct = mul(gradient, matmul(scale, reshape(w!, [1, n])));
        dx = sub(add(direct, mul(given, a)), b);
      }
      const factors = concat([mul(scale, mean), onesLike(scale)], 1);
      const sums = matmul(factors, gradient, { transA: true });
      dw = sub(matmul(scale, gx, { transA: true }), slice(sums, 0, 0, 1));
      dw = reshape(dw, w!.shape);
      db = reshape(slice(sums, 0, 1), w!.shape);
    }
    if (gMu) dx = plus(dx, expand(mul(column(gMu), 1 / n), [rows, n]));
    if (gR) {
      const slope = mul(mul(mul(scale, scale), scale), mul(column(gR), -1 / n));
      dx = plus(dx, mul(sub(given, mean), slope));
    }
    return [dx && reshape(dx, x!.shape), dw, db];
  },
  lower: ({ inputs, types: [type], attrs, emit }) => {
    const lead = type!.shape.length - attrs.dims;
    if (emit.target.gpu || type!.dtype !== "float32")
      return lowerByParts(emit, inputs, type!, attrs);
    return emit.nodes("LayerNormalization", inputs, 3, {
      axis: { int: lead },
      epsilon: { float: attrs.eps },
    });
  },
});

const plus = (a: Value | null, b: Value): Value => (a === null ? b : add(a, b));

/** WebGPU's LayerNormalization returns no statistics, the CPU's only float32 ones: from means instead. */
function lowerByParts(
  emit: Emitter,
  [x, w, b]: readonly string[],
  { shape, dtype }: TypeSpec,
  { dims, eps }: LayerNormAttrs,
): readonly string[] {
  const axes = emit.ints(Array.from({ length: dims }, (_, i) => shape.length - dims + i));
  const keep = { keepdims: { int: 1 } };
  const mu = emit.node("ReduceMean", [x!, axes], keep);
  const centred = emit.node("Sub", [x!, mu]);
  const variance = emit.node("ReduceMean", [emit.node("Mul", [centred, centred]), axes], keep);
  const deviation = emit.node("Sqrt", [emit.node("Add", [variance, emit.scalar(dtype, eps)])]);
  const r = emit.node("Reciprocal", [deviation]);
  const scaled = emit.node("Mul", [emit.node("Mul", [centred, r]), w!]);
  return [emit.node("Add", [scaled, b!]), mu, r];
}

/** (x − mean) / √(variance + eps) · weight + bias over the trailing dimensions that `weight` has. */
export function layerNorm(x: Value, weight: Value, bias: Value, eps = 1e-5): Value {
  needFloat("layerNorm", x);
  checkSameDType("layerNorm", [x, weight, bias]);
  const trailing = x.shape.slice(x.shape.length - weight.shape.length);
  if (
    weight.shape.length === 0 ||
    !sameShape(trailing, weight.shape) ||
    !sameShape(weight.shape, bias.shape)
  ) {
    throw new ShapeError(
      `layerNorm: weight ${formatShape(weight.shape)} and bias ${formatShape(bias.shape)} must equal ` +
        `the last dimensions of the input ${formatShape(x.shape)}`,
    );
  }
  return layerNormOp([x, weight, bias], { dims: weight.shape.length, eps })[0]!;
}
