/** Two-dimensional average pooling, [batch, channels, height, width], and enlarging by blocks, which is its adjoint. */

import type { Value } from "../graph/node.ts";
import { defineOp1 } from "../graph/op.ts";
import { ShapeError, type Shape } from "../graph/shape.ts";
import { convAdjoint } from "./conv.ts";
import { mul } from "./elementwise.ts";
import { constant, full } from "./leaf.ts";
import { poolAttrs, poolInfer, type PoolAttrs, type PoolOptions } from "./pool.ts";
import { checkOutput, inFloat32, type Pair, type Two } from "./windows.ts";

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

/** How windows of an average pooling lie, and what counts. */
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
