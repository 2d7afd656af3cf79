/** Two-dimensional convolutions, [batch, channels, height, width], and their exact gradients. */

import type { Value } from "../graph/node.ts";
import { defineOp1, type OnnxAttribute } from "../graph/op.ts";
import { checkSameDType, formatShape, numel, ShapeError, type Shape } from "../graph/shape.ts";
import { matmul } from "./matmul.ts";
import { permute, reshape, slice } from "./shape.ts";
import { sum } from "./sum.ts";
import {
  checkOutput,
  inFloat32,
  two,
  windowAttributes,
  windowsShape,
  type Pair,
  type Two,
  type Windows,
} from "./windows.ts";

interface ConvAttrs extends Windows {
  readonly groups: number;
}

/** How a kernel lies over images. */
export interface ConvOptions {
  readonly stride?: Pair;
  /** Zeros around the input; "same": as many as keep its size, "valid": none. */
  readonly padding?: Pair | "same" | "valid";
  readonly dilation?: Pair;
  readonly groups?: number;
}

const onnxAttrs = (attrs: ConvAttrs): Record<string, OnnxAttribute> => ({
  ...windowAttributes(attrs),
  group: { int: attrs.groups },
});

/** x [N, C, H, W], weight [O, C/groups, kh, kw], optional bias [O] → [N, O, OH, OW]. */
const convOp = defineOp1<ConvAttrs>({
  name: "conv2d",
  flops: ([, w], [y]) => 2 * numel(y!.shape) * numel(w!.shape.slice(1)),
  infer: ([x, w], attrs) => {
    const [o, , kh, kw] = w!.shape as [number, number, number, number];
    return { dtype: x!.dtype, shape: windowsShape(x!.shape, o, [kh, kw], attrs) };
  },
  vjp: ({ inputs: [x, w, b], attrs, grads: [g], needs }) => [
    needs[0] ? convAdjoint(g!, w!, x!.shape, attrs) : null,
    needs[1] ? weightGrad(x!, g!, w!.shape, attrs) : null,
    ...(b === undefined ? [] : [sum(g!, [0, 2, 3])]),
  ],
  lower: (context) =>
    inFloat32(context, (inputs) => context.emit.node("Conv", inputs, onnxAttrs(context.attrs))),
});

/** The gradient of a convolution's input of shape `x` from that of its output: a transposed convolution. */
export function convAdjoint(g: Value, w: Value, x: Shape, attrs: ConvAttrs): Value {
  const { stride, before, after, dilation } = attrs;
  // What must be added at the end so that the result has the size that the convolution started from.
  const extra = (i: 0 | 1): number =>
    x[2 + i]! -
    ((g.shape[2 + i]! - 1) * stride[i] -
      before[i] -
      after[i] +
      dilation[i] * (w.shape[2 + i]! - 1) +
      1);
  return convTransposeOp([g, w], { ...attrs, outputPadding: [extra(0), extra(1)] });
}

/**
 * Gradient of a convolution's weight: a convolution of the input by the output's gradient, batch and channels swapped,
 * with stride and dilation exchanged. Groups become groups of batch elements.
 */
function weightGrad(
  x: Value,
  g: Value,
  weight: Shape,
  { stride, before, after, dilation, groups }: ConvAttrs,
): Value {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const padded = [...before, ...after].some((p) => p > 0);
  if (groups === 1 && weight[2] === 1 && weight[3] === 1 && !padded) return pointwise(x, g, stride);
  const perGroup = c / groups;
  // [N, G·C, H, W] → [C, G·N, H, W]
  const input = reshape(permute(reshape(x, [n, groups, perGroup, h, w]), [2, 1, 0, 3, 4]), [
    perGroup,
    groups * n,
    h,
    w,
  ]);
  const kernel = permute(g, [1, 0, 2, 3]); // [O, N, OH, OW]
  const attrs = { stride: dilation, before, after, dilation: stride, groups };
  const full = convOp([input, kernel], attrs); // [C, O, ≥kh, ≥kw]
  const cut = slice(slice(full, 2, 0, weight[2]), 3, 0, weight[3]);
  return permute(cut, [1, 0, 2, 3]);
}

/** The same for kernels of one element: one matrix product over the batch and all places, [O, N·L] · [N·L, C]. */
function pointwise(x: Value, g: Value, stride: Two): Value {
  const used = ([0, 1] as const).reduce((y, i) => {
    const last = (g.shape[2 + i]! - 1) * stride[i];
    return slice(y, 2 + i, 0, last + 1, stride[i]);
  }, x);
  const rows = (value: Value): Value => {
    const [n, c, h, w] = value.shape as [number, number, number, number];
    return reshape(permute(value, [1, 0, 2, 3]), [c, n * h * w]);
  };
  const product = matmul(rows(g), rows(used), { transB: true });
  return reshape(product, [...product.shape, 1, 1]);
}

interface ConvTransposeAttrs extends ConvAttrs {
  readonly outputPadding: Two;
}

