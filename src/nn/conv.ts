/** Convolution layers. */

import { ShapeError } from "../graph/shape.ts";
import type { ConvOptions, ConvTransposeOptions } from "../ops/conv.ts";
import type { PadMode } from "../ops/pad-modes.ts";
import { two, type Pair } from "../ops/windows.ts";
import { uniform } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import * as F from "./functional/index.ts";
import { rowOptions, type OneDimensional } from "./functional/images.ts";
import { Layer } from "./layer.ts";
import { Parameter } from "./module.ts";
import { pythonTuple } from "./module-repr.ts";

interface LayerOptions {
  readonly bias?: boolean;
}

const SHARED = ["stride", "padding", "dilation", "groups", "bias"];
const PLAIN = [...SHARED, "paddingMode"];
const TRANSPOSED = [...SHARED, "outputPadding"];

/** What all convolutions have. */
abstract class Convolution extends Layer {
  /** [out, in/groups, …kernel]; of a transposed one [in, out/groups, …kernel]. */
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly inChannels: number;
  readonly outChannels: number;

  constructor(
    inChannels: number,
    outChannels: number,
    kernel: readonly number[],
    options: { readonly groups?: number; readonly bias?: boolean },
    transposed: boolean,
  ) {
    super();
    const name = this.constructor.name;
    checkOptions(name, options, transposed ? TRANSPOSED : PLAIN);
    const { groups = 1, bias = true } = options;
    for (const [what, n] of [
      ["inChannels", inChannels],
      ["outChannels", outChannels],
      ["groups", groups],
    ] as const)
      if (!Number.isInteger(n) || n < 1)
        throw new ShapeError(`${name}: ${what} must be a positive integer, got ${n}`);
    if (inChannels % groups !== 0 || outChannels % groups !== 0)
      throw new ShapeError(
        `${name}: ${inChannels} and ${outChannels} channels do not split into ${groups} groups`,
      );
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    const shape = transposed
      ? [inChannels, outChannels / groups, ...kernel]
      : [outChannels, inChannels / groups, ...kernel];
    const bound = 1 / Math.sqrt(shape.slice(1).reduce((a, b) => a * b, 1));
    this.weight = new Parameter(uniform(shape, -bound, bound));
    this.bias = bias ? new Parameter(uniform([outChannels], -bound, bound)) : null;
  }

  /** Settings as PyTorch prints them; those at their defaults are left out. */
  protected describe(
    spatial: 1 | 2,
    {
      stride = 1,
      padding = 0,
      dilation = 1,
      outputPadding = 0,
      groups = 1,
      paddingMode = "zeros",
    }: ConvOptions & { readonly outputPadding?: Pair; readonly paddingMode?: string },
  ): string {
    const sizes = (value: Pair | string): string => {
      if (typeof value === "string") return value;
      const both = typeof value === "number" ? [value, value] : value;
      return pythonTuple(both.slice(-spatial));
    };
    const kernel = pythonTuple(this.weight.shape.slice(-spatial));
    const rest: [string, string, string][] = [
      ["padding", sizes(padding), sizes(0)],
      ["dilation", sizes(dilation), sizes(1)],
      ["output_padding", sizes(outputPadding), sizes(0)],
      ["groups", String(groups), "1"],
      ["bias", this.bias === null ? "False" : "True", "True"],
      ["padding_mode", paddingMode, "zeros"],
    ];
    const changed = rest.filter(([, value, usual]) => value !== usual);
    return [
      `${this.inChannels}, ${this.outChannels}`,
      `kernel_size=${kernel}`,
      `stride=${sizes(stride)}`,
      ...changed.map(([key, value]) => `${key}=${value}`),
    ].join(", ");
  }
}

/** Options of convolution layers. */
export interface ConvLayerOptions extends ConvOptions, LayerOptions {
  /** What lies around the input: zeros unless given, or the input continued as by `functional.pad`. */
  readonly paddingMode?: "zeros" | PadMode;
}

