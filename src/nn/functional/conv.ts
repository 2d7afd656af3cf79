/** Convolutions. */

import * as conv from "../../ops/conv.ts";
import type { Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";
import { onImages, rowOptions, type OneDimensional } from "./images.ts";

const CONV = ["stride", "padding", "dilation", "groups"];
const TRANSPOSED = [...CONV, "outputPadding"];

/** Cross-correlation of x [N,C,L] or [C,L] with weight [O,C/groups,k]: torch's conv1d. */
export const conv1d = (
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: OneDimensional<conv.ConvOptions> = {},
): Tensor =>
  onImages("conv1d", 1, [x, weight, bias], (v, w, b) => [
    conv.conv2d(
      v,
      w,
      b,
      rowOptions<conv.ConvOptions>(checkOptions("conv1d", options, CONV)),
      "conv1d",
    ),
  ])[0]!;

/** Cross-correlation of x [N,C,H,W] or [C,H,W] with weight [O,C/groups,kh,kw]. */
export const conv2d = (
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: conv.ConvOptions = {},
): Tensor =>
  onImages("conv2d", 2, [x, weight, bias], (v, w, b) => [
    conv.conv2d(v, w, b, checkOptions("conv2d", options, CONV)),
  ])[0]!;

/** Transposed convolution of x [N,C,L] or [C,L] with weight [C,O/groups,k]. */
export const convTranspose1d = (
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: OneDimensional<conv.ConvTransposeOptions> = {},
): Tensor =>
  onImages("convTranspose1d", 1, [x, weight, bias], (v, w, b) => [
    conv.convTranspose2d(
      v,
      w,
      b,
      rowOptions<conv.ConvTransposeOptions>(checkOptions("convTranspose1d", options, TRANSPOSED)),
      "convTranspose1d",
    ),
  ])[0]!;

/** Transposed convolution of x [N,C,H,W] or [C,H,W] with weight [C,O/groups,kh,kw]. */
export const convTranspose2d = (
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: conv.ConvTransposeOptions = {},
): Tensor =>
  onImages("convTranspose2d", 2, [x, weight, bias], (v, w, b) => [
    conv.convTranspose2d(v, w, b, checkOptions("convTranspose2d", options, TRANSPOSED)),
  ])[0]!;
