/** Softmax and log-softmax: fused operators with gradients from their own outputs. */

import { isFloat } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp1 } from "../graph/op.ts";
import { numel, resolveDim, ShapeError } from "../graph/shape.ts";
import { exp, mul, sub } from "./elementwise.ts";
import { keepDims } from "./reduce.ts";
import { sum } from "./sum.ts";

export function needFloat(op: string, x: Value): void {
  if (!isFloat(x.dtype))
    throw new ShapeError(`${op}: needs a floating dtype, got ${x.dtype}; cast it first`);
}

interface DimAttrs {
  readonly dim: number;
}

/** y, g → y ⊙ (g − Σ g ⊙ y): the gradient of softmax from that of its result y. */
const softmaxGradOp: (inputs: readonly Value[], attrs: DimAttrs) => Value = defineOp1<DimAttrs>({
  name: "softmaxGrad",
  infer: ([y]) => ({ dtype: y!.dtype, shape: y!.shape }),
  // Linear in g and symmetric; dy = u ⊙ (g − Σ g ⊙ y) − g Σ u ⊙ y.
  vjp: ({ inputs: [y, g], attrs: { dim }, grads: [u], needs }) => {
    const dot = (value: Value): Value => keepDims(sum(mul(value, y!), dim), y!, dim);
    return [
      needs[0] ? sub(mul(u!, sub(g!, dot(g!))), mul(g!, dot(u!))) : null,
      needs[1] ? softmaxGradOp([y!, u!], { dim }) : null,
    ];
  },
  lower: ({ inputs: [y, g], types: [type], attrs: { dim }, emit }) => {
    const { dtype, shape } = type!;
    const gradient = ([y, g]: readonly string[], axis: number): string => {
      const keep = { keepdims: { int: 1 } };
      const dot = emit.node("ReduceSum", [emit.node("Mul", [g!, y!]), emit.ints([axis])], keep);
      return emit.node("Mul", [emit.node("Sub", [g!, dot]), y!]);
    };
    if (dim !== shape.length - 1 || dim === 0) return gradient([y!, g!], dim);
    const n = shape[dim]!;
    const matrix = { dtype, shape: [n === 0 ? 0 : numel(shape) / n, n] };
    const given = [y!, g!].map((name) => ({
      ...matrix,
      name: emit.node("Reshape", [name, emit.ints(matrix.shape)]),
    }));
    const { rows } = emit.overRows(given, (names, count) => ({
      rows: [{ dtype, shape: [count, n], name: gradient(names, 1) }],
      sums: [],
    }));
    return emit.node("Reshape", [rows[0]!, emit.ints(shape)]);
  },
});

const softmaxOp = defineOp1<DimAttrs>({
  name: "softmax",
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  vjp: ({ outputs: [y], attrs, grads: [g] }) => [softmaxGradOp([y!, g!], attrs)],
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
