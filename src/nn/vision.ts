/** Layers that change the sizes of images. */

import type { PadMode } from "../ops/pad-modes.ts";
import { ShapeError } from "../graph/shape.ts";
import type { Tensor } from "../tensor.ts";
import * as F from "./functional/index.ts";
import { Layer } from "./layer.ts";
import { pythonFloat } from "./module-repr.ts";

/** Resizes [N, C, L] or [N, C, H, W]: torch.nn.Upsample. */
export class Upsample extends Layer {
  readonly options: F.InterpolateOptions;

  constructor(options: F.InterpolateOptions) {
    super();
    if ((options.size === undefined) === (options.scaleFactor === undefined))
      throw new ShapeError("Upsample: needs either size or scaleFactor");
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return F.interpolate(x, this.options);
  }

  override extraRepr(): string {
    const { size, scaleFactor, mode = "nearest" } = this.options;
    const tuple = (values: number | readonly number[], write: (n: number) => string): string =>
      typeof values === "number" ? write(values) : `(${values.map(write).join(", ")})`;
    const by =
      size === undefined
        ? `scale_factor=${tuple(scaleFactor ?? 1, pythonFloat)}`
        : `size=${tuple(size, String)}`;
    return `${by}, mode='${mode}'`;
  }
}

/** [..., C·r², H, W] → [..., C, H·r, W·r]: torch.nn.PixelShuffle. */
export class PixelShuffle extends Layer {
  readonly upscaleFactor: number;

  constructor(upscaleFactor: number) {
    super();
    this.upscaleFactor = upscaleFactor;
  }

  forward(x: Tensor): Tensor {
    return F.pixelShuffle(x, this.upscaleFactor);
  }

  override extraRepr(): string {
    return `upscale_factor=${this.upscaleFactor}`;
  }
}

/** [..., C, H·r, W·r] → [..., C·r², H, W]: torch.nn.PixelUnshuffle. */
export class PixelUnshuffle extends Layer {
  readonly downscaleFactor: number;

  constructor(downscaleFactor: number) {
    super();
    this.downscaleFactor = downscaleFactor;
  }

  forward(x: Tensor): Tensor {
    return F.pixelUnshuffle(x, this.downscaleFactor);
  }

  override extraRepr(): string {
    return `downscale_factor=${this.downscaleFactor}`;
  }
}

/** Padding of the last dimensions, given as one number for all sides or [left, right, top, bottom]. */
abstract class Padding extends Layer {
  readonly padding: readonly number[];
  protected abstract readonly mode: "constant" | PadMode;

  constructor(padding: number | readonly number[], spatial: 1 | 2) {
    super();
    const sides = 2 * spatial;
    this.padding =
      typeof padding === "number" ? Array.from({ length: sides }, () => padding) : padding;
    if (this.padding.length !== sides)
      throw new ShapeError(
        `${this.constructor.name}: padding must be one number or ${sides}, got [${this.padding.join()}]`,
      );
  }

  /** The tensor with more elements around. */
  forward(x: Tensor): Tensor {
    return F.pad(x, this.padding, { mode: this.mode });
  }

  /** What is printed of the layer: its settings, in PyTorch's words. */
  override extraRepr(): string {
    return `(${this.padding.join(", ")})`;
  }
}

abstract class Padding1d extends Padding {
  constructor(padding: number | readonly [left: number, right: number]) {
    super(padding, 1);
  }
}

abstract class Padding2d extends Padding {
  constructor(
    padding: number | readonly [left: number, right: number, top: number, bottom: number],
  ) {
    super(padding, 2);
  }
}

/** Adds zeros around [N, C, L] or [C, L]: torch.nn.ZeroPad1d. */
export class ZeroPad1d extends Padding1d {
  protected readonly mode = "constant";
}
/** Adds zeros around [N, C, H, W] or [C, H, W]: torch.nn.ZeroPad2d. */
export class ZeroPad2d extends Padding2d {
  protected readonly mode = "constant";
}
/** Adds elements mirrored at the edge around [N, C, L] or [C, L]: torch.nn.ReflectionPad1d. */
export class ReflectionPad1d extends Padding1d {
  protected readonly mode = "reflect";
}
/** Adds elements mirrored at the edge around [N, C, H, W] or [C, H, W]: torch.nn.ReflectionPad2d. */
export class ReflectionPad2d extends Padding2d {
  protected readonly mode = "reflect";
}
/** Repeats the edge around [N, C, L] or [C, L]: torch.nn.ReplicationPad1d. */
export class ReplicationPad1d extends Padding1d {
  protected readonly mode = "replicate";
}
/** Repeats the edge around [N, C, H, W] or [C, H, W]: torch.nn.ReplicationPad2d. */
export class ReplicationPad2d extends Padding2d {
  protected readonly mode = "replicate";
}
/** Adds elements of the other end around [N, C, L] or [C, L]: torch.nn.CircularPad1d. */
export class CircularPad1d extends Padding1d {
  protected readonly mode = "circular";
}
/** Adds elements of the other end around [N, C, H, W] or [C, H, W]: torch.nn.CircularPad2d. */
export class CircularPad2d extends Padding2d {
  protected readonly mode = "circular";
}

/** Padding with a number. */
abstract class ConstantPadding extends Padding {
  protected readonly mode = "constant";
  readonly value: number;

  constructor(padding: number | readonly number[], spatial: 1 | 2, value: number) {
    super(padding, spatial);
    this.value = value;
  }

  override forward(x: Tensor): Tensor {
    return F.pad(x, this.padding, { value: this.value });
  }

  override extraRepr(): string {
    return `padding=${super.extraRepr()}, value=${this.value}`;
  }
}

/** Adds a number around [N, C, L] or [C, L]: torch.nn.ConstantPad1d. */
export class ConstantPad1d extends ConstantPadding {
  constructor(padding: number | readonly [left: number, right: number], value: number) {
    super(padding, 1, value);
  }
}

/** Adds a number around [N, C, H, W] or [C, H, W]: torch.nn.ConstantPad2d. */
export class ConstantPad2d extends ConstantPadding {
  constructor(
    padding: number | readonly [left: number, right: number, top: number, bottom: number],
    value: number,
  ) {
    super(padding, 2, value);
  }
}
