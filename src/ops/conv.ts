/** Two-dimensional convolutions and pooling, [batch, channels, height, width], and their exact gradients. */

import type { Value } from "../graph/node.ts";
import { dtypes } from "../graph/dtype.ts";
import { defineOp1, type LowerContext, type OnnxAttribute } from "../graph/op.ts";
import { checkSameDType, formatShape, ShapeError, type Shape } from "../graph/shape.ts";
import { eq, logicalAnd, logicalNot, logicalOr } from "./compare.ts";
import { add, mul } from "./elementwise.ts";
import { cast } from "./elementwise-rules.ts";
import { full } from "./leaf.ts";
import { sum } from "./sum.ts";
import { pad, permute, reshape, slice, unslice } from "./shape.ts";

/** One number for both dimensions, or [height, width]. */
export type Pair = number | readonly [number, number];
type Two = readonly [number, number];

function two(op: string, name: string, value: Pair, least: number): Two {
  const both: Two = typeof value === "number" ? [value, value] : value;
  if (both.length !== 2 || both.some((n) => !Number.isInteger(n) || n < least))
    throw new ShapeError(
      `${op}: ${name} must be one or two integers of at least ${least}, got ${String(value)}`,
    );
  return both;
}

interface ConvAttrs {
  readonly stride: Two;
  readonly padding: Two;
  readonly dilation: Two;
  readonly groups: number;
}

export interface ConvOptions {
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly dilation?: Pair;
  readonly groups?: number;
}

const convSize = (size: number, k: number, s: number, p: number, d: number): number =>
  Math.floor((size + 2 * p - d * (k - 1) - 1) / s) + 1;

const onnxAttrs = ({
  stride,
  padding,
  dilation,
  groups,
}: ConvAttrs): Record<string, OnnxAttribute> => ({
  strides: { ints: stride },
  pads: { ints: [...padding, ...padding] },
  dilations: { ints: dilation },
  group: { int: groups },
});

/** ONNX Runtime convolves and pools float32 only; other floats go through it. */
function inFloat32<A>(
  context: LowerContext<A>,
  emitOp: (inputs: readonly string[]) => string,
): string {
  const { emit, inputs, types, outputTypes } = context;
  const out = outputTypes[0]!.dtype;
  if (out === "float32") return emitOp(inputs);
  const to = (dtype: "float32" | typeof out): Record<string, OnnxAttribute> => ({
    to: { int: dtypes[dtype].onnx },
  });
  const result = emitOp(
    inputs.map((x, i) =>
      types[i]!.dtype === "float32" ? x : emit.node("Cast", [x], to("float32")),
    ),
  );
  return emit.node("Cast", [result], to(out));
}

/** x [N, C, H, W], weight [O, C/groups, kh, kw], optional bias [O] → [N, O, OH, OW]. */
const convOp = defineOp1<ConvAttrs>({
  name: "conv2d",
  infer: ([x, w], { stride: s, padding: p, dilation: d }) => {
    const [n, , h, width] = x!.shape as [number, number, number, number];
    const [o, , kh, kw] = w!.shape as [number, number, number, number];
    return {
      dtype: x!.dtype,
      shape: [n, o, convSize(h, kh, s[0], p[0], d[0]), convSize(width, kw, s[1], p[1], d[1])],
    };
  },
  vjp: ({ inputs: [x, w, b], attrs, grads: [g], needs }) => [
    needs[0]
      ? convTransposeOp([g!, w!], {
          ...attrs,
          outputPadding: leftover(x!.shape, w!.shape, g!.shape, attrs),
        })
      : null,
    needs[1] ? weightGrad(x!, g!, w!.shape, attrs) : null,
    ...(b === undefined ? [] : [sum(g!, [0, 2, 3])]),
  ],
  lower: (context) =>
    inFloat32(context, (inputs) => context.emit.node("Conv", inputs, onnxAttrs(context.attrs))),
});

/** What a transposed convolution must add at the end so that its output has the size the convolution started from. */
function leftover(
  x: Shape,
  w: Shape,
  y: Shape,
  { stride: s, padding: p, dilation: d }: ConvAttrs,
): Two {
  const at = (i: 0 | 1): number =>
    x[2 + i]! - ((y[2 + i]! - 1) * s[i] - 2 * p[i] + d[i] * (w[2 + i]! - 1) + 1);
  return [at(0), at(1)];
}

/**
 * Gradient of a convolution's weight: a convolution of the input by the output's gradient, batch and channels swapped,
 * with stride and dilation exchanged. Groups become groups of batch elements.
 */
