/** Two-dimensional pooling, [batch, channels, height, width]: maxima and means over windows. */

import type { TypeSpec, Value } from "../graph/node.ts";
import { defineOp1, type Emitter, type OnnxAttribute } from "../graph/op.ts";
import { formatShape, numel, ShapeError, type Shape } from "../graph/shape.ts";
import { castTo } from "./elementwise-rules.ts";
import { mul } from "./elementwise.ts";
import { convAdjoint } from "./conv.ts";
import { constant, full } from "./leaf.ts";
import { int32Range } from "./positions.ts";
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

interface PoolAttrs extends Windows {
  readonly kernel: Two;
}

export interface PoolOptions {
  /** Kernel size unless given. */
  readonly stride?: Pair;
  readonly padding?: Pair;
  /** Windows that start inside the padded input but end beyond it count too. */
  readonly ceilMode?: boolean;
}

export interface MaxPoolOptions extends PoolOptions {
  readonly dilation?: Pair;
}

function poolAttrs(op: string, x: Value, kernel: Pair, options: MaxPoolOptions): PoolAttrs {
  if (x.shape.length !== 4)
    throw new ShapeError(`${op}: input needs 4 dimensions, got ${formatShape(x.shape)}`);
  const size = two(op, "kernel", kernel, 1);
  const before = two(op, "padding", options.padding ?? 0, 0);
  if (before.some((p, i) => p > size[i as 0 | 1] / 2))
    throw new ShapeError(
      `${op}: padding must be at most half the kernel, got ${String(before)} for ${String(size)}`,
    );
  const stride = two(op, "stride", options.stride ?? size, 1);
  const dilation = two(op, "dilation", options.dilation ?? 1, 1);
  const beyond = (i: 0 | 1): number => {
    if (!options.ceilMode) return 0;
    const room = x.shape[2 + i]! + 2 * before[i] - dilation[i] * (size[i] - 1) - 1;
    const last = Math.ceil(room / stride[i]) * stride[i];
    // A window that would start in the padding behind the input does not count.
    const start = last >= x.shape[2 + i]! + before[i] ? last - stride[i] : last;
    return Math.max(0, start - room);
  };
  return {
    kernel: size,
    stride,
    before,
    after: [before[0] + beyond(0), before[1] + beyond(1)],
    dilation,
  };
}

const poolInfer = ([x]: readonly Value[], attrs: PoolAttrs): TypeSpec => ({
  dtype: x!.dtype,
  shape: windowsShape(x!.shape, x!.shape[1]!, attrs.kernel, attrs),
});

const poolAttributes = (attrs: PoolAttrs): Record<string, OnnxAttribute> => ({
  ...windowAttributes(attrs),
  kernel_shape: { ints: attrs.kernel },
});

/** Whether no element is in two windows. */
const disjoint = ({ kernel, stride, dilation }: PoolAttrs): boolean =>
  ([0, 1] as const).every((i) => stride[i] > dilation[i] * (kernel[i] - 1));

// ---- maxima ------------------------------------------------------------------------------------------------------

const maxPoolOp = defineOp1<PoolAttrs>({
  name: "maxPool2d",
  infer: poolInfer,
  vjp: ({ inputs: [x], attrs, grads: [g] }) => [maxScatterOp([g!, x!], attrs)],
  lower: (context) =>
    inFloat32(context, (inputs) =>
      context.emit.node("MaxPool", inputs, poolAttributes(context.attrs)),
    ),
});

/** Maximum over windows of x [N,C,H,W]; padding counts as −∞. The first of equal maxima gets the gradient. */
export function maxPool2d(
  x: Value,
  kernel: Pair,
  options: MaxPoolOptions = {},
  op = "maxPool2d",
): Value {
  return checkOutput(op, maxPoolOp([x], poolAttrs(op, x, kernel, options)));
}

