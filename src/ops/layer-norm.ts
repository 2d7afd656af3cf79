/** Layer normalization and its gradient, which computes a few rows at a time. */

import type { TypeSpec, Value } from "../graph/node.ts";
import { defineOp, type Emitter, type Typed } from "../graph/op.ts";
import {
  checkSameDType,
  formatShape,
  numel,
  sameShape,
  ShapeError,
  type Shape,
} from "../graph/shape.ts";
import { add, mul, neg, sub } from "./elementwise.ts";
import { needFloat } from "./normalize.ts";
import { expand } from "./shape.ts";
import { sum, sumTo } from "./sum.ts";
import { keepDims } from "./reduce.ts";

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
  // dμ/dx = 1/n; dr/dx = −r² x̂ / n with x̂ = (x − μ) r.
  vjp: ({ inputs: [x, w], outputs: [, mu, r], attrs: { dims }, grads: [g, gMu, gR], needs }) => {
    const n = numel(w!.shape);
    const affine = needs[1]! || needs[2]!;
    const found = g ? layerNormGradOp([x!, w!, mu!, r!, g], { dims, affine }) : [];
    let dx = found[0] ?? null;
    if (gMu) dx = plus(dx, expand(mul(gMu, 1 / n), x!.shape));
    if (gR) dx = plus(dx, mul(sub(x!, mu!), mul(mul(mul(r!, r!), r!), mul(gR, -1 / n))));
    return [dx, found[1] ?? null, found[2] ?? null];
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

interface LayerNormGradAttrs {
  readonly dims: number;
  /** Whether the gradients of weight and bias are wanted. */
  readonly affine: boolean;
}

/**
 * x, weight, mean μ, 1/deviation r, gradient g of the result → gradients of x and, where wanted, of weight and bias.
 * With c = x − μ, p = Σ g ⊙ w and q = Σ g ⊙ w ⊙ c over each row: dx = r (g ⊙ w) − (r³q/n) c − rp/n; dw = Σ r (g ⊙ c) and
 * db = Σ g over all rows.
 */
const layerNormGradOp = defineOp<LayerNormGradAttrs>({
  name: "layerNormGrad",
  infer: ([x, w], { affine }) => {
    const { dtype } = x!;
    const parameters = affine ? [w!, w!] : [];
    return [x!, ...parameters].map(({ shape }) => ({ dtype, shape }));
  },
  // Of ⟨u, dx⟩ + ⟨v, dw⟩ + ⟨t, db⟩, with a = Σ u ⊙ c, b = Σ u over each row, and α = r³a/n: what multiplies g ⊙ w is
  // e = r u − α c − rb/n; w gets Σ g ⊙ e, g gets w ⊙ e + r v ⊙ c + t, c gets r g ⊙ v − (r³q/n) u − α g ⊙ w, and μ the
  // opposite sum of that; r gets Σ g ⊙ w ⊙ u + Σ g ⊙ c ⊙ v − 3r²qa/n − pb/n.
  vjp: ({ inputs, attrs: { dims }, grads: [u, v, t], needs }) => {
    const [x, w, mu, r, g] = inputs as [Value, Value, Value, Value, Value];
    const n = numel(w.shape);
    const over = Array.from({ length: dims }, (_, i) => x.shape.length - dims + i);
    const total = (value: Value): Value => keepDims(sum(value, over), x, over);
    const c = sub(x, mu);
    const gw = mul(g, w);
    const parts: { e?: Value; c?: Value; r?: Value; g?: Value }[] = [];
    if (u) {
      const [a, b, p, q] = [total(mul(u, c)), total(u), total(gw), total(mul(gw, c))];
      const square = mul(mul(r, r), 1 / n);
      const alpha = mul(mul(square, r), a);
      const e = sub(sub(mul(r, u), mul(alpha, c)), mul(mul(r, 1 / n), b));
      parts.push({
        e,
        g: mul(w, e),
        c: neg(add(mul(mul(mul(square, r), q), u), mul(alpha, gw))),
        r: sub(total(mul(gw, u)), add(mul(mul(mul(square, 3), q), a), mul(mul(p, b), 1 / n))),
      });
    }
    if (v) {
      const gv = mul(g, v);
      parts.push({ g: mul(mul(r, v), c), c: mul(r, gv), r: total(mul(gv, c)) });
    }
    if (t) parts.push({ g: expand(t, g.shape) });
    const sumOf = (key: "e" | "c" | "r" | "g"): Value | null =>
      parts.reduce<Value | null>((sum, part) => (part[key] ? plus(sum, part[key]) : sum), null);
    const [dc, e] = [sumOf("c"), sumOf("e")];
    return [
      dc,
      needs[1] && e ? sumTo(mul(g, e), w.shape) : null,
      dc && neg(total(dc)),
      sumOf("r"),
      sumOf("g"),
    ];
  },
  lower: ({ inputs, types: [type, weight], attrs: { affine }, emit }) => {
    const { dtype, shape } = type!;
    const n = numel(weight!.shape);
    const count = n === 0 ? 0 : numel(shape) / n;
    const node = (opType: string, ...names: string[]): string => emit.node(opType, names);
    const shaped = (name: string, ...sizes: number[]): string =>
      emit.node("Reshape", [name, emit.ints(sizes)], { allowzero: { int: 1 } });
    const given = (name: string, width: number): Typed => ({
      ...{ dtype, shape: [count, width], name: shaped(name, count, width) },
    });
    const [row, column] = [shaped(inputs[1]!, 1, n), shaped(inputs[1]!, n, 1)];
    const ones = (size: number): string => emit.filled(dtype, [1, size], 1);
    const mean = node("Mul", inputs[3]!, emit.scalar(dtype, 1 / n));
    const cubed = node("Mul", node("Mul", inputs[3]!, inputs[3]!), mean);
    const matrices = [given(inputs[0]!, n), given(inputs[4]!, n)];
    const columns = [inputs[2]!, inputs[3]!, mean, cubed].map((name) => given(name, 1));
    // In ONNX Runtime products of vectors are quicker than broadcasting and sums, but kernels take sums in; and on WebGPU
    // products of a single row end the process.
    const bySums = emit.target.gpu || emit.target.kernels === true;
    const summed = (values: string, axis: number): string =>
      emit.node("ReduceSum", [values, emit.ints([axis])], { keepdims: { int: 1 } });
    const timesRow = (values: string): string => node(bySums ? "Mul" : "MatMul", values, row);
    const alongRows = (values: string): string =>
      bySums ? summed(node("Mul", values, row), 1) : node("MatMul", values, column);
    const { rows, sums } = emit.overRows([...matrices, ...columns], (names, size) => {
      const [x, g, mu, r, mean, cubed] = names as [string, string, string, string, string, string];
      const c = node("Sub", x, mu);
      const gc = node("Mul", g, c);
      const p = node("Mul", alongRows(g), mean);
      const q = node("Mul", alongRows(gc), cubed);
      const others = node("Add", node("Mul", c, q), p);
      const dx = node("Sub", node("Mul", g, timesRow(r)), others);
      const total = (name: string): Typed => ({ dtype, shape: [1, n], name });
      const dw = (): string =>
        bySums ? summed(node("Mul", gc, r), 0) : node("MatMul", shaped(r, 1, size), gc);
      const db = (): string => (bySums ? summed(g, 0) : node("MatMul", ones(size), g));
      return {
        rows: [{ dtype, shape: [size, n], name: dx }],
        sums: affine ? [total(dw()), total(db())] : [],
      };
    });
    return [shaped(rows[0]!, ...shape), ...sums.map((name) => shaped(name, ...weight!.shape))];
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
