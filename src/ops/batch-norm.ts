/** Batch normalization: channels normalised over all other dimensions in few passes over memory. */

import { isFloat } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp } from "../graph/op.ts";
import { checkSameDType, formatShape, numel, ShapeError, type Shape } from "../graph/shape.ts";
import { add, mul, reciprocal, sqrt, sub } from "./elementwise.ts";
import { reshape } from "./shape.ts";
import { sum } from "./sum.ts";

interface BatchNormAttrs {
  readonly eps: number;
}

/** All dimensions of [N, C] or [N, C, L] but the channels. */
const others = (rank: number): number[] => (rank === 2 ? [0] : [0, 2]);
/** Channels [C] as they broadcast against [N, C] or [N, C, L]. */
const column = (channels: number, rank: number): Shape => [1, channels, 1].slice(0, rank);

/** x [N, C] or [N, C, L], weight and bias [C] → normalised and scaled x, mean [C], variance [C] (without correction). */
const batchNormOp = defineOp<BatchNormAttrs>({
  name: "batchNorm",
  infer: ([x, w]) => {
    const statistic = { dtype: x!.dtype, shape: w!.shape };
    return [{ dtype: x!.dtype, shape: x!.shape }, statistic, statistic];
  },
  // With c = x − μ, r = (σ² + ε)^−½, y = c·wr + b and n elements a channel:
  // dx = wr (g − Σg/n − c r² Σ(g c)/n); dμ/dx = 1/n; dσ²/dx = 2c/n; dw = r Σ(g c); db = Σg.
  vjp: ({ inputs: [x, w], outputs: [, mu, variance], attrs: { eps }, grads: [g, gMu, gVar] }) => {
    const rank = x!.shape.length;
    const n = numel(x!.shape) / numel(w!.shape);
    const up = (channels: Value): Value => reshape(channels, column(numel(w!.shape), rank));
    const centred = sub(x!, up(mu!));
    let ofG: Value | null = null;
    let ofCentred: Value | null = null;
    let shift: Value | null = null;
    let dw: Value | null = null;
    let db: Value | null = null;
    if (g) {
      const r = reciprocal(sqrt(add(variance!, eps)));
      const scale = mul(w!, r);
      db = sum(g, others(rank));
      dw = mul(sum(mul(g, centred), others(rank)), r);
      ofG = scale;
      ofCentred = mul(mul(mul(scale, r), dw), -1 / n);
      shift = mul(mul(scale, db), -1 / n);
    }
    if (gMu) shift = plus(shift, mul(gMu, 1 / n));
    if (gVar) ofCentred = plus(ofCentred, mul(gVar, 2 / n));
    const terms: Value[] = [];
    if (g && ofG) terms.push(mul(g, up(ofG)));
    if (ofCentred) terms.push(mul(centred, up(ofCentred)));
    if (shift) terms.push(up(shift));
    return [terms.reduce(add), dw, db];
  },
  lower: ({ inputs: [x, w, b], types: [type], attrs: { eps }, emit }) => {
    const { dtype, shape } = type!;
    const rank = shape.length;
    const axes = emit.ints(others(rank));
    const wide = emit.ints(column(shape[1]!, rank));
    const up = (channels: string): string => emit.node("Reshape", [channels, wide]);
    const mean = (of: string): string =>
      emit.node("ReduceMean", [of, axes], { keepdims: { int: 0 } });
    const mu = mean(x!);
    const centred = emit.node("Sub", [x!, up(mu)]);
    const variance = mean(emit.node("Mul", [centred, centred]));
    const deviation = emit.node("Sqrt", [emit.node("Add", [variance, emit.scalar(dtype, eps)])]);
    const scale = emit.node("Mul", [w!, emit.node("Reciprocal", [deviation])]);
    const scaled = emit.node("Mul", [centred, up(scale)]);
    return [emit.node("Add", [scaled, up(b!)]), mu, variance];
  },
});

const plus = (a: Value | null, b: Value): Value => (a === null ? b : add(a, b));

/** x [N, C, …] as [N, C] or [N, C, L]; throws unless the channels' tensors fit. */
function flattened(op: string, x: Value, channels: readonly Value[]): Value {
  if (!isFloat(x.dtype))
    throw new ShapeError(`${op}: needs a floating dtype, got ${x.dtype}; cast it first`);
  checkSameDType(op, [x, ...channels]);
  if (x.shape.length < 2)
    throw new ShapeError(`${op}: the input must be [N,C,…], got ${formatShape(x.shape)}`);
  const odd = channels.find(({ shape }) => shape.length !== 1 || shape[0] !== x.shape[1]);
  if (odd)
    throw new ShapeError(
      `${op}: an input ${formatShape(x.shape)} needs one number for each of ${x.shape[1]} channels, got ${formatShape(odd.shape)}`,
    );
  const [n, c, ...rest] = x.shape as [number, number, ...number[]];
  return rest.length === 0 ? x : reshape(x, [n, c, numel(rest)]);
}

/** Normalises x [N, C, …] by each channel's own mean and variance, which are returned too: [C], without correction. */
export function batchNorm(
  x: Value,
  weight: Value,
  bias: Value,
  eps: number,
): { output: Value; mean: Value; variance: Value } {
  const flat = flattened("batchNorm", x, [weight, bias]);
  const [y, mean, variance] = batchNormOp([flat, weight, bias], { eps });
  return { output: reshape(y!, x.shape), mean: mean!, variance: variance! };
}

/** Normalises x [N, C, …] by a given mean and variance of each channel. */
export function normalizeChannels(
  op: string,
  x: Value,
  [mean, variance, weight, bias]: readonly [Value, Value, Value | null, Value | null],
  eps: number,
): Value {
  const given = [mean, variance, weight, bias].filter((v) => v !== null);
  const flat = flattened(op, x, given);
  const up = (channels: Value): Value => reshape(channels, column(x.shape[1]!, flat.shape.length));
  const r = reciprocal(sqrt(add(variance, eps)));
  const scale = weight === null ? r : mul(weight, r);
  const offset = mul(mean, scale);
  const shift = bias === null ? mul(offset, -1) : sub(bias, offset);
  return reshape(add(mul(flat, up(scale)), up(shift)), x.shape);
}

/** x [N, C, …] times a weight and plus a bias of each channel. */
export function scaleChannels(
  op: string,
  x: Value,
  weight: Value | null,
  bias: Value | null,
): Value {
  const flat = flattened(
    op,
    x,
    [weight, bias].filter((v) => v !== null),
  );
  const up = (channels: Value): Value => reshape(channels, column(x.shape[1]!, flat.shape.length));
  const scaled = weight === null ? flat : mul(flat, up(weight));
  return reshape(bias === null ? scaled : add(scaled, up(bias)), x.shape);
}