/** Position of each window's first maximum within its plane, row-major, as int32: torch's indices. */
export const maxPoolPositions: (inputs: readonly Value[], attrs: PoolAttrs) => Value =
  defineOp1<PoolAttrs>({
    name: "maxPoolPositions",
    infer: ([x], attrs) => ({ ...poolInfer([x!], attrs), dtype: "int32" }),
    vjp: null,
    lower: ({ emit, inputs: [x], types: [type], outputTypes: [out], attrs }) => {
      if (emit.target.gpu) return planePositions(emit, x!, type!, out!.shape, attrs);
      const flat = castTo(
        emit,
        flatPositions(emit, x!, type!, out!.shape, attrs),
        "int64",
        "int32",
      );
      return emit.node("Sub", [flat, planeStarts(emit, type!.shape)]);
    },
  });

/** Maxima and their positions: torch's max_pool2d with return_indices. */
export function maxPoolWithPositions(
  x: Value,
  kernel: Pair,
  options: MaxPoolOptions = {},
  op = "maxPool2d",
): readonly [Value, Value] {
  const attrs = poolAttrs(op, x, kernel, options);
  return [checkOutput(op, maxPoolOp([x], attrs)), maxPoolPositions([x], attrs)];
}

/** Where the planes of [N, C, H, W] start in memory: int32 [N, C, 1, 1]. */
function planeStarts(emit: Emitter, [n, c, h, w]: Shape): string {
  const planes = int32Range(emit, 0, n! * c! * h! * w!, h! * w!);
  return emit.node("Reshape", [planes, emit.ints([n!, c!, 1, 1])]);
}

/** Position of each window's first maximum in the whole tensor: int64 on the CPU, int32 on WebGPU. */
function flatPositions(
  emit: Emitter,
  x: string,
  type: TypeSpec,
  out: Shape,
  attrs: PoolAttrs,
): string {
  if (!emit.target.gpu) {
    const single = castTo(emit, x, type.dtype, "float32");
    return emit.nodes("MaxPool", [single], 2, poolAttributes(attrs))[1]!;
  }
  const within = planePositions(emit, x, type, out, attrs);
  return emit.node("Add", [within, planeStarts(emit, type.shape)]);
}

/** The same for WebGPU, whose MaxPool gives no positions: the last of k² comparisons that holds, counted backwards. */
function planePositions(
  emit: Emitter,
  x: string,
  type: TypeSpec,
  out: Shape,
  attrs: PoolAttrs,
): string {
  const { kernel, stride, before, after, dilation } = attrs;
  const width = type.shape[3]!;
  const [oh, ow] = [out[2]!, out[3]!];
  const y = emit.node("MaxPool", [x], poolAttributes(attrs));
  const axes = emit.ints([2, 3]);
  const padded = [...before, ...after].every((p) => p === 0)
    ? x
    : emit.node("Pad", [
        x,
        emit.ints([...before, ...after]),
        emit.scalar(type.dtype, -Infinity),
        axes,
      ]);
  const strides = emit.ints(stride);
  let chosen = emit.scalar("int32", 0);
  for (let place = kernel[0] * kernel[1] - 1; place >= 0; place--) {
    const row = Math.floor(place / kernel[1]) * dilation[0];
    const column = (place % kernel[1]) * dilation[1];
    const ends = [row + (oh - 1) * stride[0] + 1, column + (ow - 1) * stride[1] + 1];
    const at = emit.node("Slice", [
      padded,
      emit.ints([row, column]),
      emit.ints(ends),
      axes,
      strides,
    ]);
    const hit = emit.node("Equal", [at, y]);
    chosen = emit.node("Where", [hit, emit.scalar("int32", row * width + column), chosen]);
  }
  // The window's own corner: (row · s − p) · W + column · s − p.
  const rows = int32Range(
    emit,
    -before[0] * width,
    (oh * stride[0] - before[0]) * width,
    stride[0] * width,
  );
  const columns = int32Range(emit, -before[1], ow * stride[1] - before[1], stride[1]);
  const corner = emit.node("Add", [
    emit.node("Reshape", [rows, emit.ints([oh, 1])]),
    emit.node("Reshape", [columns, emit.ints([1, ow])]),
  ]);
  return emit.node("Add", [chosen, corner]);
}

