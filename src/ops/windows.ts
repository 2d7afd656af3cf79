/** What convolutions and pooling share: sizes given as one number or two, output sizes, and kernels of float32 only. */

import { dtypes } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import type { LowerContext, OnnxAttribute } from "../graph/op.ts";
import { formatShape, ShapeError, type Shape } from "../graph/shape.ts";

/** One number for both dimensions, or [height, width]. */
export type Pair = number | readonly [number, number];
export type Two = readonly [number, number];

/** Both numbers of an argument; throws for one that is no integer of at least `least`. */
export function two(op: string, name: string, value: Pair, least: number): Two {
  const both: Two = typeof value === "number" ? [value, value] : value;
  if (
    !Array.isArray(both) ||
    both.length !== 2 ||
    both.some((n) => !Number.isInteger(n) || n < least)
  )
    throw new ShapeError(
      `${op}: ${name} must be one or two integers of at least ${least}, got ${String(value)}`,
    );
  return both;
}

/** How windows lie over the two spatial dimensions. */
export interface Windows {
  readonly stride: Two;
  /** Padding at the start and at the end of each dimension. */
  readonly before: Two;
  readonly after: Two;
  readonly dilation: Two;
}

/** How many windows of a kernel fit along spatial dimension i of a size. */
export const countWindows = (
  size: number,
  kernel: number,
  { stride, before, after, dilation }: Windows,
  i: 0 | 1,
): number =>
  Math.floor((size + before[i] + after[i] - dilation[i] * (kernel - 1) - 1) / stride[i]) + 1;

/** The shape of what windows over x [N, C, H, W] give, with `channels` channels. */
export const windowsShape = (x: Shape, channels: number, kernel: Two, windows: Windows): Shape => [
  x[0]!,
  channels,
  countWindows(x[2]!, kernel[0], windows, 0),
  countWindows(x[3]!, kernel[1], windows, 1),
];

export const windowAttributes = ({
  stride,
  before,
  after,
  dilation,
}: Windows): Record<string, OnnxAttribute> => ({
  strides: { ints: stride },
  pads: { ints: [...before, ...after] },
  dilations: { ints: dilation },
});

/** Throws where the kernel does not fit into the padded input. */
export function checkOutput(op: string, y: Value): Value {
  if (y.shape.some((size, i) => i >= 2 && size < 1))
    throw new ShapeError(
      `${op}: the kernel is larger than the padded input, output would be ${formatShape(y.shape)}`,
    );
  return y;
}

/** ONNX Runtime convolves and pools float32 only; other floats go through it. */
export function inFloat32<A>(
  { emit, inputs, types, outputTypes }: LowerContext<A>,
  emitOp: (inputs: readonly string[]) => string,
): string {
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