/** x with the padding of a convolution done by `functional.pad`. */
function padded(
  op: string,
  x: Tensor,
  kernel: readonly number[],
  { padding = 0, dilation = 1, stride = 1 }: ConvOptions,
  mode: PadMode,
): Tensor {
  if (padding === "valid") return x;
  const spacing = two(op, "dilation", dilation, 1);
  if (padding === "same" && two(op, "stride", stride, 1).some((s) => s !== 1))
    throw new ShapeError(`${op}: padding "same" needs stride 1, got ${String(stride)}`);
  const amounts = kernel.map((size, i): [number, number] => {
    const at = i + 2 - kernel.length;
    if (padding !== "same") {
      const amount = two(op, "padding", padding, 0)[at as 0 | 1];
      return [amount, amount];
    }
    const total = spacing[at as 0 | 1] * (size - 1);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
  return F.pad(x, amounts.reverse().flat(), { mode });
}

/**
 * Cross-correlation of images [N, C, H, W] or [C, H, W]; weight [out, in/groups, kh, kw] and bias [out] start as
 * U(−1/√f, 1/√f) with f inputs a unit: torch.nn.Conv2d.
 */
export class Conv2d extends Convolution {
  readonly options: ConvLayerOptions;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    options: ConvLayerOptions = {},
  ) {
    super(inChannels, outChannels, two("Conv2d", "kernelSize", kernelSize, 1), options, false);
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    const { paddingMode = "zeros", bias: _, ...options } = this.options;
    if (paddingMode === "zeros") return F.conv2d(x, this.weight, this.bias, options);
    const around = padded("Conv2d", x, this.weight.shape.slice(2), options, paddingMode);
    return F.conv2d(around, this.weight, this.bias, { ...options, padding: 0 });
  }

  override extraRepr(): string {
    return this.describe(2, this.options);
  }
}

/** As Conv2d, of sequences [N, C, L] or [C, L]: torch.nn.Conv1d. */
export class Conv1d extends Convolution {
  readonly options: OneDimensional<ConvLayerOptions>;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number,
    options: OneDimensional<ConvLayerOptions> = {},
  ) {
    const [size] = two("Conv1d", "kernelSize", kernelSize, 1);
    super(inChannels, outChannels, [size], options, false);
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    const { paddingMode = "zeros", bias: _, ...options } = this.options;
    if (paddingMode === "zeros") return F.conv1d(x, this.weight, this.bias, options);
    const flat = rowOptions<ConvOptions>(options);
    const around = padded("Conv1d", x, this.weight.shape.slice(2), flat, paddingMode);
    return F.conv1d(around, this.weight, this.bias, { ...options, padding: 0 });
  }

  override extraRepr(): string {
    return this.describe(1, this.options);
  }
}

/** Options of transposed convolution layers. */
export interface ConvTransposeLayerOptions extends ConvTransposeOptions, LayerOptions {}

/**
 * The transposed map of a convolution, which makes images larger: torch.nn.ConvTranspose2d. [N, in, H, W] → [N, out, …];
 * weight [in, out/groups, kh, kw].
 */
export class ConvTranspose2d extends Convolution {
  readonly options: ConvTransposeLayerOptions;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    options: ConvTransposeLayerOptions = {},
  ) {
    const kernel = two("ConvTranspose2d", "kernelSize", kernelSize, 1);
    super(inChannels, outChannels, kernel, options, true);
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    const { bias: _, ...options } = this.options;
    return F.convTranspose2d(x, this.weight, this.bias, options);
  }

  override extraRepr(): string {
    return this.describe(2, this.options);
  }
}

/** As ConvTranspose2d, of sequences [N, C, L] or [C, L]: torch.nn.ConvTranspose1d. */
export class ConvTranspose1d extends Convolution {
  readonly options: OneDimensional<ConvTransposeLayerOptions>;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number,
    options: OneDimensional<ConvTransposeLayerOptions> = {},
  ) {
    const [size] = two("ConvTranspose1d", "kernelSize", kernelSize, 1);
    super(inChannels, outChannels, [size], options, true);
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    const { bias: _, ...options } = this.options;
    return F.convTranspose1d(x, this.weight, this.bias, options);
  }

  override extraRepr(): string {
    return this.describe(1, this.options);
  }
}
