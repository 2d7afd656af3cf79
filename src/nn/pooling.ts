/** Pooling layers. */

import type { AdaptiveSize } from "../ops/adaptive-pool.ts";
import type { AvgPoolOptions } from "../ops/avg-pool.ts";
import type { MaxPoolOptions, PoolOptions } from "../ops/pool.ts";
import type { Pair } from "../ops/windows.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import * as F from "./functional/index.ts";
import type { OneDimensional } from "./functional/images.ts";
import { Layer } from "./layer.ts";
import { pythonBool } from "./module-repr.ts";

const POOL = ["stride", "padding", "ceilMode"];
const MAX = [...POOL, "dilation"];
const AVG = [...POOL, "countIncludePad"];

const written = (value: unknown): string =>
  Array.isArray(value)
    ? `(${value.map((n) => (n === null ? "None" : String(n))).join(", ")})`
    : String(value);

const described = (
  kernelSize: unknown,
  { stride = kernelSize as Pair, padding = 0 }: MaxPoolOptions,
): string =>
  `kernel_size=${written(kernelSize)}, stride=${written(stride)}, padding=${written(padding)}`;

const describedMax = (kernelSize: unknown, options: MaxPoolOptions): string =>
  `${described(kernelSize, options)}, dilation=${written(options.dilation ?? 1)}, ceil_mode=${pythonBool(options.ceilMode ?? false)}`;

/** Maxima over windows of [N, C, L] or [C, L]: torch.nn.MaxPool1d. */
export class MaxPool1d extends Layer {
  readonly kernelSize: number;
  readonly options: OneDimensional<MaxPoolOptions>;

  constructor(kernelSize: number, options: OneDimensional<MaxPoolOptions> = {}) {
    super();
    this.kernelSize = kernelSize;
    this.options = checkOptions("MaxPool1d", options, MAX);
  }

  forward(x: Tensor): Tensor {
    return F.maxPool1d(x, this.kernelSize, this.options);
  }

  override extraRepr(): string {
    return describedMax(this.kernelSize, this.options);
  }
}

/** Maxima over windows of [N, C, H, W] or [C, H, W]: torch.nn.MaxPool2d. */
export class MaxPool2d extends Layer {
  readonly kernelSize: Pair;
  readonly options: MaxPoolOptions;

  constructor(kernelSize: Pair, options: MaxPoolOptions = {}) {
    super();
    this.kernelSize = kernelSize;
    this.options = checkOptions("MaxPool2d", options, MAX);
  }

  forward(x: Tensor): Tensor {
    return F.maxPool2d(x, this.kernelSize, this.options);
  }

  override extraRepr(): string {
    return describedMax(this.kernelSize, this.options);
  }
}

/** How windows of an average pooling over one dimension lie, and what counts. */
export type AvgPool1dOptions = OneDimensional<Omit<AvgPoolOptions, "divisorOverride">>;

/** Means over windows of [N, C, L] or [C, L]: torch.nn.AvgPool1d. */
export class AvgPool1d extends Layer {
  readonly kernelSize: number;
  readonly options: AvgPool1dOptions;

  constructor(kernelSize: number, options: AvgPool1dOptions = {}) {
    super();
    this.kernelSize = kernelSize;
    this.options = checkOptions("AvgPool1d", options, AVG);
  }

  forward(x: Tensor): Tensor {
    return F.avgPool1d(x, this.kernelSize, this.options);
  }

  override extraRepr(): string {
    const { stride = this.kernelSize, padding = 0 } = this.options;
    return `kernel_size=(${this.kernelSize},), stride=(${stride},), padding=(${padding},)`;
  }
}

/** Means over windows of [N, C, H, W] or [C, H, W]: torch.nn.AvgPool2d. */
export class AvgPool2d extends Layer {
  readonly kernelSize: Pair;
  readonly options: AvgPoolOptions;

  constructor(kernelSize: Pair, options: AvgPoolOptions = {}) {
    super();
    this.kernelSize = kernelSize;
    this.options = checkOptions("AvgPool2d", options, [...AVG, "divisorOverride"]);
  }

  forward(x: Tensor): Tensor {
    return F.avgPool2d(x, this.kernelSize, this.options);
  }

  override extraRepr(): string {
    return described(this.kernelSize, this.options);
  }
}

/** Pooling to a size asked for. */
abstract class Adaptive<S> extends Layer {
  readonly outputSize: S;

  constructor(outputSize: S) {
    super();
    this.outputSize = outputSize;
  }

  override extraRepr(): string {
    return `output_size=${written(this.outputSize)}`;
  }
}

/** Means over as many windows as asked for: torch.nn.AdaptiveAvgPool1d. */
export class AdaptiveAvgPool1d extends Adaptive<number> {
  forward(x: Tensor): Tensor {
    return F.adaptiveAvgPool1d(x, this.outputSize);
  }
}

/** Means over as many windows as asked for, null keeping a size: torch.nn.AdaptiveAvgPool2d. */
export class AdaptiveAvgPool2d extends Adaptive<AdaptiveSize> {
  forward(x: Tensor): Tensor {
    return F.adaptiveAvgPool2d(x, this.outputSize);
  }
}

/** Maxima over as many windows as asked for: torch.nn.AdaptiveMaxPool1d. */
export class AdaptiveMaxPool1d extends Adaptive<number> {
  forward(x: Tensor): Tensor {
    return F.adaptiveMaxPool1d(x, this.outputSize);
  }
}

/** Maxima over as many windows as asked for, null keeping a size: torch.nn.AdaptiveMaxPool2d. */
export class AdaptiveMaxPool2d extends Adaptive<AdaptiveSize> {
  forward(x: Tensor): Tensor {
    return F.adaptiveMaxPool2d(x, this.outputSize);
  }
}

/** (Σ xᵖ)^(1/p) over windows: torch.nn.LPPool2d. */
export class LPPool2d extends Layer {
  readonly normType: number;
  readonly kernelSize: Pair;
  readonly options: Omit<PoolOptions, "padding">;

  constructor(normType: number, kernelSize: Pair, options: Omit<PoolOptions, "padding"> = {}) {
    super();
    this.normType = normType;
    this.kernelSize = kernelSize;
    this.options = checkOptions("LPPool2d", options, ["stride", "ceilMode"]);
  }

  forward(x: Tensor): Tensor {
    return F.lpPool2d(x, this.normType, this.kernelSize, this.options);
  }

  override extraRepr(): string {
    const { stride = null, ceilMode = false } = this.options;
    return `norm_type=${this.normType}, kernel_size=${written(this.kernelSize)}, stride=${stride === null ? "None" : written(stride)}, ceil_mode=${pythonBool(ceilMode)}`;
  }
}
