/** Pooling. */

import { adaptiveAvgPool, adaptiveMaxPool, type AdaptiveSize } from "../../ops/adaptive-pool.ts";
import * as avg from "../../ops/avg-pool.ts";
import * as pool from "../../ops/pool.ts";
import type { Pair } from "../../ops/windows.ts";
import type { Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";
import { onImages, row, rowOptions, type OneDimensional } from "./images.ts";

const POOL = ["stride", "padding", "ceilMode"];
const MAX = [...POOL, "dilation"];
const AVG = [...POOL, "countIncludePad"];

/** Maximum over windows of x [N,C,L] or [C,L]; stride is the kernel size unless given. */
export const maxPool1d = (
  x: Tensor,
  kernelSize: number,
  options: OneDimensional<pool.MaxPoolOptions> = {},
): Tensor =>
  onImages("maxPool1d", 1, [x], (v) => [
    pool.maxPool2d(
      v,
      row(kernelSize),
      rowOptions(checkOptions("maxPool1d", options, MAX)),
      "maxPool1d",
    ),
  ])[0]!;

/** Maximum over windows of x [N,C,H,W] or [C,H,W]; stride is the kernel size unless given, padding counts as −∞. NaN may be passed over. */
export const maxPool2d = (x: Tensor, kernelSize: Pair, options: pool.MaxPoolOptions = {}): Tensor =>
  onImages("maxPool2d", 2, [x], (v) => [
    pool.maxPool2d(v, kernelSize, checkOptions("maxPool2d", options, MAX)),
  ])[0]!;

/** As `maxPool2d`, with int32 positions of the maxima in their planes: torch's return_indices. */
export function maxPool2dWithIndices(
  x: Tensor,
  kernelSize: Pair,
  options: pool.MaxPoolOptions = {},
): { output: Tensor; indices: Tensor } {
  const [output, indices] = onImages("maxPool2dWithIndices", 2, [x], (v) =>
    pool.maxPoolWithPositions(
      v,
      kernelSize,
      checkOptions("maxPool2dWithIndices", options, MAX),
      "maxPool2dWithIndices",
    ),
  );
  return { output: output!, indices: indices! };
}

/** Mean over windows of x [N,C,L] or [C,L]. */
export const avgPool1d = (
  x: Tensor,
  kernelSize: number,
  options: OneDimensional<Omit<avg.AvgPoolOptions, "divisorOverride">> = {},
): Tensor =>
  onImages("avgPool1d", 1, [x], (v) => [
    avg.avgPool2d(
      v,
      row(kernelSize),
      rowOptions(checkOptions("avgPool1d", options, AVG)),
      "avgPool1d",
    ),
  ])[0]!;

/** Mean over windows of x [N,C,H,W] or [C,H,W]. */
export const avgPool2d = (x: Tensor, kernelSize: Pair, options: avg.AvgPoolOptions = {}): Tensor =>
  onImages("avgPool2d", 2, [x], (v) => [
    avg.avgPool2d(v, kernelSize, checkOptions("avgPool2d", options, [...AVG, "divisorOverride"])),
  ])[0]!;

/** Means over `size` windows that cover x [N,C,L] or [C,L]. */
export const adaptiveAvgPool1d = (x: Tensor, size: number): Tensor =>
  onImages("adaptiveAvgPool1d", 1, [x], (v) => [
    adaptiveAvgPool("adaptiveAvgPool1d", v, row(size)),
  ])[0]!;

/** Means over windows that cover x [N,C,H,W] or [C,H,W], as many as `size` says; null keeps a size. */
export const adaptiveAvgPool2d = (x: Tensor, size: AdaptiveSize): Tensor =>
  onImages("adaptiveAvgPool2d", 2, [x], (v) => [adaptiveAvgPool("adaptiveAvgPool2d", v, size)])[0]!;

/** Maxima over `size` windows that cover x [N,C,L] or [C,L]. */
export const adaptiveMaxPool1d = (x: Tensor, size: number): Tensor =>
  onImages("adaptiveMaxPool1d", 1, [x], (v) => [
    adaptiveMaxPool("adaptiveMaxPool1d", v, row(size)),
  ])[0]!;

/** Maxima over windows that cover x [N,C,H,W] or [C,H,W], as many as `size` says; null keeps a size. */
export const adaptiveMaxPool2d = (x: Tensor, size: AdaptiveSize): Tensor =>
  onImages("adaptiveMaxPool2d", 2, [x], (v) => [adaptiveMaxPool("adaptiveMaxPool2d", v, size)])[0]!;

/**
 * (Σ xᵖ)^(1/p) over windows of x [N,C,H,W] or [C,H,W]: torch's lp_pool2d, whose sums below 0 count as 0.
 */
export function lpPool2d(
  x: Tensor,
  normType: number,
  kernelSize: Pair,
  options: Omit<pool.PoolOptions, "padding"> = {},
): Tensor {
  const { stride, ceilMode = false } = checkOptions("lpPool2d", options, ["stride", "ceilMode"]);
  const size = typeof kernelSize === "number" ? kernelSize ** 2 : kernelSize[0] * kernelSize[1];
  const means = avgPool2d(x.pow(normType), kernelSize, {
    ceilMode,
    ...(stride === undefined ? {} : { stride }),
  });
  return means
    .relu()
    .mul(size)
    .pow(1 / normType);
}