/** g [N, C, OH, OW] added where the windows of x have their maxima: the gradient of max pooling, [N, C, H, W]. */
const maxScatterOp: (inputs: readonly Value[], attrs: PoolAttrs) => Value = defineOp1<PoolAttrs>({
  name: "maxPoolScatter",
  infer: ([g, x]) => ({ dtype: g!.dtype, shape: x!.shape }),
  vjp: ({ inputs: [, x], attrs, grads: [h] }) => [maxGatherOp([h!, x!], attrs), null],
  lower: ({ emit, inputs: [g, x], types: [from, type], attrs }) => {
    const { dtype, shape } = from!;
    const at = flatPositions(emit, x!, type!, shape, attrs);
    if (!emit.target.gpu && dtype === "float32" && disjoint(attrs))
      // The positions say it all; kernel and strides would only be checked against the shape.
      return emit.node("MaxUnpool", [g!, at, emit.ints(type!.shape)], {
        kernel_shape: { ints: [1, 1] },
      });
    const flat = emit.ints([-1]);
    const zeros = emit.filled(dtype, [numel(type!.shape)], 0);
    const sums = emit.node(
      "ScatterElements",
      [zeros, emit.node("Reshape", [at, flat]), emit.node("Reshape", [g!, flat])],
      { axis: { int: 0 }, reduction: { string: "add" } },
    );
    return emit.node("Reshape", [sums, emit.ints(type!.shape)]);
  },
});

/** The elements of h [N, C, H, W] where the windows of x have their maxima: [N, C, OH, OW]. */
const maxGatherOp: (inputs: readonly Value[], attrs: PoolAttrs) => Value = defineOp1<PoolAttrs>({
  name: "maxPoolGather",
  infer: ([h, x], attrs) => ({ ...poolInfer([x!], attrs), dtype: h!.dtype }),
  vjp: ({ inputs: [, x], attrs, grads: [g] }) => [maxScatterOp([g!, x!], attrs), null],
  lower: ({ emit, inputs: [h, x], types: [, type], outputTypes: [out], attrs }) => {
    const at = flatPositions(emit, x!, type!, out!.shape, attrs);
    const all = emit.node("Reshape", [h!, emit.ints([-1])]);
    return emit.node("Gather", [all, at], { axis: { int: 0 } });
  },
});

// ---- means -------------------------------------------------------------------------------------------------------

/** Sum over a window divided by the size of the kernel, whatever part of it lies on padding. */
const avgPoolOp = defineOp1<PoolAttrs>({
  name: "avgPool2d",
  infer: poolInfer,
  vjp: ({ inputs: [x], attrs, grads: [g] }) => [spread(g!, x!.shape, attrs)],
  lower: (context) =>
    inFloat32(context, (inputs) =>
      context.emit.node("AveragePool", inputs, {
        kernel_shape: { ints: context.attrs.kernel },
        strides: { ints: context.attrs.stride },
        pads: { ints: [...context.attrs.before, ...context.attrs.after] },
        count_include_pad: { int: 1 },
      }),
    ),
});

/** Every place of a window gets an equal share of g: a depthwise transposed convolution with a constant kernel. */
function spread(g: Value, x: Shape, attrs: PoolAttrs): Value {
  const { kernel, stride, before, after, dilation } = attrs;
  const share = 1 / (kernel[0] * kernel[1]);
  // Windows side by side that cover the input: every element of g becomes a block.
  if ([0, 1].every((i) => kernel[i] === stride[i] && x[2 + i]! === g.shape[2 + i]! * kernel[i]!))
    return upsample(mul(g, share), kernel);
  const channels = x[1]!;
  const weight = full([channels, 1, ...kernel], share, g.dtype);
  return convAdjoint(g, weight, x, { stride, before, after, dilation, groups: channels });
}