function weightGrad(
  x: Value,
  g: Value,
  weight: Shape,
  { stride, padding, dilation, groups }: ConvAttrs,
): Value {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const perGroup = c / groups;
  // [N, G·C, H, W] → [C, G·N, H, W]
  const input = reshape(permute(reshape(x, [n, groups, perGroup, h, w]), [2, 1, 0, 3, 4]), [
    perGroup,
    groups * n,
    h,
    w,
  ]);
  const kernel = permute(g, [1, 0, 2, 3]); // [O, N, OH, OW]
  const full = convOp([input, kernel], { stride: dilation, padding, dilation: stride, groups }); // [C, O, ≥kh, ≥kw]
  const cut = slice(slice(full, 2, 0, weight[2]), 3, 0, weight[3]);
  return permute(cut, [1, 0, 2, 3]);
}

interface ConvTransposeAttrs extends ConvAttrs {
  readonly outputPadding: Two;
}

/** x [N, C, H, W], weight [C, O/groups, kh, kw], optional bias [O] → [N, O, OH, OW]. */
const convTransposeOp: (inputs: readonly Value[], attrs: ConvTransposeAttrs) => Value =
  defineOp1<ConvTransposeAttrs>({
    name: "convTranspose2d",
    infer: ([x, w], { stride: s, padding: p, dilation: d, outputPadding: extra, groups }) => {
      const size = (i: 0 | 1): number =>
        (x!.shape[2 + i]! - 1) * s[i] - 2 * p[i] + d[i] * (w!.shape[2 + i]! - 1) + extra[i] + 1;
      return { dtype: x!.dtype, shape: [x!.shape[0]!, w!.shape[1]! * groups, size(0), size(1)] };
    },
    vjp: ({ inputs: [x, w, b], attrs, grads: [g], needs }) => {
      const { stride, padding, dilation, groups } = attrs;
      const plain: ConvAttrs = { stride, padding, dilation, groups };
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

function convAttrs(op: string, options: ConvOptions): ConvAttrs {
  const groups = options.groups ?? 1;
  if (!Number.isInteger(groups) || groups < 1)
    throw new ShapeError(`${op}: groups must be a positive integer, got ${groups}`);
  return {
    stride: two(op, "stride", options.stride ?? 1, 1),
    padding: two(op, "padding", options.padding ?? 0, 0),
    dilation: two(op, "dilation", options.dilation ?? 1, 1),
    groups,
  };
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

function checkOutput(op: string, y: Value): Value {
  if (y.shape.some((size, i) => i >= 2 && size < 1))
    throw new ShapeError(
      `${op}: the kernel is larger than the padded input, output would be ${formatShape(y.shape)}`,
    );
  return y;
}

/** Cross-correlation of x [N,C,H,W] with weight [O,C/groups,kh,kw]: torch.nn.functional.conv2d. */
export function conv2d(
  x: Value,
  weight: Value,
  bias: Value | null,
  options: ConvOptions = {},
): Value {
  const attrs = convAttrs("conv2d", options);
  checkConv("conv2d", x, weight, bias, (weight.shape[1] ?? 0) * attrs.groups, weight.shape[0] ?? 0);
  if (weight.shape[0]! % attrs.groups !== 0)
    throw new ShapeError(
      `conv2d: ${weight.shape[0]} output channels do not split into ${attrs.groups} groups`,
    );
  return checkOutput("conv2d", convOp(bias === null ? [x, weight] : [x, weight, bias], attrs));
}

/** Transposed convolution of x [N,C,H,W] with weight [C,O/groups,kh,kw]: torch.nn.functional.conv_transpose2d. */
export function convTranspose2d(
  x: Value,
  weight: Value,
  bias: Value | null,
  options: ConvOptions & { readonly outputPadding?: Pair } = {},
): Value {
  const op = "convTranspose2d";
  const attrs = convAttrs(op, options);
  const outputPadding = two(op, "outputPadding", options.outputPadding ?? 0, 0);
  checkConv(op, x, weight, bias, weight.shape[0] ?? 0, (weight.shape[1] ?? 0) * attrs.groups);
  if (weight.shape[0]! % attrs.groups !== 0)
    throw new ShapeError(
      `${op}: ${weight.shape[0]} input channels do not split into ${attrs.groups} groups`,
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

interface PoolAttrs {
  readonly kernel: Two;
  readonly stride: Two;
  readonly padding: Two;
  readonly dilation: Two;
}

export interface PoolOptions {
  /** Kernel size unless given. */
  readonly stride?: Pair;
  readonly padding?: Pair;
}

function poolAttrs(
  op: string,
  x: Value,
  kernel: Pair,
  options: PoolOptions & { readonly dilation?: Pair },
): PoolAttrs {
  if (x.shape.length !== 4)
    throw new ShapeError(`${op}: input needs 4 dimensions, got ${formatShape(x.shape)}`);
  const size = two(op, "kernel", kernel, 1);
  const padding = two(op, "padding", options.padding ?? 0, 0);
  if (padding.some((p, i) => p > size[i as 0 | 1] / 2))
    throw new ShapeError(
      `${op}: padding must be at most half the kernel, got ${String(padding)} for ${String(size)}`,
    );
  return {
    kernel: size,
    stride: two(op, "stride", options.stride ?? size, 1),
    padding,
    dilation: two(op, "dilation", options.dilation ?? 1, 1),
  };
}

const poolInfer = (
  [x]: readonly Value[],
  { kernel: k, stride: s, padding: p, dilation: d }: PoolAttrs,
) => ({
  dtype: x!.dtype,
  shape: [
    ...x!.shape.slice(0, 2),
    convSize(x!.shape[2]!, k[0], s[0], p[0], d[0]),
    convSize(x!.shape[3]!, k[1], s[1], p[1], d[1]),
  ],
});

const maxPoolOp = defineOp1<PoolAttrs>({
  name: "maxPool2d",
  infer: poolInfer,
  vjp: ({ inputs: [x], outputs: [y], attrs, grads: [g] }) => {
    // Each place of the window is a strided slice of the padded input; the first that equals the maximum gets the gradient.
    const { kernel, stride, padding, dilation } = attrs;
    const margin = [0, 0, ...padding];
    const padded = pad(x!, margin, margin, -Infinity);
    const [oh, ow] = [y!.shape[2]!, y!.shape[3]!];
    let total: Value | null = null;
    let taken: Value | null = null;
    for (let i = 0; i < kernel[0]; i++) {
      for (let j = 0; j < kernel[1]; j++) {
        const rows = { dim: 2, start: i * dilation[0], length: oh, step: stride[0] };
        const columns = { dim: 3, start: j * dilation[1], length: ow, step: stride[1] };
        const strip = slice(
          padded,
          2,
          rows.start,
          rows.start + (oh - 1) * rows.step + 1,
          rows.step,
        );
        const place = slice(
          strip,
          3,
          columns.start,
          columns.start + (ow - 1) * columns.step + 1,
          columns.step,
        );
        const hit: Value = eq(place, y!);
        const first: Value = taken === null ? hit : logicalAnd(hit, logicalNot(taken));
        taken = taken === null ? hit : logicalOr(taken, hit);
        const part = mul(g!, cast(first, g!.dtype));
        const back = unslice(unslice(part, strip.shape[3]!, columns), padded.shape[2]!, rows);
        total = total === null ? back : add(total, back);
      }
    }
    const [h, w] = [x!.shape[2]!, x!.shape[3]!];
    return [slice(slice(total!, 2, padding[0], padding[0] + h), 3, padding[1], padding[1] + w)];
  },
  lower: (context) =>
    inFloat32(context, (inputs) =>
      context.emit.node("MaxPool", inputs, {
        kernel_shape: { ints: context.attrs.kernel },
        strides: { ints: context.attrs.stride },
        pads: { ints: [...context.attrs.padding, ...context.attrs.padding] },
        dilations: { ints: context.attrs.dilation },
      }),
    ),
});

/** Maximum over windows of x [N,C,H,W]; padding counts as −∞. */
export function maxPool2d(
  x: Value,
  kernel: Pair,
  options: PoolOptions & { readonly dilation?: Pair } = {},
): Value {
  return checkOutput("maxPool2d", maxPoolOp([x], poolAttrs("maxPool2d", x, kernel, options)));
}

const avgPoolOp = defineOp1<PoolAttrs>({
  name: "avgPool2d",
  infer: poolInfer,
  // Every place of a window gets an equal share: a depthwise transposed convolution with a constant kernel.
  vjp: ({ inputs: [x], attrs: { kernel, stride, padding, dilation }, grads: [g] }) => {
    const channels = x!.shape[1]!;
    const share = full([channels, 1, ...kernel], 1 / (kernel[0] * kernel[1]), g!.dtype);
    const attrs: ConvAttrs = { stride, padding, dilation, groups: channels };
    const outputPadding = leftover(x!.shape, share.shape, g!.shape, attrs);
    return [convTransposeOp([g!, share], { ...attrs, outputPadding })];
  },
  lower: (context) =>
    inFloat32(context, (inputs) =>
      context.emit.node("AveragePool", inputs, {
        kernel_shape: { ints: context.attrs.kernel },
        strides: { ints: context.attrs.stride },
        pads: { ints: [...context.attrs.padding, ...context.attrs.padding] },
        count_include_pad: { int: 1 },
      }),
    ),
});

/** Mean over windows of x [N,C,H,W]; padding counts as zeros, as PyTorch's default. */
export function avgPool2d(x: Value, kernel: Pair, options: PoolOptions = {}): Value {
  return checkOutput("avgPool2d", avgPoolOp([x], poolAttrs("avgPool2d", x, kernel, options)));
}
