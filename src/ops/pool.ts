/** Two-dimensional max pooling, [batch, channels, height, width], and what all pooling shares. */

import type { TypeSpec, Value } from "../graph/node.ts";
import { defineOp1, type Emitter, type OnnxAttribute } from "../graph/op.ts";
import { formatShape, numel, ShapeError, type Shape } from "../graph/shape.ts";
import { castTo } from "./elementwise-rules.ts";
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

export interface PoolAttrs extends Windows {
  readonly kernel: Two;
}

/** How windows of a pooling lie. */
export interface PoolOptions {
  /** Kernel size unless given. */
  readonly stride?: Pair;
  readonly padding?: Pair;
  /** Windows that start inside the padded input but end beyond it count too. */
  readonly ceilMode?: boolean;
}

/** How windows of a maximum pooling lie. */
export interface MaxPoolOptions extends PoolOptions {
  readonly dilation?: Pair;
}

/** The arguments of pooling x, checked. */
export function poolAttrs(op: string, x: Value, kernel: Pair, options: MaxPoolOptions): PoolAttrs {
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

export const poolInfer = ([x]: readonly Value[], attrs: PoolAttrs): TypeSpec => ({
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