/** Every element of x [N, C, H, W] as a block of `factors`: what nearest neighbours and means over blocks need. */
const upsampleOp = defineOp1<{ factors: Two }>({
  name: "upsample",
  infer: ([x], { factors }) => ({
    dtype: x!.dtype,
    shape: [...x!.shape.slice(0, 2), x!.shape[2]! * factors[0], x!.shape[3]! * factors[1]],
  }),
  vjp: ({ attrs: { factors }, grads: [g] }) => [
    mul(avgPool2d(g!, factors), factors[0] * factors[1]),
  ],
  lower: ({ emit, inputs: [x], types: [type], outputTypes: [out], attrs: { factors } }) => {
    const { dtype, shape } = type!;
    const scales = emit.constant("float32", [4], Float32Array.of(1, 1, ...factors));
    if (dtype === "float32")
      return emit.node("Resize", [x!, "", scales], {
        mode: { string: "nearest" },
        coordinate_transformation_mode: { string: "asymmetric" },
        nearest_mode: { string: "floor" },
      });
    const [n, c, h, w] = shape as [number, number, number, number];
    const apart = emit.node("Reshape", [x!, emit.ints([n * c, h, 1, w, 1])]);
    const blocks = emit.node("Expand", [apart, emit.ints([n * c, h, factors[0], w, factors[1]])]);
    return emit.node("Reshape", [blocks, emit.ints(out!.shape)]);
  },
});

/** Every element of x [N, C, H, W] as a block of [rows, columns]. */
export const upsample = (x: Value, factors: Two): Value =>
  factors.every((n) => n === 1) ? x : upsampleOp([x], { factors });

export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts as zeros (default) or not at all. */
  readonly countIncludePad?: boolean;
  /** What sums are divided by, instead of the number of elements. */
  readonly divisorOverride?: number;
}

/** Mean over windows of x [N,C,H,W]: torch.nn.functional.avg_pool2d. */
export function avgPool2d(
  x: Value,
  kernel: Pair,
  { countIncludePad = true, divisorOverride, ...options }: AvgPoolOptions = {},
  op = "avgPool2d",
): Value {
  const attrs = poolAttrs(op, x, kernel, options);
  const y = checkOutput(op, avgPoolOp([x], attrs));
  const size = attrs.kernel[0] * attrs.kernel[1];
  if (divisorOverride !== undefined) {
    if (!(Number.isInteger(divisorOverride) && divisorOverride !== 0))
      throw new ShapeError(
        `${op}: divisorOverride must be an integer other than 0, got ${divisorOverride}`,
      );
    return mul(y, size / divisorOverride);
  }
  const counts = ([0, 1] as const).map((i) =>
    countsAlong(x.shape[2 + i]!, y.shape[2 + i]!, attrs, i, countIncludePad),
  );
  if (counts.every((along, i) => along.every((count) => count === attrs.kernel[i]))) return y;
  const [rows, columns] = counts as [number[], number[]];
  const factors = rows.flatMap((a) => columns.map((b) => size / (a * b)));
  return mul(y, constantLike(factors, y));
}

function constantLike(values: readonly number[], y: Value): Value {
  const data = y.dtype === "float64" ? Float64Array.from(values) : Float32Array.from(values);
  return constant(data, y.dtype, [y.shape[2]!, y.shape[3]!]);
}

/** How many elements each window counts along a dimension; what ceilMode adds behind the padding never counts. */
function countsAlong(
  size: number,
  windows: number,
  { kernel, stride, before }: PoolAttrs,
  i: 0 | 1,
  includePad: boolean,
): number[] {
  const pad = includePad ? before[i] : 0;
  return Array.from({ length: windows }, (_, n) => {
    const start = n * stride[i] - before[i];
    return Math.min(start + kernel[i], size + pad) - Math.max(start, -pad);
  });
}