/** x [N, C, H, W], weight [C, O/groups, kh, kw], optional bias [O] → [N, O, OH, OW]. */
const convTransposeOp: (inputs: readonly Value[], attrs: ConvTransposeAttrs) => Value =
  defineOp1<ConvTransposeAttrs>({
    name: "convTranspose2d",
    flops: ([x, w]) => 2 * numel(x!.shape) * numel(w!.shape.slice(1)),
    infer: ([x, w], { stride: s, before, after, dilation: d, outputPadding: extra, groups }) => {
      const size = (i: 0 | 1): number =>
        (x!.shape[2 + i]! - 1) * s[i] -
        before[i] -
        after[i] +
        d[i] * (w!.shape[2 + i]! - 1) +
        extra[i] +
        1;
      return { dtype: x!.dtype, shape: [x!.shape[0]!, w!.shape[1]! * groups, size(0), size(1)] };
    },
    vjp: ({ inputs: [x, w, b], attrs, grads: [g], needs }) => {
      const { outputPadding: _, ...plain } = attrs;
      return [
        needs[0] ? convOp([g!, w!], plain) : null,
        needs[1] ? weightGrad(g!, x!, w!.shape, plain) : null,
        ...(b === undefined ? [] : [sum(g!, [0, 2, 3])]),
      ];
    },
    lower: (context) =>
      inFloat32(context, (inputs) =>
        context.emit.node("ConvTranspose", inputs, {
          ...onnxAttrs(context.attrs),
          output_padding: { ints: context.attrs.outputPadding },
        }),
      ),
  });

/** Padding of both sides that keeps the size; where it is odd the end gets more, as in PyTorch. */
function samePadding(op: string, kernel: Two, stride: Two, dilation: Two): [Two, Two] {
  if (stride.some((s) => s !== 1))
    throw new ShapeError(`${op}: padding "same" needs stride 1, got ${String(stride)}`);
  const total = (i: 0 | 1): number => dilation[i] * (kernel[i] - 1);
  const start = (i: 0 | 1): number => Math.floor(total(i) / 2);
  return [
    [start(0), start(1)],
    [total(0) - start(0), total(1) - start(1)],
  ];
}

function convAttrs(op: string, weight: Value, options: ConvOptions): ConvAttrs {
  const groups = options.groups ?? 1;
  if (!Number.isInteger(groups) || groups < 1)
    throw new ShapeError(`${op}: groups must be a positive integer, got ${groups}`);
  const stride = two(op, "stride", options.stride ?? 1, 1);
  const dilation = two(op, "dilation", options.dilation ?? 1, 1);
  const padding = options.padding === "valid" ? 0 : (options.padding ?? 0);
  if (padding === "same") {
    const kernel: Two = [weight.shape[2]!, weight.shape[3]!];
    const [before, after] = samePadding(op, kernel, stride, dilation);
    return { stride, before, after, dilation, groups };
  }
  if (typeof padding === "string")
    throw new ShapeError(
      `${op}: padding must be numbers, "same" or "valid", got "${String(padding)}"`,
    );
  const both = two(op, "padding", padding, 0);
  return { stride, before: both, after: both, dilation, groups };
}

function checkConv(
  op: string,
  x: Value,
  w: Value,
  b: Value | null,
  channels: number,
  outputs: number,
): void {
  const got = `input ${formatShape(x.shape)}, weight ${formatShape(w.shape)}`;
  if (x.shape.length !== 4 || w.shape.length !== 4)
    throw new ShapeError(`${op}: input and weight need 4 dimensions, got ${got}`);
  checkSameDType(op, b === null ? [x, w] : [x, w, b]);
  if (x.shape[1] !== channels)
    throw new ShapeError(`${op}: the weight is for ${channels} input channels, got ${got}`);
  if (b !== null && (b.shape.length !== 1 || b.shape[0] !== outputs))
    throw new ShapeError(`${op}: bias must be [${outputs}], got ${formatShape(b.shape)}`);
}

/** Cross-correlation of x [N,C,H,W] with weight [O,C/groups,kh,kw]: torch.nn.functional.conv2d. */
export function conv2d(
  x: Value,
  weight: Value,
  bias: Value | null,
  options: ConvOptions = {},
  op = "conv2d",
): Value {
  const groups = options.groups ?? 1;
  checkConv(op, x, weight, bias, (weight.shape[1] ?? 0) * groups, weight.shape[0] ?? 0);
  const attrs = convAttrs(op, weight, options);
  if (weight.shape[0]! % groups !== 0)
    throw new ShapeError(
      `${op}: ${weight.shape[0]} output channels do not split into ${groups} groups`,
    );
  return checkOutput(op, convOp(bias === null ? [x, weight] : [x, weight, bias], attrs));
}

/** How a kernel lies over images that are made larger. */
export interface ConvTransposeOptions {
  readonly stride?: Pair;
  readonly padding?: Pair;
  /** Added to the end of the output. */
  readonly outputPadding?: Pair;
  readonly groups?: number;
  readonly dilation?: Pair;
}

/** Transposed convolution of x [N,C,H,W] with weight [C,O/groups,kh,kw]: torch.nn.functional.conv_transpose2d. */
export function convTranspose2d(
  x: Value,
  weight: Value,
  bias: Value | null,
  options: ConvTransposeOptions = {},
  op = "convTranspose2d",
): Value {
  const groups = options.groups ?? 1;
  checkConv(op, x, weight, bias, weight.shape[0] ?? 0, (weight.shape[1] ?? 0) * groups);
  const attrs = convAttrs(op, weight, options);
  const outputPadding = two(op, "outputPadding", options.outputPadding ?? 0, 0);
  if (weight.shape[0]! % groups !== 0)
    throw new ShapeError(
      `${op}: ${weight.shape[0]} input channels do not split into ${groups} groups`,
    );
  for (const i of [0, 1] as const) {
    if (outputPadding[i] >= Math.max(attrs.stride[i], attrs.dilation[i]))
      throw new ShapeError(
        `${op}: outputPadding must be smaller than stride or dilation, got ${String(outputPadding)}`,
      );
  }
  const inputs = bias === null ? [x, weight] : [x, weight, bias];
  return checkOutput(op, convTransposeOp(inputs, { ...attrs, outputPadding }));
}
